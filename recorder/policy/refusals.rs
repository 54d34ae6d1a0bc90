//! Names of Tetragon, and of hashtrail's own design, that are refused: each with what to do.
//!
//! A name that stands here is known but not served, so its message can say more than "unknown".

/// Names and the rest of the sentence that begins with the name.
pub(super) type Refusals = &'static [(&'static str, &'static str)];

const KUBERNETES: &str = "needs Kubernetes, which hashtrail does not know; remove it";
const LATER_FILTER: &str = "is not supported yet; remove it and filter with `matchBinaries` or `matchArgs`";
const NO_RETURN: &str = "has no meaning on LSM hooks; remove it";
const OTHER_PROBES: &str = "is not supported; use `lsmhooks`";
const LATER_EXTENSION: &str = "is not supported yet; remove it";
const ENFORCEMENT: &str = "is not supported yet: hashtrail only records; remove it";
const NOT_ON_LSM: &str = "does not work on LSM hooks, in Tetragon neither; remove it";
const LATER_OPERATOR_PATH: &str = "is not supported yet; use `Equal`, `Prefix`, `Postfix` or their `Not` forms";
const LATER_OPERATOR_INTEGER: &str =
    "is not supported yet; use `Equal`, `NotEqual` or `Mask`, with the values written out";
const OPERATOR_OF_OTHER_TYPE: &str = "works on arguments that hashtrail's hooks do not have; remove this filter";
const CONTENT_TYPES: &str = "is only for argument types that hashtrail's hooks do not have; remove it";

/// Keys under `spec`.
pub(super) const SPEC: Refusals = &[
    ("kprobes", OTHER_PROBES),
    ("tracepoints", OTHER_PROBES),
    ("uprobes", OTHER_PROBES),
    ("usdts", OTHER_PROBES),
    ("fentries", OTHER_PROBES),
    ("enforcers", ENFORCEMENT),
    ("loader", "is not supported; remove it (hook `mmap_file` records what is loaded)"),
    ("podSelector", KUBERNETES),
    ("containerSelector", KUBERNETES),
    ("hostSelector", "is not supported: hashtrail always records the whole host; remove it"),
    ("nodeSelector", KUBERNETES),
    ("options", "is not supported yet; remove it"),
    ("selectorsMacros", "is not supported yet; write the filters out in each selector"),
];

/// Kernel functions that Tetragon policies probe, and the LSM hook that serves the same question.
pub(super) const PROBED_FUNCTIONS: &[(&str, &str)] = &[
    ("security_bprm_check", "bprm_check_security"),
    ("security_bprm_committed_creds", "bprm_committed_creds"),
    ("security_mmap_file", "mmap_file"),
    ("security_file_open", "file_open"),
    ("security_file_post_open", "file_post_open"),
    ("security_file_permission", "file_open"),
    ("security_path_truncate", "file_open"),
    ("security_kernel_read_file", "kernel_read_file"),
    ("fd_install", "file_open"),
    ("do_init_module", "kernel_read_file"),
];

/// Keys of a hook entry's argument.
pub(super) const ARGUMENT: Refusals = &[
    ("resolve", "is not supported yet; name the argument itself"),
    ("btfType", "is not supported yet; name the argument itself"),
    ("source", "is not supported yet; name the argument itself"),
    ("maxData", CONTENT_TYPES),
    ("sizeArgIndex", CONTENT_TYPES),
    ("returnCopy", CONTENT_TYPES),
];

/// Keys of a selector.
pub(super) const SELECTOR: Refusals = &[
    ("matchPIDs", LATER_FILTER),
    ("matchNamespaces", LATER_FILTER),
    ("matchCapabilities", LATER_FILTER),
    ("matchParentBinaries", LATER_FILTER),
    ("matchNamespaceChanges", LATER_FILTER),
    ("matchCapabilityChanges", LATER_FILTER),
    ("matchWorkloads", KUBERNETES),
    ("matchData", "fails on LSM hooks in Tetragon and is not supported; remove it"),
    ("matchCurrentCred", "is not supported; remove it"),
    ("matchReturnArgs", NO_RETURN),
    ("matchReturnActions", NO_RETURN),
    ("macros", "is not supported yet; write the filters of the macro out here"),
];

/// Keys of a `matchBinaries` entry.
pub(super) const BINARIES: Refusals =
    &[("followChildren", "is not supported yet; remove it, or name the children's binaries too")];

/// Keys of an action.
pub(super) const ACTION: Refusals = &[
    ("rateLimit", "is not supported yet; remove it and filter more narrowly"),
    ("rateLimitScope", "is not supported yet; remove it"),
    ("argError", "belongs to `Override`, which is not supported yet; remove it"),
    ("argSig", "belongs to `Signal`, which is not supported yet; remove it"),
    ("kernelStackTrace", NOT_ON_LSM),
    ("userStackTrace", NOT_ON_LSM),
    ("argFd", NOT_ON_LSM),
    ("argName", NOT_ON_LSM),
    ("argUrl", NOT_ON_LSM),
    ("argFqdn", NOT_ON_LSM),
    ("argSock", NOT_ON_LSM),
    ("argIndex", NOT_ON_LSM),
    ("argValue", NOT_ON_LSM),
    ("argRegs", NOT_ON_LSM),
];

/// Names of actions.
pub(super) const ACTION_NAMES: Refusals = &[
    ("Override", ENFORCEMENT),
    ("Sigkill", ENFORCEMENT),
    ("Signal", ENFORCEMENT),
    ("GetUrl", NOT_ON_LSM),
    ("DnsLookup", NOT_ON_LSM),
    ("TrackSock", NOT_ON_LSM),
    ("UntrackSock", NOT_ON_LSM),
    ("NotifyEnforcer", NOT_ON_LSM),
    ("CleanupEnforcerNotification", NOT_ON_LSM),
    ("Set", NOT_ON_LSM),
    ("FollowFD", NOT_ON_LSM),
    ("UnfollowFD", NOT_ON_LSM),
    ("CopyFD", NOT_ON_LSM),
];

/// Operators of `matchArgs`.
pub(super) const OPERATORS: Refusals = &[
    ("SubString", LATER_OPERATOR_PATH),
    ("SubStringIgnCase", LATER_OPERATOR_PATH),
    ("FileType", LATER_OPERATOR_PATH),
    ("NotFileType", LATER_OPERATOR_PATH),
    ("GT", LATER_OPERATOR_INTEGER),
    ("gt", LATER_OPERATOR_INTEGER),
    ("GreaterThan", LATER_OPERATOR_INTEGER),
    ("LT", LATER_OPERATOR_INTEGER),
    ("lt", LATER_OPERATOR_INTEGER),
    ("LessThan", LATER_OPERATOR_INTEGER),
    ("InRange", LATER_OPERATOR_INTEGER),
    ("NotInRange", LATER_OPERATOR_INTEGER),
    ("InMap", LATER_OPERATOR_INTEGER),
    ("NotInMap", LATER_OPERATOR_INTEGER),
    ("In", "belongs to `matchBinaries`; use `Equal` here"),
    ("NotIn", "belongs to `matchBinaries`; use `NotEqual` here"),
    ("CelExpr", "is not supported; use the other operators"),
    ("CapabilitiesGained", OPERATOR_OF_OTHER_TYPE),
    ("SAddr", OPERATOR_OF_OTHER_TYPE),
    ("NotSAddr", OPERATOR_OF_OTHER_TYPE),
    ("SPort", OPERATOR_OF_OTHER_TYPE),
    ("NotSPort", OPERATOR_OF_OTHER_TYPE),
    ("SPortPriv", OPERATOR_OF_OTHER_TYPE),
    ("NotSPortPriv", OPERATOR_OF_OTHER_TYPE),
    ("DAddr", OPERATOR_OF_OTHER_TYPE),
    ("NotDAddr", OPERATOR_OF_OTHER_TYPE),
    ("DPort", OPERATOR_OF_OTHER_TYPE),
    ("NotDPort", OPERATOR_OF_OTHER_TYPE),
    ("DPortPriv", OPERATOR_OF_OTHER_TYPE),
    ("NotDPortPriv", OPERATOR_OF_OTHER_TYPE),
    ("Protocol", OPERATOR_OF_OTHER_TYPE),
    ("Family", OPERATOR_OF_OTHER_TYPE),
    ("State", OPERATOR_OF_OTHER_TYPE),
];

/// Operators of `matchBinaries`.
pub(super) const BINARIES_OPERATORS: Refusals = &[
    ("Equal", "belongs to `matchArgs`; use `In` here"),
    ("NotEqual", "belongs to `matchArgs`; use `NotIn` here"),
    ("SubString", "is not supported yet; use `In`, `Prefix` or `Postfix`"),
];

/// Keys under `hashtrail:` in a selector.
pub(super) const SELECTOR_EXTENSIONS: Refusals = &[
    ("uids", LATER_EXTENSION),
    ("euids", LATER_EXTENSION),
    ("auids", LATER_EXTENSION),
    ("fileTypes", LATER_EXTENSION),
    ("digests", LATER_EXTENSION),
    ("recordByDefault", "is not supported yet; add a last selector without filters"),
    ("dedupe", LATER_EXTENSION),
];

/// Keys under `hashtrail:` in a hook entry.
pub(super) const HOOK_EXTENSIONS: Refusals = &[
    ("openMode", "belongs in a selector; move it there"),
    ("uids", LATER_EXTENSION),
    ("euids", LATER_EXTENSION),
    ("auids", LATER_EXTENSION),
    ("fileTypes", LATER_EXTENSION),
    ("digests", LATER_EXTENSION),
    ("recordByDefault", "is not supported yet; add a last selector without filters"),
    ("dedupe", LATER_EXTENSION),
];

/// Argument types of Tetragon that no hook of ours has.
pub(super) const ARGUMENT_TYPES: &[&str] = &[
    "string",
    "filename",
    "path",
    "dentry",
    "fd",
    "nop",
    "skb",
    "sock",
    "socket",
    "sockaddr",
    "sockaddr_in_type",
    "cred",
    "user_namespace",
    "capability",
    "kiocb",
    "iov_iter",
    "char_buf",
    "char_iovec",
    "bpf_attr",
    "bpf_map",
    "bpf_prog",
    "bpf_cmd",
    "perf_event",
    "module",
    "kernel_module",
    "load_info",
    "syscall64",
    "data_loc",
    "net_device",
    "kernel_cap_t",
    "cap_inheritable",
    "cap_permitted",
    "cap_effective",
    "linux_binprm",
    "file",
    "int8_ptr",
    "bpf_ctx",
    "const_buf",
];
