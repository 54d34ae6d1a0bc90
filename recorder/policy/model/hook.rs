//! The hooks that a policy can name.

use super::Text;
use hashtrail::hooks;

/// Longest name of a hook that is not looked for in vain.
const MAX_NAME: usize = 64;

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
    /// The protection of mapped memory is changed.
    FileMprotect,
    /// The kernel takes an image, such as a module, from the memory of a process.
    KernelLoadData,
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
    /// Something is mounted at a path, or a mount is changed there.
    SbMount,
    /// A mount is moved to a path, also one that hung nowhere (the newer calls for mounts).
    MoveMount,
    /// What is mounted at a path is taken away from it.
    SbUmount,
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
    /// `const char *`.
    Text,
    /// A number.
    Integer,
    /// Anything that no filter can be about.
    Opaque,
}

impl Hook {
    /// All hooks that have a program of their own.
    pub(crate) const fn all() -> [Self; 22] {
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
            Self::FileMprotect,
            Self::KernelLoadData,
            Self::InodeRename,
            Self::InodeUnlink,
            Self::InodeLink,
            Self::InodeSetattr,
            Self::InodeSetxattr,
            Self::PathTruncate,
            Self::SbMount,
            Self::MoveMount,
            Self::SbUmount,
        ]
    }

    /// The hook's name as the kernel and Tetragon write it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::BprmCredsForExec => hooks::BPRM_CREDS_FOR_EXEC,
            Self::BprmCredsFromFile => hooks::BPRM_CREDS_FROM_FILE,
            Self::BprmCheckSecurity => hooks::BPRM_CHECK_SECURITY,
            Self::BprmCommittingCreds => hooks::BPRM_COMMITTING_CREDS,
            Self::BprmCommittedCreds => hooks::BPRM_COMMITTED_CREDS,
            Self::MmapFile => hooks::MMAP_FILE,
            Self::FileOpen => hooks::FILE_OPEN,
            Self::FilePostOpen => hooks::FILE_POST_OPEN,
            Self::KernelReadFile => hooks::KERNEL_READ_FILE,
            Self::FileLock => hooks::FILE_LOCK,
            Self::FileReceive => hooks::FILE_RECEIVE,
            Self::FileMprotect => hooks::FILE_MPROTECT,
            Self::KernelLoadData => hooks::KERNEL_LOAD_DATA,
            Self::InodeRename => hooks::INODE_RENAME,
            Self::InodeUnlink => hooks::INODE_UNLINK,
            Self::InodeLink => hooks::INODE_LINK,
            Self::InodeSetattr => hooks::INODE_SETATTR,
            Self::InodeSetxattr => hooks::INODE_SETXATTR,
            Self::PathTruncate => hooks::PATH_TRUNCATE,
            Self::SbMount => hooks::SB_MOUNT,
            Self::MoveMount => hooks::MOVE_MOUNT,
            Self::SbUmount => hooks::SB_UMOUNT,
            Self::Other(name) => name,
        }
    }

    /// The hook of this name, if it has a program of its own.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|hook| hook.name() == name)
    }

    /// Whether the kernel could have a hook of this name. The kernel's longest have about 30 characters.
    pub(crate) fn has_possible_name(&self) -> bool {
        let is_identifier = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let name = self.name();
        !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_identifier)
    }

    /// The hook's prototype, as in the kernel's `include/linux/lsm_hook_defs.h` (6.12; an older kernel's
    /// `inode_setattr` lacks the first argument).
    pub(crate) fn arguments(&self) -> &'static [Argument] {
        use ArgumentKind::{self as Kind, Binprm, Dentry, File, Integer, Opaque, Path};
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
            Self::FileMprotect => &const { [a("vma", Opaque), a("reqprot", Integer), a("prot", Integer)] },
            Self::KernelLoadData => &const { [a("id", Integer), a("contents", Integer)] },
            Self::FileLock => &const { [a("file", File), a("cmd", Integer)] },
            Self::InodeRename => {
                &const { [a("old_dir", Opaque), a("old_dentry", Dentry), a("new_dir", Opaque), a("new_dentry", Dentry)] }
            }
            Self::InodeUnlink => &const { [a("dir", Opaque), a("dentry", Dentry)] },
            Self::InodeLink => &const { [a("old_dentry", Dentry), a("dir", Opaque), a("new_dentry", Dentry)] },
            Self::InodeSetattr => &const { [a("idmap", Opaque), a("dentry", Dentry), a("attr", Opaque)] },
            Self::InodeSetxattr => {
                &const {
                    [
                        a("idmap", Opaque),
                        a("dentry", Dentry),
                        a("name", Kind::Text),
                        a("value", Opaque),
                        a("size", Integer),
                    ]
                }
            }
            Self::PathTruncate => &const { [a("path", Path)] },
            Self::SbMount => {
                &const { [a("dev_name", Opaque), a("path", Path), a("type", Opaque), a("flags", Integer), a("data", Opaque)] }
            }
            Self::MoveMount => &const { [a("from_path", Opaque), a("to_path", Path)] },
            Self::SbUmount => &const { [a("mnt", Path), a("flags", Integer)] },
            Self::Other(_) => &[],
        }
    }

    /// The argument at this place; none where the hook has no such argument.
    pub(crate) fn argument(&self, index: u8) -> Option<Argument> {
        self.arguments().get(usize::from(index)).copied()
    }

    /// The text that a filter on this argument is about; none for what has none.
    pub(crate) fn text_of(&self, index: u8) -> Option<Text> {
        match self.argument(index)?.kind {
            ArgumentKind::Integer | ArgumentKind::Opaque => None,
            ArgumentKind::Text => Some(Text::AttributeName),
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
            Self::KernelLoadData
                | Self::InodeRename
                | Self::InodeUnlink
                | Self::InodeLink
                | Self::InodeSetattr
                | Self::InodeSetxattr
                | Self::PathTruncate
                | Self::SbMount
                | Self::MoveMount
                | Self::SbUmount
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
