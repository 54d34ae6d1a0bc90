//! Dictionaries, levels and places that are wrong, where only some rows are asked for: none of them may pass for a value.

use super::*;

/// An error of a column that is read by its dictionary.
fn expect(target: &Target, column: &'static str, words: &str) -> Result<()> {
    target.craft.write(&target.path)?;
    let all = Predicate::new(vec![column], |batch| Ok(vec![true; batch.num_rows()].into())).coded();
    let error = read(&target.path, &Prune::default(), Some(&all)).err().context("the file was read")?;
    let error = format!("{error:#}");
    assert!(error.contains(words) && error.contains(&format!("column `{column}`")), "`{words}` is not in: {error}");
    Ok(())
}

/// A file whose column has these pages, not compressed.
fn with_pages(column: &str, dictionary: &[u8], page: &[u8]) -> Result<Target> {
    let mut target = target()?;
    target.craft.chunk(column).at(&[3]).set(4, Value::int(0));
    for (number, bytes) in [dictionary, page].into_iter().enumerate() {
        target.change_page(column, number, |header, body| {
            *body = bytes.to_vec();
            header.set(2, Value::int(bytes.len() as i64));
            header.set(3, Value::int(bytes.len() as i64));
            if number == 0 {
                header.at(&[7]).set(1, Value::int(1));
            }
        })?;
    }
    Ok(target)
}

const ONE_TEXT: &[u8] = b"\x02\0\0\0aa";
/// 30 times the first value.
const PLACES: &[u8] = &[1, 60, 0];

#[test]
fn places_that_no_dictionary_has() -> Result<()> {
    let target = with_pages("digest", ONE_TEXT, PLACES)?;
    target.craft.write(&target.path)?;
    let first = Predicate::new(vec!["digest"], |batch| {
        let mut digests = Judged::of(batch, "digest")?;
        Ok((0..batch.num_rows()).map(|row| digests.of_row(row, |digest| digest == "aa")).collect())
    });
    assert_eq!(read(&target.path, &Prune::default(), Some(&first.coded()))?.len(), 30, "the attack is only the place");
    for (page, words) in [
        (&[1, 60, 1][..], "Invalid"),
        (&[8, 60, 0xff], "Invalid"),
        (&[32, 60, 0xff, 0xff, 0xff, 0xff], "places of 32 bits"),
        (&[31, 60, 0xff, 0xff, 0xff, 0x7f], "Invalid"),
        (&[1, 58, 0], "the numbers end"),
        (&[1, 9, 0, 0, 0], "numbers are missing"),
        (&[1], "the numbers end"),
        (&[], "the numbers end"),
    ] {
        expect(&with_pages("digest", ONE_TEXT, page)?, "digest", words).with_context(|| format!("{page:?}"))?;
    }
    let long = [1_i64.to_le_bytes()].concat();
    expect(&with_pages("ino", &long, &[1, 60, 1])?, "ino", "not in its dictionary")
}

#[test]
fn dictionaries_that_are_cut_or_no_text() -> Result<()> {
    for (dictionary, words) in [
        (&b"\x03\0\0\0aa"[..], "ends within a value"),
        (b"\x02\0\0\0aaa", "more than 1 values"),
        (b"\x02\0\0\0\xff\xfe", "UTF"),
    ] {
        expect(&with_pages("digest", dictionary, PLACES)?, "digest", words)
            .with_context(|| format!("{dictionary:?}"))?;
    }
    expect(&with_pages("ino", &[1; 12], PLACES)?, "ino", "a dictionary has 12 bytes for 1 values")
}

#[test]
fn levels_that_say_otherwise() -> Result<()> {
    for (page, words) in [
        (&[2, 0, 0, 0, 60, 1, 1, 58, 0][..], "the numbers end"),
        (&[2, 0, 0, 0, 60, 2, 1, 60, 0], "a number of more than 1 bits"),
        (&[2, 0, 0, 0, 58, 1, 1, 60, 0], "the numbers end"),
        (&[9, 0, 0, 0, 60, 1, 1, 60, 0], "ends within its levels"),
        (&[2, 0, 0], "a length is missing"),
    ] {
        expect(&with_pages("path", ONE_TEXT, page)?, "path", words).with_context(|| format!("{page:?}"))?;
    }
    Ok(())
}
