//! Documents that must be refused, each with the line and the reason.

use super::{HEAD, read_bytes};

/// Texts of whole files: text, line, part of the reason.
const FILES: &[(&str, usize, &str)] = &[
    ("", 1, "holds no policy"),
    ("# only a comment\n---\n", 1, "holds no policy"),
    ("just text", 1, "a policy must be a mapping, not a single value"),
    ("- a\n- b", 1, "a policy must be a mapping, not a list"),
    ("kind: TracingPolicy", 1, "`apiVersion` is missing"),
    ("apiVersion: v1\n", 1, "`apiVersion` `v1` is not supported"),
    ("apiVersion: cilium.io/v1alpha1", 1, "`kind` is missing"),
    ("apiVersion: cilium.io/v1alpha1\nkind: Pod", 2, "`kind` `Pod` is not supported"),
    ("kind: TracingPolicyNamespaced", 1, "needs Kubernetes"),
    ("kind: TracingPolicy\nmetadata: x", 2, "`metadata` must be a mapping"),
    ("kind: TracingPolicy\nmetadata: {labels: {a: b}}", 2, "`metadata.name` is missing"),
    ("metadata:\n  name: \"\"", 2, "`metadata.name` must be"),
    ("metadata:\n  name: \"a\\nb\"", 2, "`metadata.name` must be"),
    ("metadata:\n  name: [a]", 2, "`metadata.name` must be a text, not a list"),
    ("kind: TracingPolicy\nspec: {}", 2, "`lsmhooks` is missing or empty"),
    ("kind: TracingPolicy\nmetaData: {name: x}", 2, "unknown key `metaData`; did you mean `metadata`?"),
    ("kind: TracingPolicy\nsomething: 1", 2, "unknown key `something`; use one of `apiVersion`"),
    ("kind: a\nkind: b", 2, "`kind` stands twice, first on line 1"),
    ("kind: &anchor a", 1, "anchor"),
    ("kind: &a a\nmetadata: *a", 1, "anchor"),
    ("kind: *a", 1, "not valid YAML"),
    ("metadata: !custom a", 1, "tag `!custom`"),
    ("metadata: !!str a", 1, "tag"),
    ("metadata:\n  <<: {name: x}", 2, "merge key"),
    ("? [a]\n: b", 1, "a key must be a plain word"),
    ("kind: 'open", 1, "not valid YAML"),
    ("kind: a\n  spec: b", 2, "not valid YAML"),
    ("kind: a\n\tb: c", 1, "found a tab"),
    ("a: [b\n", 2, "not valid YAML"),
    ("spec:\n  kprobes: [{call: sys_read}]", 2, "`kprobes` is not supported; use `lsmhooks`"),
    ("spec:\n  kprobes:\n  - call: security_mmap_file", 3, "use `hook: mmap_file`"),
    ("spec:\n  kprobes:\n  - call: security_file_permission", 3, "use `hook: file_open`"),
    ("spec:\n  kprobes:\n  - call: security_path_truncate", 3, "use `hook: file_open`"),
    ("spec:\n  tracepoints: [{event: x}]", 2, "`tracepoints`"),
    ("spec:\n  uprobes: [{path: x}]", 2, "`uprobes`"),
    ("spec:\n  usdts: [{path: x}]", 2, "`usdts`"),
    ("spec:\n  fentries: [{call: x}]", 2, "`fentries`"),
    ("spec:\n  enforcers: [{calls: x}]", 2, "`enforcers`"),
    ("spec:\n  loader: true", 2, "`loader`"),
    ("spec:\n  podSelector: {}", 2, "`podSelector` needs Kubernetes"),
    ("spec:\n  containerSelector: {}", 2, "`containerSelector` needs Kubernetes"),
    ("spec:\n  hostSelector: {}", 2, "`hostSelector`"),
    ("spec:\n  nodeSelector: {}", 2, "`nodeSelector` needs Kubernetes"),
    ("spec:\n  options: [{name: policy-mode, value: monitor}]", 2, "`options` is not supported yet"),
    ("spec:\n  selectorsMacros: {a: {}}", 2, "`selectorsMacros` is not supported yet"),
    ("spec:\n  lists: [{names: a}]", 2, "did you mean `name`?"),
    ("spec:\n  lsmHooks: []", 2, "did you mean `lsmhooks`?"),
    ("spec:\n  lsmhooks: {hook: a}", 2, "`lsmhooks` must be a list, not a mapping"),
];

/// Hook entries below [`HEAD`]: text, line, part of the reason.
const ENTRIES: &[(&str, usize, &str)] = &[
    ("  - text", 7, "an entry of `lsmhooks` must be a mapping"),
    ("  - message: no hook", 7, "`hook` is missing"),
    ("  - hook: \"\"", 7, "hook `` is not supported; use one of `bprm_check_security`"),
    ("  - hook: socket_connect", 7, "hook `socket_connect` is not supported"),
    ("  - hook: security_file_open", 7, "write `file_open`"),
    ("  - hook: bpf_lsm_mmap_file", 7, "write `mmap_file`"),
    ("  - hook: file_open\n    mesage: ab", 8, "did you mean `message`?"),
    ("  - hook: file_open\n    message: a", 8, "only one character"),
    ("  - hook: file_open\n    tags: a", 8, "`tags` must be a list"),
    ("  - hook: file_open\n    tags: [a, \"\"]", 8, "a tag is empty"),
    ("  - hook: file_open\n    hashtrail: {recordByDefault: true}", 8, "`recordByDefault` is not supported yet"),
    ("  - hook: file_open\n    hashtrail: {openMode: [write]}", 8, "`openMode` belongs in a selector"),
    ("  - hook: file_open\n    args: [{type: file}]", 8, "`index` is missing"),
    ("  - hook: file_open\n    args: [{index: 5}]", 8, "`index` 5 is too large"),
    ("  - hook: file_open\n    args: [{index: -1}]", 8, "`index` `-1` is not a number"),
    ("  - hook: file_open\n    args: [{index: 1}]", 8, "`file_open` has no argument 1"),
    ("  - hook: file_open\n    args: [{index: 0, type: path}]", 8, "type `path` is not supported"),
    ("  - hook: file_open\n    args: [{index: 0, type: int}]", 8, "type `int` is not supported"),
    ("  - hook: file_open\n    args: [{index: 0, type: flie}]", 8, "unknown type `flie`; did you mean `file`?"),
    ("  - hook: mmap_file\n    args: [{index: 2, type: sock}]", 8, "type `sock` is not supported"),
    ("  - hook: file_open\n    args: [{index: 0, resolve: f_path}]", 8, "`resolve` is not supported yet"),
    ("  - hook: file_open\n    args: [{index: 0, btfType: file}]", 8, "`btfType` is not supported yet"),
    ("  - hook: file_open\n    args: [{index: 0, source: current_task}]", 8, "`source` is not supported yet"),
    ("  - hook: file_open\n    args: [{index: 0, maxData: true}]", 8, "`maxData`"),
    ("  - hook: file_open\n    args: [{index: 0, returnCopy: true}]", 8, "`returnCopy`"),
];

/// One key of a selector of `mmap_file` with arguments 0 and 2 (uint32): text, part of the reason.
const SELECTORS: &[(&str, &str)] = &[
    ("matchArg: []", "did you mean `matchArgs`?"),
    ("matchPIDs: [{operator: In, values: [1]}]", "`matchPIDs` is not supported yet"),
    ("matchNamespaces: [{namespace: Pid}]", "`matchNamespaces` is not supported yet"),
    ("matchCapabilities: [{values: [CAP_BPF]}]", "`matchCapabilities` is not supported yet"),
    ("matchNamespaceChanges: [{operator: In}]", "`matchNamespaceChanges` is not supported yet"),
    ("matchCapabilityChanges: [{operator: In}]", "`matchCapabilityChanges` is not supported yet"),
    ("matchParentBinaries: [{operator: In}]", "`matchParentBinaries` is not supported yet"),
    ("matchWorkloads: [{a: b}]", "`matchWorkloads` needs Kubernetes"),
    ("matchData: [{index: 0}]", "`matchData` fails on LSM hooks"),
    ("matchReturnArgs: [{index: 0}]", "`matchReturnArgs` has no meaning"),
    ("matchReturnActions: [{action: Post}]", "`matchReturnActions` has no meaning"),
    ("macros: [a]", "`macros` is not supported yet"),
    ("label: [a]", "`label` must be a text"),
    ("hashtrail: {uids: {operator: In}}", "`uids` is not supported yet"),
    ("hashtrail: {digests: {operator: In}}", "`digests` is not supported yet"),
    ("hashtrail: {dedupe: {window: 1m}}", "`dedupe` is not supported yet"),
    ("hashtrail: {openmode: [write]}", "did you mean `openMode`?"),
    ("hashtrail: {openMode: [write]}", "`openMode` works on `file_open`"),
    ("matchBinaries: [{operator: In, values: [/a]}, {operator: In, values: [/b]}]", "has 2 items, but at most 1"),
    ("matchBinaries: [{operator: In, values: [/a], followChildren: true}]", "`followChildren` is not supported yet"),
    ("matchBinaries: [{operator: Equal, values: [/a]}]", "use `In` here"),
    ("matchBinaries: [{operator: Inn, values: [/a]}]", "did you mean `In`?"),
    ("matchBinaries: [{operator: Mask, values: [/a]}]", "does not work on this kind of value"),
    ("matchBinaries: [{values: [/a]}]", "`operator` is missing"),
    ("matchBinaries: [{operator: In, values: /a}]", "`values` must be a list"),
    ("matchBinaries: [{operator: In, values: [~]}]", "a value must be a text, not nothing"),
    ("matchBinaries: [{operator: In, values: [\"\"]}]", "value is empty"),
    ("matchBinaries: [{operator: In, values: [\"/a\\0\"]}]", "NUL"),
    ("matchArgs: [{index: 1, operator: Equal, values: [1]}]", "argument 1 is not listed"),
    ("matchArgs: [{args: [2], operator: Equal, values: [1]}]", "position 2 does not exist"),
    ("matchArgs: [{args: [0, 1], operator: Equal, values: [1]}]", "exactly one position"),
    ("matchArgs: [{index: 0, operator: Equal}]", "has no values"),
    ("matchArgs: [{index: 0, operator: Equal, values: [\"list:a\"]}]", "`lists` do not work"),
    ("matchArgs: [{index: 0, operator: In, values: [/a]}]", "use `Equal` here"),
    ("matchArgs: [{index: 0, operator: SubString, values: [/a]}]", "operator `SubString` is not supported yet"),
    ("matchArgs: [{index: 0, operator: SubStringIgnCase, values: [/a]}]", "is not supported yet"),
    ("matchArgs: [{index: 0, operator: FileType, values: [reg]}]", "operator `FileType` is not supported yet"),
    ("matchArgs: [{index: 0, operator: NotFileType, values: [reg]}]", "is not supported yet"),
    ("matchArgs: [{index: 0, operator: Mask, values: [/a]}]", "does not work on this kind of value"),
    ("matchArgs: [{index: 0, operator: SAddr, values: [/a]}]", "operator `SAddr` works on arguments"),
    ("matchArgs: [{index: 0, operator: CelExpr, values: [/a]}]", "operator `CelExpr` is not supported"),
    ("matchArgs: [{index: 0, operator: equal, values: [/a]}]", "did you mean `Equal`?"),
    ("matchArgs: [{index: 2, operator: Prefix, values: [1]}]", "does not work on this kind of value"),
    ("matchArgs: [{index: 2, operator: GT, values: [1]}]", "operator `GT` is not supported yet"),
    ("matchArgs: [{index: 2, operator: lt, values: [1]}]", "operator `lt` is not supported yet"),
    ("matchArgs: [{index: 2, operator: InRange, values: [\"1:2\"]}]", "operator `InRange` is not supported yet"),
    ("matchArgs: [{index: 2, operator: NotInMap, values: [1]}]", "operator `NotInMap` is not supported yet"),
    ("matchArgs: [{index: 2, operator: Equal, values: [1, 2, 3, 4, 5]}]", "at most 4"),
    ("matchArgs: [{index: 2, operator: Equal, values: [-1]}]", "value `-1` is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [010]}]", "value `010` is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [0x]}]", "is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [0x+1]}]", "is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [18446744073709551616]}]", "is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [4294967296]}]", "does not fit into the argument's 32 bits"),
    ("matchActions: {action: Post}", "`matchActions` must be a list"),
    ("matchActions: [{imaHash: true}]", "`action` is missing"),
    ("matchActions: [{action: Post, imaHash: \"true\"}]", "must be `true` or `false`"),
    ("matchActions: [{action: NoPost, imaHash: true}]", "`imaHash` belongs to `Post`"),
    ("matchActions: [{action: Post, imahash: true}]", "did you mean `imaHash`?"),
    ("matchActions: [{action: Post, rateLimit: 1m}]", "`rateLimit` is not supported yet"),
    ("matchActions: [{action: Post, rateLimitScope: global}]", "`rateLimitScope` is not supported yet"),
    ("matchActions: [{action: Post, kernelStackTrace: true}]", "`kernelStackTrace` does not work"),
    ("matchActions: [{action: Override, argError: -1}]", "action `Override` is not supported yet"),
    ("matchActions: [{action: sigkill}]", "action `Sigkill` is not supported yet"),
    ("matchActions: [{action: Signal, argSig: 9}]", "`argSig` belongs to `Signal`"),
    ("matchActions: [{action: GetUrl}]", "action `GetUrl` does not work on LSM hooks"),
    ("matchActions: [{action: Record}]", "unknown action `Record`; use one of `Post`"),
    ("matchActions: [{action: Pots}]", "unknown action `Pots`; did you mean `Post`?"),
];

/// That one of the faults stands on this line and gives this reason.
fn assert_refused(text: &str, line: usize, reason: &str) {
    let faults = read_bytes(text.as_bytes()).expect_err(text);
    let place = format!("test.yaml:{line}:");
    assert!(
        faults.iter().any(|fault| fault.starts_with(&place) && fault.contains(reason)),
        "{text}\nwanted line {line}, {reason}, but got\n{}",
        faults.join("\n")
    );
}

#[test]
fn files_are_refused_with_line_and_reason() {
    for (text, line, reason) in FILES {
        assert_refused(text, *line, reason);
    }
}

#[test]
fn hook_entries_are_refused_with_line_and_reason() {
    for (entry, line, reason) in ENTRIES {
        let text = format!("{HEAD}{entry}\n");
        assert_refused(&text, *line, reason);
        assert_eq!(read_bytes(text.as_bytes()).unwrap_err().len(), 1, "{entry}");
    }
}

#[test]
fn selectors_are_refused_with_line_and_reason() {
    for (selector, reason) in SELECTORS {
        let text = format!(
            "{HEAD}  - hook: mmap_file
    args: [{{index: 0, type: file}}, {{index: 2, type: uint32}}]
    selectors:
    - {selector}
"
        );
        assert_refused(&text, 10, reason);
    }
}

#[test]
fn one_more_than_each_limit_is_refused() {
    let list = |count: usize, item: &str| vec![item; count].join(", ");
    let long = |length: usize| format!("/{}", "p".repeat(length));
    let argument = |operator: &str, value: &str| {
        format!(
            "args: [{{index: 0}}], selectors: [{{matchArgs: [{{index: 0, operator: {operator}, values: [{value}]}}]}}]"
        )
    };
    let binary = |operator: &str, value: &str| {
        format!("selectors: [{{matchBinaries: [{{operator: {operator}, values: [{value}]}}]}}]")
    };
    let table = [
        (format!("tags: [{}]", list(17, "t")), "at most 16"),
        (format!("args: [{}]", list(6, "{index: 0}")), "at most 5"),
        (format!("selectors: [{}]", list(6, "{}")), "at most 5"),
        (format!("selectors: [{{matchActions: [{}]}}]", list(4, "{action: Post}")), "at most 3"),
        (format!("selectors: [{{matchArgs: [{}]}}]", list(6, "{operator: Equal, values: [/a]}")), "at most 5"),
        (format!("selectors: [{{hashtrail: {{openMode: [{}]}}}}]", list(6, "read")), "at most 5"),
        (argument("Equal", &long(4096)), "at most 4096"),
        (argument("Prefix", &long(256)), "at most 256"),
        (argument("NotPostfix", &long(127)), "at most 127"),
        (binary("In", &long(255)), "at most 255"),
        (binary("NotIn", &long(255)), "at most 255"),
        (binary("Prefix", &long(256)), "at most 256"),
        (binary("Postfix", &long(127)), "at most 127"),
    ];
    for (fields, reason) in table {
        assert_refused(&format!("{HEAD}  - {{hook: file_open, {fields}}}\n"), 7, reason);
    }
    assert_refused(&format!("{HEAD}{}", "  - hook: file_open\n".repeat(65)), 71, "at most 64");
}

#[test]
fn open_modes_that_would_never_match_are_refused() {
    let table = [
        ("file_post_open", "create", "Post", "no longer visible"),
        ("file_open", "truncate", "Post, imaHash: true", "cannot stand beside `imaHash`"),
        ("file_open", "wirte", "Post", "did you mean `write`?"),
        ("file_open", "", "Post", "`openMode` is empty"),
    ];
    for (hook, mode, action, reason) in table {
        let entry = format!(
            "{{hook: {hook}, selectors: [{{hashtrail: {{openMode: [{mode}]}}, matchActions: [{{action: {action}}}]}}]}}"
        );
        assert_refused(&format!("{HEAD}  - {entry}\n"), 7, reason);
    }
}

#[test]
fn independent_faults_are_all_reported() {
    let text = format!("{HEAD}  - hook: nothing\n  - hook: file_open\n    tag: a\n    message: b\n  - hook: other\n");
    let faults = read_bytes(text.as_bytes()).unwrap_err();
    let lines: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').nth(1)).collect();
    assert_eq!(lines, ["7", "9", "10", "11"], "{faults:#?}");
}

#[test]
fn a_long_list_of_faults_is_cut() {
    let keys: Vec<String> = (0..150).map(|number| format!("unknown{number}: 1")).collect();
    let faults = read_bytes(keys.join("\n").as_bytes()).unwrap_err();
    assert_eq!(faults.len(), 101);
    assert_eq!(faults.last().map(String::as_str), Some("test.yaml: and 54 more"));
}

#[test]
fn faults_show_control_characters_as_escapes() {
    let text = format!("{HEAD}  - hook: \"\\e[2J\\u202e\"\n");
    let faults = read_bytes(text.as_bytes()).unwrap_err().join("\n");
    assert!(faults.contains("\\u{1b}[2J\\u{202e}"), "{faults}");
    assert!(!faults.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn size_depth_and_encoding_are_bounded() {
    let nested = format!("metadata:\n  a: {}{}\n", "[".repeat(40), "]".repeat(40));
    assert_refused(&nested, 2, "nested deeper than 32");
    assert_refused(&"#".repeat(super::super::MAX_FILE_SIZE + 1), 1, "at most 1 MiB");
    let faults = read_bytes(b"kind: a\nspec: \xff\n").unwrap_err();
    assert_eq!(faults, ["test.yaml:2:7: not UTF-8; save the file as UTF-8 text"]);
}
