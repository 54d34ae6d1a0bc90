//! The table in `docs/policies.md`: what it says of each policy of Tetragon holds.

use super::{HEAD, read_bytes};

const TABLE: &str = include_str!("../../../docs/policies.md");

/// How an entry of the table begins that loads, or that is refused for a reason.
const LOADS: &str = "loads";
const REFUSED: &str = "refused: ";

/// What every case has in common that is given as hook entries alone.
enum Case {
    /// Below the head of a policy.
    Entries(&'static str),
    /// A whole file.
    File(&'static str),
}

use Case::{Entries, File};

const OPEN_BY_CAT: &str = r#"  - hook: file_open
    args: [{index: 0, type: file}]
    selectors:
    - matchBinaries: [{operator: In, values: [/usr/bin/cat]}]
      matchArgs: [{index: 0, operator: Equal, values: [/etc/passwd, /etc/shadow]}]
"#;

const EVERY_OPEN: &str = "  - hook: file_open\n    args: [{index: 0, type: file}]\n";

const HASHES: &str = r#"  - hook: bprm_check_security
    args: [{index: 0, type: linux_binprm}]
    selectors:
    - matchBinaries: [{operator: In, values: [/usr/bin/zsh, /usr/bin/bash]}]
      matchActions: [{action: Post, imaHash: true}]
"#;

/// An equivalent of each policy, by its first column.
const CASES: &[(&str, Case)] = &[
    (
        "`examples/tracingpolicy/lsm_bprm_check.yaml`",
        Entries(
            r#"  - hook: bprm_check_security
    args: [{index: 0, type: linux_binprm}]
    selectors:
    - matchBinaries: [{operator: In, values: [/usr/bin/zsh, /usr/bin/bash]}]
      matchArgs: [{index: 0, operator: Postfix, values: [contrib/tester-progs/nop]}]
      matchActions: [{action: Override, argError: -1}, {action: Post, imaHash: true}]
"#,
        ),
    ),
    ("`examples/tracingpolicy/lsm_file_open.yaml`", Entries(OPEN_BY_CAT)),
    (
        "`examples/tracingpolicy/lsm_track_grandparent.yml`",
        Entries(
            r#"  - hook: bprm_check_security
    args: [{index: 0, type: string, resolve: mm.owner.real_parent.real_parent.comm}]
    selectors: [{matchActions: [{action: Post}]}]
"#,
        ),
    ),
    ("`hooks.md`, LSM BPF", Entries(OPEN_BY_CAT)),
    (
        "`hooks.md`, attribute resolution: name",
        Entries(
            r#"  - hook: bprm_check_security
    args: [{index: 0, type: string, resolve: mm.owner.real_parent.comm}]
    selectors: [{matchActions: [{action: Post}]}]
"#,
        ),
    ),
    (
        "`hooks.md`, attribute resolution: file",
        Entries("  - hook: bprm_check_security\n    args: [{index: 0, type: file, resolve: file}]\n"),
    ),
    (
        "`hooks.md`, attribute resolution: path",
        Entries("  - hook: bprm_check_security\n    args: [{index: 0, type: path, resolve: file.f_path}]\n"),
    ),
    (
        "`hooks.md`, selectors macros",
        Entries(
            r#"  - hook: file_open
    selectors: [{macros: [outside]}]
  - hook: bprm_check_security
    selectors: [{macros: [outside]}]
  selectorsMacros:
    outside:
      matchBinaries: [{operator: NotPrefix, values: [/dir/]}]
"#,
        ),
    ),
    (
        "`hooks.md`, lists",
        File(
            r#"apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: {name: test}
spec:
  lists: [{name: all, type: generated_syscalls}]
  kprobes: [{call: "list:all"}]
"#,
        ),
    ),
    (
        "`selectors.md`, file hashes",
        File(
            r#"apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
spec:
  lsmhooks:
  - hook: bprm_check_security
    args: [{index: 0, type: linux_binprm}]
"#,
        ),
    ),
    ("`selectors.md`, file hashes, with a name", Entries(HASHES)),
    (
        "`selectors.md`, follow children",
        Entries(
            r#"  - hook: file_open
    selectors:
    - matchBinaries:
      - operator: In
        values:
        - /usr/sbin/sshd
          followChildren: true
"#,
        ),
    ),
    (
        "`persistent-grpc-policies.md`",
        Entries("  - hook: file_open\n  options: [{name: policy-mode, value: monitor}]\n"),
    ),
    ("`lsm_test.go`, map of cgroups", Entries(EVERY_OPEN)),
    (
        "`lsm_test.go`, open",
        Entries(
            r#"  - hook: file_open
    args: [{index: 0, type: file}]
    selectors:
    - matchBinaries: [{operator: In, values: [/tester/writer]}]
      matchArgs: [{index: 0, operator: Equal, values: [/tmp/file]}]
"#,
        ),
    ),
    (
        "`lsm_test.go`, override",
        Entries(
            r#"  - hook: bprm_check_security
    args: [{index: 0, type: linux_binprm}]
    selectors:
    - matchPIDs: [{operator: In, followForks: true, isNamespacePID: false, values: [4711]}]
      matchArgs: [{index: 0, operator: Postfix, values: [/tester/nop]}]
      matchActions: [{action: Override, argError: -1}]
"#,
        ),
    ),
    (
        "`lsm_test.go`, hash",
        Entries(
            r#"  - hook: bprm_check_security
    args: [{index: 0, type: linux_binprm}]
    selectors:
    - matchPIDs: [{operator: In, followForks: true, isNamespacePID: false, values: [4711]}]
      matchActions: [{action: Post, imaHash: true}]
"#,
        ),
    ),
    (
        "`policytests/lsm.go`, duplicate hooks, as it stands",
        Entries(
            r#"  - hook: file_open
    args: [{index: 0, type: file}]
    selectors: [{matchArgs: [{args: [0], operator: Equal, values: [{{ tempFile "one" }}]}]}]
"#,
        ),
    ),
    (
        "`policytests/lsm.go`, duplicate hooks, filled in",
        Entries(
            r#"  - hook: file_open
    args: [{index: 0, type: file}]
    selectors: [{matchArgs: [{args: [0], operator: Equal, values: [/tmp/one]}], matchActions: [{action: Post}]}]
  - hook: file_open
    args: [{index: 0, type: file}]
    selectors: [{matchArgs: [{args: [0], operator: Equal, values: [/tmp/two]}], matchActions: [{action: Post}]}]
"#,
        ),
    ),
    ("`lsm_validation_test.go`, bogus hook", Entries("  - hook: bogus_nonexistent_hook\n")),
    ("`lsm_validation_test.go`, empty hook", Entries("  - hook: \"\"\n")),
    (
        "`lsm_validation_test.go`, invalid selector",
        Entries(
            r#"  - hook: file_open
    selectors: [{matchReturnArgs: [{index: 0, operator: Equal, values: ["0"]}]}]
"#,
        ),
    ),
    (
        "`lsm_validation_test.go`, index out of bounds",
        Entries("  - hook: file_open\n    args: [{index: 5, type: int}]\n"),
    ),
    (
        "`lsm_validation_test.go`, invalid type",
        Entries("  - hook: file_open\n    args: [{index: 0, type: bogus_type}]\n"),
    ),
    ("`lsm_validation_test.go`, valid", Entries(EVERY_OPEN)),
    (
        "`matchCmdArgs` (#5442)",
        Entries(
            r#"  - hook: file_open
    selectors: [{matchCmdArgs: [{index: 0, operator: Prefix, values: ["-c"]}]}]
"#,
        ),
    ),
    (
        "`matchCEL` (#5439)",
        Entries("  - hook: file_open\n    selectors: [{matchCEL: {expr: \"arg0 == int32(-1)\"}}]\n"),
    ),
];

/// The first and the third column of each row.
fn rows() -> Vec<(&'static str, &'static str)> {
    let cells = |line: &'static str| line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect::<Vec<_>>();
    let rows = TABLE.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[0], cells[2])).collect()
}

#[test]
fn table_names_each_case_once_and_no_other() {
    let named: Vec<&str> = rows().into_iter().map(|(policy, _)| policy).collect();
    let cases: Vec<&str> = CASES.iter().map(|(policy, _)| *policy).collect();
    assert_eq!(named, cases);
}

#[test]
fn what_the_table_says_holds() {
    for ((policy, case), (_, verdict)) in CASES.iter().zip(rows()) {
        let text = match case {
            Entries(entries) => format!("{HEAD}{entries}"),
            File(text) => (*text).to_owned(),
        };
        match (read_bytes(text.as_bytes()), verdict.strip_prefix(REFUSED)) {
            (Ok(policies), None) => assert!(verdict == LOADS && policies.len() == 1, "{policy}: {verdict}"),
            (Err(faults), Some(reason)) => {
                assert!(faults.iter().any(|fault| fault.contains(reason)), "{policy}: {reason}: {faults:#?}");
            }
            (read, _) => panic!("{policy}: the table says {verdict}, but: {read:#?}"),
        }
    }
}
