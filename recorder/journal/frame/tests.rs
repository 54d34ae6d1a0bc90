use super::*;

const SALT: u32 = 0x5a17;

fn segment(payloads: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    let mut position = 0;
    for (number, payload) in (0..).zip(payloads) {
        let surroundings = Surroundings { utc_offset_ns: -5, ima_policy: Some(true) };
        let frame = Frame { kind: FrameKind::Record, number, surroundings, payload };
        position += write(&mut bytes[position..], &frame, SALT).expect("it fits");
    }
    bytes
}

fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    let frame = |piece| if let Piece::Frame(frame) = piece { Some(frame) } else { None };
    pieces(bytes, SALT).filter_map(frame).collect()
}

fn damages(bytes: &[u8]) -> Vec<Damage> {
    let damage = |piece| if let Piece::Damage(damage) = piece { Some(damage) } else { None };
    pieces(bytes, SALT).filter_map(damage).collect()
}

#[test]
fn what_is_written_is_read() {
    let bytes = segment(&[b"one", b"a longer record"]);
    assert_eq!(pieces(&bytes, SALT).count(), 2);
    let found = frames(&bytes);
    assert_eq!(found[1].payload, b"a longer record");
    assert_eq!(found[1].surroundings, Surroundings { utc_offset_ns: -5, ima_policy: Some(true) });
}

#[test]
fn every_flipped_bit_is_reported_and_costs_one_frame() {
    let bytes = segment(&[b"first", b"second record", b"third"]);
    let whole = frames(&bytes);
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let left = frames(&damaged);
        assert!(left.iter().all(|frame| whole.contains(frame)), "bit {bit}: a wrong frame");
        let is_padding = left.len() == 3;
        assert!(is_padding || left.len() == 2, "bit {bit}: {} frames are left", left.len());
        assert!(is_padding || damages(&damaged).len() == 1, "bit {bit} is not reported");
    }
}

#[test]
fn a_frame_in_a_payload_is_no_frame() {
    let mut forged = vec![0; 64];
    let surroundings = Surroundings::default();
    let frame = Frame { kind: FrameKind::Record, number: 1, surroundings, payload: b"forged" };
    write(&mut forged, &frame, 0).expect("it fits");
    let mut bytes = segment(&[&forged, b"true"]);
    bytes[4] ^= 1;
    let left = frames(&bytes);
    assert_eq!((left.len(), left[0].payload), (1, b"true".as_slice()));
}

#[test]
fn every_cut_leaves_the_frames_before_it() {
    let bytes = segment(&[b"first", b"second record", b"third"]);
    let end = [5, 13, 5].map(framed_bytes);
    for cut in 0..end.iter().sum() {
        let whole = [end[0], end[0] + end[1]].iter().filter(|end| **end <= cut).count();
        let left = frames(&bytes[..cut]).len();
        // The last bytes of a frame are its padding.
        assert!(left == whole || left == whole + 1 && damages(&bytes[..cut]).is_empty(), "cut {cut}: {left}");
        let mut torn = bytes.clone();
        torn[cut..].fill(0);
        assert!(frames(&torn).len() >= whole, "torn {cut}");
    }
}

#[test]
fn mutants_give_only_frames_that_were_written() {
    let bytes = segment(&[b"first", b"second record", b"third"]);
    let whole = frames(&bytes);
    for seed in 0..crate::mutate::count() {
        let mutant = crate::mutate::mutant(&bytes, seed);
        assert!(frames(&mutant).iter().all(|frame| whole.contains(frame)), "mutant {seed}");
    }
}

/// Every place claims to be a frame that reaches to the end: the search must not take the square of the size.
#[test]
fn a_forged_segment_ends_soon() {
    let bytes: Vec<u8> = [1_000_000_u32, 0].iter().flat_map(|word| word.to_le_bytes()).cycle().take(2 << 20).collect();
    assert_eq!(damages(&bytes).len(), 1);
}

/// One byte far behind the last frame is damage up to it, wherever it stands; zeros alone are the end.
#[test]
fn what_stands_behind_zeros_is_found() {
    let mut bytes = segment(&[b"one"]);
    bytes.resize(3 * 4096 + 5, 0);
    assert!(damages(&bytes).is_empty());
    for place in [frames(&bytes).len() * 32, 4095, 4096, 8197, bytes.len() - 1] {
        bytes[place] = 7;
        let found = damages(&bytes);
        assert_eq!((found.len(), found[0].to, found[0].frames), (1, place + 1, None), "at {place}");
        bytes[place] = 0;
    }
}
