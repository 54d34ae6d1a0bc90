//! The compression of pages.

use anyhow::Result;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use zstd::bulk::Compressor;

/// One compressor for all columns: its tables are a megabyte.
pub struct Press(Compressor<'static>);

/// What a page takes in its chunk, its head included.
pub(super) struct Pressed {
    pub(super) offset: u64,
    pub(super) bytes: usize,
    pub(super) plain_bytes: usize,
}

impl Press {
    pub(crate) fn new(zstd_level: i32) -> Result<Self> {
        Ok(Self(Compressor::new(zstd_level)?))
    }

    /// Appends to `chunk` the page that `page` makes of the compressed `body`.
    pub(super) fn append(
        &mut self,
        chunk: &mut TrackedWrite<Vec<u8>>,
        body: &[u8],
        page: impl FnOnce(Vec<u8>) -> Page,
    ) -> Result<Pressed> {
        let page = CompressedPage::new(page(self.0.compress(body)?), body.len());
        let written = SerializedPageWriter::new(chunk).write_page(page)?;
        let (bytes, plain_bytes) = (written.compressed_size, written.uncompressed_size);
        Ok(Pressed { offset: written.offset, bytes, plain_bytes })
    }
}
