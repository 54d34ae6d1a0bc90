//! Digests by their bytes, and the names of what they are of.

use std::fmt::{self, Debug, Display, Formatter};

/// The algorithm that people mean by a digest of so many hex digits.
pub fn name_of_length(digits: usize) -> Option<&'static str> {
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
pub fn plain_name(name: &str) -> String {
    let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
    match plain.as_str() {
        "sm3256" => "sm3".into(),
        // As OpenSSL and multihash name them.
        "sha2224" | "sha2256" | "sha2384" | "sha2512" => plain.replacen("sha2", "sha", 1),
        _ => plain,
    }
}

/// The bytes of a digest, whatever its length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    bytes: [u8; 64],
    length: usize,
}

impl Digest {
    /// Of as many hex digits as an algorithm has.
    pub fn from_hex(text: &str) -> Option<Self> {
        name_of_length(text.len())?;
        let mut digest = Self { bytes: [0; 64], length: text.len() / 2 };
        let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        for (byte, pair) in digest.bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(digest)
    }

    /// Of so many bytes; none where no digest has as many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        name_of_length(bytes.len() * 2)?;
        let mut digest = Self { bytes: [0; 64], length: bytes.len() };
        digest.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(digest)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The algorithm that people mean by its length.
    pub fn name_by_length(&self) -> &'static str {
        name_of_length(self.length * 2).unwrap_or_default()
    }
}

impl Display for Digest {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Debug for Digest {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}
