//! Numbers, ranges and durations as policies write them.

const NANOSECONDS: u64 = 1_000_000_000;

/// How a number has to be written.
pub(super) const ADVICE: &str = "write it in decimal without zeros in front, or in 0x hex, with at most 64 bits";

/// A number that is not negative, decimal or 0x hex.
///
/// A leading zero is octal to some YAML parsers and decimal to others, so it is not accepted.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => return None,
        None => (text, 10),
    };
    // `from_str_radix` would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// A number that may be negative.
pub(super) fn parse_signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => 0_i64.checked_sub_unsigned(parse(digits)?),
        None => i64::try_from(parse(text)?).ok(),
    }
}

/// `min:max`, both included.
pub(super) fn parse_range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once(':')?;
    let range = (parse(first)?, parse(last)?);
    (range.0 <= range.1).then_some(range)
}

/// Nanoseconds of `N`, `Ns`, `Nm` or `Nh`.
pub(super) fn parse_duration(text: &str) -> Option<u64> {
    let seconds = match text.bytes().last()?.to_ascii_lowercase() {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        _ => return parse_decimal(text)?.checked_mul(NANOSECONDS),
    };
    parse_decimal(&text[..text.len() - 1])?.checked_mul(seconds * NANOSECONDS)
}

fn parse_decimal(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| parse(text))?
}
