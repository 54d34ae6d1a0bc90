//! A policy decides before anything is hashed: what it does not match costs no digest and no place in the ring.

use crate::support::guest::{Guest, on_guests};
use crate::support::{integer, lists, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

on_guests!(only_the_path_that_the_policy_names_is_recorded: linux_6_1, linux_6_12, linux_7);
fn only_the_path_that_the_policy_names_is_recorded(guest: Guest) {
    let one_path = guest.scenario("one_path");
    let rows = one_path
        .rows("SELECT path, hook, policy, digest, boot_ns FROM events WHERE policy IS NOT NULL ORDER BY boot_ns");
    assert_eq!(rows.len(), 2, "two runs of the watched program: {rows:#?}");
    for (row, act) in rows.iter().zip([one_path.act("watched"), one_path.act("watched-again")]) {
        assert_eq!(row["path"], act.path, "{row}");
        assert_eq!(row["digest"], act.digest, "{row}");
        assert_eq!(row["policy"], "one-path", "{row}");
        assert!((act.before_ns..=act.after_ns).contains(&integer(row, "boot_ns")), "{row} outside of {act:?}");
    }
}

on_guests!(other_execs_are_neither_hashed_nor_written_to_the_ring: linux_6_1, linux_6_12, linux_7);
fn other_execs_are_neither_hashed_nor_written_to_the_ring(guest: Guest) {
    let one_path = guest.scenario("one_path");
    assert_eq!(one_path.number("other_execs"), 200, "the scenario itself ran its other program");
    let accounting = one_path.accounting();
    let beside = one_path.count("SELECT count(*) FROM events WHERE policy IS NULL");
    assert_eq!(integer(&accounting, "produced") - beside, 2, "{accounting}");
    let digests = integer(&accounting, "digests") + integer(&accounting, "digests_reused");
    assert_eq!(digests, 2, "taken, or used again: {accounting}");
    assert!(integer(&accounting, "filtered") >= 200, "{accounting}");
}

/// What each entry of the policies `filters-*` must record: its message, with the label of the selector where it has
/// several, and the files, each of which is acted on once. Files whose names are long stand here by the length of their
/// path.
const EXPECTED: &[(&str, &[&str])] = &[
    // Paths.
    ("equal", &["paths/alpha", "paths/beta"]),
    ("not equal", &["paths/alphabet", "paths/Gamma.TXT", "paths/gamma.txt"]),
    ("prefixes that overlap", &["paths/alpha", "paths/alphabet"]),
    ("not prefix", &["paths/Gamma.TXT", "paths/gamma.txt"]),
    ("postfixes that overlap", &["paths/beta", "paths/alphabet", "paths/gamma.txt"]),
    ("not postfix", &["paths/alpha", "paths/alphabet", "paths/Gamma.TXT"]),
    ("substring", &["paths/alphabet", "paths/gamma.txt"]),
    ("substring in any case", &["paths/Gamma.TXT", "paths/gamma.txt"]),
    ("four file types", &["types/fifo", "types/char", "types/block", "types/directory"]),
    ("not these file types", &["types/regular", "types/block", "types/directory"]),
    ("moved where no path leads", &["too long"]),
    // Lengths.
    ("long and many values", &["255 bytes", "256 bytes", "4095 bytes", "paths/alpha"]),
    ("longest prefix", &["256 bytes", "257 bytes"]),
    ("longest postfix", &["4095 bytes"]),
    ("longest and most substrings", &["4095 bytes", "4094 bytes"]),
    ("what is too long equals nothing", &["too long"]),
    ("what is too long is like nothing", &[]),
    // Numbers, which are the names of the files, in hexadecimal.
    ("number equal", &["numbers/1", "numbers/8002"]),
    ("number not equal, four values", &["numbers/1"]),
    ("greater", &["numbers/4002", "numbers/8002"]),
    ("less", &["numbers/1"]),
    ("mask", &["numbers/4002", "numbers/8002"]),
    ("in range", &["numbers/2", "numbers/2002", "numbers/8002"]),
    ("not in range", &["numbers/1", "numbers/4002"]),
    ("in map", &["numbers/1", "numbers/4002"]),
    ("not in map", &["numbers/2", "numbers/2002", "numbers/8002"]),
    ("older spelling", &["numbers/8002"]),
    ("protection that was asked for", &["protection/implied"]),
    ("five filters", &["protection/executable"]),
    // Binaries. `child` is run by `one`, `grandchild` by `two`, which is run by `one`; `exec` is `two` that was `one` before,
    // and `thread` is `three` that another thread of `two` became, which is run by `one`.
    ("in", &["binaries/one", "binaries/fork", "binaries/waiting"]),
    (
        "not in",
        &[
            "binaries/two",
            "binaries/child",
            "binaries/grandchild",
            "binaries/exec",
            "binaries/thread",
            "binaries/longest",
            "binaries/longer",
            "binaries/waiting-longer",
        ],
    ),
    ("binary prefix", TWO_AND_THREE),
    ("binary not prefix", NOT_TWO_AND_THREE),
    ("binary postfix", TWO_AND_THREE),
    ("binary not postfix", NOT_TWO_AND_THREE),
    (
        "no values",
        &[
            "binaries/one",
            "binaries/two",
            "binaries/child",
            "binaries/grandchild",
            "binaries/fork",
            "binaries/exec",
            "binaries/thread",
            "binaries/longest",
            "binaries/longer",
            "binaries/waiting",
            "binaries/waiting-longer",
        ],
    ),
    (
        "followed",
        &[
            "binaries/one",
            "binaries/child",
            "binaries/grandchild",
            "binaries/fork",
            "binaries/exec",
            "binaries/thread",
            "binaries/waiting",
        ],
    ),
    ("not followed", &["binaries/two", "binaries/longest", "binaries/longer", "binaries/waiting-longer"]),
    ("parent in", &["binaries/child", "binaries/fork", "binaries/thread"]),
    ("parent not in", &["binaries/grandchild"]),
    (
        "parent prefix",
        &[
            "binaries/one",
            "binaries/two",
            "binaries/exec",
            "binaries/longest",
            "binaries/longer",
            "binaries/waiting",
            "binaries/waiting-longer",
        ],
    ),
    ("parent not prefix", &["binaries/child", "binaries/grandchild", "binaries/fork", "binaries/thread"]),
    ("parent postfix", &["binaries/grandchild"]),
    ("parent followed", &["binaries/child", "binaries/grandchild", "binaries/fork", "binaries/thread"]),
    ("longest binary", &["binaries/longest"]),
    // Process ids.
    ("pid, four values", &["pids/a", "pids/b"]),
    (
        "pid not in",
        &["pids/itself", "pids/grandchild", "pids/plain", "pids/namespace-1", "pids/namespace-2", "pids/namespace-3"],
    ),
    ("two filters on pids", &["pids/a"]),
    ("forks", &["pids/itself", "pids/grandchild"]),
    ("not forks", &["pids/a", "pids/b", "pids/plain", "pids/namespace-1", "pids/namespace-2", "pids/namespace-3"]),
    ("namespace pid", &["pids/namespace-1"]),
    // What is in the host's namespace is neither in such a family nor outside of it.
    ("forks of a namespace pid, second", &["pids/namespace-2", "pids/namespace-3"]),
    ("forks of a namespace pid, first", &["pids/namespace-1"]),
    ("forks of a namespace pid, neither", &[]),
    // Users, and what a change changes.
    ("user", &["users/real-1000", "users/both-3000"]),
    ("not user", &["users/root", "users/effective-1000", "users/login"]),
    ("effective user", &["users/effective-1000"]),
    ("login user", &["users/login"]),
    ("no login user", &["users/root", "users/real-1000", "users/effective-1000", "users/both-3000"]),
    ("some login user", &["users/login"]),
    ("size", &["attributes/size"]),
    ("mode or times", &["attributes/mode", "attributes/times"]),
    ("owner", &["attributes/owner"]),
    // Namespaces and capabilities.
    ("not the host's, uts", &["namespaces/uts", "namespaces/uts-waiting"]),
    ("not the host's, ipc", &["namespaces/ipc"]),
    ("not the host's, mnt", &["namespaces/mnt"]),
    ("not the host's, net", &["namespaces/net"]),
    ("not the host's, cgroup", &["namespaces/cgroup"]),
    ("also not the host's, user", &["namespaces/user"]),
    ("also not the host's, pid", &["namespaces/pid"]),
    ("also not the host's, time", &["namespaces/time"]),
    ("also not the host's, pid of children", &["namespaces/pid-children"]),
    ("also not the host's, time of children", &["namespaces/time-children"]),
    ("the host's in all ten", &["namespaces/plain"]),
    ("by number", &["namespaces/uts-waiting"]),
    ("effective", &["capabilities/plain", "capabilities/inheritable", "capabilities/user"]),
    ("not effective", &["capabilities/effective", "capabilities/permitted"]),
    ("permitted", &["capabilities/plain", "capabilities/effective", "capabilities/inheritable", "capabilities/user"]),
    ("inheritable", &["capabilities/inheritable"]),
    ("in a user namespace", &["capabilities/user"]),
];

/// Where the kernel has `file_post_open`.
const EXPECTED_OF_POST_OPEN: &[(&str, &[&str])] =
    &[("opened for writing", &["mask/wronly", "mask/rdwr"]), ("opened for reading", &["mask/rdonly", "mask/rdwr"])];

const TWO_AND_THREE: &[&str] =
    &["binaries/two", "binaries/child", "binaries/grandchild", "binaries/exec", "binaries/thread"];

const NOT_TWO_AND_THREE: &[&str] = &[
    "binaries/one",
    "binaries/fork",
    "binaries/longest",
    "binaries/longer",
    "binaries/waiting",
    "binaries/waiting-longer",
];

/// Files whose path, or whose process's binary, is not known in full. Where a filter asks for it, neither the filter nor its
/// negation may decide: the row stands and is marked.
const UNKNOWN: [&str; 2] = ["too long", "binaries/waiting-longer"];

on_guests!(each_operator_of_each_filter_selects_exactly_what_it_says: linux_6_1, linux_6_12, linux_7);
fn each_operator_of_each_filter_selects_exactly_what_it_says(guest: Guest) {
    let filters = guest.scenario("filters");
    assert_eq!(filters.fact("lengths"), "255 256 4095 4150 255", "the scenario made paths of these lengths");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut undecided: BTreeSet<(String, String)> = BTreeSet::new();
    for row in
        filters.rows("SELECT message, selector, path, path_flags, undecided FROM events WHERE policy LIKE 'filters-%'")
    {
        let (entry, file) = (entry_of(&row), file_of(&row));
        if row["undecided"] == true {
            assert!(UNKNOWN.contains(&file.as_str()), "`{entry}` could be decided: {row}");
            undecided.insert((entry, file));
        } else {
            found.entry(entry).or_default().push(file);
        }
    }
    assert!(undecided.len() >= UNKNOWN.len(), "what is not known is recorded: {undecided:?}");
    let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let post_open = if guest.has_file_post_open() { EXPECTED_OF_POST_OPEN } else { &[] };
    for (message, files) in EXPECTED.iter().chain(post_open) {
        let is_certain = |file: &&&str| !undecided.contains(&((*message).to_owned(), (**file).to_owned()));
        expected.insert(message, sorted(files.iter().filter(is_certain).map(|file| (*file).to_owned())));
        found.entry((*message).to_owned()).or_default();
    }
    let wrong: Vec<String> = found
        .into_iter()
        .map(|(key, files)| (sorted(files.into_iter()), expected.remove(key.as_str()), key))
        .filter(|(files, wanted, _)| wanted.as_ref() != Some(files))
        .map(|(files, wanted, key)| format!("`{key}` recorded {files:?}, not {wanted:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

on_guests!(a_binary_whose_path_is_too_long_is_not_known_by_its_last_name: linux_6_1, linux_6_12, linux_7);
fn a_binary_whose_path_is_too_long_is_not_known_by_its_last_name(guest: Guest) {
    let rows = guest.scenario("filters").rows("SELECT exe FROM events WHERE message = 'moved where no path leads'");
    assert_eq!(rows, [serde_json::json!({ "exe": null })]);
}

on_guests!(a_filter_that_stands_alone_selects_the_same: linux_6_1, linux_6_12, linux_7);
fn a_filter_that_stands_alone_selects_the_same(guest: Guest) {
    let rows = guest
        .scenario("alone")
        .rows("SELECT hook, replace(path, '/data/work/alone/', '') AS file FROM events WHERE policy = 'alone' AND path LIKE '/data/work/alone/%'");
    let found = sorted(rows.iter().map(|row| format!("{} {}", text(row, "hook"), text(row, "file"))));
    let expected = [
        "bprm_check_security tool",
        "bprm_committed_creds one/tool",
        "file_lock one/locked",
        "file_open one",
        "inode_link one/linked",
        "inode_rename one/moved",
        "inode_setattr one/changed",
        "inode_setattr one/gone",
        "inode_setxattr one/locked",
        "inode_unlink one/unlinked",
        "mmap_file one/mapped",
    ];
    assert_eq!(found, expected);
}

on_guests!(a_change_of_a_deleted_file_is_not_one_of_its_old_path: linux_6_1, linux_6_12, linux_7);
fn a_change_of_a_deleted_file_is_not_one_of_its_old_path(guest: Guest) {
    let rows = guest
        .scenario("alone")
        .rows("SELECT path, path_flags FROM events WHERE policy = 'alone' AND hook = 'inode_setattr' ORDER BY boot_ns");
    let deleted: Vec<bool> = rows.iter().map(|row| lists(row, "path_flags", "deleted")).collect();
    assert_eq!(deleted, [false, true], "{rows:#?}");
}

/// The entry's message, and the selector's label where it has one.
fn entry_of(row: &Value) -> String {
    let (message, selector) = (text(row, "message"), text(row, "selector"));
    if selector.parse::<u32>().is_ok() { message.to_owned() } else { format!("{message}, {selector}") }
}

fn file_of(row: &Value) -> String {
    let path = text(row, "path");
    if lists(row, "path_flags", "too_long") {
        return "too long".into();
    }
    match path.strip_prefix("/data/work/filters/") {
        Some(file) if !file.starts_with("lengths/") => file.into(),
        _ => format!("{} bytes", path.len()),
    }
}

fn sorted(files: impl Iterator<Item = String>) -> Vec<String> {
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}
