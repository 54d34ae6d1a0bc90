//! Tests of the policy reader: what loads, with which meaning, and that nothing makes it panic.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::model::{Action, Filter, Number, PathFilter, PathOperator, Policy, Selector, Text};
use super::{DEFAULT_POLICY, Loader, load, load_with};
use crate::lists::Lists;

mod actions;
mod arguments;
mod compatibility;
mod description;
mod extensions;
mod filters;
mod hostile;
mod limits;
mod macros;
mod malformed;
mod numbers;
mod reader;
mod tetragon;
mod values;

const ONE_BINARY: &str = include_str!("../../../samples/policies/one-binary.yaml");
const SYSTEM_WRITES: &str = include_str!("../../../samples/policies/system-writes.yaml");
const TETRAGON_FILE_OPEN: &str = include_str!("../../../samples/policies/tetragon-file-open.yaml");
const KNOWN_BAD: &str = include_str!("../../../samples/policies/known-bad.yaml");
const IOC: &str = include_str!("../../../samples/policies/ioc.yaml");
const CONTAIN: &str = include_str!("../../../samples/policies/contain.yaml");
const SAMPLES: [&str; 6] = [DEFAULT_POLICY, ONE_BINARY, SYSTEM_WRITES, TETRAGON_FILE_OPEN, KNOWN_BAD, CONTAIN];

/// What is done where a selector names no action.
const POST: Action = Action { post: true, ima_hash: false, rate_limit: None, dedupe: None, error: None, signal: None };

/// `Post` with `imaHash`.
const HASH: Action = Action { ima_hash: true, ..POST };

/// The head of a policy; what a test appends begins on line 7.
const HEAD: &str = "\
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: test
spec:
  lsmhooks:
";

/// Policies of one text, or its faults.
fn read_bytes(bytes: &[u8]) -> Result<Vec<Policy>, Vec<String>> {
    let mut loader = Loader::default();
    loader.add(Path::new("test.yaml"), bytes);
    if loader.faults.is_empty() { Ok(loader.policies) } else { Err(loader.faults) }
}

/// The only policy with these hook entries.
fn read_entries(entries: &str) -> Policy {
    let text = format!("{HEAD}{entries}");
    let mut policies = read_bytes(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(policies.len(), 1);
    policies.remove(0)
}

/// The only selector of the only entry.
fn read_selector(entry: &str) -> Selector {
    let mut policy = read_entries(entry);
    assert_eq!(policy.hooks.len(), 1);
    let mut entry = policy.hooks.remove(0);
    assert_eq!(entry.selectors.len(), 1);
    entry.selectors.remove(0)
}

fn text(text: Text, operator: PathOperator, negated: bool, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    Filter::Text { text, paths: PathFilter { operator, negated, values } }
}

fn equal(text_of: Text, values: &[&str]) -> Filter {
    text(text_of, PathOperator::Equal, false, values)
}

fn number(number: Number, negated: bool, ranges: &[(u64, u64)]) -> Filter {
    Filter::Number { number, negated, ranges: ranges.to_vec() }
}

fn mask(number: Number, mask: u64) -> Filter {
    Filter::Mask { number, negated: false, mask }
}

#[test]
fn built_in_policy_records_execs_loads_writes_and_changes() {
    let policies = load(&[]).unwrap();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0].source, "built-in");
    assert_eq!(policies[0].warnings, Vec::<String>::new());
    let hooks: Vec<&str> = policies[0].hooks.iter().map(|entry| entry.hook.name()).collect();
    assert_eq!(
        hooks,
        [
            "bprm_check_security",
            "bprm_committed_creds",
            "mmap_file",
            "file_mprotect",
            "kernel_read_file",
            "kernel_load_data",
            "file_open",
            "inode_rename",
            "inode_link",
            "inode_unlink",
            "inode_setattr",
            "inode_setxattr",
            "sb_mount",
            "move_mount",
            "sb_umount",
        ]
    );
    let mapping = &policies[0].hooks[2].selectors[0];
    assert_eq!(mapping.filters, [mask(Number::Argument(2), 4)]);
    assert_eq!(mapping.action, HASH);
    let late = &policies[0].hooks[3].selectors[0];
    assert_eq!(late.filters[0], mask(Number::Argument(2), 4));
    assert_eq!(late.action, HASH);
    let write = &policies[0].hooks[6].selectors[0];
    assert_eq!(write.filters, [mask(Number::OpenMode, 2)]);
    assert_eq!(write.action, POST);
    let attributes = &policies[0].hooks[10].selectors;
    assert_eq!(attributes[0].filters, [mask(Number::Attributes, 8)]);
    assert_eq!(attributes[1].filters[1], mask(Number::Attributes, 1 | 2 | 4));
    assert!(policies[0].hooks[7..].iter().all(|entry| entry.selectors.iter().all(|s| s.action == POST)));
}

#[test]
fn all_samples_load_together_without_warning() {
    let mut loader = Loader::default();
    for (index, sample) in SAMPLES.iter().enumerate() {
        loader.add(Path::new(&format!("{index}.yaml")), sample.as_bytes());
    }
    assert_eq!(loader.faults, Vec::<String>::new());
    assert_eq!(loader.policies.len(), SAMPLES.len());
    assert!(loader.policies.iter().all(|policy| policy.warnings.is_empty()));
}

#[test]
fn a_policy_takes_the_digests_of_lists() {
    let directory = tempfile::tempdir().unwrap();
    let (list, policy) = (directory.path().join("list"), directory.path().join("ioc.yaml"));
    std::fs::write(&list, format!("{}\nmd5:{}\n", "ab".repeat(32), "cd".repeat(16))).unwrap();
    std::fs::write(&policy, IOC).unwrap();
    let lists = Rc::new(Lists::read(std::slice::from_ref(&list)).unwrap());
    let policies = load_with(std::slice::from_ref(&policy), &lists).unwrap();
    let digests = vec![vec![0xab; 32]];
    let expected = Filter::Digest { algorithm: "sha256".into(), negated: false, digests };
    assert!(policies[0].hooks.iter().all(|hook| hook.selectors[0].filters.contains(&expected)));
    let refused = |text: &str, lists: &Rc<Lists>| {
        std::fs::write(&policy, text).unwrap();
        load_with(std::slice::from_ref(&policy), lists).unwrap_err().to_string()
    };
    assert!(refused(IOC, &Rc::default()).contains("there is none; give `--ioc FILE`"));
    assert!(refused(&IOC.replace("sha256", "sha1"), &lists).contains("no digest of sha1"));
    assert!(refused(&IOC.replace("ioc: true", "ioc: false"), &lists).contains("`ioc` can only be `true`"));
    assert!(
        refused(&IOC.replace("ioc: true", "ioc: true\n          file: a"), &lists)
            .contains("either `values` or `file`")
    );
}

#[test]
fn selectors_keep_their_order_labels_lines_and_actions() {
    let policies = read_bytes(SYSTEM_WRITES.as_bytes()).unwrap();
    let selectors = &policies[0].hooks[0].selectors;
    let labels: Vec<Option<&str>> = selectors.iter().map(|selector| selector.label.as_deref()).collect();
    assert_eq!(labels, [Some("package-manager"), Some("system-directories")]);
    assert!(!selectors[0].action.post);
    assert!(selectors[0].line < selectors[1].line);
    assert_eq!(selectors[1].filters[1], mask(Number::OpenMode, 2 | 4));
}

#[test]
fn without_selectors_or_filters_or_actions() {
    let policy = read_entries("  - hook: file_open\n  - hook: file_open\n    selectors:\n    - {label: \"\"}\n");
    assert_eq!(policy.hooks[0].selectors, []);
    assert_eq!(policy.hooks[1].line, 8);
    let selector = &policy.hooks[1].selectors[0];
    assert_eq!(selector.filters, []);
    assert_eq!(selector.action, POST);
    assert_eq!(selector.label, None);
}

#[test]
fn warnings_do_not_refuse() {
    let policy = read_entries(&format!(
        "  - hook: file_open
    message: {}
    selectors:
    - matchBinaries: [{{operator: In}}]
    - matchBinaries: [{{operator: In, values: [cat]}}]
",
        "\u{e9}".repeat(300)
    ));
    assert_eq!(policy.hooks[0].message.as_ref().map(|message| message.chars().count()), Some(256));
    assert_eq!(policy.hooks[0].selectors[0].filters, []);
    let expected =
        ["test.yaml:8:14: `message` has 300", "test.yaml:10:23: `matchBinaries` has no", "11:47: `cat` does not"];
    assert_eq!(policy.warnings.len(), expected.len());
    for (warning, part) in policy.warnings.iter().zip(expected) {
        assert!(warning.contains(part), "{warning}");
    }
}

#[test]
fn unused_and_empty_parts_of_tetragon_are_accepted() {
    let policy = read_entries(
        "  - hook: file_open
    args: [{index: 0, maxData: false, returnCopy: false}]
    selectors:
    - matchPIDs: []
      matchCapabilities: []
      matchNamespaceChanges: []
      macros:
  kprobes: []
  loader: false
  lists: [{name: unused, type: generated_syscalls}]
  options: []
  selectorsMacros: {}
",
    );
    assert_eq!(policy.hooks[0].selectors[0].filters, []);
}

#[test]
fn several_documents_and_windows_line_ends() {
    let second = ONE_BINARY.replace('\n', "\r\n");
    let text = format!("\u{feff}---\n{DEFAULT_POLICY}---\n{second}---\n");
    let policies = read_bytes(text.as_bytes()).unwrap();
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["default", "one-binary"]);
    assert!(Arc::ptr_eq(&policies[0].text, &policies[1].text), "a file of many policies must not be copied for each");
}

#[test]
fn names_must_differ_over_all_files() {
    let mut loader = Loader::default();
    loader.add(Path::new("a.yaml"), ONE_BINARY.as_bytes());
    loader.add(Path::new("b.yaml"), ONE_BINARY.as_bytes());
    assert_eq!(loader.faults, ["b.yaml:6:9: a policy `one-binary` was already given in a.yaml:6; rename one of them"]);
}

#[test]
fn missing_files_are_all_named() {
    let error = load(&["/nonexistent/a.yaml".into(), "/nonexistent/b.yaml".into()]).unwrap_err();
    let text = error.to_string();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with("/nonexistent/a.yaml: cannot read the policy"), "{text}");
}
