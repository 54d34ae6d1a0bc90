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
    ("kind: &a a\nmetadata: *a", 2, "`metadata` must be a mapping, not a single value"),
    ("kind: *a", 1, "has no anchor (`&name`) before it"),
    ("kind: &a a\n---\nkind: *a", 3, "has no anchor (`&name`) before it"),
    ("kind: &a [*a]", 1, "stands inside of what it stands for"),
    ("metadata: !custom a", 1, "tag `!custom`"),
    ("metadata: !!str a", 1, "tag"),
    ("metadata:\n  <<: a", 2, "the merge key `<<` needs a mapping or a list of mappings"),
    ("metadata:\n  <<: [{name: x}, b]", 2, "the merge key `<<` needs a mapping or a list of mappings"),
    ("metadata:\n  name: y\n  <<: {name: x}", 3, "`name` stands twice, first on line 2, once by the merge key `<<`"),
    ("metadata:\n  <<: {name: x}\n  name: y", 3, "`name` stands twice, first on line 2, once by the merge key `<<`"),
    ("metadata:\n  \"<<\": {name: x}", 2, "`metadata.name` is missing"),
    ("? [a]\n: b", 1, "a key must be a plain word"),
    ("kind: 'open", 1, "not valid YAML"),
    ("kind: a\n  spec: b", 2, "not valid YAML"),
    ("kind: a\n\tb: c", 1, "found a tab"),
    ("a: [b\n", 2, "not valid YAML"),
    ("spec:\n  kprobes: [{call: sys_read}]", 2, "`kprobes` is not supported; use `lsmhooks`"),
    ("spec:\n  kprobes:\n  - call: security_mmap_file", 3, "use `hook: mmap_file`"),
    ("spec:\n  kprobes:\n  - call: security_file_permission", 3, "use `hook: file_open`"),
    ("spec:\n  kprobes:\n  - call: security_path_truncate", 3, "use `hook: path_truncate`"),
    ("spec:\n  kprobes:\n  - call: security_socket_connect", 3, "use `hook: socket_connect` under `lsmhooks`"),
    ("spec:\n  kprobes:\n  - call: security_file_permission", 3, "`hashtrail: {openMode: [write]}` keeps opens for"),
    ("spec:\n  kprobes:\n  - call: security_inode_setattr", 3, "`hashtrail: {attributes: [mode]}` keeps changes"),
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
    ("spec:\n  options: [{name: policy-mode, value: permissive}]", 2, "unknown `policy-mode` `permissive`; use one of"),
    ("spec:\n  options: [{name: policy-mode}]", 2, "an option needs `name` and `value`"),
    ("spec:\n  options: [{name: policy-mod, value: monitor}]", 2, "did you mean `policy-mode`?"),
    ("spec:\n  options: [{name: disable-kprobe-multi, value: 1}]", 2, "option `disable-kprobe-multi` has no meaning"),
    ("spec:\n  options: [{name: override-method, value: fmod-ret}]", 2, "option `override-method` has no meaning"),
    ("spec:\n  options: [{name: sleepable-preload-size, value: 1}]", 2, "has no meaning for hashtrail"),
    ("spec:\n  options: [{name: a, valu: b}]", 2, "did you mean `value`?"),
    ("spec:\n  options: {policy-mode: monitor}", 2, "`options` must be a list"),
    (
        "spec:\n  options:\n  - {name: policy-mode, value: monitor}\n  - {name: policy-mode, value: enforce}",
        4,
        "`policy-mode` is given twice",
    ),
    ("spec:\n  selectorsMacros: [a]", 2, "`selectorsMacros` must be a mapping"),
    ("spec:\n  selectorsMacros: {a: b}", 2, "a macro must be a mapping"),
    ("spec:\n  selectorsMacros: {a: {matchPids: []}}", 2, "did you mean `matchPIDs`?"),
    ("spec:\n  lists: [{names: a}]", 2, "did you mean `name`?"),
    ("spec:\n  lsmHooks: []", 2, "did you mean `lsmhooks`?"),
    ("spec:\n  lsmhooks: {hook: a}", 2, "`lsmhooks` must be a list, not a mapping"),
];

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

/// One key of a selector of `mmap_file` with arguments 0 and 2 (uint32): text, part of the reason.
const SELECTORS: &[(&str, &str)] = &[
    ("matchArg: []", "did you mean `matchArgs`?"),
    ("matchNamespaceChanges: [{operator: In}]", "`matchNamespaceChanges` is not supported: "),
    ("matchCapabilityChanges: [{operator: In}]", "use `matchNamespaces` or `matchCapabilities`"),
    ("matchWorkloads: [{a: b}]", "`matchWorkloads` needs Kubernetes"),
    ("matchData: [{index: 0}]", "position 0 does not exist: the hook entry lists 0 `data`"),
    ("matchCurrentCred: [{a: b}]", "`matchCurrentCred` is not supported; use `hashtrail: {uids: ...}`"),
    (
        "matchCmdArgs: [{operator: Prefix, values: [\"-c\"]}]",
        "`matchCmdArgs` is not supported: hashtrail does not keep the command line of a running process; use \
         `matchBinaries`, or hook `bprm_committed_creds`, whose rows have it in `argv`",
    ),
    ("matchCEL: {expr: a}", "`matchCEL` is not supported; write the condition as filters of `matchArgs`"),
    ("matchReturnArgs: [{index: 0}]", "`matchReturnArgs` has no meaning"),
    ("matchReturnActions: [{action: Post}]", "`matchReturnActions` has no meaning"),
    ("macros: [a]", "macro `a` is not defined; add it to `selectorsMacros`"),
    ("macros: a", "`macros` must be a list"),
    ("macros: [[a]]", "a macro must be a text"),
    ("label: [a]", "`label` must be a text"),
    ("hashtrail: {openmode: [write]}", "did you mean `openMode`?"),
    ("hashtrail: {openMode: [write]}", "`openMode` works on `file_open`"),
    ("matchBinaries: [{operator: In, values: [/a]}, {operator: In, values: [/b]}]", "has 2 items, but at most 1"),
    ("matchBinaries: [{operator: Prefix, values: [/a], followChildren: true}]", "works with `In` and `NotIn` only"),
    ("matchParentBinaries: [{operator: NotPostfix, values: [a], followChildren: true}]", "`In` and `NotIn` only"),
    ("matchBinaries: [{operator: In, values: false}]", "`values` must be a list, not a single value"),
    ("matchPIDs: [{operator: In, values: false}]", "`values` must be a list, not a single value"),
    ("matchBinaries: [{operator: In, values: [/a], followChildren: 1}]", "`followChildren` must be `true` or `false`"),
    ("matchBinaries: [{operator: In, values: [/a], followForks: true}]", "unknown key `followForks`"),
    ("matchBinaries: [{operator: SubString, values: [/a]}]", "does not work on this kind of value"),
    ("matchBinaries: [{operator: In, values: [\"list:a\"]}]", "values from `lists` are not supported"),
    ("matchParentBinaries: [{operator: Equal, values: [/a]}]", "belongs to `matchArgs`; use `In` here"),
    ("matchParentBinaries: {operator: In}", "`matchParentBinaries` must be a list"),
    ("matchPIDs: [{operator: In}]", "`matchPIDs` has no values"),
    ("matchPIDs: [{operator: In, values: []}]", "`matchPIDs` has no values"),
    ("matchPIDs: [{values: [1]}]", "`operator` is missing; add one, such as `operator: In`"),
    ("matchPIDs: [{operator: Equal, values: [1]}]", "use `In` here"),
    ("matchPIDs: [{operator: Prefix, values: [1]}]", "does not work on this kind of value"),
    ("matchPIDs: [{operator: In, values: [pid1]}]", "value `pid1` is not a number"),
    ("matchPIDs: [{operator: In, values: [-1]}]", "value `-1` is not a number"),
    ("matchPIDs: [{operator: In, values: [4294967296]}]", "value 4294967296 is too large for a process id"),
    ("matchPIDs: [{operator: In, values: [1, 2, 3, 4, 5]}]", "at most 4"),
    ("matchPIDs: [{operator: In, values: [1], isNamespacePid: true}]", "did you mean `isNamespacePID`?"),
    ("matchPIDs: [{operator: In, values: [1], followForks: \"true\"}]", "must be `true` or `false`"),
    ("matchPIDs: [1]", "an entry of `matchPIDs` must be a mapping"),
    ("matchNamespaces: [{operator: In, values: [1]}]", "`namespace` is missing"),
    (
        "matchNamespaces: [{namespace: Mount, operator: In, values: [1]}]",
        "unknown namespace `Mount`; did you mean `Mnt`?",
    ),
    ("matchNamespaces: [{namespace: Mnt, operator: In, values: [host]}]", "value `host` is no namespace"),
    ("matchNamespaces: [{namespace: Mnt, operator: In, values: [4294967296]}]", "is no namespace"),
    ("matchNamespaces: [{namespace: Mnt, operator: GT, values: [1]}]", "does not work on this kind of value"),
    ("matchNamespaces: [{namespace: Mnt, operator: In}]", "`matchNamespaces` has no values"),
    ("matchNamespaces: [{namespace: Mnt, operator: In, value: [1]}]", "did you mean `values`?"),
    ("matchCapabilities: [{operator: In, values: [CAP_SYS_ADMN]}]", "did you mean `CAP_SYS_ADMIN`?"),
    ("matchCapabilities: [{operator: In, values: [SYS_ADMIN]}]", "unknown capability `SYS_ADMIN`"),
    ("matchCapabilities: [{operator: In, values: [1]}]", "unknown capability `1`"),
    ("matchCapabilities: [{operator: In}]", "`matchCapabilities` has no values"),
    ("matchCapabilities: [{type: Ambient, operator: In, values: [CAP_BPF]}]", "unknown type `Ambient`"),
    ("matchCapabilities: [{values: [CAP_BPF]}]", "`operator` is missing"),
    (
        "matchCapabilities: [{operator: In, values: [CAP_BPF]}, {operator: In, values: [CAP_BPF]}]",
        "has 2 items, but at most 1",
    ),
    ("hashtrail: {uids: {operator: In}}", "`uids` has no values"),
    ("hashtrail: {uids: {operator: In, values: []}}", "`values` is empty"),
    ("hashtrail: {uids: {values: [1]}}", "`operator` is missing"),
    ("hashtrail: {uids: {operator: Equal, values: [1]}}", "use `In` here"),
    ("hashtrail: {uids: {operator: In, values: [root]}}", "value `root` is not a number"),
    ("hashtrail: {uids: {operator: In, values: [unset]}}", "value `unset` is not a number"),
    ("hashtrail: {uids: {operator: In, values: [\"5:4\"]}}", "value `5:4` is not a range"),
    ("hashtrail: {uids: {operator: In, values: [4294967296]}}", "does not fit into the argument's 32 bits"),
    ("hashtrail: {auids: {operator: In, values: [unst]}}", "value `unst` is not a number"),
    ("hashtrail: {euids: [0]}", "`euids` must be a mapping"),
    ("hashtrail: {fileTypes: {operator: In, values: [regulr]}}", "unknown file type `regulr`; did you mean `regular`?"),
    ("hashtrail: {fileTypes: {operator: In}}", "`fileTypes` has no values"),
    ("hashtrail: {fileTypes: {operator: FileType, values: [reg]}}", "does not work on this kind of value"),
    ("hashtrail: {attributes: [mode]}", "`attributes` works on `inode_setattr` only"),
    ("hashtrail: {recordByDefault: true}", "`recordByDefault` belongs in the hook entry"),
    ("hashtrail: {digests: {operator: In, values: [aa]}}", "`algorithm` is missing"),
    ("hashtrail: {digests: {operator: In, algorithm: sha2566, values: [aa]}}", "did you mean `sha256`?"),
    ("hashtrail: {digests: {operator: In, algorithm: SHA256, values: [aa]}}", "unknown `algorithm` `SHA256`"),
    ("hashtrail: {digests: {operator: In, algorithm: md5}}", "needs either `values` or `file`"),
    ("hashtrail: {digests: {operator: In, algorithm: md5, values: [a], file: b}}", "either `values` or `file`"),
    ("hashtrail: {digests: {operator: In, algorithm: md5, values: []}}", "`values` is empty"),
    (
        "hashtrail: {digests: {operator: In, algorithm: md5, values: [d41d8cd98f00b204e9800998ecf8427]}}",
        "write 32 hexa",
    ),
    (
        "hashtrail: {digests: {operator: In, algorithm: md5, values: [d41d8cd98f00b204e9800998ecf8427g]}}",
        "write 32 hexa",
    ),
    ("hashtrail: {digests: {operator: In, algorithm: sha1, values: [d41d8cd98f00b204e9800998ecf8427e]}}", "write 40"),
    ("hashtrail: {digests: {operator: In, algorithm: md5, file: /nonexistent/d}}", "cannot read the digests"),
    ("hashtrail: {digests: {operator: Prefix, algorithm: md5, values: [d4]}}", "does not work on this kind of value"),
    ("hashtrail: {dedupe: {window: 1m}}", "`dedupe` needs both"),
    ("hashtrail: {dedupe: {key: [file]}}", "`dedupe` needs both"),
    ("hashtrail: {dedupe: {key: [digest], window: 1m}}", "`key` lacks `file`"),
    ("hashtrail: {dedupe: {key: [], window: 1m}}", "`key` is empty"),
    ("hashtrail: {dedupe: {key: [path], window: 1m}}", "unknown key `path`"),
    ("hashtrail: {dedupe: {key: [file], window: 0}}", "`window` is 0"),
    ("hashtrail: {dedupe: {key: [file], window: 1d}}", "`window` `1d` is not a duration"),
    ("{hashtrail: {dedupe: {key: [file], window: 1}}, matchActions: [{action: NoPost}]}", "no meaning beside `NoPost`"),
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
    ("matchArgs: [{args: [1], index: [2], operator: Equal, values: [1]}]", "`index` must be a text, not a list"),
    ("matchArgs: [{args: [0, 1], operator: Equal, values: [1]}]", "exactly one position"),
    ("matchArgs: [{index: 0, operator: Equal}]", "has no values"),
    ("matchArgs: [{index: 0, operator: Equal, values: [\"list:a\"]}]", "`lists` are not supported"),
    ("matchArgs: [{index: 0, operator: In, values: [/a]}]", "use `Equal` here"),
    ("matchArgs: [{index: 0, operator: Mask, values: [/a]}]", "does not work on this kind of value"),
    ("matchArgs: [{index: 0, operator: FileType, values: [regular_file]}]", "unknown file type"),
    ("matchArgs: [{index: 0, operator: GT, values: [1]}]", "operator `GT` does not work on this kind of value"),
    ("matchArgs: [{index: 0, operator: InMap, values: [\"list:a\"]}]", "does not work on this kind of value"),
    ("matchArgs: [{index: 0, operator: SAddr, values: [/a]}]", "operator `SAddr` works on arguments"),
    ("matchArgs: [{index: 0, operator: CelExpr, values: [/a]}]", "operator `CelExpr` is not supported"),
    ("matchArgs: [{index: 0, operator: equal, values: [/a]}]", "did you mean `Equal`?"),
    ("matchArgs: [{index: 2, operator: Prefix, values: [1]}]", "does not work on this kind of value"),
    ("matchArgs: [{index: 2, operator: FileType, values: [reg]}]", "does not work on this kind of value"),
    ("matchArgs: [{index: 2, operator: InRange, values: [1]}]", "value `1` is not a range; write it as `min:max`"),
    ("matchArgs: [{index: 2, operator: InRange, values: [\"2:1\"]}]", "value `2:1` is not a range"),
    ("matchArgs: [{index: 2, operator: InRange, values: [\"-1:1\"]}]", "value `-1:1` is not a range"),
    ("matchArgs: [{index: 2, operator: InRange, values: [\"1:2:3\"]}]", "value `1:2:3` is not a range"),
    ("matchArgs: [{index: 2, operator: NotInMap, values: [\":\"]}]", "value `:` is not a range"),
    ("matchArgs: [{index: 2, operator: InMap, values: [\"1:4294967296\"]}]", "does not fit"),
    ("matchArgs: [{index: 2, operator: InMap, values: [\"list:a\"]}]", "values from `lists` are not supported"),
    ("matchArgs: [{index: 2, operator: Equal, values: [\"1:2\"]}]", "value `1:2` is not a number"),
    ("matchArgs: [{index: 2, operator: GT, values: [-1]}]", "below 0 only single values of a signed `type`"),
    ("matchArgs: [{index: 2, operator: GT, values: [\"\"]}]", "is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [1, 2, 3, 4, 5]}]", "at most 4"),
    ("matchArgs: [{index: 2, operator: Equal, values: [-1]}]", "value `-1` is not a number"),
    (
        "matchArgs: [{index: 2, operator: Equal, values: [08]}]",
        "value `08` is not a number; write it in decimal, 0x hex, 0o octal",
    ),
    ("matchArgs: [{index: 2, operator: Equal, values: [0x]}]", "is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [0x+1]}]", "is not a number"),
    ("matchArgs: [{index: 2, operator: Equal, values: [18446744073709551616]}]", "0b binary, with at most 64 bits"),
    ("matchArgs: [{index: 2, operator: Equal, values: [4294967296]}]", "does not fit into the argument's 32 bits"),
    ("matchActions: {action: Post}", "`matchActions` must be a list"),
    ("matchActions: [{imaHash: true}]", "`action` is missing"),
    ("matchActions: [{action: Post, imaHash: \"true\"}]", "must be `true` or `false`"),
    ("matchActions: [{action: NoPost, imaHash: true}]", "`imaHash` belongs to `Post`"),
    ("matchActions: [{action: Post, imahash: true}]", "did you mean `imaHash`?"),
    ("matchActions: [{action: Post, rateLimit: 1d}]", "`rateLimit` `1d` is not a duration"),
    ("matchActions: [{action: Post, rateLimit: m}]", "`rateLimit` `m` is not a duration"),
    ("matchActions: [{action: Post, rateLimit: -1}]", "`rateLimit` `-1` is not a duration"),
    ("matchActions: [{action: Post, rateLimit: 99999999999999999999}]", "is not a duration"),
    ("matchActions: [{action: Post, rateLimit: 9999999999999999h}]", "is not a duration"),
    ("matchActions: [{action: Post, rateLimit: 1m, rateLimitScope: host}]", "unknown `rateLimitScope` `host`"),
    (
        "matchActions: [{action: Override, argError: -1, rateLimit: 1m}]",
        "`rateLimit` belongs to `Post`, not to `Override`",
    ),
    ("matchActions: [{action: NoPost, rateLimitScope: global}]", "`rateLimitScope` belongs to `Post`, not to `NoPost`"),
    ("matchActions: [{action: Post, rateLimit: 1m}, {action: Post, rateLimit: 2m}]", "has another `rateLimit` already"),
    ("matchActions: [{action: Post, kernelStackTrace: true}]", "`kernelStackTrace` is not supported on LSM hooks"),
    ("matchActions: [{action: Post, userStackTrace: true}]", "`userStackTrace` is not supported on LSM hooks"),
    ("matchActions: [{action: Override, argError: EPERM}]", "`argError` `EPERM` is not a number"),
    ("matchActions: [{action: Override, argError: [1]}]", "`argError` must be a text"),
    ("matchActions: [{action: Override, argErr: -1}]", "did you mean `argError`?"),
    ("matchActions: [{action: Override, argSig: 9}]", "`argSig` belongs to `Signal`, not to `Override`"),
    (
        "matchActions: [{action: Override, argError: -1}, {action: Override, argError: -2}]",
        "another `argError` already",
    ),
    ("matchActions: [{action: Sigkill, argSig: 9}]", "`argSig` belongs to `Signal`, not to `Sigkill`"),
    ("matchActions: [{action: Sigkill, imaHash: true}]", "`imaHash` belongs to `Post`, not to `Sigkill`"),
    ("matchActions: [{action: Sigkill}, {action: Signal, argSig: 15}]", "has another signal already"),
    ("matchActions: [{action: Signal}]", "`argSig` is missing"),
    ("matchActions: [{action: Signal, argSig: 0}]", "`argSig` 0 is no signal"),
    ("matchActions: [{action: Signal, argSig: 65}]", "`argSig` 65 is no signal"),
    ("matchActions: [{action: Signal, argSig: SIGTERM}]", "`argSig` `SIGTERM` is not a number"),
    ("matchActions: [{action: Signal, argSig: 9, argError: -1}]", "`argError` belongs to `Override`"),
    ("matchActions: [{action: Post, argError: -1}]", "`argError` belongs to `Override`, not to `Post`"),
    ("matchActions: [{action: NotifyEnforcer}]", "action `NotifyEnforcer` is not supported on LSM hooks"),
    ("matchActions: [{action: set}]", "action `Set` is not supported on LSM hooks"),
    ("matchActions: [{action: FollowFD}]", "action `FollowFD` is not supported on LSM hooks"),
    ("matchActions: [{action: GetUrl}]", "action `GetUrl` is not supported on LSM hooks"),
    ("matchActions: [{action: Record}]", "unknown action `Record`; use one of `Post`"),
    ("matchActions: [{action: Pots}]", "unknown action `Pots`; did you mean `Post`?"),
];

/// That one of the faults stands on this line, gives this reason and says what to do.
pub(super) fn assert_refused(text: &str, line: usize, reason: &str) {
    let faults = read_bytes(text.as_bytes()).expect_err(text);
    let place = format!("test.yaml:{line}:");
    let found = faults.iter().find(|fault| fault.starts_with(&place) && fault.contains(reason));
    let Some(fault) = found else {
        panic!("{text}\nwanted line {line}, {reason}, but got\n{}", faults.join("\n"));
    };
    assert!(fault.contains("; ") || fault.contains("use `hook: "), "no advice in {fault}");
    let column = fault[place.len()..].split(':').next().unwrap();
    assert!(column.parse::<usize>().unwrap() > 0, "{fault}");
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
    let text = format!("{HEAD}  - hook: Nothing\n  - hook: file_open\n    tag: a\n    message: b\n  - hook: Other\n");
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
