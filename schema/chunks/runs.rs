//! Small numbers as runs, and what Parquet makes of them: its hybrid of run lengths and packed bits.

/// Packed numbers come in groups of this many.
const GROUP: usize = 8;
/// Shortest run that stands as a run, a multiple of the groups. Shorter ones cost the compressor less than the heads between
/// them, which are never alike.
const SHORTEST_RUN: usize = 64;

/// Numbers that mostly are the same as the one before.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The last run: one more of its number costs a comparison, and no look at memory that stands elsewhere.
    number: u32,
    count: u32,
    /// The runs before it, each a number and how often, and how many numbers they are.
    ended: Vec<(u32, u32)>,
    ended_numbers: usize,
}

impl Runs {
    #[inline]
    pub(super) fn push(&mut self, number: u32) {
        if self.number == number {
            self.count += 1;
        } else {
            self.begin(number);
        }
    }

    fn begin(&mut self, number: u32) {
        if self.count > 0 {
            self.ended.push((self.number, self.count));
            self.ended_numbers += self.count as usize;
        }
        (self.number, self.count) = (number, 1);
    }

    /// The last number.
    pub(super) fn last(&self) -> u32 {
        self.number
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.ended_numbers + self.count as usize
    }

    /// Each run: its number, and how often it stands there.
    pub(super) fn runs(&self) -> impl Iterator<Item = (u32, u32)> {
        let last = (self.count > 0).then_some((self.number, self.count));
        self.ended.iter().copied().chain(last)
    }

    pub(super) fn bytes(&self) -> usize {
        self.ended.capacity() * size_of::<(u32, u32)>()
    }

    pub(super) fn clear(&mut self) {
        self.ended.clear();
        (self.count, self.ended_numbers) = (0, 0);
    }

    /// Appends the numbers in `width` bits each.
    pub(super) fn encode(&self, width: u32, page: &mut Vec<u8>) {
        let mut packed: Vec<u32> = Vec::new();
        for (number, count) in self.runs() {
            // A group that has begun is filled first.
            let open = packed.len().next_multiple_of(GROUP) - packed.len();
            let count = count as usize;
            let rest = count.saturating_sub(open);
            if rest < SHORTEST_RUN {
                packed.extend(std::iter::repeat_n(number, count));
                continue;
            }
            packed.extend(std::iter::repeat_n(number, open));
            pack(&packed, width, page);
            packed.clear();
            put_varint(rest << 1, page);
            page.extend_from_slice(&number.to_le_bytes()[..width.div_ceil(8) as usize]);
        }
        pack(&packed, width, page);
    }
}

/// Bits that hold every number up to this one.
pub(super) fn width_of(largest: u32) -> u32 {
    u32::BITS - largest.leading_zeros()
}

/// Groups of numbers, the last one filled up.
fn pack(numbers: &[u32], width: u32, page: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    put_varint(groups << 1 | 1, page);
    let end = page.len() + groups * width as usize;
    if width == u8::BITS {
        page.extend(numbers.iter().map(|number| number.to_le_bytes()[0]));
        page.resize(end, 0);
        return;
    }
    let (mut bits, mut held) = (0_u64, 0);
    for number in numbers {
        bits |= u64::from(*number) << held;
        held += width;
        if held >= u32::BITS {
            page.extend_from_slice(&bits.to_le_bytes()[..size_of::<u32>()]);
            bits >>= u32::BITS;
            held -= u32::BITS;
        }
    }
    page.extend_from_slice(&bits.to_le_bytes());
    // The last group is filled up, or what it has too much is cut.
    page.resize(end, 0);
}

fn put_varint(mut number: usize, page: &mut Vec<u8>) {
    while number >= 0x80 {
        page.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    page.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(numbers: &[u32], width: u32) -> Vec<u8> {
        let mut runs = Runs::default();
        numbers.iter().for_each(|number| runs.push(*number));
        let mut page = Vec::new();
        runs.encode(width, &mut page);
        page
    }

    /// The example of the Parquet format's own description of the hybrid, and one run.
    #[test]
    fn numbers_are_packed_and_runs_are_counted() {
        assert_eq!(encoded(&[0, 1, 2, 3, 4, 5, 6, 7], 3), [3, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
        assert_eq!(encoded(&[300; 100], 9), [200, 1, 44, 1]);
        assert_eq!(encoded(&[0; 70], 0), [140, 1]);
        assert!(encoded(&[], 1).is_empty());
        // The first group takes seven of them, and what is left then is a run or too short for one.
        assert_eq!(encoded(&[[1].as_slice(), &[0; 70]].concat(), 1), [[9 << 1 | 1, 1].as_slice(), &[0; 8]].concat());
        assert_eq!(encoded(&[[1].as_slice(), &[0; 71]].concat(), 1), [3, 1, 128, 1, 0]);
    }

    #[test]
    fn widths_hold_their_numbers() {
        assert_eq!([0, 1, 2, 3, 4, 255, 256].map(width_of), [0, 1, 2, 2, 3, 8, 9]);
    }
}
