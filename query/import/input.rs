//! A log that is imported: its bytes as they were when it was opened, however it is packed and however long its lines are.

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;
use hashtrail::manifest::Content;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Longer lines are unusable. A line of a program with all its arguments takes less.
const MAX_LINE_BYTES: usize = 4 << 20;
/// What is looked at to see what a log is.
const HEAD_BYTES: u64 = 64 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// A log that is packed may unpack to so much.
const MAX_UNPACKED_BYTES: u64 = 1 << 40;

/// An open log.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    file: File,
    /// Of the file as it is, packed or not. What is appended later is not read.
    pub(crate) content: Content,
    pub(super) is_packed: bool,
}

/// A line that can be longer than what is kept of it.
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    /// Without its end.
    pub(super) bytes: &'a [u8],
    /// Whether it is cut, because it is longer than what is read.
    pub(super) is_cut: bool,
}

impl Input {
    /// # Errors
    /// When it is no regular file, or cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let named = || format!("cannot read `{}`", path.display());
        // A FIFO is asked first: to open it would wait. Links are the user's own.
        ensure!(fs::metadata(path).with_context(named)?.is_file(), "{}: it is not a regular file", named());
        let mut file = File::open(path).with_context(named)?;
        let size_bytes = file.metadata().with_context(named)?.len();
        let content = Content::of((&mut file).take(size_bytes)).with_context(named)?;
        let mut start = [0; 2];
        file.seek(SeekFrom::Start(0)).with_context(named)?;
        let is_packed = file.read_exact(&mut start).is_ok() && start == GZIP;
        Ok(Self { path: path.to_owned(), file, content, is_packed })
    }

    /// # Errors
    /// When it was changed since it was opened: then what was read and what is vouched for differ.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let name = self.path.display();
        let found = self.packed().and_then(Content::of).with_context(|| format!("cannot read `{name}` again"))?;
        ensure!(found == self.content, "`{name}` was changed while it was read: import a copy of it");
        Ok(())
    }

    /// The file itself, for formats that are not read from the start to the end.
    pub(super) fn file(&self) -> Result<File> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    fn packed(&self) -> Result<impl Read + use<>> {
        Ok(self.file()?.take(self.content.size_bytes))
    }

    /// Its bytes, unpacked.
    pub(super) fn bytes(&self) -> Result<Box<dyn BufRead>> {
        let packed = BufReader::new(self.packed()?);
        Ok(if self.is_packed {
            Box::new(BufReader::new(MultiGzDecoder::new(packed).take(MAX_UNPACKED_BYTES)))
        } else {
            Box::new(packed)
        })
    }

    /// How it begins.
    pub(super) fn head(&self) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let read = self.bytes()?.take(HEAD_BYTES).read_to_end(&mut head);
        // What is cut off in the middle of its packing may begin like a log all the same; reading it will tell.
        if head.is_empty() {
            read.with_context(|| format!("cannot read `{}`", self.path.display()))?;
        }
        Ok(head)
    }

    /// All its bytes, which must not be more than these.
    pub(super) fn whole(&self, max_bytes: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.bytes()?.take(max_bytes + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max_bytes {
            bail!("it has more than {max_bytes} bytes, which are not read at once");
        }
        Ok(bytes)
    }

    /// Hands on each line.
    pub(super) fn each_line(&self, mut each: impl FnMut(Line<'_>) -> Result<()>) -> Result<()> {
        let mut reader = self.bytes()?;
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            let taken = reader
                .by_ref()
                .take(MAX_LINE_BYTES as u64)
                .read_until(b'\n', &mut bytes)
                .with_context(|| format!("`{}` cannot be read beyond line {}", self.path.display(), number - 1))?;
            if taken == 0 {
                break;
            }
            let is_cut = taken == MAX_LINE_BYTES && !bytes.ends_with(b"\n");
            if is_cut {
                reader.skip_until(b'\n')?;
            }
            let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            each(Line { number, bytes: line.strip_suffix(b"\r").unwrap_or(line), is_cut })?;
        }
        Ok(())
    }
}

/// The first line of a head that is not empty.
pub(super) fn first_line(head: &[u8]) -> &[u8] {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}
