//! Lists as they are packed: gzip, zip, and text in UTF-8 or UTF-16 with a byte-order mark. All of it is read as a stream, and
//! none of it without a bound.

use anyhow::{Context, Result, anyhow, bail};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;
use zip::ZipArchive;

/// What is looked at to see what a list is.
const HEAD_BYTES: u64 = 64 << 10;
/// Text that one file may unpack to.
const MAX_TEXT_BYTES: u64 = 16 << 30;
/// A zip that does not come from a file, and what its directory may take.
const MAX_ZIP_BYTES: u64 = 4 << 30;
const MAX_DIRECTORY_BYTES: u64 = 8 << 20;
/// Packed in packed in packed.
const MAX_DEPTH: usize = 3;

/// Takes a list by its name, its beginning and its text.
pub(super) type EachText<'a> = &'a mut dyn FnMut(&str, &str, &mut dyn BufRead);

/// Hands on each list that is packed in this one.
///
/// # Errors
/// When it can be unpacked no further, or what is in it is no text.
pub(super) fn each_text(name: &str, packed: &mut dyn Read, each: EachText<'_>) -> Result<()> {
    let bounds = Bounds { depth: MAX_DEPTH, text_bytes: Rc::new(Cell::new(MAX_TEXT_BYTES)) };
    unpack(name, packed, &bounds, each)
}

/// What may still be unpacked.
struct Bounds {
    depth: usize,
    text_bytes: Rc<Cell<u64>>,
}

impl Bounds {
    fn of_packed(&self) -> Result<Self> {
        let Some(depth) = self.depth.checked_sub(1) else {
            bail!("it is packed more than {MAX_DEPTH} times: unpack it, and give what comes out");
        };
        Ok(Self { depth, text_bytes: Rc::clone(&self.text_bytes) })
    }
}

fn unpack(name: &str, packed: &mut dyn Read, bounds: &Bounds, each: EachText<'_>) -> Result<()> {
    let mut head = Vec::new();
    // An error is met again behind the head.
    let error = packed.take(HEAD_BYTES).read_to_end(&mut head).err();
    let magic = |start: &[u8]| head.starts_with(start);
    let is_gzip = magic(&[0x1f, 0x8b]);
    let is_zip = magic(b"PK\x03\x04") || magic(b"PK\x05\x06");
    if let Some(program) = other_packer(&head) {
        bail!("it is packed with {program}: unpack it with that, and give what comes out");
    }
    let mut whole = Cursor::new(head).chain(Broken(error)).chain(packed);
    if is_gzip {
        return unpack(name, &mut MultiGzDecoder::new(whole), &bounds.of_packed()?, each);
    }
    if is_zip {
        return unzip(name, &mut whole, &bounds.of_packed()?, each);
    }
    decode(name, &mut whole, bounds, each)
}

/// Hands on the text of a file that is not packed.
fn decode(name: &str, plain: &mut dyn Read, bounds: &Bounds, each: EachText<'_>) -> Result<()> {
    let limited = Limited { inner: plain, left: Rc::clone(&bounds.text_bytes), what: "unpacked text" };
    let mut text = DecodeReaderBytesBuilder::new().strip_bom(true).build(limited);
    let mut head = Vec::new();
    let error = text.by_ref().take(HEAD_BYTES).read_to_end(&mut head).err();
    if head.starts_with(b"SQLite format 3\0") {
        bail!("it is a SQLite database: unpack it, and give it where lists of known files are taken");
    }
    if head.contains(&0) {
        bail!("it is no text; if it is UTF-16 without a byte-order mark, `iconv -f UTF-16LE -t UTF-8` makes it one");
    }
    let beginning = String::from_utf8_lossy(&head).into_owned();
    let mut text = BufReader::with_capacity(HEAD_BYTES as usize, Cursor::new(head).chain(Broken(error)).chain(text));
    each(name, &beginning, &mut text);
    Ok(())
}

/// Hands on what is packed in each file of a zip. One that cannot be read does not keep the others from it.
fn unzip(name: &str, packed: &mut dyn Read, bounds: &Bounds, each: EachText<'_>) -> Result<()> {
    // The directory stands at its end, so it must be a file; that of the list may be a pipe.
    let mut file = tempfile::tempfile().context("a zip needs a temporary file (`TMPDIR`)")?;
    let copied = io::copy(&mut packed.take(MAX_ZIP_BYTES + 1), &mut file).context("the zip cannot be read")?;
    if copied > MAX_ZIP_BYTES {
        bail!("the zip is larger than {MAX_ZIP_BYTES} bytes: unpack it, and give what comes out");
    }
    file.seek(SeekFrom::Start(0))?;
    let mut directory = file.try_clone().context("a zip needs a temporary file (`TMPDIR`)")?;
    let left = Rc::new(Cell::new(MAX_DIRECTORY_BYTES));
    let limited = Limited { inner: BufReader::new(file), left: Rc::clone(&left), what: "directory of the zip" };
    let mut archive = ZipArchive::new(limited).context("the zip is damaged or cut: get it again")?;
    left.set(u64::MAX);
    let mut failures = Failures::default();
    // The library knows one file of a name, and the last zip of several in a row.
    if archive.offset() > 0 {
        failures.push(format!("{name}: something stands before its last zip and is not read"));
    }
    let (count, end) = listed(&mut directory, archive.central_directory_start())?;
    if end != copied {
        failures.push(format!("{name}: something stands behind its end and is not read"));
    }
    if count != archive.len() {
        failures.push(format!("{name}: several of its files have one name, and only the last of them is read"));
    }
    for index in 0..archive.len() {
        let file_name = archive.name_for_index(index).and_then(Result::ok).unwrap_or_default();
        let inner = format!("{name}:{file_name}");
        let unzipped = archive.by_index(index).map_err(anyhow::Error::from).and_then(|mut file| {
            if file.is_dir() && file.size() == 0 { Ok(()) } else { unpack(&inner, &mut file, bounds, each) }
        });
        if let Err(error) = unzipped {
            failures.push(format!("{inner}: {error:#}"));
        }
    }
    failures.finish()
}

/// What could not be unpacked: the first of it, and how much more.
#[derive(Default)]
struct Failures {
    first: Option<String>,
    more: usize,
}

impl Failures {
    fn push(&mut self, failure: String) {
        self.more += usize::from(self.first.is_some());
        self.first.get_or_insert(failure);
    }

    fn finish(self) -> Result<()> {
        match (self.first, self.more) {
            (None, _) => Ok(()),
            (Some(first), 0) => Err(anyhow!("{first}")),
            (Some(first), more) => Err(anyhow!("{first}; and {more} more of its files")),
        }
    }
}

/// How many files the directory of a zip lists that begins there, and where the zip ends.
fn listed(file: &mut (impl Read + Seek), start: u64) -> Result<(usize, u64)> {
    file.seek(SeekFrom::Start(start))?;
    let mut file = BufReader::new(file);
    let (mut count, mut end) = (0, start);
    let mut signature = [0; 4];
    while file.read_exact(&mut signature).is_ok() {
        // What each record has behind its signature, and where in that the lengths stand of what follows.
        let (length, lengths, bytes): (usize, &[usize], usize) = match &signature {
            b"PK\x01\x02" => (42, &[24, 26, 28], 2),
            b"PK\x06\x06" => (8, &[0], 8),
            b"PK\x06\x07" => (16, &[], 0),
            b"PK\x05\x06" => (18, &[16], 2),
            _ => break,
        };
        let mut record = [0; 42];
        file.read_exact(&mut record[..length])?;
        let number =
            |at: &usize| record[*at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let rest = lengths.iter().map(number).fold(0, u64::saturating_add);
        io::copy(&mut file.by_ref().take(rest), &mut io::sink())?;
        end = end.saturating_add(4 + length as u64).saturating_add(rest);
        count += usize::from(signature == *b"PK\x01\x02");
        if signature == *b"PK\x05\x06" {
            break;
        }
    }
    Ok((count, end))
}

/// What else packs files, and can be told by its first bytes.
fn other_packer(head: &[u8]) -> Option<&'static str> {
    const PACKERS: [(&[u8], &str); 4] =
        [(b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x28\xb5\x2f\xfd", "zstd")];
    let is_tar = head.get(257..262) == Some(b"ustar");
    let packer = PACKERS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name);
    packer.or(is_tar.then_some("tar"))
}

/// Fails once, with what failed before, if something did.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Fails where more is read than may be.
pub(super) struct Limited<R> {
    pub(super) inner: R,
    pub(super) left: Rc<Cell<u64>>,
    pub(super) what: &'static str,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left.set(left.ok_or_else(|| io::Error::other(format!("the {} is too large: cut the list", self.what)))?);
        Ok(count)
    }
}

impl<R: Seek> Seek for Limited<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.inner.seek(place)
    }
}
