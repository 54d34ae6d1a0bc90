//! The conditions of a selector.

use super::{Comparison, Value};
use std::sync::Arc;

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
    /// On a value that only the kernel's BTF explains.
    Value {
        /// Which.
        value: Arc<Value>,
        /// Matches if the comparison does not.
        negated: bool,
        /// With what.
        comparison: Comparison,
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
    /// From the process and plain numbers, the file's type among them, before any path is built.
    Number,
    /// On the built path, and on names of threads, which are looked up in the same memory.
    Path,
    /// After hashing.
    Digest,
}

impl Filter {
    /// When it is decided.
    pub(crate) const fn stage(&self) -> Stage {
        match self {
            Self::Text { text, .. } => match text {
                Text::Path
                | Text::Target
                | Text::AttributeName
                | Text::Comm
                | Text::ParentComm
                | Text::GrandparentComm => Stage::Path,
                Text::Binary | Text::Followed | Text::ParentBinary | Text::ParentFollowed => Stage::Number,
            },
            Self::Digest { .. } => Stage::Digest,
            Self::Value { comparison: Comparison::Text(_), .. } => Stage::Path,
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
    /// Name of an extended attribute.
    AttributeName,
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
