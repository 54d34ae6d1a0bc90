//! Hook entries.

use super::assert_refused;
use crate::policy::tests::{HEAD, read_bytes};

/// Hook entries below [`HEAD`]: text, line, part of the reason.
const ENTRIES: &[(&str, usize, &str)] = &[
    ("  - text", 7, "an entry of `lsmhooks` must be a mapping"),
    ("  - message: no hook", 7, "`hook` is missing"),
    (
        "  - hook: \"\"",
        7,
        "hook `` is not the name of a kernel hook; use another, such as one of `bprm_creds_for_exec`",
    ),
    ("  - hook: File_Open", 7, "hook `File_Open` is not the name of a kernel hook"),
    ("  - hook: file-open", 7, "hook `file-open` is not the name of a kernel hook"),
    ("  - hook: [file_open]", 7, "`hook` must be a text, not a list"),
    (
        "  - hook: a123456789a123456789a123456789a123456789a123456789a123456789a1234",
        7,
        "is not the name of a kernel hook",
    ),
    (
        "  - hook: sb_pivotroot\n    args: [{index: 0, type: cred}]",
        8,
        "type `cred` is not supported for argument 0 of `sb_pivotroot`; write `auto`, an integer type",
    ),
    ("  - hook: sb_pivotroot\n    args: [{index: 0, type: pth}]", 8, "unknown type `pth`; did you mean `path`?"),
    (
        "  - hook: x\n    args: [{index: 0, type: file}, {index: 1, type: path}]",
        8,
        "a second file among the arguments of `x`",
    ),
    ("  - hook: x\n    args: [{index: 0, type: path, resolve: f_path}]", 8, "a path at the end of `resolve` `f_path`"),
    ("  - hook: x\n    args: [{index: 0, type: int, btfTypeModule: m}]", 8, "`btfTypeModule` is not supported"),
    (
        "  - hook: sb_pivotroot\n    hashtrail: {fileTypes: {operator: In, values: [reg]}}",
        8,
        "`fileTypes` needs a file, which `sb_pivotroot` may not have",
    ),
    ("  - hook: file_open\n    data: [{index: 0}]", 8, "`source` is missing; add `source: current_task`"),
    ("  - hook: file_open\n    data: [{index: 0, source: current_task}]", 8, "`source` needs `resolve`"),
    ("  - hook: file_open\n    data: [{source: pt_regs, resolve: ip}]", 8, "`source` `pt_regs` is not supported"),
    ("  - hook: file_open\n    data: [{source: current, resolve: ip}]", 8, "unknown `source` `current`"),
    (
        "  - hook: socket_connect\n    args: [{index: 1, type: sockaddr}]\n    \
         selectors: [{matchArgs: [{index: 1, operator: DPort, values: [1]}]}]",
        9,
        "operator `DPort` does not work on a `sockaddr`, in Tetragon neither",
    ),
    (
        "  - hook: socket_connect\n    args: [{index: 1, type: sockaddr}]\n    \
         selectors: [{matchArgs: [{index: 1, operator: SAddr, values: [10.0.0.0/33]}]}]",
        9,
        "value `10.0.0.0/33` is no address",
    ),
    (
        "  - hook: socket_connect\n    args: [{index: 1, type: sockaddr}]\n    \
         selectors: [{matchArgs: [{index: 1, operator: SPort, values: [65536]}]}]",
        9,
        "value `65536` is no port",
    ),
    (
        "  - hook: socket_connect\n    args: [{index: 1, type: sockaddr}]\n    \
         selectors: [{matchArgs: [{index: 1, operator: Family, values: [AF_NET]}]}]",
        9,
        "value `AF_NET` is no family",
    ),
    (
        "  - hook: socket_connect\n    args: [{index: 1, type: sockaddr}]\n    \
         selectors: [{matchArgs: [{index: 1, operator: SPortPriv, values: [1]}]}]",
        9,
        "this operator has no values",
    ),
    (
        "  - hook: socket_connect\n    args: [{index: 0, type: socket}]\n    \
         selectors: [{matchArgs: [{index: 0, operator: DAddr, values: [1.2.3.4]}]}]",
        9,
        "operator `DAddr` is not supported on sockets",
    ),
    (
        "  - hook: inode_unlink\n    args: [{index: 0}]",
        8,
        "argument 0 `dir` of `inode_unlink` is not supported; remove it, or use one of 1 `dentry`",
    ),
    ("  - hook: inode_setxattr\n    args: [{index: 3, type: string}]", 8, "argument 3 `value` of `inode_setxattr`"),
    ("  - hook: inode_setxattr\n    args: [{index: 2, type: file}]", 8, "write `auto` or `string`"),
    ("  - hook: inode_setattr\n    args: [{index: 0, type: dentry}]", 8, "or use one of 1 `dentry`"),
    ("  - hook: inode_unlink\n    args: [{index: 1, type: file}]", 8, "write `auto` or `dentry`"),
    ("  - hook: path_truncate\n    args: [{index: 0, type: file}]", 8, "write `auto` or `path`"),
    ("  - hook: security_file_open", 7, "write `file_open`"),
    ("  - hook: bpf_lsm_mmap_file", 7, "write `mmap_file`"),
    ("  - hook: file_open\n    mesage: ab", 8, "did you mean `message`?"),
    ("  - hook: file_open\n    message: a", 8, "only one character"),
    ("  - hook: file_open\n    tags: a", 8, "`tags` must be a list"),
    ("  - hook: file_open\n    tags: [a, \"\"]", 8, "a tag is empty"),
    (
        "  - hook: file_open\n    hashtrail: {recordByDefault: \"yes\"}",
        8,
        "`recordByDefault` must be `true` or `false`",
    ),
    ("  - hook: file_open\n    hashtrail: [uids]", 8, "`hashtrail` must be a mapping"),
    (
        "  - hook: file_open\n    selectors: [{hashtrail: {dedupe: {key: [file], window: 1m}}}]\n    \
         hashtrail: {dedupe: {key: [file], window: 1m}}",
        9,
        "`dedupe` stands in the selector on line 8 too",
    ),
    (
        "  - hook: sb_pivotroot\n    hashtrail: {digests: {operator: In, algorithm: md5, values: [a]}}",
        8,
        "none is possible at `sb_pivotroot`",
    ),
    (
        "  - hook: inode_rename\n    hashtrail: {digests: {operator: In, algorithm: md5, values: [a]}}",
        8,
        "none is possible at `inode_rename`",
    ),
    (
        "  - hook: bprm_committed_creds\n    selectors: [{matchActions: [{action: Override, argError: -1}]}]",
        8,
        "does not heed what `bprm_committed_creds` returns",
    ),
    (
        "  - hook: bprm_committing_creds\n    selectors: [{matchActions: [{action: Override, argError: -1}]}]",
        8,
        "does not heed what `bprm_committing_creds` returns",
    ),
    (
        "  - hook: bprm_check_security\n    args: [{index: 0}]\n    \
         selectors: [{matchArgs: [{operator: FileType, values: [reg]}]}]",
        9,
        "`FileType` works on arguments of the types `file` and `path` only",
    ),
    (
        "  - hook: bprm_check_security\n    args: [{index: 0, resolve: mm.owner.comm}]\n    \
         selectors: [{matchArgs: [{operator: FileType, values: [reg]}]}]",
        9,
        "operator `FileType` does not work on this kind of value",
    ),
    (
        "  - hook: bprm_committed_creds\n    args: [{index: 0, type: string, resolve: mm.owner.comm}]\n    \
         selectors: [{matchArgs: [{operator: Equal, values: [a]}]}]",
        9,
        "`mm` is already taken over at this hook",
    ),
    ("  - hook: file_open\n    args: [{type: file}]", 8, "`index` is missing"),
    ("  - hook: file_open\n    args: [{index: 5}]", 8, "`index` 5 is too large"),
    ("  - hook: file_open\n    args: [{index: -1}]", 8, "`index` `-1` is not a number"),
    ("  - hook: file_open\n    args: [{index: 1}]", 8, "`file_open` has no argument 1"),
    ("  - hook: file_open\n    args: [{index: 0, type: path}]", 8, "type `path` is not supported"),
    ("  - hook: file_open\n    args: [{index: 0, type: int}]", 8, "type `int` is not supported"),
    ("  - hook: file_open\n    args: [{index: 0, type: flie}]", 8, "unknown type `flie`; did you mean `file`?"),
    ("  - hook: mmap_file\n    args: [{index: 2, type: sock}]", 8, "type `sock` is not supported"),
    (
        "  - hook: file_open\n    args: [{index: 0, type: path, resolve: f_path}]",
        8,
        "a path at the end of `resolve` `f_path`",
    ),
    (
        "  - hook: bprm_check_security\n    args: [{index: 0, type: cred, resolve: mm.owner.pid}]",
        8,
        "type `cred` is not supported for `mm.owner.pid` of argument 0",
    ),
    (
        "  - hook: file_open\n    args: [{index: 0, type: int, resolve: a..b}]",
        8,
        "`resolve` `a..b`: `` is not a member",
    ),
    ("  - hook: bprm_check_security\n    args: [{index: 0, resolve: [file]}]", 8, "`resolve` must be a text"),
    ("  - hook: bprm_check_security\n    args: [{index: 0, type: int, resolve: file}]", 8, "write `auto` or `file`"),
    (
        "  - hook: bprm_check_security\n    args: [{index: 0, resolve: mm.owner.real_parent.real_parent.real_parent.\
         real_parent.real_parent.real_parent.real_parent.real_parent.comm}]",
        8,
        "it has 11 steps, and at most 10 are possible",
    ),
    ("  - hook: file_open\n    args: [{index: 0, btfType: dentry}]", 8, "`btfType` `dentry` is not supported"),
    ("  - hook: file_open\n    args: [{index: 0, source: current_task}]", 8, "`source` needs `resolve`"),
    ("  - hook: file_open\n    args: [{index: 0, source: current}]", 8, "unknown `source` `current`"),
    (
        "  - hook: file_open\n    args: [{source: current_task, resolve: comm, type: int}]",
        8,
        "type `int` is not supported for what `resolve` gives; write `auto` or `string`",
    ),
    ("  - hook: file_open\n    args: [{index: 0, maxData: true}]", 8, "`maxData`"),
    ("  - hook: file_open\n    args: [{index: 0, returnCopy: true}]", 8, "`returnCopy`"),
];

#[test]
fn hook_entries_are_refused_with_line_and_reason() {
    for (entry, line, reason) in ENTRIES {
        let text = format!("{HEAD}{entry}\n");
        assert_refused(&text, *line, reason);
        assert_eq!(read_bytes(text.as_bytes()).unwrap_err().len(), 1, "{entry}");
    }
}
