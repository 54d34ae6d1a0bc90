//! Numbers as Go reads them.

use super::super::model::Number;
use super::super::number::{Notation, parse, parse_duration, parse_signed};
use super::malformed::assert_refused;
use super::{HEAD, mask, number, read_entries, read_selector};

#[test]
fn prefixes_and_underscores() {
    let table = [
        ("0", Some(0)),
        ("00", Some(0)),
        ("5", Some(5)),
        ("010", Some(8)),
        ("0777", Some(511)),
        ("0o17", Some(15)),
        ("0O17", Some(15)),
        ("0b101", Some(5)),
        ("0B1", Some(1)),
        ("0xfF", Some(255)),
        ("0X10", Some(16)),
        ("1_000", Some(1000)),
        ("0x_ff", Some(255)),
        ("0_7", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("0xffff_ffff_ffff_ffff", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("", None),
        ("08", None),
        ("0x", None),
        ("0b2", None),
        ("0o8", None),
        ("1__0", None),
        ("_1", None),
        ("1_", None),
        ("0x1_", None),
        ("+1", None),
        ("-1", None),
        (" 1", None),
        ("1e3", None),
        ("\u{661}", None),
        ("0\u{661}", None),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text), expected, "{text:?}");
    }
    assert_eq!(parse_signed("-0x10"), Some(-16));
    assert_eq!(parse_signed("+010"), Some(8));
    assert_eq!(parse_signed("--1"), None);
    assert_eq!(parse_signed("-9223372036854775808"), Some(i64::MIN));
    assert_eq!(parse_signed("9223372036854775808"), None);
}

#[test]
fn where_tetragon_reads_decimal() {
    assert_eq!(Notation::Decimal.parse("010"), Some(10));
    assert_eq!(Notation::Decimal.parse("0x10"), Some(16));
    for text in ["1_0", "0o7", "0b1", "0x1_0", "", "-1"] {
        assert_eq!(Notation::Decimal.parse(text), None, "{text:?}");
    }
    assert_eq!(Notation::Decimal.parse_range("010:020"), Some((10, 20)));
    assert_eq!(Notation::Prefixed.parse_range("010:020"), Some((8, 16)));
    assert_eq!(parse_duration("010s"), Some(10_000_000_000));
    assert_eq!(parse_duration("0x10"), None);
    assert_eq!(parse_duration("1_0"), None);
}

fn filter(operator: &str, values: &str) -> Vec<super::Filter> {
    let selector = read_selector(&format!(
        "  - hook: mmap_file
    args: [{{index: 2, type: uint32}}]
    selectors: [{{matchArgs: [{{index: 2, operator: {operator}, values: [{values}]}}]}}]
"
    ));
    selector.filters
}

#[test]
fn values_of_filters() {
    let of = |ranges: &[(u64, u64)]| vec![number(Number::Argument(2), false, ranges)];
    assert_eq!(filter("Equal", "\"010\", 0b11, \"0o20\", '1_000'"), of(&[(8, 8), (3, 3), (16, 16), (1000, 1000)]));
    assert_eq!(filter("Mask", "\"04000\", 02000"), [mask(Number::Argument(2), 0o6000)]);
    assert_eq!(filter("InRange", "\"010:0x10\""), of(&[(8, 16)]));
    assert_eq!(filter("InMap", "\"010\", 010, \"010:020\""), of(&[(10, 10), (8, 8), (10, 20)]));
    let text = |value: &str| {
        format!(
            "{HEAD}  - {{hook: mmap_file, args: [{{index: 2}}], selectors: [{{matchArgs: [{{index: 2, operator: {value}}}]}}]}}\n"
        )
    };
    assert_refused(&text("Equal, values: [\"08\"]"), 7, "0o octal (or with a zero in front)");
    assert_refused(&text("InMap, values: [\"0o10\"]"), 7, "is not a number; write it in decimal or in 0x hex");
    let policy = read_entries(
        "  - {hook: mmap_file, args: [{index: 2}], selectors: [{matchArgs: [{index: 2, operator: InMap, values: [\"010\"]}]}]}\n",
    );
    assert!(policy.warnings[0].contains("value `010` is decimal here"), "{:?}", policy.warnings);
}

#[test]
fn numbers_of_other_fields() {
    let selector = read_selector(
        "  - hook: file_open
    args: [{index: 0x0}]
    selectors:
    - matchPIDs: [{operator: In, values: [0x10, 010]}]
      matchNamespaces: [{namespace: Mnt, operator: In, values: [\"04026531840\"]}]
      matchActions: [{action: Override, argError: -0x1}, {action: Signal, argSig: 0b1111}]
",
    );
    assert_eq!(selector.filters[0], number(Number::Pid, false, &[(16, 16), (8, 8)]));
    assert!(format!("{:?}", selector.filters[1]).contains("Inode(4026531840)"));
    assert_eq!((selector.action.error, selector.action.signal), (Some(-1), Some(15)));
}
