//! One segment of the journal: preallocated, memory-mapped, a row of frames.
//!
//! It begins with its header, twice, so that it can be sealed without any other file and one flipped bit does
//! not cost it all.

use crate::journal::frame::{self, Frame, FrameKind};
use crate::record::header::{SegmentHeader, Surroundings};
use anyhow::{Context, Result, bail};
use hashtrail::archive::{open_own, remove_if_there, rename_new};
use memmap2::MmapMut;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Suffix of segments.
pub(crate) const SEGMENT_SUFFIX: &str = "journal";
/// Suffix of segments whose header is not yet written: they hold nothing.
pub(crate) const NEW_SUFFIX: &str = "new";
/// Suffix of segments whose header is lost: they are kept for people to look at.
pub(crate) const DAMAGED_SUFFIX: &str = "damaged";

/// File name of a segment, without its suffix.
pub(crate) fn segment_name(recording_id: &str, segment: u32) -> String {
    format!("{}-{segment:06}", recording_id.get(..8).unwrap_or(recording_id))
}

/// A segment that is being written.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    path: PathBuf,
    file: File,
    map: MmapMut,
    salt: u32,
    position: usize,
    frames: u32,
}

impl SegmentWriter {
    /// Reserves the blocks of a new segment, maps it and writes the header. A mapped page without a block would be
    /// SIGBUS on a full disk.
    ///
    /// # Errors
    /// When there is no space, or the header takes more than half of it.
    pub(crate) fn create(path: &Path, bytes: u64, header: &SegmentHeader, surroundings: Surroundings) -> Result<Self> {
        let named = || format!("cannot make journal segment `{}` of {bytes} bytes", path.display());
        let new = path.with_extension(NEW_SUFFIX);
        remove_if_there(&new)?;
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&new).with_context(named)?;
        let fill = || -> Result<Self> {
            fallocate(&file, FallocateFlags::empty(), 0, bytes).map_err(std::io::Error::from)?;
            // SAFETY: the file is new, has its full length, and no other process is given it: `.journal/` is locked
            // by this recorder and only its user can enter it.
            let map = unsafe { MmapMut::map_mut(&file) }?;
            let salt = frame::salt_of(&header.recording_id);
            let mut writer = Self { path: path.to_owned(), file, map, salt, position: 0, frames: 0 };
            let payload = serde_json::to_vec(header)?;
            let fits = payload.len() as u64 <= bytes / 4;
            if !fits || !(0..2).all(|_| writer.append(FrameKind::Header, &payload, surroundings)) {
                bail!("the policies do not fit into it; raise --journal-size");
            }
            // Under its own name a segment has a header, whatever comes.
            rename_new(&new, path)?;
            Ok(writer)
        };
        fill().inspect_err(|_| drop(std::fs::remove_file(&new))).with_context(named)
    }

    /// Where the segment stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that were written.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Whether only a quarter of it is left: time to have the next one, and too little for events that can flood.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.position >= self.map.len() / 4 * 3
    }

    /// A second handle, for the thread that syncs.
    ///
    /// # Errors
    /// When the process has no handle left.
    pub(crate) fn file(&self) -> Result<File> {
        self.file.try_clone().context("cannot duplicate the journal's file handle")
    }

    /// Ends the segment.
    pub(crate) fn finish(self) -> FinishedSegment {
        FinishedSegment { path: self.path, file: self.file }
    }

    /// Appends one frame; `false` when it does not fit any more.
    pub(crate) fn append(&mut self, kind: FrameKind, payload: &[u8], surroundings: Surroundings) -> bool {
        let frame = Frame { kind, number: self.frames, surroundings, payload };
        let written = self.map.get_mut(self.position..).and_then(|place| frame::write(place, &frame, self.salt));
        let Some(bytes) = written else { return false };
        self.position += bytes;
        self.frames += 1;
        true
    }
}

/// A segment to which nothing is added any more.
#[derive(Debug)]
pub(crate) struct FinishedSegment {
    path: PathBuf,
    /// The handle that wrote it, or one for reading. To open a segment of this recording again, while anything still
    /// holds a handle that can write it, would be a violation for IMA, in the measurement list that is evidence too. Who
    /// holds one is not ours to know: an iterator over descriptors does so until its read ends.
    file: File,
}

impl FinishedSegment {
    /// One that an earlier recording left.
    ///
    /// # Errors
    /// When it is not a regular file, or cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = open_own(path, OpenOptions::new().read(true)).with_context(|| cannot_read(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Where it stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All bytes of it, instead of those of the segment before: pages that a process has already cost it nothing.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn read(&self, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.clear();
        let mut file = &self.file;
        file.rewind().and_then(|()| file.read_to_end(bytes)).with_context(|| cannot_read(&self.path))?;
        Ok(())
    }
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read `{}`", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::frame::{Piece, pieces};

    #[test]
    fn a_segment_begins_with_its_header_twice_and_refuses_when_full() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("segment");
        let header = SegmentHeader { recording_id: "x".repeat(36), ..SegmentHeader::default() };
        let mut writer = SegmentWriter::create(&path, 4096, &header, Surroundings::default())?;
        let written = (0..10).filter(|_| writer.append(FrameKind::Record, &[7; 1000], Surroundings::default())).count();
        assert_eq!(written, 3);
        let (mut bytes, mut again) = (Vec::new(), vec![1; 10]);
        writer.finish().read(&mut bytes)?;
        FinishedSegment::open(&path)?.read(&mut again)?;
        assert_eq!(again, bytes);
        let kinds: Vec<_> = pieces(&bytes, frame::salt_of(&header.recording_id))
            .map(|piece| matches!(piece, Piece::Frame(frame) if frame.kind == FrameKind::Header))
            .collect();
        assert_eq!(kinds, [true, true, false, false, false]);
        let error = SegmentWriter::create(&path, 4096, &header, Surroundings::default()).err().context("an error")?;
        assert!(format!("{error:#}").contains("exists"), "a segment is never overwritten: {error:#}");
        Ok(())
    }
}
