//! The journal between rings and Parquet: preallocated, memory-mapped segments of framed records.
//!
//! A segment is a row of frames: length of the payload, kind, number of the frame, CRC32C over these three and the
//! payload, the payload, zeros up to a multiple of 8. A length of zero, or the end of the file, ends the segment. The first frame is the header,
//! so that a segment can be sealed without any other file.

use anyhow::{Context, Result, bail};
use hashtrail::clock::ClockAnchor;
use hashtrail::versions::VersionContext;
use memmap2::MmapMut;
use rustix::fs::{FallocateFlags, fallocate};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes before each payload.
const FRAME_HEAD: usize = 24;
/// Frames begin at multiples of this.
const ALIGNMENT: usize = 8;
/// Suffix of segments.
pub(crate) const SEGMENT_SUFFIX: &str = "journal";

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum FrameKind {
    /// [`SegmentHeader`] as JSON.
    Header = 1,
    /// One record as the kernel sent it.
    Record = 2,
    /// One ledger entry as JSON.
    Ledger = 3,
    /// [`Surroundings`] as JSON: holds for the records behind it.
    Surroundings = 4,
}

impl FrameKind {
    fn from_number(number: u32) -> Option<Self> {
        [Self::Header, Self::Record, Self::Ledger, Self::Surroundings].into_iter().find(|kind| *kind as u32 == number)
    }
}

/// All that the rows of a segment need and its records do not hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SegmentHeader {
    /// Recording that writes the segment.
    pub(crate) recording_id: String,
    /// Label of the host.
    pub(crate) host: String,
    /// Boot of the host.
    pub(crate) boot_id: String,
    /// Number of the segment in the recording.
    pub(crate) segment: u32,
    /// The loaded policies' hook entries, by the number that records carry.
    pub(crate) entries: Vec<EntryName>,
    /// What the files index needs.
    pub(crate) versions: VersionContext,
}

/// What a record's `entry` and `selector` numbers stand for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EntryName {
    /// Name of the policy.
    pub(crate) policy: String,
    /// Hook that the policy names.
    pub(crate) hook: String,
    /// Message of the hook entry.
    pub(crate) message: Option<String>,
    /// Tags of the hook entry.
    pub(crate) tags: Vec<String>,
    /// Labels of its selectors, or their places.
    pub(crate) selectors: Vec<String>,
}

/// What changes while a segment is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Surroundings {
    /// Both clocks.
    pub(crate) clock: ClockAnchor,
    /// Whether an IMA policy is loaded.
    pub(crate) ima_policy: Option<bool>,
}

/// A segment that is being written.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    path: PathBuf,
    file: File,
    map: MmapMut,
    position: usize,
    frames: u64,
}

impl SegmentWriter {
    /// Reserves the blocks of a new segment and maps it. A mapped page without a block would be SIGBUS on a full disk.
    pub(crate) fn create(path: &Path, bytes: u64) -> Result<Self> {
        let attempt = || -> Result<Self> {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
            fallocate(&file, FallocateFlags::empty(), 0, bytes).context("cannot reserve its space")?;
            // SAFETY: the file is new, has its full length, and no other process is given it: `.journal/` is locked
            // by this recorder and only root can enter it.
            let map = unsafe { MmapMut::map_mut(&file) }?;
            Ok(Self { path: path.to_owned(), file, map, position: 0, frames: 0 })
        };
        attempt().with_context(|| format!("cannot make journal segment `{}`", path.display()))
    }

    /// Where the segment stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle, for the thread that syncs.
    pub(crate) fn file(&self) -> Result<File> {
        self.file.try_clone().context("cannot duplicate the journal's file handle")
    }

    /// Appends one frame; `false` when it does not fit any more.
    pub(crate) fn append(&mut self, kind: FrameKind, payload: &[u8]) -> bool {
        let end = self.position + FRAME_HEAD + payload.len();
        let next = end.next_multiple_of(ALIGNMENT);
        let Some(frame) = self.map.get_mut(self.position..end) else { return false };
        let Ok(length) = u32::try_from(payload.len()) else { return false };
        let (head, body) = frame.split_at_mut(FRAME_HEAD);
        body.copy_from_slice(payload);
        let crc = frame_crc(length, kind as u32, self.frames, payload);
        head[4..8].copy_from_slice(&(kind as u32).to_le_bytes());
        head[8..16].copy_from_slice(&self.frames.to_le_bytes());
        head[16..20].copy_from_slice(&crc.to_le_bytes());
        // The length comes last: a frame exists when it is whole.
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::Release);
        head[..4].copy_from_slice(&length.to_le_bytes());
        self.position = next;
        self.frames += 1;
        true
    }
}

fn frame_crc(length: u32, kind: u32, number: u64, payload: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&length.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &kind.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &number.to_le_bytes());
    crc32c::crc32c_append(crc, payload)
}

/// One frame of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// What it holds.
    pub(crate) kind: FrameKind,
    /// Its payload.
    pub(crate) payload: &'a [u8],
}

/// The frames of a segment's bytes. Ends at the end mark, or with one error that names the offset of the damage.
pub(crate) fn frames(bytes: &[u8]) -> impl Iterator<Item = Result<Frame<'_>>> {
    let mut position = 0;
    let mut number = 0;
    let mut damaged = false;
    std::iter::from_fn(move || {
        if damaged || position + FRAME_HEAD > bytes.len() || number_at(bytes, position, 4) == 0 {
            return None;
        }
        let frame = frame_at(bytes, position, number).with_context(|| format!("damaged frame at offset {position}"));
        damaged = frame.is_err();
        if let Ok(frame) = &frame {
            position = (position + FRAME_HEAD + frame.payload.len()).next_multiple_of(ALIGNMENT);
            number += 1;
        }
        Some(frame)
    })
}

fn frame_at(bytes: &[u8], position: usize, number: u64) -> Result<Frame<'_>> {
    let length = u32::try_from(number_at(bytes, position, 4))?;
    let kind = u32::try_from(number_at(bytes, position + 4, 4))?;
    let start = position + FRAME_HEAD;
    let payload = bytes.get(start..start + length as usize).context("it ends behind the file")?;
    if number_at(bytes, position + 8, 8) != number {
        bail!("it is not frame {number}");
    }
    if number_at(bytes, position + 16, 4) != u64::from(frame_crc(length, kind, number, payload)) {
        bail!("its checksum is wrong");
    }
    let kind = FrameKind::from_number(kind).with_context(|| format!("its kind {kind} is unknown"))?;
    Ok(Frame { kind, payload })
}

/// The little-endian number in `width` bytes at `position`, which must be inside.
fn number_at(bytes: &[u8], position: usize, width: usize) -> u64 {
    bytes[position..position + width].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(frames: &[&[u8]]) -> Result<Vec<u8>> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("segment");
        let mut writer = SegmentWriter::create(&path, 4096)?;
        for payload in frames {
            assert!(writer.append(FrameKind::Record, payload));
        }
        Ok(std::fs::read(&path)?)
    }

    #[test]
    fn what_is_written_is_read() -> Result<()> {
        let bytes = segment(&[b"one", b"a longer record"])?;
        let payloads: Vec<_> = frames(&bytes).map(|frame| frame.map(|frame| frame.payload)).collect::<Result<_>>()?;
        assert_eq!(payloads, [b"one".as_slice(), b"a longer record"]);
        Ok(())
    }

    #[test]
    fn a_full_segment_refuses() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let mut writer = SegmentWriter::create(&directory.path().join("segment"), 4096)?;
        let record = [7; 1000];
        let written = (0..10).filter(|_| writer.append(FrameKind::Record, &record)).count();
        // 24 bytes of head each
        assert_eq!(written, 4);
        Ok(())
    }

    #[test]
    fn any_flipped_bit_ends_the_frames_before_it() -> Result<()> {
        let bytes = segment(&[b"first", b"second record", b"third"])?;
        let whole: Vec<Frame> = frames(&bytes).collect::<Result<_>>()?;
        for bit in 0..(3 * FRAME_HEAD + 40) * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read: Vec<Frame> = frames(&damaged).take_while(Result::is_ok).flatten().collect();
            assert!(read.len() <= whole.len() && read == whole[..read.len()], "bit {bit}");
        }
        Ok(())
    }
}
