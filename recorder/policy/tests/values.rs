//! Values that only the kernel's BTF explains, on machines that have it: what the reader makes of them, and what it refuses.

use super::super::describe;
use super::super::model::{AddressPart, ArgumentKind, Comparison, Filter, Network, Read, Text};
use super::malformed::assert_refused;
use super::{HEAD, read_entries, read_selector};
use crate::btf::{Kernel, Kind, Start};

/// Whether this machine's kernel says of these hooks what the tests expect.
fn has_btf() -> bool {
    let hooks = ["path_chmod", "inode_mkdir", "ptrace_access_check", "bpf", "socket_connect"];
    Kernel::read().is_ok_and(|kernel| hooks.iter().all(|hook| kernel.has_hook(hook)))
}

fn comparison(hook: &str, lists: &str, filter: &str) -> Comparison {
    let entry = format!("  - hook: {hook}\n    {lists}\n    selectors: [{{{filter}}}]\n");
    match read_selector(&entry).filters.remove(0) {
        Filter::Value { comparison, .. } => comparison,
        filter => panic!("{filter:?}"),
    }
}

#[test]
fn types_that_contradict_the_kernel_are_refused_also_without_a_filter() {
    if !has_btf() {
        return;
    }
    for (hook, argument, reason) in [
        (
            "inode_mkdir",
            "index: 0, type: file",
            "type `file` contradicts the kernel's BTF: argument 0 of `inode_mkdir` is `struct inode *`",
        ),
        ("inode_mkdir", "index: 1, type: path", "is `struct dentry *` (dentry); write `auto` or `dentry`"),
        ("path_chmod", "index: 1, type: path", "is `umode_t` (mode); write `auto` or `uint16`"),
        ("path_chmod", "index: 0, type: uint64", "is `const struct path *` (path); write `auto` or `path`"),
        ("bpf", "index: 0, type: string", "write `auto` or `int32`"),
        (
            "path_chmod",
            "index: 3, type: int",
            "`path_chmod` has no argument 3, but 2: 0 `const struct path *`, 1 `umode_t`",
        ),
        (
            "file_open",
            "index: 0, type: string, resolve: f_flags",
            "`f_flags` of argument 0 of `file_open` is a number of 4 bytes without sign",
        ),
        (
            "file_open",
            "index: 0, type: int, resolve: f_nothing",
            "`struct file` has no member `f_nothing`, by this kernel's BTF",
        ),
        (
            "file_open",
            "source: current_task, resolve: comm, btfType: no_such, type: string",
            "there is no `struct no_such`, by this kernel's BTF",
        ),
    ] {
        let text = format!("{HEAD}  - hook: {hook}\n    args: [{{{argument}}}]\n");
        assert_refused(&text, 8, reason);
    }
}

#[test]
fn files_of_hooks_without_a_program_are_named_at_any_place() {
    if !has_btf() {
        return;
    }
    for (hook, argument, index, kind) in [
        ("path_chmod", "index: 0, type: path", 0, ArgumentKind::Path),
        ("path_chmod", "index: 0", 0, ArgumentKind::Path),
        ("inode_mkdir", "index: 1, type: dentry", 1, ArgumentKind::Dentry),
        ("file_permission", "index: 0, type: auto", 0, ArgumentKind::File),
    ] {
        let entry = format!(
            "  - hook: {hook}\n    args: [{{{argument}}}]\n    selectors: [{{matchArgs: [{{index: {index}, operator: Prefix, values: [/a]}}]}}]\n"
        );
        let policy = read_entries(&entry);
        let file = policy.hooks[0].file.as_ref().map(|file| (file.index, file.kind));
        assert_eq!(file, Some((index, kind)), "{hook}");
        assert!(matches!(policy.hooks[0].selectors[0].filters[0], Filter::Text { text: Text::Path, .. }));
    }
}

#[test]
fn numbers_keep_the_sign_of_their_type() {
    if !has_btf() {
        return;
    }
    let of_task = |kind: &str, filter: &str| {
        let data = format!("data: [{{source: current_task, resolve: signal.oom_score_adj, type: {kind}}}]");
        comparison("file_open", &data, &format!("matchData: [{{index: 0, {filter}}}]"))
    };
    assert_eq!(of_task("int16", "operator: Equal, values: [-500]"), Comparison::Ranges(vec![(0xfe0c, 0xfe0c)]));
    assert_eq!(of_task("int16", "operator: LT, values: [5]"), Comparison::Ranges(vec![(0, 4), (0x8000, 0xffff)]));
    assert_eq!(of_task("int16", "operator: GT, values: [5]"), Comparison::Ranges(vec![(6, 0x7fff)]));
    assert_eq!(of_task("uint16", "operator: GT, values: [5]"), Comparison::Ranges(vec![(6, u64::MAX)]));
    assert_eq!(of_task("auto", "operator: Mask, values: [6]"), Comparison::Mask(6));
    let mode =
        comparison("path_chmod", "args: [{index: 1}]", "matchArgs: [{index: 1, operator: Mask, values: [2048, 1024]}]");
    assert_eq!(mode, Comparison::Mask(0o6000));
}

#[test]
fn parts_of_socket_addresses() {
    if !has_btf() {
        return;
    }
    let network = Network { address: 0xffff_7f00_0000, bits: 104 };
    for (filter, wanted, comparison) in [
        ("operator: Family, values: [AF_INET, 10]", AddressPart::Family, Comparison::Ranges(vec![(2, 2), (10, 10)])),
        (
            "operator: NotSPort, values: [53, \"80:90\"]",
            AddressPart::Port,
            Comparison::Ranges(vec![(53, 53), (80, 90)]),
        ),
        ("operator: SPortPriv", AddressPart::Port, Comparison::Ranges(vec![(0, 1023)])),
        ("operator: SAddr, values: [127.0.0.1/8]", AddressPart::Ip, Comparison::Networks(vec![network])),
    ] {
        let selector = read_selector(&format!(
            "  - hook: socket_connect\n    args: [{{index: 1, type: sockaddr}}]\n    selectors: [{{matchArgs: [{{index: 1, {filter}}}]}}]\n"
        ));
        let Filter::Value { value, negated, comparison: found } = &selector.filters[0] else { panic!("{selector:?}") };
        assert_eq!((value.start, value.read), (Start::Argument(1), Read::Address { part: wanted, length: Some(2) }));
        assert_eq!((found, *negated), (&comparison, filter.contains("Not")), "{filter}");
    }
}

#[test]
fn members_of_sockets() {
    if !has_btf() {
        return;
    }
    for (kind, filter, read, comparison) in [
        ("socket", "operator: Family, values: [AF_INET6]", Read::Number { bits: 16, signed: false }, (10, 10)),
        ("auto", "operator: Protocol, values: [IPPROTO_TCP]", Read::Number { bits: 16, signed: false }, (6, 6)),
        ("socket", "operator: State, values: [TCP_LISTEN]", Read::Number { bits: 8, signed: false }, (10, 10)),
        ("socket", "operator: NotDPort, values: [\"80:90\"]", Read::Port, (80, 90)),
        ("socket", "operator: SPortPriv", Read::Number { bits: 16, signed: false }, (0, 1023)),
    ] {
        let selector = read_selector(&format!(
            "  - hook: socket_listen\n    args: [{{index: 0, type: {kind}}}]\n    \
             selectors: [{{matchArgs: [{{index: 0, {filter}}}]}}]\n"
        ));
        let Filter::Value { value, comparison: found, .. } = &selector.filters[0] else { panic!("{selector:?}") };
        assert_eq!((value.read, found), (read, &Comparison::Ranges(vec![comparison])), "{filter}");
        let (walk, end) = value.walk.as_ref().unwrap();
        assert!(matches!(end.kind, Kind::Integer { .. }) && walk.reads.len() == 1, "{filter}: {walk:?} {end:?}");
    }
}

#[test]
fn values_are_explained_as_the_policy_means_them() {
    if !has_btf() {
        return;
    }
    let text = describe(&[read_entries(
        "  - hook: file_open
    data: [{source: current_task, resolve: signal.oom_score_adj, type: int16}]
    selectors:
    - matchData: [{operator: Equal, values: [-500]}]
    - matchData: [{operator: LT, values: [100]}]
  - hook: socket_connect
    args: [{index: 1, type: sockaddr}]
    selectors:
    - matchArgs:
      - {index: 1, operator: NotSAddr, values: [127.0.0.1/8, \"fd00::/8\"]}
      - {index: 1, operator: NotSPort, values: [53]}
  - hook: path_chmod
    args: [{index: 1}]
    selectors: [{matchArgs: [{index: 1, operator: Mask, values: [2048]}]}]
",
    )]);
    for part in [
        "`signal.oom_score_adj` of the calling task is -500",
        "of the calling task is at most 99 or below 0",
        "the address in argument 1 is not in 127.0.0.0/8 nor fd00::/8, and the port in argument 1 is not 53",
        "argument 1 has a bit of 0x800",
        "Tetragon refuses `data` on LSM hooks as of 4fbfe2d74",
    ] {
        assert!(text.contains(part), "`{part}` in:\n{text}");
    }
}
