//! Limits: at their edge a policy loads, one more is refused.

use std::path::Path;

use super::malformed::assert_refused;
use super::{HEAD, Loader, read_bytes, read_entries};

fn list(count: usize, item: &str) -> String {
    vec![item; count].join(", ")
}

/// A quoted path of this many bytes.
fn long(length: usize) -> String {
    format!("/{}", "p".repeat(length - 1))
}

fn argument(operator: &str, values: &str) -> String {
    format!(
        "args: [{{index: 0}}], selectors: [{{matchArgs: [{{index: 0, operator: {operator}, values: [{values}]}}]}}]"
    )
}

fn binary(key: &str, operator: &str, values: &str) -> String {
    format!("selectors: [{{{key}: [{{operator: {operator}, values: [{values}]}}]}}]")
}

fn process(key: &str, filters: usize, values: usize, value: &str) -> String {
    let namespace = if key == "matchNamespaces" { "namespace: Mnt, " } else { "" };
    let filter = format!("{{{namespace}operator: In, values: [{}]}}", list(values, value));
    format!("selectors: [{{{key}: [{}]}}]", list(filters, &filter))
}

/// A policy at each limit, and what is said of one more.
fn table() -> Vec<(&'static str, String, String, &'static str)> {
    let open = |make: &dyn Fn(usize) -> String, most: usize, reason: &'static str| {
        ("file_open", make(most), make(most + 1), reason)
    };
    vec![
        open(&|n| format!("message: {}, tags: [{}]", "m".repeat(256), list(n, "t")), 16, "at most 16"),
        open(&|n| format!("args: [{}]", list(n, "{index: 0}")), 5, "at most 5"),
        open(&|n| format!("selectors: [{}]", list(n, "{}")), 5, "at most 5"),
        open(&|n| format!("selectors: [{{matchActions: [{}]}}]", list(n, "{action: Post}")), 3, "at most 3"),
        open(
            &|n| {
                let filter = "{operator: Equal, values: [/a]}";
                format!("args: [{{index: 0}}], selectors: [{{matchArgs: [{}]}}]", list(n, filter))
            },
            5,
            "at most 5",
        ),
        open(&|n| format!("selectors: [{{hashtrail: {{openMode: [{}]}}}}]", list(n, "read")), 5, "at most 5"),
        open(&|n| argument("Equal", &long(n)), 4096, "at most 4096"),
        open(&|n| argument("Prefix", &long(n)), 256, "at most 256"),
        open(&|n| argument("NotPostfix", &long(n)), 127, "at most 127"),
        open(&|n| argument("SubString", &long(n)), 99, "at most 99"),
        open(&|n| argument("SubStringIgnCase", &long(n)), 99, "at most 99"),
        open(&|n| argument("SubString", &list(n, "a")), 100, "more than 100 values of `SubString`"),
        open(&|n| argument("FileType", &list(n, "reg")), 4, "at most 4"),
        open(&|n| binary("matchBinaries", "In", &long(n)), 255, "at most 255"),
        open(&|n| binary("matchBinaries", "Prefix", &long(n)), 256, "at most 256"),
        open(&|n| binary("matchBinaries", "Postfix", &long(n)), 127, "at most 127"),
        open(&|n| binary("matchParentBinaries", "NotIn", &long(n)), 255, "at most 255"),
        open(&|n| process("matchBinaries", n, 1, "/a"), 1, "at most 1"),
        open(&|n| process("matchParentBinaries", n, 1, "/a"), 1, "at most 1"),
        open(&|n| process("matchPIDs", 1, n, "1"), 4, "at most 4"),
        open(&|n| process("matchPIDs", n, 1, "1"), 16, "at most 16"),
        open(&|n| process("matchNamespaces", n, 4, "host_ns"), 10, "at most 10"),
        open(&|n| process("matchNamespaces", 1, n, "1"), 4, "at most 4"),
        open(&|n| process("matchCapabilities", n, 1, "CAP_BPF"), 1, "at most 1"),
    ]
}

#[test]
fn limits_hold_exactly() {
    for (hook, at_the_edge, one_more, reason) in table() {
        let policy = read_entries(&format!("  - {{hook: {hook}, {at_the_edge}}}\n"));
        assert!(policy.warnings.iter().all(|warning| warning.contains("begin with `/`")), "{:?}", policy.warnings);
        assert_refused(&format!("{HEAD}  - {{hook: {hook}, {one_more}}}\n"), 7, reason);
    }
}

#[test]
fn integer_values_are_limited_but_for_maps() {
    let entry = |operator: &str, count: usize, value: &str| {
        let filter = format!("{{index: 2, operator: {operator}, values: [{}]}}", list(count, value));
        format!("  - {{hook: mmap_file, args: [{{index: 2}}], selectors: [{{matchArgs: [{filter}]}}]}}\n")
    };
    for (operator, value) in [("Equal", "1"), ("NotEqual", "1"), ("GT", "1"), ("Mask", "1"), ("InRange", "\"1:2\"")] {
        read_entries(&entry(operator, 4, value));
        assert_refused(&format!("{HEAD}{}", entry(operator, 5, value)), 7, "at most 4");
    }
    read_entries(&entry("InMap", 1000, "\"1:2\""));
}

#[test]
fn hook_entries_are_limited() {
    let of = |hook: &str, count: usize| format!("  - hook: {hook}\n").repeat(count);
    let four_hooks = ["file_open", "mmap_file", "file_lock", "sb_pivotroot"].map(|hook| of(hook, 64)).concat();
    read_entries(&four_hooks);
    assert_refused(&format!("{HEAD}{four_hooks}{}", of("file_receive", 1)), 263, "at most 256");
    assert_refused(&format!("{HEAD}{}", of("sb_pivotroot", 65)), 71, "more than 64 entries of hook `sb_pivotroot`");
}

#[test]
fn entries_and_filters_are_counted_over_all_policies() {
    let mut loader = Loader::default();
    let mut add = |name: &str, entries: &str| {
        let text = format!("{}{entries}", HEAD.replace("name: test", &format!("name: {name}")));
        loader.add(Path::new(&format!("{name}.yaml")), text.as_bytes());
        std::mem::take(&mut loader.faults)
    };
    let selectors = |filter: &str, count: usize| format!("{{selectors: [{}], ", list(count, &format!("{{{filter}}}")));
    let family = |count| selectors("matchPIDs: [{operator: In, values: [1], followForks: true}]", count);
    let text = |count| selectors("matchBinaries: [{operator: In, values: [/a]}]", count);
    let mut entries: Vec<String> = Vec::new();
    for hook in ["file_open", "mmap_file", "file_lock", "file_receive"] {
        entries.extend((0..12).map(|_| format!("  - {}hook: {hook}}}\n", text(5))));
    }
    assert_eq!(add("a", &entries.concat()), Vec::<String>::new());
    let entry = |selectors: String, hook: &str| format!("  - {selectors}hook: {hook}}}\n");
    let more = entry(text(5), "inode_link").repeat(3) + &entry(text(1), "inode_link");
    assert_eq!(add("b", &more), Vec::<String>::new());
    let families = entry(family(5), "path_truncate").repeat(12) + &entry(family(4), "path_truncate");
    assert_eq!(add("c", &families), Vec::<String>::new());
    for (selectors, hook, expected) in [
        (text(1), "inode_link", "more than 256 filters on paths and names"),
        (family(1), "inode_link", "more than 64 filters `matchPIDs` with `followForks`"),
    ] {
        let faults = add("d", &entry(selectors, hook));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("d.yaml:7:") && faults[0].contains(expected), "{faults:?}");
    }
    let faults = add("e", &"  - hook: file_open\n".repeat(53));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("e.yaml:59:5: more than 64 entries of hook `file_open` over all"), "{faults:?}");
}

#[test]
fn followed_binaries_and_other_hooks_are_counted_over_all_policies() {
    let policy =
        |name: &str, entries: String| format!("{}{entries}", HEAD.replace("name: test", &format!("name: {name}")));
    let followed = |count: usize| {
        let selector = "{matchBinaries: [{operator: In, values: [/a], followChildren: true}]}";
        format!("  - {{hook: file_open, selectors: [{}]}}\n", list(count, selector))
    };
    let hooks = |range: std::ops::Range<usize>| {
        range.map(|number| format!("  - hook: other_{number}\n")).collect::<Vec<_>>().concat()
    };
    let mut loader = Loader::default();
    loader.add(Path::new("a.yaml"), policy("a", hooks(0..5) + &followed(5).repeat(8)).as_bytes());
    loader.add(Path::new("b.yaml"), policy("b", hooks(0..8) + &followed(4).repeat(6)).as_bytes());
    assert_eq!(loader.faults, Vec::<String>::new());
    loader.add(Path::new("c.yaml"), policy("c", hooks(8..9) + &followed(1)).as_bytes());
    assert_eq!(loader.faults.len(), 2, "{:?}", loader.faults);
    assert!(loader.faults[0].starts_with("c.yaml:7:11: hook `other_8` would be the 9th"), "{:?}", loader.faults);
    assert!(loader.faults[1].starts_with("c.yaml:8:97: more than 64 filters"), "{:?}", loader.faults);
}

#[test]
fn substrings_are_counted_for_each_policy() {
    let entry = format!("  - {{hook: file_open, {}}}\n", argument("SubString", &list(60, "a")));
    let documents = format!("{HEAD}{entry}---\n{}{entry}", HEAD.replace("name: test", "name: other"));
    assert_eq!(read_bytes(documents.as_bytes()).unwrap().len(), 2);
    assert_refused(&format!("{HEAD}{entry}{entry}"), 8, "more than 100 values");
}
