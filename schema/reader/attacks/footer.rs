//! What a footer can claim.

use super::super::craft::Value;
use super::super::tests::read;
use super::super::*;
use super::target;
use crate::versions::FileVersion;
use std::fs;

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
fn chunks_that_overlap() -> Result<()> {
    let mut target = target()?;
    for column in FileVersion::columns() {
        let meta = target.craft.chunk(column.name).at(&[3]);
        meta.set(7, Value::long(2000));
        meta.set(9, Value::long(4));
        let Value::Struct(fields) = meta else { bail!("a column") };
        fields.retain(|field| field.0 != 11);
    }
    target.expect("bytes: they overlap")
}

#[test]
fn another_schema() -> Result<()> {
    let mut target = target()?;
    *target.craft.footer.at(&[2, 1, 4]) = Value::Binary(b"other".to_vec());
    target.expect("column `recording_id` is missing")?;
    let mut target = self::target()?;
    let Value::Struct(node) = target.craft.footer.at(&[2, 1]) else { bail!("a node") };
    node.retain(|field| !matches!(field.0, 6 | 10));
    target.expect("column `recording_id` has type Binary, not Utf8")?;
    let mut target = self::target()?;
    target.craft.footer.at(&[2, 1]).set(3, Value::int(1));
    target.expect("column `recording_id` may be null")
}

#[test]
fn a_newer_version() -> Result<()> {
    for (version, words) in [("3", "it has schema version 3, newer than 2"), ("x", "schema version `x` is no number")] {
        let mut target = target()?;
        *target.craft.footer.at(&[5, 0, 2]) = Value::Binary(version.into());
        target.expect(words)?;
    }
    Ok(())
}

#[test]
fn columns_that_a_version_has_may_not_be_missing() -> Result<()> {
    let without = |version: &str| -> Result<super::Target> {
        let mut target = target()?;
        *target.craft.footer.at(&[5, 0, 2]) = Value::Binary(version.into());
        let Value::List(_, nodes) = target.craft.footer.at(&[2]) else { bail!("a schema") };
        let name = (4, Value::Binary(b"last_read_ns".to_vec()));
        let is_named = |node: &&mut Value| matches!(node, Value::Struct(fields) if fields.contains(&name));
        nodes.iter_mut().find(is_named).context("a column")?.set(4, Value::Binary(b"other".to_vec()));
        Ok(target)
    };
    without("2")?.expect("column `last_read_ns` is missing")?;
    let old = without("1")?;
    old.craft.write(&old.path)?;
    let rows = read(&old.path, &Prune::default(), None)?;
    assert_eq!((rows.len(), rows[0].last_read_ns), (30, None));
    Ok(())
}
