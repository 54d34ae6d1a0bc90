//! The checksum that each line of a manifest carries of itself: nothing comes after the last line to vouch for it.

/// What stands before and behind the eight hex digits, at the end of a line.
const BOUNDS: (&[u8], &[u8]) = (b",\"crc32c\":\"", b"\"}\n");
const DIGITS: usize = 8;

/// What a line says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksum {
    /// The CRC32C of all before it.
    Right,
    /// Another one.
    Wrong,
    /// Nothing, or not in the one spelling.
    Missing,
}

impl Checksum {
    /// Looks at a line with its newline.
    pub(super) fn of(line: &[u8]) -> Self {
        let digits = line.strip_suffix(BOUNDS.1).and_then(|line| line.split_last_chunk::<DIGITS>());
        let Some((body, digits)) = digits.and_then(|(rest, digits)| Some((rest.strip_suffix(BOUNDS.0)?, digits)))
        else {
            return Self::Missing;
        };
        if *digits == digits_of(body) { Self::Right } else { Self::Wrong }
    }
}

/// Ends a JSON object, of which the closing brace is missing yet, with its checksum.
pub(super) fn end_line(line: &mut Vec<u8>) {
    let digits = digits_of(line);
    line.extend([BOUNDS.0, &digits, BOUNDS.1].concat());
}

fn digits_of(body: &[u8]) -> [u8; DIGITS] {
    let crc = crc32c::crc32c(body);
    std::array::from_fn(|place| {
        let nibble = crc >> (4 * (DIGITS - 1 - place)) & 0xf;
        b"0123456789abcdef"[nibble as usize]
    })
}
