//! Values that only BTF explains, as the kernel reads them.

use super::byte;
use crate::btf::{End, Kind, Start, Walk};
use crate::policy::model::{AddressPart, MAX_VALUES_OF_HOOK, Network, Read, Value};
use crate::record::wire;
use anyhow::{Context, Result, bail};

/// A start that is no argument: the calling task. A length that no argument says.
const NO_ARGUMENT: u8 = u8::MAX;

/// Longest path or text in bytes, `PATH_BYTES` of bpf/event.h.
const TEXT_BYTES: u16 = 4096;

/// The values of one hook, each once.
#[derive(Default)]
pub(super) struct HookValues {
    /// In the order of their places.
    pub(super) rows: Vec<wire::value>,
}

impl HookValues {
    /// The place of a value among those of the hook.
    ///
    /// # Errors
    /// When there are too many, or the machine that read the policy had no BTF.
    pub(super) fn place_of(&mut self, value: &Value) -> Result<u8> {
        let row = row_of(value).with_context(|| value.place.clone())?;
        let known = self.rows.iter().position(|known| wire::bytes_of(known) == wire::bytes_of(&row));
        if let Some(known) = known {
            return Ok(u8::try_from(known)?);
        }
        let place = self.rows.len();
        self.rows.push(row);
        if u32::from(row.kind) == wire::value_kind::VALUE_ADDRESS.0 {
            self.rows.push(wire::value::default());
        }
        if self.rows.len() > MAX_VALUES_OF_HOOK {
            bail!("{}: more than {MAX_VALUES_OF_HOOK} values of one hook over all policies; list fewer", value.place);
        }
        Ok(u8::try_from(place)?)
    }

    /// Whether one is a text.
    pub(super) fn have_texts(&self) -> bool {
        self.rows.iter().any(|row| u32::from(row.kind) == wire::value_kind::VALUE_TEXT.0)
    }
}

fn row_of(value: &Value) -> Result<wire::value> {
    let Some((walk, end)) = &value.walk else {
        bail!("{} is not known: there is no BTF of it", value.name);
    };
    let mut row = wire::value {
        start: match value.start {
            Start::Argument(index) => index,
            Start::CurrentTask => NO_ARGUMENT,
        },
        length_argument: NO_ARGUMENT,
        last_offset: walk.last,
        is_direct: u8::from(walk.is_direct),
        reads: u8::try_from(walk.reads.len())?,
        ..wire::value::default()
    };
    row.offset.get_mut(..walk.reads.len()).context("the walk is too long")?.copy_from_slice(&walk.reads);
    match value.read {
        Read::Number { bits, .. } => number(&mut row, walk, end, bits)?,
        Read::Port => {
            number(&mut row, walk, end, 16)?;
            row.is_big_endian = 1;
        }
        Read::Text => text(&mut row, end)?,
        Read::Address { part, length } => {
            pointed(&mut row, end)?;
            row.length_argument = length.unwrap_or(NO_ARGUMENT);
            row.kind = byte(match part {
                AddressPart::Family => wire::value_kind::VALUE_FAMILY.0,
                AddressPart::Port => wire::value_kind::VALUE_PORT.0,
                AddressPart::Ip => wire::value_kind::VALUE_ADDRESS.0,
            });
        }
    }
    Ok(row)
}

/// The kernel's width and sign decide what is read, the policy's width what is left of it.
fn number(row: &mut wire::value, walk: &Walk, end: &End, bits: u32) -> Result<()> {
    let Kind::Integer { bytes, signed } = end.kind else { bail!("no number stands there") };
    let (first, width) = end.bits.unwrap_or((0, bytes * 8));
    row.kind = byte(wire::value_kind::VALUE_NUMBER.0);
    row.is_signed = u8::from(signed);
    row.right = 64 - width;
    row.left = row.right.checked_sub(first).context("a bit field is too wide")?;
    // A register holds all eight bytes, of which a narrow argument fills the lowest.
    row.bytes = if walk.is_direct { 8 } else { (first + width).div_ceil(8) };
    row.mask = u64::MAX >> (u64::BITS - bits);
    Ok(())
}

fn text(row: &mut wire::value, end: &End) -> Result<()> {
    row.kind = byte(wire::value_kind::VALUE_TEXT.0);
    row.text_bytes = TEXT_BYTES;
    match end.kind {
        Kind::Characters { bytes } => {
            // An open array has no length.
            let bytes = u16::try_from(bytes).unwrap_or(TEXT_BYTES).min(TEXT_BYTES);
            row.text_bytes = if bytes == 0 { TEXT_BYTES } else { bytes };
            Ok(())
        }
        Kind::Text => pointed(row, end),
        _ => bail!("no text stands there"),
    }
}

/// Where a pointer stands that is to be followed; an argument is one itself.
fn pointed(row: &mut wire::value, end: &End) -> Result<()> {
    if row.is_direct != 0 {
        row.is_direct = 0;
        return Ok(());
    }
    if matches!(end.kind, Kind::Structure(_)) {
        return Ok(());
    }
    *row.offset.get_mut(usize::from(row.reads)).context("the walk is too long")? = row.last_offset;
    row.reads += 1;
    row.last_offset = 0;
    Ok(())
}

/// The networks of a filter as the kernel compares them.
pub(super) fn networks(networks: &[Network]) -> Vec<wire::network> {
    let halves = |bits: u128| ((bits >> 64) as u64, bits as u64);
    let wire = |network: &Network| {
        let ((high, low), (high_mask, low_mask)) = (halves(network.address), halves(network.mask()));
        wire::network { high, low, high_mask, low_mask }
    };
    networks.iter().map(wire).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn value(start: Start, walk: Walk, kind: Kind, bits: Option<(u8, u8)>, read: Read) -> Value {
        let (name, place) = ("a value".to_owned(), "p.yaml:8".to_owned());
        Value { name, place, start, walk: Some((walk, End { kind, bits })), read }
    }

    fn integer(walk: Walk, bytes: u8, signed: bool, field: Option<(u8, u8)>, bits: u32) -> wire::value {
        let read = Read::Number { bits, signed };
        row_of(&value(Start::CurrentTask, walk, Kind::Integer { bytes, signed }, field, read)).unwrap()
    }

    /// As the kernel does it, from the eight bytes that stand at the place.
    fn read(row: wire::value, memory: u64) -> u64 {
        let bytes = memory & u64::MAX >> (64 - u32::from(row.bytes) * 8);
        let left = bytes << row.left;
        let right =
            if row.is_signed == 1 { (left.cast_signed() >> row.right).cast_unsigned() } else { left >> row.right };
        right & row.mask
    }

    #[test]
    fn numbers_are_read_with_the_kernels_width_and_cut_to_the_policys() {
        let there = Walk::default;
        let direct = || Walk { is_direct: true, ..Walk::default() };
        for (row, memory, expected) in [
            (integer(there(), 2, true, None, 16), 0x1234_fe0c, 0xfe0c),
            (integer(there(), 2, true, None, 32), 0x1234_fe0c, 0xffff_fe0c),
            (integer(there(), 2, false, None, 32), 0x1234_fe0c, 0xfe0c),
            (integer(there(), 4, false, None, 8), 0x1234_fe0c, 0x0c),
            (integer(there(), 8, false, None, 64), u64::MAX - 1, u64::MAX - 1),
            (integer(there(), 4, false, Some((3, 1)), 8), 0b0_1000, 1),
            (integer(there(), 4, false, Some((3, 1)), 8), 0b1_0111, 0),
            (integer(there(), 4, true, Some((6, 4)), 8), 0b10_0100_0000, 0xf9),
            // What stands above a narrow argument in its register is nobody's.
            (integer(direct(), 4, false, None, 32), 0xdead_0000_0005, 5),
            (integer(direct(), 4, true, None, 32), 0xdead_ffff_ffff, 0xffff_ffff),
        ] {
            assert_eq!(read(row, memory), expected, "{memory:#x} by {row:?}");
        }
    }

    #[test]
    fn each_value_of_a_hook_has_one_place_and_an_address_two() {
        let address = |part| {
            let read = Read::Address { part, length: Some(2) };
            let walk = Walk { is_direct: true, ..Walk::default() };
            value(Start::Argument(1), walk, Kind::Pointer("sockaddr".into()), None, read)
        };
        let mut values = HookValues::default();
        assert_eq!(values.place_of(&address(AddressPart::Ip)).unwrap(), 0);
        assert_eq!(values.place_of(&address(AddressPart::Port)).unwrap(), 2);
        assert_eq!(values.place_of(&address(AddressPart::Ip)).unwrap(), 0);
        assert_eq!((values.rows[0].start, values.rows[0].is_direct, values.rows[0].length_argument), (1, 0, 2));
        assert!(!values.have_texts());
        let name = |last| {
            let walk = Walk { reads: vec![8], last, is_direct: false };
            value(Start::Argument(0), walk, Kind::Text, None, Read::Text)
        };
        let place = usize::from(values.place_of(&name(24)).unwrap());
        let row = values.rows[place];
        assert_eq!((row.reads, &row.offset[..2], row.last_offset), (2, &[8, 24][..], 0), "the pointer is read too");
        assert!(values.have_texts());
        let error = (0..20).find_map(|last| values.place_of(&name(last)).err()).unwrap().to_string();
        assert!(error.starts_with("p.yaml:8: more than 16 values"), "{error}");
    }

    #[test]
    fn what_no_btf_explained_is_refused_where_it_is_listed() {
        let read = Read::Number { bits: 8, signed: false };
        let unknown = Value { walk: None, ..value(Start::CurrentTask, Walk::default(), Kind::Other, None, read) };
        let error = format!("{:#}", HookValues::default().place_of(&unknown).unwrap_err());
        assert_eq!(error, "p.yaml:8: a value is not known: there is no BTF of it");
    }
}
