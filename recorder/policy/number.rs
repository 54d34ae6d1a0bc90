//! Numbers, ranges and durations as policies write them: as Go reads them, with which Tetragon is written.

const NANOSECONDS: u64 = 1_000_000_000;

/// How a number has to be written.
pub(super) const ADVICE: &str =
    "write it in decimal, 0x hex, 0o octal (or with a zero in front) or 0b binary, with at most 64 bits";

/// How a number has to be written where Tetragon reads no other base.
pub(super) const DECIMAL_ADVICE: &str = "write it in decimal or in 0x hex, with at most 64 bits";

/// How numbers are written at a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Notation {
    /// The prefix tells the base (`strconv.ParseUint` with base 0): `0x`, `0o`, `0b`, and a zero alone for octal.
    Prefixed,
    /// Decimal, whatever stands in front; ours, `0x` hex too.
    Decimal,
}

impl Notation {
    /// How a number has to be written.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Prefixed => ADVICE,
            Self::Decimal => DECIMAL_ADVICE,
        }
    }

    /// A number that is not negative.
    pub(super) fn parse(self, text: &str) -> Option<u64> {
        let is_hex = text.starts_with("0x") || text.starts_with("0X");
        match self {
            Self::Decimal if !is_hex => digits(text, 10),
            Self::Decimal if text.contains('_') => None,
            _ => parse(text),
        }
    }

    /// `min:max`, both included.
    pub(super) fn parse_range(self, text: &str) -> Option<(u64, u64)> {
        let (first, last) = text.split_once(':')?;
        let range = (self.parse(first)?, self.parse(last)?);
        (range.0 <= range.1).then_some(range)
    }
}

/// A number that is not negative, its base told by the prefix.
pub(super) fn parse(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (rest, radix) = match (bytes.first()?, bytes.get(1).map(u8::to_ascii_lowercase)) {
        (b'0', Some(b'x')) => (&text[2..], 16),
        (b'0', Some(b'o')) => (&text[2..], 8),
        (b'0', Some(b'b')) => (&text[2..], 2),
        (b'0', Some(_)) => (&text[1..], 8),
        _ => return digits(&without_underscores(text, false)?, 10),
    };
    digits(&without_underscores(rest, true)?, radix)
}

/// A number that may be negative.
pub(super) fn parse_signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => 0_i64.checked_sub_unsigned(parse(digits)?),
        None => i64::try_from(parse(text.strip_prefix('+').unwrap_or(text))?).ok(),
    }
}

/// Nanoseconds of `N`, `Ns`, `Nm` or `Nh`, in decimal.
pub(super) fn parse_duration(text: &str) -> Option<u64> {
    let seconds = match text.bytes().last()?.to_ascii_lowercase() {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        _ => return digits(text, 10)?.checked_mul(NANOSECONDS),
    };
    digits(&text[..text.len() - 1], 10)?.checked_mul(seconds * NANOSECONDS)
}

/// Digits alone; `from_str_radix` would take a sign.
fn digits(text: &str, radix: u32) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(text, radix).ok()
}

/// Underscores may stand between digits, and behind the prefix.
fn without_underscores(text: &str, has_prefix: bool) -> Option<String> {
    let is_misplaced = text.ends_with('_') || text.contains("__") || (text.starts_with('_') && !has_prefix);
    (!is_misplaced).then(|| text.replace('_', ""))
}
