//! Digests as users write them, and the names of what they are of.

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

/// The algorithm that people mean by a digest of so many hex digits.
pub(crate) fn name_of_length(digits: usize) -> Option<&'static str> {
    Some(match digits {
        32 => "md5",
        40 => "sha1",
        56 => "sha224",
        64 => "sha256",
        96 => "sha384",
        128 => "sha512",
        _ => return None,
    })
}

/// The name of an algorithm without what people and kernels write differently.
pub(crate) fn plain_name(name: &str) -> String {
    let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
    if plain == "sm3256" { "sm3".into() } else { plain }
}
