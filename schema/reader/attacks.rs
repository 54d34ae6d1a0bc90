//! Files that were made to hurt whoever reads them. Each must be an error that names the file and says what is wrong.

use super::craft::{Craft, Value, bomb, decode};
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
fn a_page_that_claims_2_gib() -> Result<()> {
    for (field, words) in [(2, "claims to expand to 2147483647 bytes"), (3, "claims 2147483647 bytes, of which")] {
        for (column, page) in [("path", 0), ("path", 1), ("first_seq", 0)] {
            let mut target = target()?;
            target.change_page(column, page, |header, _| header.set(field, Value::int(i32::MAX.into())))?;
            // The footer denies it.
            target.craft.chunk(column).at(&[3]).set(6, Value::long(2000));
            target.expect(words)?;
            target.expect(&format!("row group 0, column `{column}`"))?;
        }
    }
    Ok(())
}

#[test]
fn a_page_of_a_negative_size() -> Result<()> {
    let mut target = target()?;
    target.change_page("path", 1, |header, _| header.set(3, Value::int(-1)))?;
    target.expect("claims -1 bytes")
}

#[test]
fn a_bomb_whose_page_tells_the_truth() -> Result<()> {
    let mut target = target()?;
    target.change_page("path", 0, |header, body| {
        *body = bomb(8192);
        header.set(2, Value::int(1 << 30));
        header.set(3, Value::int(body.len() as i64));
    })?;
    target.expect("bytes expand to 107")?;
    target.craft.chunk("path").at(&[3]).set(6, Value::long(100 << 20));
    target.expect("it claims to expand to 1073741824 bytes")
}

#[test]
fn a_bomb_whose_page_lies() -> Result<()> {
    for claimed in [200, 20 << 20] {
        let mut target = target()?;
        target.change_page("path", 0, |header, body| {
            *body = bomb(8192);
            header.set(2, Value::int(claimed));
            header.set(3, Value::int(body.len() as i64));
        })?;
        target.expect("Destination buffer is too small")?;
    }
    Ok(())
}

#[test]
fn a_zstd_frame_that_asks_for_a_window_or_content_of_exbibytes() -> Result<()> {
    let window: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x03, 0x00, 0x00, 0x00];
    let content: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x03, 0x00, 0x00, 0x00];
    for (frame, words) in [(window, "Frame requires too much memory"), (content, "Data corruption detected")] {
        let mut target = target()?;
        target.change_page("path", 1, |header, body| {
            *body = frame.to_vec();
            header.set(3, Value::int(body.len() as i64));
        })?;
        target.expect(words)?;
    }
    Ok(())
}

#[test]
fn a_dictionary_of_2_to_the_31_values() -> Result<()> {
    let mut target = target()?;
    target.change_page("path", 0, |header, _| header.at(&[7]).set(1, Value::int(i32::MAX.into())))?;
    target.expect("its dictionary claims 2147483647 values in")
}

#[test]
fn a_dictionary_whose_one_value_is_written_out_for_every_row() -> Result<()> {
    let mut target = target()?;
    let bytes = 40_i64 << 20;
    for column in ["path", "digest", "host"] {
        let mut body = bomb(320);
        // A raw block before the zeros says that one value takes them all.
        let length = u32::try_from(bytes - 4)?.to_le_bytes();
        body.splice(6..6, [[4 << 3, 0, 0].as_slice(), &length].concat());
        // The first run of zeros is 4 bytes shorter.
        let head = (1_u32 << 1 | ((128 << 10) - 4) << 3).to_le_bytes();
        body.splice(13..16, head[..3].iter().copied());
        target.change_page(column, 0, |header, old| {
            header.set(2, Value::int(bytes));
            header.set(3, Value::int(body.len() as i64));
            header.at(&[7]).set(1, Value::int(1));
            *old = body;
        })?;
    }
    target.expect("a single row could take 125830620 bytes, most of them in column `digest`")
}

#[test]
fn false_numbers_of_values() -> Result<()> {
    let mut target = target()?;
    target.change_page("path", 1, |header, _| header.at(&[5]).set(1, Value::int(i32::MAX.into())))?;
    target.expect("it claims 2147483647 values of 30")?;
    target.change_page("path", 1, |header, _| header.at(&[5]).set(1, Value::int(29)))?;
    target.expect("the pages hold 29 values, not 30")?;
    target.craft.chunk("path").at(&[3]).set(5, Value::long(29));
    target.expect("29 values for 30 rows")?;
    target.craft.chunk("path_flags").at(&[3]).set(5, Value::long(1 << 40));
    target.craft.chunk("path").at(&[3]).set(5, Value::long(30));
    target.expect("claims 1099511627806 items in lists")
}

#[test]
fn false_numbers_of_rows() -> Result<()> {
    for (footer, group, words) in [
        (31, 30, "the footer claims 31 rows, its row groups 30"),
        (-1, -1, "row group 0 claims -1 rows"),
        (1 << 40, 1 << 40, "row group 0 claims 1099511627776 rows"),
        (4_000_000, 4_000_000, "the footer claims 4000000 rows in"),
        (29, 29, "30 values for 29 rows"),
    ] {
        let mut target = target()?;
        target.craft.footer.set(3, Value::long(footer));
        target.craft.footer.at(&[4, 0]).set(3, Value::long(group));
        target.expect(words)?;
    }
    Ok(())
}

#[test]
fn ten_thousand_columns() -> Result<()> {
    let mut target = target()?;
    let Value::List(_, nodes) = target.craft.footer.at(&[2]) else { bail!("a schema") };
    nodes.resize(10_000, nodes[1].clone());
    target.expect("a list of 10000 elements, more than 768")?;
    target.expect("field 2")
}

#[test]
fn ten_thousand_row_groups() -> Result<()> {
    let mut target = target()?;
    let Value::List(_, groups) = target.craft.footer.at(&[4]) else { bail!("row groups") };
    let mut empty = groups[0].clone();
    empty.set(1, Value::List(12, Vec::new()));
    groups.resize(10_000, empty);
    target.expect("a list of 10000 elements, more than 256")
}

#[test]
fn a_node_of_the_schema_that_claims_2_to_the_31_children() -> Result<()> {
    let mut target = target()?;
    target.craft.footer.at(&[2, 0]).set(5, Value::int(i32::MAX.into()));
    target.expect("a node of the schema claims 2147483647 children")
}

#[test]
fn deep_nesting() -> Result<()> {
    let mut target = target()?;
    let mut footer = Vec::new();
    target.craft.footer.encode(&mut footer);
    // The last structure stays open, and field 50 begins 100,000 structures in each other.
    footer.pop();
    footer.extend_from_slice(&[0x0c, 0x64]);
    footer.extend(std::iter::repeat_n(0x1c, 100_000));
    target.craft.write_with(&target.path, &footer)?;
    target.expect_error("nested more than 16 deep")?;
    let Value::List(_, nodes) = target.craft.footer.at(&[2]) else { bail!("a schema") };
    let mut group = nodes[0].clone();
    group.set(5, Value::int(1));
    group.set(3, Value::int(0));
    nodes.splice(1..1, vec![group; 600]);
    target.expect("605 nodes of the schema have children")
}

#[test]
fn lists_that_claim_more_than_there_is() -> Result<()> {
    let target = target()?;
    let claim = |field: &[u8]| [field, &[0xff, 0xff, 0xff, 0xff, 0x07]].concat();
    // A schema, row groups, and an unknown list of booleans, over which the decoder runs without reading anything.
    for (field, words) in [
        (claim(&[0x29, 0xfc]), "a list of more elements than the"),
        (claim(&[0x49, 0xfc]), "a list of more elements than the"),
        ([[0x09, 0x64, 0xf1].as_slice(), &[0x03, 1, 1, 1]].concat(), "a list of booleans"),
        (claim(&[0x68]), "a value of more than 1048576 bytes"),
        (claim(&[0x08, 0x64]), "a value of 2147483647 bytes, of which"),
        (vec![0x18, 0x00], "the field has type 8"),
        (vec![0x15, 0x02, 0x05, 0x02, 0x02], "field 1 stands after field 1"),
        (vec![0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "more than 10 bytes"),
        (vec![0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], "out of range"),
        (vec![0x8c, 0x00], "encryption is not supported"),
        (vec![0x0b, 0x64, 0x00], "a value of type 11"),
    ] {
        target.craft.write_with(&target.path, &[field.as_slice(), &[0; 8]].concat())?;
        target.expect_error(words)?;
        target.expect_error("the footer is damaged: byte ")?;
    }
    Ok(())
}

#[test]
fn a_footer_that_lies_about_its_length() -> Result<()> {
    let target = target()?;
    let good = fs::read(&target.path)?;
    for (length, words) in [
        (u32::MAX, "the footer claims 4294967295 bytes"),
        (9 << 20, "the footer claims 9437184 bytes"),
        (u32::try_from(good.len())? - 8, "the footer claims"),
        (u32::try_from(good.len())? - 12, "the footer is damaged"),
        (0, "the footer is damaged: byte"),
        (100, "the footer is damaged"),
    ] {
        let mut bytes = good.clone();
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        fs::write(&target.path, bytes)?;
        target.expect_error(words)?;
    }
    Ok(())
}

#[test]
fn an_arrow_schema_of_2_bytes_is_not_looked_at() -> Result<()> {
    let mut target = target()?;
    let text = |text: &str| Value::Binary(text.into());
    let Value::List(_, pairs) = target.craft.footer.at(&[5]) else { bail!("pairs") };
    pairs.push(Value::Struct(vec![(1, text("ARROW:schema")), (2, text("AB"))]));
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
    let target = self::target()?;
    let table = SealedTable::<FileVersion>::open(&target.path)?;
    let mut batches = table.batches(&Prune::default(), &[], None)?;
    fs::File::options().write(true).open(&target.path)?.set_len(1000)?;
    let error = batches.next().context("a batch")?.err().context("the file was read")?;
    assert!(format!("{error:#}").contains("the data is damaged"), "{error:#}");
    assert!(batches.next().is_none());
    Ok(())
}

#[test]
fn offsets_that_are_negative_or_reach_into_the_footer() -> Result<()> {
    for (field, value, words) in [
        (11, -5, "the data would take"),
        (11, 0, "at offset 0, but the footer begins at"),
        (11, i64::MAX, "at offset 9223372036854775807, but the footer begins at"),
        (7, -1, "the data would take -1 bytes"),
        (7, i64::MAX, "the data would take 9223372036854775807 bytes"),
        (9, 4, "the data begins before its dictionary"),
        (6, -1, "row group 0 has a chunk of -1 bytes"),
        (6, 1 << 40, "expand to 10995"),
        (14, -1, "the bloom filter would take"),
        (15, -1, "the bloom filter would take -1 bytes"),
    ] {
        let mut target = target()?;
        target.craft.chunk("digest").at(&[3]).set(field, Value::long(value));
        if field == 15 {
            target.craft.chunk("digest").at(&[3]).set(field, Value::int(value));
        }
        target.expect(words)?;
    }
    for field in [4, 6] {
        let mut target = target()?;
        target.craft.chunk("digest").set(field, Value::long(1 << 40));
        target.craft.chunk("digest").set(field + 1, Value::int(100));
        target.expect("the page index would take 100 bytes at offset 1099511627776")?;
    }
    Ok(())
}

#[test]
fn a_bloom_filter_that_claims_2_gib() -> Result<()> {
    let prune = Prune { digests: vec!["aa".into()], ..Prune::default() };
    let expect = |target: &Target, words: &str| -> Result<()> {
        target.craft.write(&target.path)?;
        let error = read(&target.path, &prune, None).err().context("the file was read")?;
        assert!(format!("{error:#}").contains(words), "{error:#}");
        assert!(format!("{error:#}").contains("column `digest`"), "{error:#}");
        Ok(())
    };
    let mut target = target()?;
    let Value::Integer(_, offset) = *target.craft.chunk("digest").at(&[3, 14]) else { bail!("an offset") };
    let offset = usize::try_from(offset)?;
    let (mut head, taken) = decode(&target.craft.data[offset..])?;
    for (claimed, length, words) in [
        (i64::from(i32::MAX), None, "claims 2147483647 bytes and has 32"),
        (0, Some(0), "claims 0 bytes and has 0"),
        (32, Some(31), "claims 32 bytes and has 31"),
        (-32, Some(32), "claims -32 bytes"),
    ] {
        head.set(1, Value::int(claimed));
        let start = target.craft.data.len();
        head.encode(&mut target.craft.data);
        let taken_now = target.craft.data.len() - start;
        let bits = target.craft.data[offset + taken..offset + taken + 32].to_vec();
        target.craft.data.extend_from_slice(&bits);
        let length = taken_now as i64 + length.unwrap_or(32);
        let meta = target.craft.chunk("digest").at(&[3]);
        meta.set(14, Value::long(start as i64));
        meta.set(15, Value::int(length));
        expect(&target, words)?;
    }
    let Value::Struct(fields) = target.craft.chunk("digest").at(&[3]) else { bail!("a column") };
    fields.retain(|field| field.0 != 15);
    expect(&target, "the bloom filter has no length")
}

#[test]
fn a_bloom_filter_of_a_sparse_file() -> Result<()> {
    let mut target = target()?;
    let start = target.craft.data.len();
    target.craft.data.resize(start + (5 << 20), 0);
    let meta = target.craft.chunk("digest").at(&[3]);
    meta.set(14, Value::long(start as i64));
    meta.set(15, Value::int(5 << 20));
    target.craft.write(&target.path)?;
    let prune = Prune { digests: vec!["aa".into()], ..Prune::default() };
    let error = read(&target.path, &prune, None).err().context("the file was read")?;
    assert!(format!("{error:#}").contains("claims 5242880 bytes"), "{error:#}");
    Ok(())
}

#[test]
fn codecs_and_encodings_that_the_writer_does_not_use() -> Result<()> {
    for (codec, words) in
        [(1, "the codec SNAPPY"), (2, "the codec GZIP"), (4, "the codec BROTLI"), (99, "CompressionCodec 99")]
    {
        let mut target = target()?;
        target.craft.chunk("path").at(&[3]).set(4, Value::int(codec));
        target.expect(words)?;
    }
    for (encoding, words) in [(7, "the encoding DELTA_BYTE_ARRAY"), (6, "the encoding DELTA_LENGTH_BYTE_ARRAY")] {
        let mut target = target()?;
        *target.craft.chunk("path").at(&[3, 2]) = Value::List(5, vec![Value::int(encoding)]);
        target.expect(words)?;
    }
    for (column, encoding, words) in [
        ("path", 7, "the encoding DELTA_BYTE_ARRAY is not supported"),
        ("path", 5, "the encoding DELTA_BINARY_PACKED is not supported for BYTE_ARRAY"),
        ("path", 3, "the encoding RLE is not supported for BYTE_ARRAY"),
        ("path", 77, "unknown encoding 77"),
    ] {
        let mut target = target()?;
        target.change_page(column, 1, |header, _| header.at(&[5]).set(2, Value::int(encoding)))?;
        target.expect(words)?;
    }
    Ok(())
}

#[test]
fn pages_of_other_types_or_in_another_order() -> Result<()> {
    let mut target = target()?;
    target.change_page("path", 1, |header, _| header.set(1, Value::int(9)))?;
    target.expect("it has the unknown type 9")?;
    let mut target = self::target()?;
    target.change_page("path", 1, |header, _| header.set(8, Value::Struct(Vec::new())))?;
    target.expect("a data page of version 2 is not supported")?;
    let mut target = self::target()?;
    let mut pages = target.craft.pages("path")?;
    pages.swap(0, 1);
    target.craft.set_pages("path", &pages);
    let start = target.craft.chunk("path").at(&[3, 9]).clone();
    target.craft.chunk("path").at(&[3]).set(11, start);
    target.expect("it is a dictionary behind other pages")
}

#[test]
fn another_schema() -> Result<()> {
    let mut target = target()?;
    *target.craft.footer.at(&[2, 1, 4]) = Value::Binary(b"other".to_vec());
    target.expect("column `recording_id` is missing")?;
    let mut target = self::target()?;
    let Value::Struct(node) = target.craft.footer.at(&[2, 1]) else { bail!("a node") };
    node.retain(|field| !matches!(field.0, 6 | 10));
    target.expect("column `recording_id` has type Binary, not Utf8")
}

#[test]
fn a_newer_version() -> Result<()> {
    for (version, words) in [("2", "it has schema version 2, newer than 1"), ("x", "schema version `x` is no number")] {
        let mut target = target()?;
        *target.craft.footer.at(&[5, 0, 2]) = Value::Binary(version.into());
        target.expect(words)?;
    }
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
