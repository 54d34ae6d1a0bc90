//! Filters of Tetragon: their meaning as written in its documentation, value by value.

use super::super::model::{Filter, NEVER, Namespace, NamespaceValue, Number, PathOperator, Text};
use super::{equal, mask, number, read_entries, read_selector, text};

/// The filters of a selector on a hook that lists one argument.
fn read(hook: &str, argument: &str, selector: &str) -> Vec<Filter> {
    read_selector(&format!("  - hook: {hook}\n    args: [{{{argument}}}]\n    selectors:\n    - {selector}\n")).filters
}

/// The filter that a `matchArgs` entry on `prot` makes, of this type.
fn integer(kind: &str, filter: &str) -> Filter {
    let selector = format!("matchArgs: [{{index: 2, {filter}}}]");
    read("mmap_file", &format!("index: 2, type: {kind}"), &selector).remove(0)
}

const PROT: Number = Number::Argument(2);

#[test]
fn path_operators_with_old_spellings() {
    use PathOperator::{Equal, Postfix, Prefix, SubString, SubStringIgnoringCase};
    let table = [
        ("Equal", Equal, false),
        ("NotEqual", Equal, true),
        ("Prefix", Prefix, false),
        ("NotPrefix", Prefix, true),
        ("Postfix", Postfix, false),
        ("NotPostfix", Postfix, true),
        ("SubString", SubString, false),
        ("SubStringIgnCase", SubStringIgnoringCase, false),
        ("eq", Equal, false),
        ("neq", Equal, true),
        ("prefix", Prefix, false),
        ("notprefix", Prefix, true),
        ("postfix", Postfix, false),
        ("notpostfix", Postfix, true),
    ];
    for (name, operator, negated) in table {
        let selector = format!("matchArgs: [{{index: 0, operator: {name}, values: [/a, /b]}}]");
        let expected = text(Text::Path, operator, negated, &["/a", "/b"]);
        assert_eq!(read("bprm_check_security", "index: 0", &selector), [expected], "{name}");
        let expected = text(Text::ParentComm, operator, negated, &["/a", "/b"]);
        let argument = "index: 0, type: string, resolve: mm.owner.real_parent.comm";
        assert_eq!(read("bprm_check_security", argument, &selector), [expected], "{name}");
    }
}

#[test]
fn second_texts_of_change_hooks() {
    for (hook, index, expected) in [
        ("inode_rename", 1, Text::Path),
        ("inode_rename", 3, Text::Target),
        ("inode_link", 0, Text::Path),
        ("inode_link", 2, Text::Target),
        ("inode_setxattr", 1, Text::Path),
        ("inode_setxattr", 2, Text::AttributeName),
        ("inode_unlink", 1, Text::Path),
        ("inode_setattr", 1, Text::Path),
        ("bprm_creds_from_file", 1, Text::Path),
    ] {
        let selector = format!("matchArgs: [{{index: {index}, operator: Equal, values: [/a]}}]");
        assert_eq!(read(hook, &format!("index: {index}"), &selector), [equal(expected, &["/a"])], "{hook} {index}");
    }
}

#[test]
fn binaries_of_process_and_parent_with_their_children() {
    let table = [
        ("In", PathOperator::Equal, false),
        ("NotIn", PathOperator::Equal, true),
        ("Prefix", PathOperator::Prefix, false),
        ("NotPrefix", PathOperator::Prefix, true),
        ("Postfix", PathOperator::Postfix, false),
        ("NotPostfix", PathOperator::Postfix, true),
    ];
    for (name, operator, negated) in table {
        for (key, plain) in [("matchBinaries", Text::Binary), ("matchParentBinaries", Text::ParentBinary)] {
            let selector = format!("{key}: [{{operator: {name}, values: [/a], followChildren: false}}]");
            let expected = text(plain, operator, negated, &["/a"]);
            assert_eq!(read("file_open", "index: 0", &selector), [expected], "{key} {name}");
        }
    }
    for (key, followed) in [("matchBinaries", Text::Followed), ("matchParentBinaries", Text::ParentFollowed)] {
        for (name, negated) in [("In", false), ("NotIn", true)] {
            let selector = format!("{key}: [{{operator: {name}, values: [/a], followChildren: true}}]");
            let expected = text(followed, PathOperator::Equal, negated, &["/a"]);
            assert_eq!(read("file_open", "index: 0", &selector), [expected], "{key} {name}");
        }
    }
}

#[test]
fn file_types_by_all_their_names() {
    let table = [
        ("reg", 0x8000),
        ("regular", 0x8000),
        ("dir", 0x4000),
        ("lnk", 0xa000),
        ("link", 0xa000),
        ("sock", 0xc000),
        ("socket", 0xc000),
        ("fifo", 0x1000),
        ("pipe", 0x1000),
        ("chr", 0x2000),
        ("char", 0x2000),
        ("blk", 0x6000),
        ("block", 0x6000),
    ];
    for (name, bits) in table {
        for (operator, negated) in [("FileType", false), ("NotFileType", true)] {
            let selector = format!("matchArgs: [{{index: 0, operator: {operator}, values: [{name}]}}]");
            let expected = number(Number::FileType, negated, &[(bits, bits)]);
            assert_eq!(read("file_open", "index: 0", &selector), [expected], "{name}");
        }
    }
    let selector = "matchArgs: [{index: 0, operator: FileType, values: [dir, blk]}]";
    let expected = number(Number::FileType, false, &[(0x4000, 0x4000), (0x6000, 0x6000)]);
    assert_eq!(read("path_truncate", "index: 0, type: path", selector), [expected]);
}

#[test]
fn integer_operators_with_old_spellings() {
    type Ranges = &'static [(u64, u64)];
    const MAX: u64 = u64::MAX;
    let table: [(&str, bool, Ranges); 17] = [
        ("Equal, values: [4, \"5\", 0x10, \"0xfF\"]", false, &[(4, 4), (5, 5), (16, 16), (255, 255)]),
        ("eq, values: [0]", false, &[(0, 0)]),
        ("NotEqual, values: [1, 2]", true, &[(1, 1), (2, 2)]),
        ("neq, values: [18446744073709551615]", true, &[(MAX, MAX)]),
        ("GT, values: [7]", false, &[(8, MAX)]),
        ("gt, values: [0]", false, &[(1, MAX)]),
        ("GreaterThan, values: [0xff]", false, &[(256, MAX)]),
        ("GT, values: [18446744073709551615]", false, &[(1, 0)]),
        ("GT, values: [5, 18446744073709551615]", false, &[(6, MAX)]),
        ("LT, values: [7]", false, &[(0, 6)]),
        ("lt, values: [1]", false, &[(0, 0)]),
        ("LessThan, values: [18446744073709551615]", false, &[(0, MAX - 1)]),
        ("LT, values: [0]", false, &[(1, 0)]),
        ("InRange, values: [\"1:2\", \"0x10:0x20\", 5:5]", false, &[(1, 2), (16, 32), (5, 5)]),
        ("NotInRange, values: [\"0:18446744073709551615\"]", true, &[(0, MAX)]),
        ("InMap, values: [1, \"3:4\", 5, 6, 7, 8]", false, &[(1, 1), (3, 4), (5, 5), (6, 6), (7, 7), (8, 8)]),
        ("NotInMap, values: [1]", true, &[(1, 1)]),
    ];
    for (filter, negated, ranges) in table {
        let expected = number(PROT, negated, ranges);
        assert_eq!(integer("uint64", &format!("operator: {filter}")), expected, "{filter}");
    }
    assert_eq!(NEVER, (1, 0));
    for (filter, bits) in [("Mask, values: [1, 0x200]", 0x201), ("mask, values: [4]", 4), ("Mask, values: [0]", 0)] {
        assert_eq!(integer("auto", &format!("operator: {filter}")), mask(PROT, bits), "{filter}");
    }
}

#[test]
fn negative_integers_are_the_bits_of_their_type() {
    for (kind, value, bits) in [
        ("int", "-1", 0xffff_ffff),
        ("sint8", "-128", 0x80),
        ("int16", "-0x1", 0xffff),
        ("sint32", "-2147483648", 0x8000_0000),
        ("long", "-1", u64::MAX),
        ("sint64", "-9223372036854775808", 1 << 63),
        ("int", "2147483647", 0x7fff_ffff),
    ] {
        let expected = number(PROT, false, &[(bits, bits)]);
        assert_eq!(integer(kind, &format!("operator: Equal, values: [{value}]")), expected, "{kind} {value}");
        let expected = number(PROT, true, &[(bits, bits)]);
        assert_eq!(integer(kind, &format!("operator: NotInMap, values: [\"{value}\"]")), expected, "{kind} {value}");
    }
}

#[test]
fn integers_that_never_match_are_warned_of() {
    for (filter, warning) in [
        ("operator: GT, values: [4294967295]", "no value of 32 bits is above 4294967295"),
        ("operator: LT, values: [0]", "no value is below 0"),
        ("operator: Mask, values: [0]", "a `Mask` of 0 never matches"),
    ] {
        let policy = read_entries(&format!(
            "  - hook: mmap_file\n    args: [{{index: 2, type: uint32}}]\n    selectors:\n    - matchArgs: [{{index: 2, {filter}}}]\n"
        ));
        assert_eq!(policy.warnings.len(), 1, "{filter}");
        assert!(policy.warnings[0].starts_with("test.yaml:10:"), "{:?}", policy.warnings);
        assert!(policy.warnings[0].contains(warning), "{:?}", policy.warnings);
    }
}

#[test]
fn process_ids_in_their_namespace_or_with_their_children() {
    let family = |is_namespace_pid, negated| Filter::Family { pids: vec![0, 1], is_namespace_pid, negated };
    let table = [
        ("operator: In, values: [7, \"8\"]", number(Number::Pid, false, &[(7, 7), (8, 8)])),
        ("operator: NotIn, values: [4294967295]", number(Number::Pid, true, &[(0xffff_ffff, 0xffff_ffff)])),
        ("operator: NotIn, values: [1], isNamespacePID: true", number(Number::NamespacePid, true, &[(1, 1)])),
        ("operator: In, values: [0, 1], followForks: true", family(false, false)),
    ];
    for (filter, expected) in table {
        assert_eq!(read("file_open", "index: 0", &format!("matchPIDs: [{{{filter}}}]")), [expected], "{filter}");
    }
    let two = "matchPIDs: [{operator: In, values: [1], followForks: true}, {operator: NotIn, values: [2]}]";
    let first = Filter::Family { pids: vec![1], is_namespace_pid: false, negated: false };
    assert_eq!(read("file_open", "index: 0", two), [first, number(Number::Pid, true, &[(2, 2)])]);
    let in_namespace = "matchPIDs: [{operator: NotIn, values: [0, 1], followForks: true, isNamespacePID: true}]";
    let outside_host = Filter::Namespace { kind: Namespace::Pid, negated: true, values: vec![NamespaceValue::Host] };
    assert_eq!(read("file_open", "index: 0", in_namespace), [outside_host, family(true, true)]);
}

#[test]
fn namespaces_of_every_kind() {
    let table = [
        ("Uts", Namespace::Uts),
        ("Ipc", Namespace::Ipc),
        ("Mnt", Namespace::Mnt),
        ("Pid", Namespace::Pid),
        ("PidForChildren", Namespace::PidForChildren),
        ("Net", Namespace::Net),
        ("Time", Namespace::Time),
        ("TimeForChildren", Namespace::TimeForChildren),
        ("Cgroup", Namespace::Cgroup),
        ("user", Namespace::User),
    ];
    let entries: Vec<String> = table
        .iter()
        .map(|(name, _)| format!("{{namespace: {name}, operator: NotIn, values: [\"4026531836\", host_ns]}}"))
        .collect();
    let expected: Vec<Filter> = table
        .iter()
        .map(|(_, kind)| Filter::Namespace {
            kind: *kind,
            negated: true,
            values: vec![NamespaceValue::Inode(4_026_531_836), NamespaceValue::Host],
        })
        .collect();
    let selector = format!("matchNamespaces: [{}]", entries.join(", "));
    assert_eq!(read("file_open", "index: 0", &selector), expected);
}

#[test]
fn capabilities_of_each_set() {
    let table = [
        ("operator: In, values: [CAP_CHOWN, CAP_NET_RAW]", Number::Effective, false, 1 | 1 << 13),
        ("type: Effective, operator: NotIn, values: [cap_sys_admin]", Number::Effective, true, 1 << 21),
        ("type: Inheritable, operator: In, values: [CAP_BPF]", Number::Inheritable, false, 1 << 39),
        ("type: Permitted, operator: In, values: [CAP_CHECKPOINT_RESTORE]", Number::Permitted, false, 1 << 40),
        ("operator: In, values: [CAP_SETPCAP, CAP_SYS_MODULE]", Number::Effective, false, 1 << 8 | 1 << 16),
    ];
    for (filter, set, negated, bits) in table {
        let expected = Filter::Mask { number: set, negated, mask: bits };
        assert_eq!(read("file_open", "index: 0", &format!("matchCapabilities: [{{{filter}}}]")), [expected]);
    }
    let selector = "matchCapabilities: [{operator: In, values: [CAP_SYS_ADMIN], isNamespaceCapability: true}]";
    let outside = Filter::Namespace { kind: Namespace::User, negated: true, values: vec![NamespaceValue::Host] };
    assert_eq!(read("file_open", "index: 0", selector), [mask(Number::Effective, 1 << 21), outside]);
}

#[test]
fn capabilities_by_all_their_numbers() {
    let table = [
        ("CAP_AUDIT_CONTROL", 30),
        ("CAP_AUDIT_READ", 37),
        ("CAP_AUDIT_WRITE", 29),
        ("CAP_BLOCK_SUSPEND", 36),
        ("CAP_BPF", 39),
        ("CAP_CHECKPOINT_RESTORE", 40),
        ("CAP_CHOWN", 0),
        ("CAP_DAC_OVERRIDE", 1),
        ("CAP_DAC_READ_SEARCH", 2),
        ("CAP_FOWNER", 3),
        ("CAP_FSETID", 4),
        ("CAP_IPC_LOCK", 14),
        ("CAP_IPC_OWNER", 15),
        ("CAP_KILL", 5),
        ("CAP_LEASE", 28),
        ("CAP_LINUX_IMMUTABLE", 9),
        ("CAP_MAC_ADMIN", 33),
        ("CAP_MAC_OVERRIDE", 32),
        ("CAP_MKNOD", 27),
        ("CAP_NET_ADMIN", 12),
        ("CAP_NET_BIND_SERVICE", 10),
        ("CAP_NET_BROADCAST", 11),
        ("CAP_NET_RAW", 13),
        ("CAP_PERFMON", 38),
        ("CAP_SETFCAP", 31),
        ("CAP_SETGID", 6),
        ("CAP_SETPCAP", 8),
        ("CAP_SETUID", 7),
        ("CAP_SYSLOG", 34),
        ("CAP_SYS_ADMIN", 21),
        ("CAP_SYS_BOOT", 22),
        ("CAP_SYS_CHROOT", 18),
        ("CAP_SYS_MODULE", 16),
        ("CAP_SYS_NICE", 23),
        ("CAP_SYS_PACCT", 20),
        ("CAP_SYS_PTRACE", 19),
        ("CAP_SYS_RAWIO", 17),
        ("CAP_SYS_RESOURCE", 24),
        ("CAP_SYS_TIME", 25),
        ("CAP_SYS_TTY_CONFIG", 26),
        ("CAP_WAKE_ALARM", 35),
    ];
    for (name, bit) in table {
        let selector = format!("matchCapabilities: [{{operator: In, values: [{name}]}}]");
        assert_eq!(read("file_open", "index: 0", &selector), [mask(Number::Effective, 1 << bit)], "{name}");
    }
}

#[test]
fn argument_by_position_wins_over_index() {
    let selector = read_selector(
        "  - hook: mmap_file
    args: [{index: 0, type: file}, {index: 3, type: ulong, label: flags}]
    selectors:
    - matchArgs:
      - {args: [1], index: 0, operator: mask, values: [2]}
      - {args: [], index: 3, operator: mask, values: [4]}
",
    );
    assert_eq!(selector.filters, [mask(Number::Argument(3), 2), mask(Number::Argument(3), 4)]);
}

#[test]
fn a_nul_at_the_end_of_a_string_is_ignored() {
    let argument = "index: 0, type: string, resolve: mm.owner.comm";
    let selector = "matchArgs: [{index: 0, operator: Equal, values: [\"sh\\0\"]}]";
    assert_eq!(read("bprm_check_security", argument, selector), [equal(Text::Comm, &["sh"])]);
}
