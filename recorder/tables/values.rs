//! Values that only BTF explains, as the kernel reads them.

use super::byte;
use crate::btf::{End, Kind, Start, Walk};
use crate::policy::model::{AddressPart, MAX_VALUES_OF_HOOK, Network, Read, Value};
use crate::wire;
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
