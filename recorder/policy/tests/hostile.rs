//! Input that no person wrote: nothing may make the reader panic or hang.

use super::super::{MAX_FILE_SIZE, describe};
use super::{SAMPLES, read_bytes};
use crate::mutate::random::Random;

#[test]
fn mutated_samples_never_panic() {
    const PIECES: [&str; 16] =
        [":", "- ", "  ", "\n", "\t", "[", "{", "&a ", "*a ", "!t ", "'", "\"", "%YAML 1.2\n", "? ", "|", "\u{0}"];
    let mut random = Random::new(1);
    for _ in 0..4000 {
        let mut bytes = SAMPLES[random.below(SAMPLES.len())].as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            let start = random.below(bytes.len());
            let end = (start + random.below(24)).min(bytes.len());
            match random.below(4) {
                0 => drop(bytes.drain(start..end)),
                1 => drop(bytes.splice(start..start, PIECES[random.below(PIECES.len())].bytes())),
                2 => bytes[start] = u8::try_from(random.below(256)).unwrap(),
                _ => bytes.extend_from_within(start..end),
            }
            bytes.push(b'\n');
        }
        match read_bytes(&bytes) {
            Ok(policies) => assert!(!describe(&policies).is_empty()),
            Err(faults) => assert!(faults.iter().all(|fault| fault.starts_with("test.yaml:"))),
        }
    }
}

#[test]
fn hostile_shapes_are_refused_quickly() {
    for piece in ["[", "{", "- ", "a: {", "? ", "\"", "|\n", "!a ", "&a ", "[[]]", "a:\n", "{a: [", "\t", "%\n"] {
        let text = piece.repeat((MAX_FILE_SIZE - 1) / piece.len());
        assert!(read_bytes(text.as_bytes()).is_err(), "{piece:?}");
    }
}
