//! Digests as users write them.

use hashtrail::digest::name_of_length;

/// A digest in hex, in lower case. Its length must be that of an algorithm that IMA knows, from MD5 to SHA-512.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || name_of_length(text.len()).is_none() {
        return Err(format!("`{text}` is no digest in hex"));
    }
    Ok(text.to_ascii_lowercase())
}

/// The head of a manifest: a SHA-256 in hex.
pub(crate) fn parse_head(text: &str) -> Result<String, String> {
    let head = parse(text)?;
    if head.len() == 64 { Ok(head) } else { Err(format!("`{text}` is no head: 64 hex digits")) }
}
