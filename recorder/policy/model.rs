//! What a policy asks for, checked and without its YAML.

/// One policy document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Policy {
    /// `metadata.name`.
    pub(crate) name: String,
    /// The file it stands in, or `built-in`.
    pub(crate) source: String,
    /// The whole text of that file, kept as evidence.
    pub(crate) text: String,
    /// Its hook entries, in the order of the file.
    pub(crate) hooks: Vec<HookEntry>,
    /// `policy-mode: monitor`: denials and signals are only noted, even with `--enforce`.
    pub(crate) monitor: bool,
    /// Each use of a key under `hashtrail:`, with its line. The filters alone do not tell: `fileTypes` and `FileType`
    /// are one.
    pub(crate) extensions: Vec<String>,
    /// Remarks that do not keep it from being used, each with file and line.
    pub(crate) warnings: Vec<String>,
}

/// One entry under `lsmhooks`. Each is evaluated on its own, also when a hook occurs twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HookEntry {
    /// The hook.
    pub(crate) hook: Hook,
    /// Line of the entry.
    pub(crate) line: usize,
    /// A text for people, at most 256 characters.
    pub(crate) message: Option<String>,
    /// At most 16 words for people.
    pub(crate) tags: Vec<String>,
    /// The first that matches decides. Empty: every call is recorded, without digest.
    ///
    /// What the entry's own `hashtrail:` says stands here already: its filters in each selector, and
    /// `recordByDefault` as a last selector without filters.
    pub(crate) selectors: Vec<Selector>,
}

/// An LSM hook.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Hook {
    /// A program is about to be executed, before its credentials are computed; not called for interpreters.
    BprmCredsForExec,
    /// The credentials of the program that will really run are computed from its file.
    BprmCredsFromFile,
    /// A program is about to be executed; also called for each interpreter.
    BprmCheckSecurity,
    /// An exec is about to change the credentials.
    BprmCommittingCreds,
    /// An exec can no longer fail.
    BprmCommittedCreds,
    /// A file is mapped into memory.
    MmapFile,
    /// A file is being opened; no digest is possible here.
    FileOpen,
    /// A file was opened, before its opener sees it (kernel 6.8 and later).
    FilePostOpen,
    /// The kernel reads a file for itself: a module, firmware, a kexec image, a policy.
    KernelReadFile,
    /// A file is locked.
    FileLock,
    /// A descriptor comes in over a socket.
    FileReceive,
    /// A file is renamed.
    InodeRename,
    /// A name of a file is removed.
    InodeUnlink,
    /// A file gets another name.
    InodeLink,
    /// Attributes of a file are changed, its size among them.
    InodeSetattr,
    /// An extended attribute is set.
    InodeSetxattr,
    /// A file is truncated by path (served by `inode_setattr` where the kernel has no sleepable hook for it).
    PathTruncate,
    /// Any other hook of the kernel: recorded with process and, where its first argument is a file or a program, file
    /// columns. Has no arguments that filters could be about, except that file.
    Other(String),
}

/// One argument in a hook's own prototype.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Argument {
    /// The kernel's name of it.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: ArgumentKind,
}

/// What a hook's argument is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ArgumentKind {
    /// `struct linux_binprm *`: the program to run.
    Binprm,
    /// `struct file *`.
    File,
    /// `struct dentry *`: a name in a directory.
    Dentry,
    /// `const struct path *`.
    Path,
    /// A number.
    Integer,
    /// Anything that no filter can be about.
    Opaque,
}

impl Hook {
    /// All hooks that have a program of their own.
    pub(crate) const fn all() -> [Self; 17] {
        [
            Self::BprmCredsForExec,
            Self::BprmCredsFromFile,
            Self::BprmCheckSecurity,
            Self::BprmCommittingCreds,
            Self::BprmCommittedCreds,
            Self::MmapFile,
            Self::FileOpen,
            Self::FilePostOpen,
            Self::KernelReadFile,
            Self::FileLock,
            Self::FileReceive,
            Self::InodeRename,
            Self::InodeUnlink,
            Self::InodeLink,
            Self::InodeSetattr,
            Self::InodeSetxattr,
            Self::PathTruncate,
        ]
    }

    /// The hook's name as the kernel and Tetragon write it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::BprmCredsForExec => "bprm_creds_for_exec",
            Self::BprmCredsFromFile => "bprm_creds_from_file",
            Self::BprmCheckSecurity => "bprm_check_security",
            Self::BprmCommittingCreds => "bprm_committing_creds",
            Self::BprmCommittedCreds => "bprm_committed_creds",
            Self::MmapFile => "mmap_file",
            Self::FileOpen => "file_open",
            Self::FilePostOpen => "file_post_open",
            Self::KernelReadFile => "kernel_read_file",
            Self::FileLock => "file_lock",
            Self::FileReceive => "file_receive",
            Self::InodeRename => "inode_rename",
            Self::InodeUnlink => "inode_unlink",
            Self::InodeLink => "inode_link",
            Self::InodeSetattr => "inode_setattr",
            Self::InodeSetxattr => "inode_setxattr",
            Self::PathTruncate => "path_truncate",
            Self::Other(name) => name,
        }
    }

    /// The hook of this name, if it has a program of its own.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|hook| hook.name() == name)
    }

    /// The hook's prototype, as in the kernel's `include/linux/lsm_hook_defs.h` (6.12; an older kernel's
    /// `inode_setattr` lacks the first argument).
    pub(crate) fn arguments(&self) -> &'static [Argument] {
        use ArgumentKind::{Binprm, Dentry, File, Integer, Opaque, Path};
        const fn a(name: &'static str, kind: ArgumentKind) -> Argument {
            argument(name, kind)
        }
        match self {
            Self::BprmCredsForExec | Self::BprmCheckSecurity | Self::BprmCommittingCreds | Self::BprmCommittedCreds => {
                &const { [a("bprm", Binprm)] }
            }
            Self::BprmCredsFromFile => &const { [a("bprm", Binprm), a("file", File)] },
            Self::MmapFile => {
                &const { [a("file", File), a("reqprot", Integer), a("prot", Integer), a("flags", Integer)] }
            }
            Self::FileOpen | Self::FileReceive => &const { [a("file", File)] },
            Self::FilePostOpen => &const { [a("file", File), a("mask", Integer)] },
            Self::KernelReadFile => &const { [a("file", File), a("id", Integer), a("contents", Integer)] },
            Self::FileLock => &const { [a("file", File), a("cmd", Integer)] },
            Self::InodeRename => {
                &const { [a("old_dir", Opaque), a("old_dentry", Dentry), a("new_dir", Opaque), a("new_dentry", Dentry)] }
            }
            Self::InodeUnlink => &const { [a("dir", Opaque), a("dentry", Dentry)] },
            Self::InodeLink => &const { [a("old_dentry", Dentry), a("dir", Opaque), a("new_dentry", Dentry)] },
            Self::InodeSetattr => &const { [a("idmap", Opaque), a("dentry", Dentry), a("attr", Opaque)] },
            Self::InodeSetxattr => {
                &const {
                    [a("idmap", Opaque), a("dentry", Dentry), a("name", Opaque), a("value", Opaque), a("size", Integer)]
                }
            }
            Self::PathTruncate => &const { [a("path", Path)] },
            Self::Other(_) => &[],
        }
    }

    /// The argument at this place; none where the hook has no such argument.
    pub(crate) fn argument(&self, index: u8) -> Option<Argument> {
        self.arguments().get(usize::from(index)).copied()
    }

    /// The text that a filter on this argument is about; none for what has no path.
    pub(crate) fn text_of(&self, index: u8) -> Option<Text> {
        match self.argument(index)?.kind {
            ArgumentKind::Integer | ArgumentKind::Opaque => None,
            ArgumentKind::Dentry if self.names_second_path(index) => Some(Text::Target),
            _ => Some(Text::Path),
        }
    }

    fn names_second_path(&self, index: u8) -> bool {
        matches!((self, index), (Self::InodeRename, 3) | (Self::InodeLink, 2))
    }

    /// Whether a digest can be taken here (or, for `file_open`, at the hook that serves it).
    pub(crate) fn has_digest(&self) -> bool {
        !matches!(
            self,
            Self::InodeRename
                | Self::InodeUnlink
                | Self::InodeLink
                | Self::InodeSetattr
                | Self::InodeSetxattr
                | Self::PathTruncate
                | Self::Other(_)
        )
    }

    /// Whether the kernel heeds what the hook returns.
    pub(crate) fn can_deny(&self) -> bool {
        !matches!(self, Self::BprmCommittingCreds | Self::BprmCommittedCreds)
    }
}

const fn argument(name: &'static str, kind: ArgumentKind) -> Argument {
    Argument { name, kind }
}

/// Filters that must all match, and what is then done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Selector {
    /// Line of the selector.
    pub(crate) line: usize,
    /// Its name in counters.
    pub(crate) label: Option<String>,
    /// All must match; empty matches everything.
    pub(crate) filters: Vec<Filter>,
    /// What is done on a match.
    pub(crate) action: Action,
}

/// What is done when a selector matches.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Action {
    /// Record the event.
    pub(crate) post: bool,
    /// Ask IMA for the file's digest; never without `post`.
    pub(crate) ima_hash: bool,
    /// Events that equal one within this time are not posted.
    pub(crate) rate_limit: Option<RateLimit>,
    /// One row for each file (and process) and digest within this time.
    pub(crate) dedupe: Option<Dedupe>,
    /// `Override`: what the hook returns, -4095 to 0.
    pub(crate) error: Option<i32>,
    /// `Signal` or `Sigkill`: what the calling process gets.
    pub(crate) signal: Option<u8>,
}

impl Action {
    /// What is done where a selector names no action.
    pub(crate) const POST: Self =
        Self { post: true, ima_hash: false, rate_limit: None, dedupe: None, error: None, signal: None };
}

impl Selector {
    /// Whether the file is hashed, for the row or for a filter.
    pub(crate) fn needs_digest(&self) -> bool {
        self.action.ima_hash || self.filters.iter().any(|filter| matches!(filter, Filter::Digest { .. }))
    }
}

/// `rateLimit` of `Post`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RateLimit {
    /// Nanoseconds.
    pub(crate) window_ns: u64,
    /// Within what events are compared.
    pub(crate) scope: LimitScope,
}

/// `rateLimitScope`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LimitScope {
    /// One thread.
    Thread,
    /// One process.
    Process,
    /// The whole host.
    Global,
}

/// `hashtrail: dedupe`. The file is always part of the key, so that A→B→A is never merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Dedupe {
    /// Nanoseconds.
    pub(crate) window_ns: u64,
    /// Whether each process counts for itself.
    pub(crate) by_process: bool,
}

/// One condition of a selector. `negated` means that none of the values may match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Filter {
    /// On a text.
    Text {
        /// Which.
        text: Text,
        /// How it is compared, with what.
        paths: PathFilter,
    },
    /// On a number.
    Number {
        /// Which.
        number: Number,
        /// Matches if no range does.
        negated: bool,
        /// Both ends included; at least one; in any order, they may overlap. [`NEVER`] stands alone.
        ranges: Vec<(u64, u64)>,
    },
    /// On bits of a number: any of them is set.
    Mask {
        /// Which number.
        number: Number,
        /// Matches if none is set.
        negated: bool,
        /// The bits.
        mask: u64,
    },
    /// On a namespace of the process.
    Namespace {
        /// Which kind.
        kind: Namespace,
        /// Matches if none of the values does.
        negated: bool,
        /// Alternatives.
        values: Vec<NamespaceValue>,
    },
    /// `matchPIDs` with `followForks`: the process or an ancestor of it.
    Family {
        /// Process ids, at most four.
        pids: Vec<u32>,
        /// They are ids in the process's own namespace.
        is_namespace_pid: bool,
        /// Matches if it is of no such family.
        negated: bool,
    },
    /// `hashtrail: digests`, decided after hashing.
    Digest {
        /// As the kernel names it: `sha256`.
        algorithm: String,
        /// Matches if it is none of them.
        negated: bool,
        /// The digests.
        digests: Vec<Vec<u8>>,
    },
}

/// The only range of a filter that no number can match, such as `LT` 0.
pub(crate) const NEVER: (u64, u64) = (1, 0);

/// When a filter is decided, cheapest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Stage {
    /// From the process and plain numbers, before any path is built.
    Number,
    /// On the built path.
    Path,
    /// After hashing.
    Digest,
}

impl Filter {
    /// When it is decided.
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::Text { text: Text::Path | Text::Target, .. } => Stage::Path,
            Self::Digest { .. } => Stage::Digest,
            _ => Stage::Number,
        }
    }
}

/// A text that a filter is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Text {
    /// Path of the hook's file, program or first dentry.
    Path,
    /// Second path of a rename or link.
    Target,
    /// Path of the calling process's binary, as of its exec.
    Binary,
    /// That, or the one of an ancestor (`followChildren`).
    Followed,
    /// Path of the parent's binary.
    ParentBinary,
    /// That, or the one of an ancestor of the parent.
    ParentFollowed,
    /// Name of the calling thread (`mm.owner.comm`).
    Comm,
    /// Name of the parent.
    ParentComm,
    /// Name of the grandparent.
    GrandparentComm,
}

/// A number that a filter is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Number {
    /// Argument of the hook, by its place. No hook's number is negative: a negative value in a policy stands here in
    /// two's complement of its type's width, so narrow arguments are zero-extended.
    Argument(u8),
    /// Bits of [`OPEN_MODES`].
    OpenMode,
    /// Bits of [`ATTRIBUTES`].
    Attributes,
    /// `S_IFMT` bits of the file's mode.
    FileType,
    /// Real user.
    Uid,
    /// Effective user.
    Euid,
    /// Login user; unset is `0xffff_ffff`.
    Auid,
    /// Process in the host's namespace.
    Pid,
    /// Process in its own namespace.
    NamespacePid,
    /// Bits of the effective capabilities.
    Effective,
    /// Bits of the inheritable capabilities.
    Inheritable,
    /// Bits of the permitted capabilities.
    Permitted,
}

/// A kind of namespace.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(missing_docs, reason = "the kernel's names")]
pub(crate) enum Namespace {
    Uts,
    Ipc,
    Mnt,
    Pid,
    PidForChildren,
    Net,
    Time,
    TimeForChildren,
    Cgroup,
    User,
}

/// One namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamespaceValue {
    /// `host_ns`: that of the first process.
    Host,
    /// By its inode number.
    Inode(u64),
}

/// A comparison of a text with alternatives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PathFilter {
    /// How each value is compared.
    pub(crate) operator: PathOperator,
    /// Matches if none of the values does.
    pub(crate) negated: bool,
    /// At least one, none empty.
    pub(crate) values: Vec<Vec<u8>>,
}

/// How a text is compared, byte for byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PathOperator {
    /// The whole text.
    Equal,
    /// Its beginning.
    Prefix,
    /// Its end.
    Postfix,
    /// Anywhere in it.
    SubString,
    /// Anywhere in it, ASCII letters of either case.
    SubStringIgnoringCase,
}

/// Open for reading.
pub(crate) const OPEN_READ: u32 = 1 << 0;
/// Open for writing.
pub(crate) const OPEN_WRITE: u32 = 1 << 1;
/// `O_TRUNC`: the open empties the file.
pub(crate) const OPEN_TRUNCATE: u32 = 1 << 2;
/// `O_APPEND`.
pub(crate) const OPEN_APPEND: u32 = 1 << 3;
/// `O_CREAT`: the open may create the file.
pub(crate) const OPEN_CREATE: u32 = 1 << 4;

/// The names of `hashtrail: {openMode: [...]}` and their bits.
pub(crate) const OPEN_MODES: [(&str, u32); 5] = [
    ("read", OPEN_READ),
    ("write", OPEN_WRITE),
    ("truncate", OPEN_TRUNCATE),
    ("append", OPEN_APPEND),
    ("create", OPEN_CREATE),
];

/// The names of `hashtrail: {attributes: [...]}` on `inode_setattr` and their bits, the kernel's `ATTR_*`.
pub(crate) const ATTRIBUTES: [(&str, u32); 7] =
    [("mode", 1), ("uid", 2), ("gid", 4), ("size", 8), ("atime", 16), ("mtime", 32), ("ctime", 64)];

/// The names of `FileType` and their `S_IFMT` bits.
pub(crate) const FILE_TYPES: [(&str, u32); 13] = [
    ("reg", 0o100_000),
    ("regular", 0o100_000),
    ("dir", 0o040_000),
    ("lnk", 0o120_000),
    ("link", 0o120_000),
    ("sock", 0o140_000),
    ("socket", 0o140_000),
    ("fifo", 0o010_000),
    ("pipe", 0o010_000),
    ("chr", 0o020_000),
    ("char", 0o020_000),
    ("blk", 0o060_000),
    ("block", 0o060_000),
];
