//! Text from the kernel is bytes; a column is UTF-8. The way between loses nothing.

use crate::hash::HashMap;
use std::borrow::Cow;
use std::fmt::Write;

/// Text for a column, and the original bytes where the text is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text<'a> {
    /// Always UTF-8: the text as it is or, where `bytes` is set, with escapes.
    pub text: Cow<'a, str>,
    /// The original, only where the text has escapes.
    pub bytes: Option<&'a [u8]>,
}

/// Makes column text: valid UTF-8 stays as it is; otherwise bad bytes become `\xNN` and backslashes are doubled. UTF-8 that
/// reads as if a byte of it were escaped so has its backslashes doubled too: two names never have one text, and a text says
/// by itself which bytes it stands for.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Text<'_> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !has_escape(bytes)
    {
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

/// Whether something in it reads like the escape of a byte; those that are no UTF-8 are beyond ASCII.
fn has_escape(bytes: &[u8]) -> bool {
    let is_escape = |four: &[u8]| matches!(four, [b'\\', b'x', b'8' | b'9' | b'a'..=b'f', b'0'..=b'9' | b'a'..=b'f']);
    bytes.contains(&b'\\') && bytes.windows(4).any(is_escape)
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

    #[test]
    fn two_names_have_two_texts() {
        let names: [&[u8]; 9] = [
            b"/a\xff",
            b"/a\\xff",
            b"/a\\\xff",
            b"/a\\x7f\\xFF\n",
            b"/a\xff\\x80\x1b\\",
            b"/a\\xff\xff\\\\x",
            "/\u{e9}\\xc3\\xa9".as_bytes(),
            b"\\x8",
            b"",
        ];
        let texts = names.map(|name| from_bytes(name).text);
        for (text, name) in texts.iter().zip(names) {
            assert_eq!(from_bytes(name).bytes.is_some(), text.as_bytes() != name);
            assert_eq!(texts.iter().filter(|other| *other == text).count(), 1, "{text}");
        }
    }
}
