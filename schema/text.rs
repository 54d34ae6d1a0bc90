//! Text from the kernel is bytes; a column is UTF-8. The way between loses nothing.

use crate::hash::HashMap;
use std::borrow::Cow;
use std::fmt::Write;

/// Text for a column, and the original bytes where they are not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text<'a> {
    /// Always UTF-8: the text as it is or, where `bytes` is set, with escapes.
    pub text: Cow<'a, str>,
    /// The original, only where it is not UTF-8.
    pub bytes: Option<&'a [u8]>,
}

/// Makes column text: valid UTF-8 stays as it is; otherwise bad bytes become `\xNN` and backslashes are doubled.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Text<'_> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Text { text: Cow::Borrowed(text), bytes: None };
    }
    let mut text = String::with_capacity(bytes.len() + 12);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    Text { text: Cow::Owned(text), bytes: Some(bytes) }
}

/// Numbers for texts that come again and again, so that they can be compared and kept as keys without a copy of each.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    numbers: HashMap<String, u32>,
}

impl Numbers {
    /// The number of a text, the next one where it is new.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_stays_as_it_is() {
        assert_eq!(from_bytes(b"/a\\b\n\xc3\xa9"), Text { text: "/a\\b\n\u{e9}".into(), bytes: None });
    }

    #[test]
    fn other_bytes_are_escaped_and_kept() {
        let bytes = b"/a\\\xff\xc3";
        assert_eq!(from_bytes(bytes), Text { text: "/a\\\\\\xff\\xc3".into(), bytes: Some(bytes) });
    }
}
