//! Policies as Tetragon's examples, documentation and tests have them, with the meaning that is described there.

use super::super::model::{Action, Filter, Hook, Number, PathOperator, Text};
use super::malformed::assert_refused;
use super::{HASH, HEAD, POST, TETRAGON_FILE_OPEN, equal, number, read_bytes, read_entries, read_selector, text};

/// The guest's policies, which are the examples with the guest's paths.
const GUEST: [&str; 6] = [
    include_str!("../../../tests/guests/enforcement/tetragon-dup-hooks.yaml"),
    include_str!("../../../tests/guests/enforcement/tetragon-exec-deny.yaml"),
    include_str!("../../../tests/guests/enforcement/tetragon-exec-hash.yaml"),
    include_str!("../../../tests/guests/enforcement/tetragon-file-open.yaml"),
    include_str!("../../../tests/guests/enforcement/tetragon-grandparent.yaml"),
    include_str!("../../../tests/guests/enforcement/tetragon-parent.yaml"),
];

#[test]
fn policies_of_the_guest_are_pure_and_without_warning() {
    for sample in GUEST {
        let policies = read_bytes(sample.as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}"));
        assert_eq!((&policies[0].warnings, &policies[0].extensions), (&Vec::new(), &Vec::new()));
    }
}

#[test]
fn lsm_bprm_check() {
    let selector = read_selector(
        r#"  - hook: "bprm_check_security"
    args:
      - index: 0
        type: "linux_binprm"
    selectors:
      - matchBinaries:
        - operator: "In"
          values: ["/usr/bin/zsh", "/usr/bin/bash"]
        matchArgs:
        - index: 0
          operator: "Postfix"
          values: ["contrib/tester-progs/nop"]
        matchActions:
        - action: Override
          argError: -1
        - action: Post
          imaHash: true
"#,
    );
    let expected = [
        equal(Text::Binary, &["/usr/bin/zsh", "/usr/bin/bash"]),
        text(Text::Path, PathOperator::Postfix, false, &["contrib/tester-progs/nop"]),
    ];
    assert_eq!(selector.filters, expected);
    assert_eq!(selector.action, Action { error: Some(-1), ..HASH });
}

#[test]
fn lsm_file_open() {
    let policies = read_bytes(TETRAGON_FILE_OPEN.as_bytes()).unwrap();
    let selector = &policies[0].hooks[0].selectors[0];
    let expected = [equal(Text::Binary, &["/usr/bin/cat"]), equal(Text::Path, &["/etc/passwd", "/etc/shadow"])];
    assert_eq!(selector.filters, expected);
    assert_eq!(selector.action, POST);
}

#[test]
fn lsm_track_grandparent() {
    let selector = read_selector(
        r#"  - hook: "bprm_check_security"
    args:
      - index: 0
        type: "string"
        resolve: "mm.owner.real_parent.real_parent.comm"
    selectors:
      - matchActions:
        - action: Post
"#,
    );
    assert_eq!((selector.filters, selector.action), (Vec::new(), POST));
}

#[test]
fn documentation_of_file_hashes() {
    let selector = read_selector(
        r#"  - hook: "bprm_check_security"
    args:
      - index: 0
        type: "linux_binprm"
    selectors:
    - matchBinaries:
      - operator: "In"
        values:
        - "/usr/bin/zsh"
        - "/usr/bin/bash"
      matchActions:
        - action: Post
          imaHash: true
"#,
    );
    assert_eq!(selector.filters, [equal(Text::Binary, &["/usr/bin/zsh", "/usr/bin/bash"])]);
    assert_eq!(selector.action, HASH);
}

#[test]
fn documentation_of_resolution() {
    for (kind, resolve, text_of) in [
        ("string", "mm.owner.real_parent.comm", Text::ParentComm),
        ("file", "file", Text::Path),
        ("path", "file.f_path", Text::Path),
    ] {
        let selector = read_selector(&format!(
            r#"  - hook: "bprm_check_security"
    args:
      - index: 0
        type: "{kind}"
        resolve: "{resolve}"
    selectors:
      - matchArgs:
        - index: 0
          operator: "Equal"
          values: ["/bash"]
"#
        ));
        assert_eq!(selector.filters, [equal(text_of, &["/bash"])]);
    }
}

#[test]
fn documentation_of_follow_children_is_not_valid_yaml() {
    let text = format!(
        "{HEAD}  - hook: file_open
    selectors:
    - matchBinaries:
      - operator: \"In\"
        values:
        - \"/usr/sbin/sshd\"
          followChildren: true
"
    );
    assert_refused(&text, 13, "not valid YAML");
}

#[test]
fn test_of_an_opened_file() {
    let selector = read_selector(
        "  - hook: file_open
    args: [{index: 0, type: file}]
    selectors:
    - matchBinaries: [{operator: In, values: [/tester/open]}]
      matchArgs: [{index: 0, operator: Equal, values: [/tmp/testfile]}]
",
    );
    assert_eq!(selector.filters, [equal(Text::Binary, &["/tester/open"]), equal(Text::Path, &["/tmp/testfile"])]);
}

#[test]
fn test_of_override_and_of_hashes_under_a_process_tree() {
    for (actions, action) in [
        ("[{action: Override, argError: -1}]", Action { error: Some(-1), ..POST }),
        ("[{action: Post, imaHash: true}]", HASH),
    ] {
        let selector = read_selector(&format!(
            "  - hook: bprm_check_security
    args: [{{index: 0, type: linux_binprm}}]
    selectors:
    - matchPIDs: [{{operator: In, followForks: true, values: [4711]}}]
      matchArgs: [{{index: 0, operator: Postfix, values: [/nop]}}]
      matchActions: {actions}
"
        ));
        let family = Filter::Family { pids: vec![4711], is_namespace_pid: false, negated: false };
        assert_eq!(selector.filters, [family, text(Text::Path, PathOperator::Postfix, false, &["/nop"])]);
        assert_eq!(selector.action, action);
    }
}

#[test]
fn test_of_duplicate_hooks() {
    let policy = read_entries(
        "  - hook: file_open
    args: [{index: 0, type: file}]
    selectors: [{matchArgs: [{args: [0], operator: Equal, values: [/etc/passwd]}]}]
  - hook: file_open
    args: [{index: 0, type: file}]
    selectors: [{matchArgs: [{args: [0], operator: Equal, values: [/etc/shadow]}]}]
",
    );
    for (entry, path) in policy.hooks.iter().zip(["/etc/passwd", "/etc/shadow"]) {
        assert_eq!(entry.hook, Hook::FileOpen);
        assert_eq!(entry.selectors[0].filters, [equal(Text::Path, &[path])]);
    }
}

#[test]
fn test_of_validation() {
    for (entry, line, reason) in [
        ("  - hook: \"\"", 7, "is not the name of a kernel hook"),
        (
            "  - hook: file_open\n    selectors: [{matchReturnArgs: [{index: 0}]}]",
            8,
            "`matchReturnArgs` has no meaning",
        ),
        ("  - hook: file_open\n    args: [{index: 5, type: file}]", 8, "`index` 5 is too large"),
        ("  - hook: file_open\n    args: [{index: 0, type: bad}]", 8, "unknown type `bad`"),
    ] {
        assert_refused(&format!("{HEAD}{entry}\n"), line, reason);
    }
    let unknown = read_entries("  - hook: no_such_hook\n");
    assert_eq!(unknown.hooks[0].hook, Hook::Other("no_such_hook".to_owned()));
}

#[test]
fn issues_of_tetragon() {
    let connect = "  - hook: socket_connect\n    args: [{index: 0, type: socket}, {index: 1, type: sockaddr}]\n";
    assert_eq!(read_entries(connect).hooks[0].values.len(), 1, "the address, and nothing of the socket");
    let namespaced =
        format!("{HEAD}  - hook: file_open\n").replace("kind: TracingPolicy", "kind: TracingPolicyNamespaced");
    assert_refused(&namespaced, 2, "`TracingPolicyNamespaced` needs Kubernetes");
    let denied = read_selector(
        "  - hook: bprm_check_security
    selectors:
    - matchNamespaces: [{namespace: Pid, operator: NotIn, values: [host_ns]}]
      matchPIDs: [{operator: NotIn, isNamespacePID: true, followForks: false, values: [1]}]
      matchActions: [{action: Override, argError: -1}]
",
    );
    assert_eq!(denied.filters[0], number(Number::NamespacePid, true, &[(1, 1)]));
    assert_eq!(denied.action, Action { error: Some(-1), ..POST });
}

#[test]
fn quickstart_on_kprobes_names_the_hooks_to_use() {
    for (function, hook) in [
        ("security_file_permission", "file_open"),
        ("security_mmap_file", "mmap_file"),
        ("security_path_truncate", "path_truncate"),
    ] {
        let text =
            HEAD.replace("  lsmhooks:\n", &format!("  kprobes:\n  - call: \"{function}\"\n    syscall: false\n"));
        assert_refused(&text, 6, "`kprobes` is not supported");
        assert_refused(&text, 7, &format!("use `hook: {hook}` under `lsmhooks`"));
    }
}
