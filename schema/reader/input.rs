//! A file as the decoder reads it: by places, so that readers of one file do not disturb each other, and its pages already
//! decompressed. The decoder would make a compressor and a decompressor for each column of each file, and that takes longer
//! than most pages do.

use super::checked_pages::{CheckedPage, Pages};
use anyhow::{Context, ensure};
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};
use zstd::bulk::Decompressor;

/// The decoder reads page headers one by one; nearly all are shorter.
const HEADER_BYTES: usize = 512;

/// Pages of all columns and row groups that are read of a file.
const MAX_PAGES: usize = 1 << 18;
/// Chunks up to this size are read at once, as long as all of them together are not larger than that.
const SMALL_CHUNK_BYTES: usize = 64 << 10;
const SMALL_CHUNKS_BYTES: usize = 4 << 20;

/// An open file.
#[derive(Debug, Clone)]
pub(super) struct Input(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: File,
    /// Begins of the chunks whose pages are compressed: to the decoder they are not.
    compressed: Arc<HashSet<u64>>,
    /// Their pages that were checked, by the place of their bodies: what they take there and decompressed.
    pages: Mutex<HashMap<u64, (usize, usize)>>,
    /// Small chunks, by their begins: of most the heads of pages are looked at several times, and their bodies too.
    small: Mutex<SmallChunks>,
    /// Chunks whose pages were all checked, with what they claim: another chunk may claim otherwise of the same place.
    walked: Mutex<HashMap<Claims, Pages>>,
}

#[derive(Debug, Default)]
struct SmallChunks {
    chunks: BTreeMap<u64, Bytes>,
    bytes: usize,
}

impl SmallChunks {
    /// What follows a place in one of the chunks.
    fn rest(&self, start: u64) -> Option<Bytes> {
        let (begin, chunk) = self.chunks.range(..=start).next_back()?;
        let first = usize::try_from(start - begin).ok().filter(|first| *first < chunk.len())?;
        Some(chunk.slice(first..))
    }
}

/// What pages are checked against: place, type, values, and uncompressed size of a chunk, and whether it repeats.
type Claims = ((u64, u64), i32, i64, i64, i16);

fn claims_of(chunk: &ColumnChunkMetaData) -> Claims {
    let repeats = chunk.column_descr().max_rep_level();
    (chunk.byte_range(), chunk.column_type() as i32, chunk.num_values(), chunk.uncompressed_size(), repeats)
}

impl Input {
    pub(super) fn new(file: File, compressed: Arc<HashSet<u64>>) -> Self {
        Self(Arc::new(Inner {
            file,
            compressed,
            pages: Mutex::default(),
            small: Mutex::default(),
            walked: Mutex::default(),
        }))
    }

    pub(super) fn file(&self) -> &File {
        &self.0.file
    }

    pub(super) fn is_compressed(&self, chunk: &ColumnChunkMetaData) -> bool {
        self.0.compressed.contains(&chunk.byte_range().0)
    }

    /// Reads a chunk whose place was checked, where it is small: what is read of it from then on is read in memory. What cannot be
    /// read is left to those who need it.
    pub(super) fn load(&self, chunk: &ColumnChunkMetaData) {
        let (start, length) = chunk.byte_range();
        let mut small = self.0.small.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = usize::try_from(length).ok().filter(|bytes| *bytes <= SMALL_CHUNK_BYTES);
        let bytes = bytes.filter(|bytes| small.bytes + bytes <= SMALL_CHUNKS_BYTES);
        let Some(bytes) = bytes.filter(|_| !small.chunks.contains_key(&start)) else { return };
        let mut chunk = vec![0; bytes];
        if self.file().read_exact_at(&mut chunk, start).is_ok() {
            small.bytes += bytes;
            small.chunks.insert(start, chunk.into());
        }
    }

    /// The bytes at a place, as they stand in the file.
    pub(super) fn bytes(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let small = self.0.small.lock().unwrap_or_else(PoisonError::into_inner).rest(start);
        if let Some(rest) = small.filter(|rest| length <= rest.len()) {
            return Ok(rest.slice(..length));
        }
        let mut bytes = vec![0; length];
        self.file().read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }

    /// Takes a page of a chunk that the decoder may read.
    ///
    /// # Errors
    /// When the file has more than any of ours.
    pub(super) fn add_page(&self, chunk: &ColumnChunkMetaData, page: &CheckedPage) -> anyhow::Result<()> {
        if self.is_compressed(chunk) {
            let mut pages = self.0.pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.insert(page.body, (page.compressed_bytes, page.bytes));
            ensure!(pages.len() <= MAX_PAGES, "more than {MAX_PAGES} pages are needed");
        }
        Ok(())
    }

    /// What the pages of a chunk will take, where they were all checked.
    pub(super) fn walked(&self, chunk: &ColumnChunkMetaData) -> Option<Pages> {
        self.0.walked.lock().unwrap_or_else(PoisonError::into_inner).get(&claims_of(chunk)).copied()
    }

    pub(super) fn add_walked(&self, chunk: &ColumnChunkMetaData, pages: Pages) {
        self.0.walked.lock().unwrap_or_else(PoisonError::into_inner).insert(claims_of(chunk), pages);
    }

    /// The bytes of a page that was taken.
    pub(super) fn page(&self, page: &CheckedPage) -> Result<Bytes> {
        self.get_bytes(page.body, page.compressed_bytes)
    }

    /// What the bytes at a place expand to, where they are a compressed page.
    fn expands_to(&self, start: u64, length: usize) -> Option<usize> {
        let pages = self.0.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(&start).filter(|(compressed, _)| *compressed == length).map(|(_, bytes)| *bytes)
    }
}

/// A place in a file.
pub(super) struct Place {
    input: Input,
    offset: u64,
}

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let small = self.input.0.small.lock().unwrap_or_else(PoisonError::into_inner).rest(self.offset);
        let read = match &small {
            Some(rest) => (&rest[..]).read(buffer)?,
            None => self.input.file().read_at(buffer, self.offset)?,
        };
        self.offset += read as u64;
        Ok(read)
    }
}

impl Length for Input {
    fn len(&self) -> u64 {
        self.file().len()
    }
}

impl ChunkReader for Input {
    type T = BufReader<Place>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::with_capacity(HEADER_BYTES, Place { input: self.clone(), offset: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let expanded = self.expands_to(start, length);
        if expanded == Some(0) {
            return Ok(Bytes::new());
        }
        let bytes = self.bytes(start, length)?;
        match expanded {
            Some(expanded) => decompress(&bytes, expanded),
            None => Ok(bytes),
        }
    }
}

thread_local! {
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn decompress(bytes: &[u8], expanded: usize) -> Result<Bytes> {
    let decompressed = DECOMPRESSOR.with_borrow_mut(|kept| -> anyhow::Result<Vec<u8>> {
        if kept.is_none() {
            *kept = Some(Decompressor::new()?);
        }
        let mut decompressed = Vec::with_capacity(expanded);
        kept.as_mut().context("there is a decompressor")?.decompress_to_buffer(bytes, &mut decompressed)?;
        Ok(decompressed)
    });
    let decompressed = decompressed.map_err(|error| ParquetError::External(error.into()))?;
    if decompressed.len() != expanded {
        let text = format!("a page expands to {} bytes, not to {expanded}", decompressed.len());
        return Err(ParquetError::General(text));
    }
    Ok(decompressed.into())
}
