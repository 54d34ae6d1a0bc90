//! What a record says, by name.

/// The fields of a record. A name can stand there twice; the first one is the kernel's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, Vec<u8>, bool)>);

impl Fields {
    /// `is_text`: the value is the text itself, and no hex of it.
    pub(super) fn push(&mut self, name: String, value: Vec<u8>, is_text: bool) {
        self.0.push((name, value, is_text));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, (&[u8], bool))> {
        self.0.iter().map(|(name, value, is_text)| (name.as_str(), (value.as_slice(), *is_text)))
    }

    fn raw(&self, name: &str) -> Option<(&[u8], bool)> {
        let (_, value, is_text) = self.0.iter().find(|(known, ..)| known == name)?;
        Some((value, *is_text))
    }

    /// A text, which is told as hex digits where it is not in quotes.
    pub(super) fn text(&self, name: &str) -> Option<Vec<u8>> {
        let (value, is_text) = self.raw(name)?;
        text_of(value, is_text)
    }

    pub(super) fn word(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.raw(name)?.0).ok()
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.word(name)?.parse().ok()
    }

    pub(super) fn small(&self, name: &str) -> Option<i32> {
        self.word(name)?.parse().ok()
    }

    /// Unset is told as the largest number.
    pub(super) fn id(&self, name: &str) -> Option<i64> {
        self.number(name).filter(|id| (0..i64::from(u32::MAX)).contains(id))
    }

    /// A number in hex digits, as arguments of system calls are.
    pub(super) fn hex(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.word(name)?, 16).ok()
    }

    pub(super) fn octal(&self, name: &str) -> Option<i32> {
        i32::from_str_radix(self.word(name)?, 8).ok()
    }
}

/// A value as text; none where none is told, or where its end is not there.
pub(super) fn text_of(value: &[u8], is_text: bool) -> Option<Vec<u8>> {
    if is_text {
        return Some(value.to_vec());
    }
    let is_none = [&b"(null)"[..], b"(none)", b"?"].contains(&value) || value.starts_with(b"\"");
    (!is_none).then(|| from_hex(value).unwrap_or_else(|| value.to_vec()))
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let is_hex = !digits.is_empty() && digits.len().is_multiple_of(2);
    is_hex.then_some(())?;
    digits.chunks_exact(2).map(|pair| u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok()).collect()
}
