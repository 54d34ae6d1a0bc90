//! Reading bytes of a list without a way to panic.

/// How the host that wrote the list orders the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) const ALL: [Self; 2] = [Self::Little, Self::Big];

    fn decode(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The number in `size_bytes` bytes, at most 8; `None` when it does not fit.
    pub(super) fn encode(self, number: u64, size_bytes: usize) -> Option<Vec<u8>> {
        let mut bytes = number.to_le_bytes().to_vec();
        if bytes.split_off(size_bytes).iter().any(|byte| *byte != 0) {
            return None;
        }
        if self == Self::Big {
            bytes.reverse();
        }
        Some(bytes)
    }
}

/// A place in bytes; what it gives lies within them.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, at: 0, order }
    }

    /// Bytes before this place.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The next `size_bytes` bytes; `None`, and the place stays, when there are fewer.
    pub(super) fn take(&mut self, size_bytes: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(size_bytes)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// A number of 32 bits.
    pub(super) fn number(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.try_into().ok()?;
        Some(self.order.decode(bytes))
    }

    /// A length and as many bytes.
    pub(super) fn sized(&mut self) -> Option<&'a [u8]> {
        let size_bytes = usize::try_from(self.number()?).ok()?;
        self.take(size_bytes)
    }
}

/// The bytes that hex digits stand for, in either case.
pub(super) fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(nibble(*high)? * 16 + nibble(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_order_of_their_host() {
        let bytes = [1, 0, 0, 0, b'x'];
        assert_eq!(Reader::new(&bytes, Order::Little).sized(), Some(&b"x"[..]));
        assert_eq!(Reader::new(&bytes, Order::Big).number(), Some(0x0100_0000));
        assert_eq!(Order::Big.encode(0x1ff, 2), Some(vec![1, 0xff]));
        assert_eq!(Order::Little.encode(0x1ff, 1), None);
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut reader = Reader::new(&[9, 0, 0, 0], Order::Little);
        assert_eq!(reader.take(5), None);
        assert_eq!(reader.take(usize::MAX), None);
        assert_eq!(reader.sized(), None);
        assert!(reader.is_at_end());
    }

    #[test]
    fn hex_is_pairs_of_digits() {
        assert_eq!(from_hex(b"00Ff"), Some(vec![0, 255]));
        assert_eq!(from_hex(b"0"), None);
        assert_eq!(from_hex(b"+1"), None);
    }
}
