//! What `check-policy` prints.

use super::super::describe;
use super::{HEAD, SAMPLES, TETRAGON_FILE_OPEN, load, read_bytes, read_entries};

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
}

#[test]
fn built_in_policy_is_explained() {
    let text = describe(&load(&[]).unwrap());
    assert_says(
        &text,
        &[
            "policy `default` (built-in)",
            "before the path is known: `prot` has a bit of 0x4\n      then record, with digest if the mapping is executable",
            "the open asks for write\n      then record, without digest",
            "the change is of mode or uid or gid\n      once the path is known: the file's path begins with `/usr/`",
            "otherwise: nothing is recorded",
            "extensions under `hashtrail`: `fileTypes` (line 66), `openMode` (line 89)",
            "Tetragon will not load it",
        ],
    );
    let text = describe(&read_bytes(TETRAGON_FILE_OPEN.as_bytes()).unwrap());
    assert_says(&text, &["extensions: none, all of it is Tetragon's language"]);
}

#[test]
fn actions_and_digests_are_explained() {
    let text = describe(&[read_entries(&format!(
        "  - hook: bprm_check_security
    selectors:
    - hashtrail: {{digests: {{operator: NotIn, algorithm: sha1, values: [\"{digest}\"]}}, dedupe: {{key: [file, process], window: 60}}}}
      matchActions: [{{action: Override, argError: -13}}, {{action: Signal, argSig: 15}}, {{action: Post, rateLimit: 1m}}]
    - hashtrail: {{digests: {{operator: In, algorithm: sha1, values: [\"{digest}\"]}}}}
      matchActions: [{{action: NoPost}}]
    - matchActions: [{{action: NoPost}}, {{action: Override, argError: 0}}]
",
        digest = "00".repeat(20)
    ))]);
    assert_says(
        &text,
        &[
            "after hashing: the sha1 digest is none of 1 listed",
            "the file is hashed for this decision; a digest that is not certain matches for the record only",
            "a digest that is not certain does not match\n      then do not record",
            "record with digest, equal events of one thread once in 60 s (hides the others, even if the content changed)",
            ", one row for each file, process and digest in 60 s (hides that the process does so again, by another name too; \
             no other content)",
            "deny with errno 13 (only with `--enforce`)",
            "send signal 15 to the calling process (only with `--enforce`)",
            "every other call\n      then do not record; return 0, which denies nothing",
            "`digests` (line 9), `dedupe` (line 9), `digests` (line 11)",
            "warning: test.yaml:13:",
        ],
    );
    let monitored = format!(
        "{HEAD}  - {{hook: file_open, selectors: [{{matchActions: [{{action: Sigkill}}]}}]}}\n  options: [{{name: policy-mode, value: monitor}}]\n"
    );
    let text = describe(&read_bytes(monitored.as_bytes()).unwrap());
    assert_says(&text, &["signal 9 to the calling process (never done, only noted: `policy-mode` is `monitor`)"]);
}

#[test]
fn every_filter_is_explained() {
    let text = describe(&[read_entries(
        "  - hook: file_ioctl
    args: [{index: 0, type: file}, {source: current_task, resolve: real_parent.comm}]
    selectors:
    - matchPIDs: [{operator: NotIn, values: [1, 2], followForks: true}, {operator: In, values: [7], isNamespacePID: true}]
      matchNamespaces: [{namespace: Mnt, operator: NotIn, values: [host_ns, 4026531840]}]
      matchCapabilities: [{operator: NotIn, values: [CAP_CHOWN, CAP_BPF]}]
      matchBinaries: [{operator: In, values: [/a], followChildren: true}]
      matchParentBinaries: [{operator: NotPrefix, values: [/b/]}]
      matchArgs:
      - {args: [0], operator: SubStringIgnCase, values: [tmp]}
      - {args: [1], operator: NotEqual, values: [sh]}
      - {args: [0], operator: NotFileType, values: [reg, dir]}
      hashtrail: {auids: {operator: NotIn, values: [unset, \"5:9\"]}}
  - hook: mmap_file
    args: [{index: 2}]
    selectors:
    - matchArgs: [{index: 2, operator: GT, values: [3]}]
    - matchArgs: [{index: 2, operator: LT, values: [0]}]
    - matchParentBinaries: [{operator: NotIn, values: [/c, /d], followChildren: true}]
",
    )]);
    assert_says(
        &text,
        &[
            "`file_ioctl`, whenever the kernel calls it",
            "whether this kernel has it is seen only when it is loaded",
            "the process is not 1 or 2 or a descendant of it",
            "the process id in its own namespace is 7",
            "the mount namespace is not the host's nor 4026531840",
            "the effective capability set has none of CAP_CHOWN or CAP_BPF",
            "the calling program's path or that of an ancestor (only for processes born since the policy was loaded) is `/a`",
            "the parent program's path does not begin with `/b/`",
            "once the path is known: the file's path contains, in any case of letters, `tmp`, and the parent's name is not `sh`",
            "the file's type is not reg nor dir",
            "the login user id is not unset nor 5 to 9",
            "`prot` is at least 4",
            "`prot` is none (no number is)",
            "neither the parent program's path nor that of an ancestor (only for processes born since the policy was loaded) \
             is `/c` or `/d`",
        ],
    );
}

#[test]
fn what_depends_on_the_kernel_is_explained() {
    let text = describe(&[read_entries("  - hook: file_post_open\n  - hook: path_truncate\n")]);
    let parts = [
        "`file_post_open`, when a file has been opened (kernel 6.8 and later)",
        "at `inode_setattr`: any change of a size",
    ];
    assert_says(&text, &parts);
}

#[test]
fn description_shows_control_characters_as_escapes() {
    let policy = read_entries("  - hook: file_open\n    message: \"a\\e[31m\\u202eb\"\n");
    let text = describe(&[policy]);
    assert!(text.contains("a\\u{1b}[31m\\u{202e}b"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn every_sample_is_explained_without_long_lines() {
    for sample in SAMPLES {
        let text = describe(&read_bytes(sample.as_bytes()).unwrap());
        assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
    }
}
