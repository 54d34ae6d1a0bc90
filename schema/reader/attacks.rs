//! Files that were made to hurt whoever reads them. Each must be an error that names the file and says what is wrong.

mod codes;
mod footer;
mod pages;
mod values;

use super::craft::{Craft, Value};
use super::tests::{read, version, write};
use super::*;
use crate::versions::FileVersion;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

/// A file of 30 versions in a folder of its own, and its parts.
struct Target {
    _directory: tempfile::TempDir,
    path: PathBuf,
    craft: Craft,
}

fn target() -> Result<Target> {
    let directory = tempfile::tempdir()?;
    let rows: Vec<FileVersion> = (0..30).map(|row| version(&format!("/usr/bin/{row}"), "aa", row)).collect();
    let path = write(directory.path(), &rows)?;
    let craft = Craft::new(&path)?;
    Ok(Target { _directory: directory, path, craft })
}

impl Target {
    fn expect(&self, words: &str) -> Result<()> {
        self.craft.write(&self.path)?;
        self.expect_error(words)
    }

    fn expect_error(&self, words: &str) -> Result<()> {
        let error = read(&self.path, &Prune::default(), None).err().context("the file was read")?;
        let error = format!("{error:#}");
        assert!(error.contains(words), "`{words}` is not in: {error}");
        assert!(error.contains(&*self.path.to_string_lossy()), "the file is not in: {error}");
        Ok(())
    }

    /// Changes a page of a column; 0 is the dictionary, where there is one.
    fn change_page(&mut self, column: &str, page: usize, change: impl FnOnce(&mut Value, &mut Vec<u8>)) -> Result<()> {
        let mut pages = self.craft.pages(column)?;
        let (header, body) = &mut pages[page];
        change(header, body);
        self.craft.set_pages(column, &pages);
        Ok(())
    }
}

#[test]
fn what_is_taken_apart_and_put_together_again_is_read() -> Result<()> {
    let mut target = target()?;
    target.change_page("path", 0, |_, _| {})?;
    target.change_page("path_flags", 1, |_, _| {})?;
    target.craft.write(&target.path)?;
    assert_eq!(read(&target.path, &Prune::default(), None)?.len(), 30);
    Ok(())
}

#[test]
fn no_rows_are_no_error() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[])?;
    assert_eq!(read(&path, &Prune::default(), None)?, []);
    Ok(())
}

#[test]
fn files_that_are_hardly_any() -> Result<()> {
    let target = target()?;
    for (bytes, words) in [
        (b"".as_slice(), "0 bytes are too few"),
        (b"PAR1", "4 bytes are too few"),
        (b"PAR1PAR1", "8 bytes are too few"),
        (b"PAR1\0\0\0\0PAR1", "the footer is damaged: byte 4: the data ends"),
        (b"PAR1\x01\0\0\0PAR1", "the footer claims 1 bytes"),
        (b"PAR1\0\0\0\0\0\0\0\0PARE", "it is encrypted"),
        (b"PAR1\0\0\0\0\0\0\0\0PAR2", "the end of a Parquet file is missing"),
    ] {
        fs::write(&target.path, bytes)?;
        target.expect_error(words)?;
    }
    Ok(())
}

#[test]
fn what_is_no_regular_file_is_neither_opened_nor_waited_for() -> Result<()> {
    let target = target()?;
    fs::remove_file(&target.path)?;
    fs::create_dir(&target.path)?;
    target.expect_error("it is not a regular file")?;
    fs::remove_dir(&target.path)?;
    symlink("/dev/zero", &target.path)?;
    target.expect_error("it is not a regular file")?;
    fs::remove_file(&target.path)?;
    assert!(Command::new("mkfifo").arg(&target.path).status()?.success());
    target.expect_error("it is not a regular file")
}

#[test]
fn a_file_that_is_cut_while_it_is_read() -> Result<()> {
    let target = target()?;
    let table = SealedTable::<FileVersion>::open(&target.path)?;
    fs::File::options().write(true).open(&target.path)?.set_len(1000)?;
    let error = table.batches(&Prune::default(), &[], None).err().context("the file was read")?;
    assert!(format!("{error:#}").contains("a page header is damaged"), "{error:#}");
    // Inode numbers take more than a chunk may that is read at once.
    let numbered = |row: i64| FileVersion { ino: row.wrapping_mul(0x1e37_79b9_7f4a_7c15), ..version("/a", "aa", row) };
    let versions: Vec<FileVersion> = (0..16_000).map(numbered).collect();
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &versions)?;
    let table = SealedTable::<FileVersion>::open(&path)?;
    let mut batches = table.batches(&Prune::default(), &[], None)?;
    fs::File::options().write(true).open(&path)?.set_len(1000)?;
    let error = batches.next().context("a batch")?.err().context("the file was read")?;
    assert!(format!("{error:#}").contains("the data is damaged"), "{error:#}");
    assert!(batches.next().is_none());
    Ok(())
}

#[test]
fn rows_that_expand_beyond_measure() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = "/x".repeat(30_000);
    let rows: Vec<FileVersion> = (0..4000).map(|row| version(&path, "aa", row)).collect();
    let path = write(directory.path(), &rows)?;
    let error = read(&path, &Prune::default(), None).err().context("the file was read")?;
    assert!(format!("{error:#}").contains("its rows expand beyond all measure"), "{error:#}");
    Ok(())
}
