//! Digests as users write them.

use hashtrail::digest::name_of_length;

/// A digest in hex, in lower case. Its length must be that of an algorithm that IMA knows, from MD5 to SHA-512.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || name_of_length(text.len()).is_none() {
        return Err(format!("`{text}` is no digest in hex"));
    }
    Ok(text.to_ascii_lowercase())
}

/// What marks that the rest of a digest is not known.
const REST: char = '\u{2026}';
/// Fewer digits begin many digests.
const LEAST_DIGITS: usize = 8;

/// A digest as [`parse`] reads it, or the beginning of one, as tables show it: then its last character says so.
pub(crate) fn parse_beginning(text: &str) -> Result<String, String> {
    let start = text.strip_suffix(REST).or_else(|| text.strip_suffix("..."));
    if start.is_none() && parse(text).is_ok() {
        return parse(text);
    }
    let start = start.unwrap_or(text);
    if start.len() < LEAST_DIGITS || !start.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("`{text}` is no digest in hex, nor the first {LEAST_DIGITS} digits of one or more"));
    }
    Ok(start.to_ascii_lowercase() + REST.encode_utf8(&mut [0; 4]))
}

/// The digits of what [`parse_beginning`] read, if they are no whole digest.
pub(crate) fn beginning(text: &str) -> Option<&str> {
    text.strip_suffix(REST)
}

/// The head of a manifest: a SHA-256 in hex.
pub(crate) fn parse_head(text: &str) -> Result<String, String> {
    let head = parse(text)?;
    if head.len() == 64 { Ok(head) } else { Err(format!("`{text}` is no head: 64 hex digits")) }
}
