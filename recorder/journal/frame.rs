//! The frames of a journal segment: how they stand in bytes, and how they are found again in damaged ones.
//!
//! A frame is a head of 24 bytes, the payload, and zeros up to a multiple of 8. The head: length of the payload (4 bytes,
//! written last: a frame exists when it is whole), CRC32C over the rest of the head and the payload (4), kind (2), whether
//! an IMA policy is loaded (2), number of the frame (4), wall-clock offset in nanoseconds (8). All little-endian. A length
//! of zero with only zeros behind it ends the segment. Each frame can be decoded alone.
//!
//! Payloads hold what strangers chose (paths, arguments), so a payload could hold the bytes of a frame, to be found when
//! the true frame around it is damaged. The checksum therefore begins with a salt that strangers do not know; only
//! headers, which hold no such bytes and tell the salt, have none.

use crate::record::header::Surroundings;
use anyhow::{Context, Result, bail};

/// Bytes before each payload.
pub(crate) const HEAD_BYTES: usize = 24;
/// Frames begin at multiples of this.
pub(crate) const ALIGNMENT: usize = 8;
/// A frame whose length is not yet written.
const UNFINISHED: &str = "the frame was not finished";
/// Searching behind damage ends after checksums over this many times the segment's bytes: only a forged segment, in
/// which every place claims to be a frame, comes to that.
const SEARCH_FACTOR: usize = 8;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum FrameKind {
    /// [`crate::record::header::SegmentHeader`] as JSON.
    Header = 1,
    /// One record as the kernel sent it.
    Record = 2,
    /// One ledger entry as JSON.
    Ledger = 3,
}

/// One frame of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// What it holds.
    pub(crate) kind: FrameKind,
    /// Number in its segment, from 0.
    pub(crate) number: u32,
    /// Clock and policy.
    pub(crate) surroundings: Surroundings,
    /// Its payload.
    pub(crate) payload: &'a [u8],
}

/// What stands at a place of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// Bytes that are none.
    Damage(Damage),
}

/// A span of bytes that holds no whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Its first byte.
    pub(crate) from: usize,
    /// The byte behind it.
    pub(crate) to: usize,
    /// What is wrong at its first byte.
    pub(crate) reason: String,
    /// Frames that are missing; `None` at the end, where their number is not known.
    pub(crate) frames: Option<u32>,
}

impl Damage {
    /// Whether it is what a recorder leaves that was killed while it wrote the last frame.
    pub(crate) fn is_torn(&self) -> bool {
        self.frames.is_none() && self.reason == UNFINISHED
    }
}

/// Bytes that a payload of this length takes with head and padding.
pub(crate) fn framed_bytes(payload: usize) -> usize {
    (HEAD_BYTES + payload).next_multiple_of(ALIGNMENT)
}

/// The salt of the checksums in a recording's segments.
pub(crate) fn salt_of(recording_id: &str) -> u32 {
    crc32c::crc32c(recording_id.as_bytes())
}

/// Writes a frame at the start of `place`, the length last; `None` when it does not fit.
pub(crate) fn write(place: &mut [u8], frame: &Frame<'_>, salt: u32) -> Option<usize> {
    let whole = place.get_mut(..HEAD_BYTES + frame.payload.len())?;
    let length = u32::try_from(frame.payload.len()).ok()?;
    let (head, body) = whole.split_at_mut(HEAD_BYTES);
    body.copy_from_slice(frame.payload);
    let fields = head_fields(frame);
    head[8..].copy_from_slice(&fields);
    head[4..8].copy_from_slice(&checksum(salt, length, &fields, frame.payload).to_le_bytes());
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::Release);
    head[..4].copy_from_slice(&length.to_le_bytes());
    Some(framed_bytes(frame.payload.len()))
}

fn head_fields(frame: &Frame<'_>) -> [u8; 16] {
    let policy = match frame.surroundings.ima_policy {
        None => 0_u16,
        Some(false) => 1,
        Some(true) => 2,
    };
    let mut fields = [0; 16];
    fields[..2].copy_from_slice(&(frame.kind as u16).to_le_bytes());
    fields[2..4].copy_from_slice(&policy.to_le_bytes());
    fields[4..8].copy_from_slice(&frame.number.to_le_bytes());
    fields[8..].copy_from_slice(&frame.surroundings.utc_offset_ns.to_le_bytes());
    fields
}

fn checksum(salt: u32, length: u32, fields: &[u8; 16], payload: &[u8]) -> u32 {
    let is_header = fields[..2] == (FrameKind::Header as u16).to_le_bytes();
    let crc = crc32c::crc32c_append(if is_header { 0 } else { salt }, &length.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, fields), payload)
}

/// Everything in a segment's bytes, in order. Behind damage it goes on with the next whole frame.
pub(crate) fn pieces(bytes: &[u8], salt: u32) -> impl Iterator<Item = Piece<'_>> {
    let mut position = 0;
    let mut number = 0;
    let mut search_bytes = bytes.len().saturating_mul(SEARCH_FACTOR);
    std::iter::from_fn(move || {
        if position >= bytes.len() {
            return None;
        }
        match frame_at(bytes, position, salt) {
            Ok(frame) if frame.number == number => {
                position += framed_bytes(frame.payload.len());
                number += 1;
                Some(Piece::Frame(frame))
            }
            found => {
                let reason = found.map_or_else(|error| error.to_string(), |_| "it is out of order".into());
                let damage = damage_at(bytes, position, salt, number, reason, &mut search_bytes);
                position =
                    damage.as_ref().filter(|damage| damage.frames.is_some()).map_or(bytes.len(), |damage| damage.to);
                number += damage.as_ref().and_then(|damage| damage.frames).unwrap_or(0);
                damage.map(Piece::Damage)
            }
        }
    })
}

/// The damage that begins here; `None` where the segment simply ends.
fn damage_at(
    bytes: &[u8],
    from: usize,
    salt: u32,
    number: u32,
    reason: String,
    search_bytes: &mut usize,
) -> Option<Damage> {
    let end = from + used_bytes(&bytes[from..]);
    let next = (from + ALIGNMENT..end).step_by(ALIGNMENT).find_map(|place| {
        let stated = stated_bytes(bytes, place)?;
        *search_bytes = search_bytes.checked_sub(stated)?;
        let frame = frame_at(bytes, place, salt).ok()?;
        Some((place, frame.number.checked_sub(number)?))
    });
    if let Some((to, frames)) = next {
        return Some(Damage { from, to, reason, frames: Some(frames) });
    }
    (end > from).then_some(Damage { from, to: end, reason, frames: None })
}

/// Bytes up to the last that is not zero. Most of a segment that was cut off is zeros: they are compared by the page.
fn used_bytes(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 4096] = [0; 4096];
    let empty =
        bytes.rchunks(ZEROS.len()).take_while(|page| **page == ZEROS[..page.len()]).map(<[u8]>::len).sum::<usize>();
    bytes[..bytes.len() - empty].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Bytes of the frame that a place claims to hold; `None` where it cannot be one.
fn stated_bytes(bytes: &[u8], position: usize) -> Option<usize> {
    let length = number_at::<4>(bytes, position).map(u32::from_le_bytes)? as usize;
    let is_possible = length > 0 && position + HEAD_BYTES + length <= bytes.len();
    is_possible.then_some(HEAD_BYTES + length)
}

fn frame_at(bytes: &[u8], position: usize, salt: u32) -> Result<Frame<'_>> {
    let head: &[u8; HEAD_BYTES] =
        bytes.get(position..position + HEAD_BYTES).context("there is no room for a frame")?.try_into()?;
    let fields: &[u8; 16] = head[8..].try_into()?;
    let length = number_at::<4>(head, 0).map(u32::from_le_bytes).unwrap_or_default();
    if length == 0 {
        bail!(UNFINISHED);
    }
    let start = position + HEAD_BYTES;
    let payload = bytes.get(start..start + length as usize).context("it ends behind the segment")?;
    let field = |at: usize| number_at::<2>(head, at).map(u16::from_le_bytes).unwrap_or_default();
    if number_at::<4>(head, 4) != Some(checksum(salt, length, fields, payload).to_le_bytes()) {
        bail!("its checksum is wrong");
    }
    let kind =
        [FrameKind::Header, FrameKind::Record, FrameKind::Ledger].into_iter().find(|kind| *kind as u16 == field(8));
    let kind = kind.with_context(|| format!("its kind {} is unknown", field(8)))?;
    let surroundings = Surroundings {
        utc_offset_ns: number_at::<8>(head, 16).map(i64::from_le_bytes).unwrap_or_default(),
        ima_policy: [None, Some(false), Some(true)].get(usize::from(field(10))).copied().flatten(),
    };
    let number = number_at::<4>(head, 12).map(u32::from_le_bytes).unwrap_or_default();
    Ok(Frame { kind, number, surroundings, payload })
}

fn number_at<const N: usize>(bytes: &[u8], position: usize) -> Option<[u8; N]> {
    bytes.get(position..position + N)?.try_into().ok()
}

#[cfg(test)]
mod tests;
