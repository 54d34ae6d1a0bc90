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
    pub(crate) selectors: Vec<Selector>,
}

/// An LSM hook that the sensor has a program for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Hook {
    /// A program is about to be executed; also called for each interpreter.
    BprmCheckSecurity,
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
    /// A number.
    Integer,
}

impl Hook {
    /// All hooks.
    pub(crate) const fn all() -> [Self; 6] {
        [
            Self::BprmCheckSecurity,
            Self::BprmCommittedCreds,
            Self::MmapFile,
            Self::FileOpen,
            Self::FilePostOpen,
            Self::KernelReadFile,
        ]
    }

    /// The hook's name as the kernel and Tetragon write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BprmCheckSecurity => "bprm_check_security",
            Self::BprmCommittedCreds => "bprm_committed_creds",
            Self::MmapFile => "mmap_file",
            Self::FileOpen => "file_open",
            Self::FilePostOpen => "file_post_open",
            Self::KernelReadFile => "kernel_read_file",
        }
    }

    /// The hook of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|hook| hook.name() == name)
    }

    /// The hook's prototype, as in the kernel's `include/linux/lsm_hook_defs.h`.
    pub(crate) const fn arguments(self) -> &'static [Argument] {
        const BPRM: Argument = argument("bprm", ArgumentKind::Binprm);
        const FILE: Argument = argument("file", ArgumentKind::File);
        match self {
            Self::BprmCheckSecurity | Self::BprmCommittedCreds => &[BPRM],
            Self::MmapFile => {
                &const {
                    [
                        FILE,
                        argument("reqprot", ArgumentKind::Integer),
                        argument("prot", ArgumentKind::Integer),
                        argument("flags", ArgumentKind::Integer),
                    ]
                }
            }
            Self::FileOpen => &[FILE],
            Self::FilePostOpen => &const { [FILE, argument("mask", ArgumentKind::Integer)] },
            Self::KernelReadFile => {
                &const { [FILE, argument("id", ArgumentKind::Integer), argument("contents", ArgumentKind::Integer)] }
            }
        }
    }

    /// The argument at this place; none where the hook has no such argument.
    pub(crate) fn argument(self, index: u8) -> Option<Argument> {
        self.arguments().get(usize::from(index)).copied()
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
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Action {
    /// Record the event.
    pub(crate) post: bool,
    /// Ask IMA for the file's digest; never without `post`.
    pub(crate) ima_hash: bool,
}

/// One condition of a selector.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Filter {
    /// On the path of the running process's binary, as of its exec.
    Binary(PathFilter),
    /// On the path of the hook's file or program.
    Path(PathFilter),
    /// On a number that the hook was given.
    Integer {
        /// Place in the hook's prototype.
        argument: u8,
        /// How it is compared.
        operator: IntegerOperator,
        /// One to four values, alternatives.
        values: Vec<u64>,
    },
    /// On how the file is opened.
    OpenMode {
        /// Bits of [`OPEN_MODES`], alternatives.
        modes: u32,
    },
}

/// A comparison of a path with alternatives.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PathFilter {
    /// How each value is compared.
    pub(crate) operator: PathOperator,
    /// Matches if none of the values does.
    pub(crate) negated: bool,
    /// At least one, none empty.
    pub(crate) values: Vec<Vec<u8>>,
}

/// How a path is compared, byte for byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PathOperator {
    /// The whole path.
    Equal,
    /// Its beginning.
    Prefix,
    /// Its end.
    Postfix,
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum IntegerOperator {
    /// One of the values.
    Equal,
    /// None of the values.
    NotEqual,
    /// Any bit of any value is set.
    Mask,
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
