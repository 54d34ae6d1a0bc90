//! Names of Tetragon, and of hashtrail's own design, that are refused: each with what to do.
//!
//! A name that stands here is known but not served, so its message can say more than "unknown".

/// Names and the rest of the sentence that begins with the name.
pub(super) type Refusals = &'static [(&'static str, &'static str)];

const KUBERNETES: &str = "needs Kubernetes, which hashtrail does not know; remove it";
const NO_RETURN: &str = "has no meaning on LSM hooks; remove it";
const OTHER_PROBES: &str = "is not supported; use `lsmhooks`";
const NOT_ON_LSM: &str = "is not supported on LSM hooks; remove it";
const NO_EXPRESSIONS: &str = "is not supported; write the condition as filters of `matchArgs`";
const NO_CHANGES: &str = "is not supported: hashtrail does not keep what a process had at its exec; use `matchNamespaces` or \
     `matchCapabilities`, or remove it";
const NO_MEANING: &str = "has no meaning for hashtrail; remove it";
const OPERATOR_OF_OTHER_TYPE: &str = "works on arguments that hashtrail's hooks do not have; remove this filter";
const OTHER_SIDE: &str = "does not work on a `sockaddr`, in Tetragon neither, where its address is the source; use `SAddr`, \
     `SPort` or `SPortPriv`";
const NOT_IN_ADDRESS: &str = "does not work on a `sockaddr`, which does not hold it; use `Family`, or list a member of the \
     socket by `resolve`";
const OF_SOCKET: &str = "is not supported on sockets, where each family has its own place for addresses; filter on the \
     `sockaddr` of the hook, or list `resolve: sk.__sk_common.skc_daddr` with `type: uint32`";
const CONTENT_TYPES: &str = "is only for argument types that hashtrail's hooks do not have; remove it";

/// Keys under `spec`.
pub(super) const SPEC: Refusals = &[
    ("kprobes", OTHER_PROBES),
    ("tracepoints", OTHER_PROBES),
    ("uprobes", OTHER_PROBES),
    ("usdts", OTHER_PROBES),
    ("fentries", OTHER_PROBES),
    ("enforcers", "is not supported; use the actions `Override` and `Signal` under `lsmhooks`"),
    ("loader", "is not supported; remove it (hook `mmap_file` records what is loaded)"),
    ("podSelector", KUBERNETES),
    ("containerSelector", KUBERNETES),
    ("hostSelector", "is not supported: hashtrail always records the whole host; remove it"),
    ("nodeSelector", KUBERNETES),
];

/// Options of Tetragon.
pub(super) const OPTIONS: Refusals = &[
    ("override-method", NO_MEANING),
    ("disable-kprobe-multi", NO_MEANING),
    ("disable-uprobe-multi", NO_MEANING),
    ("sleepable-preload-size", NO_MEANING),
];

/// Kernel functions that Tetragon policies probe, and the LSM hook that serves the same question. Any other
/// `security_...` is the hook of that name.
pub(super) const PROBED_FUNCTIONS: &[(&str, &str)] = &[
    ("security_bprm_check", "bprm_check_security"),
    ("security_file_permission", "file_open"),
    ("fd_install", "file_open"),
    ("sys_openat", "file_open"),
    ("sys_execve", "bprm_check_security"),
    ("sys_execveat", "bprm_check_security"),
    ("sys_ptrace", "ptrace_access_check"),
    ("sys_mount", "sb_mount"),
    ("tcp_connect", "socket_connect"),
    ("do_init_module", "kernel_read_file"),
];

/// LSM hooks on which one of our own filters says what a probe's argument would.
pub(super) const OWN_FILTERS: &[(&str, &str)] = &[
    ("file_open", "`hashtrail: {openMode: [write]}` keeps opens for writing"),
    ("inode_setattr", "`hashtrail: {attributes: [mode]}` keeps changes of the mode"),
];

/// Keys of a hook entry's argument.
pub(super) const ARGUMENT: Refusals = &[
    ("maxData", CONTENT_TYPES),
    ("sizeArgIndex", CONTENT_TYPES),
    ("returnCopy", CONTENT_TYPES),
    (
        "btfTypeModule",
        "is not supported: the types of modules are not read; use `btfType` with a type of the kernel itself",
    ),
];

/// Keys of a hook entry.
pub(super) const HOOK: Refusals = &[];

/// Keys of a selector, and of a macro.
pub(super) const SELECTOR: Refusals = &[
    ("matchNamespaceChanges", NO_CHANGES),
    ("matchCapabilityChanges", NO_CHANGES),
    ("matchWorkloads", KUBERNETES),
    (
        "matchCmdArgs",
        "is not supported: hashtrail does not keep the command line of a running process; use `matchBinaries`, or hook \
         `bprm_committed_creds`, whose rows have it in `argv`",
    ),
    ("matchCEL", NO_EXPRESSIONS),
    ("matchCel", NO_EXPRESSIONS),
    ("MatchCel", NO_EXPRESSIONS),
    ("matchCurrentCred", "is not supported; use `hashtrail: {uids: ...}`, `euids` or `auids`, or `matchCapabilities`"),
    ("matchReturnArgs", NO_RETURN),
    ("matchReturnActions", NO_RETURN),
];

/// Keys of a selector that a macro cannot have.
pub(super) const MACRO: Refusals = &[("macros", "cannot stand in a macro; write the filters out")];

/// Keys of an action.
pub(super) const ACTION: Refusals = &[
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
pub(super) const ARGUMENT_OPERATORS: Refusals = &[
    ("In", "belongs to other filters; use `Equal` here"),
    ("NotIn", "belongs to other filters; use `NotEqual` here"),
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

/// Operators of `matchArgs` on a socket address.
pub(super) const ADDRESS_OPERATORS: Refusals = &[
    ("DAddr", OTHER_SIDE),
    ("NotDAddr", OTHER_SIDE),
    ("DPort", OTHER_SIDE),
    ("NotDPort", OTHER_SIDE),
    ("DPortPriv", OTHER_SIDE),
    ("NotDPortPriv", OTHER_SIDE),
    ("Protocol", NOT_IN_ADDRESS),
    ("State", NOT_IN_ADDRESS),
];

/// Operators of `matchArgs` on a socket.
pub(super) const SOCKET_OPERATORS: Refusals =
    &[("SAddr", OF_SOCKET), ("NotSAddr", OF_SOCKET), ("DAddr", OF_SOCKET), ("NotDAddr", OF_SOCKET)];

/// Operators of filters that have `In` and `NotIn`.
pub(super) const MEMBERSHIP_OPERATORS: Refusals =
    &[("Equal", "belongs to `matchArgs`; use `In` here"), ("NotEqual", "belongs to `matchArgs`; use `NotIn` here")];

/// Argument types of Tetragon beside the integers. Some are served, each on its arguments.
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
