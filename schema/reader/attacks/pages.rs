//! What pages and bloom filters can claim.

use super::super::craft::{Value, bomb, decode};
use super::super::tests::read;
use super::super::*;
use super::{Target, target};

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
    let (small, large) = ("bytes that expand to 200", "Destination buffer is too small");
    for (claimed, words) in [(200, small), (20 << 20, large)] {
        let mut target = target()?;
        target.change_page("path", 0, |header, body| {
            *body = bomb(8192);
            header.set(2, Value::int(claimed));
            header.set(3, Value::int(body.len() as i64));
        })?;
        target.expect(words)?;
    }
    Ok(())
}

/// The decoder does not look at the size of what is not compressed: bounds must not be made of it either.
#[test]
fn a_page_that_is_not_compressed_and_lies_of_its_size() -> Result<()> {
    let mut target = target()?;
    target.craft.chunk("digest").at(&[3]).set(4, Value::int(0));
    target.change_page("digest", 0, |header, body| header.set(2, Value::int(body.len() as i64)))?;
    target.change_page("digest", 1, |header, _| header.set(2, Value::int(0)))?;
    target.expect("bytes that expand to 0")
}

#[test]
fn pages_without_end() -> Result<()> {
    let mut target = target()?;
    let mut pages = target.craft.pages("digest")?;
    let (mut header, body) = pages[1].clone();
    header.at(&[5]).set(1, Value::int(0));
    pages.extend(std::iter::repeat_n((header, body), 20_000));
    target.craft.set_pages("digest", &pages);
    target.expect("the chunk has more than 16384 pages")
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
    // Beside the three of 40 MiB each column takes a few bytes.
    target.expect("a single row could take 125829")?;
    target.expect("bytes, most of them in column `digest`")
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
