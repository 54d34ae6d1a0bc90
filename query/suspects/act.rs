//! What an event did that can have changed what stands at a path.

use hashtrail::event::Event;
use hashtrail::hooks;

const O_ACCMODE: i32 = 0o3;
const O_TRUNC: i32 = 0o1000;
/// Flags of an open that writes.
const WRITES: i32 = 0o1;

/// What a suspect did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    /// Opened a file for writing. Later writes and writable mappings need it.
    WriteOpen,
    /// Held a file open for writing when the recording began.
    OpenDescriptor,
    /// Changed the size.
    Truncate,
    /// Gave a file another name.
    Rename,
    /// Gave a file a further name.
    Link,
    /// Took a name away.
    Unlink,
    /// Mounted something at a path, or moved a mount to it.
    Mount,
    /// Took a mount away from a path.
    Unmount,
    /// Changed mode, owner or times.
    SetAttr,
    /// Changed an extended attribute.
    SetXattr,
}

impl Act {
    pub(crate) const ALL: [Self; 10] = [
        Self::WriteOpen,
        Self::OpenDescriptor,
        Self::Truncate,
        Self::Rename,
        Self::Link,
        Self::Unlink,
        Self::Mount,
        Self::Unmount,
        Self::SetAttr,
        Self::SetXattr,
    ];

    /// `None` when the event cannot have changed anything, also because it was denied.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        if event.action == "deny" && event.enforced {
            return None;
        }
        match Self::of_hook(&event.hook, event.open_flags)? {
            Self::SetAttr if event.attributes.iter().any(|attribute| attribute == "size") => Some(Self::Truncate),
            act => Some(act),
        }
    }

    /// As far as hook and flags tell.
    pub(super) fn of_hook(hook: &str, open_flags: Option<i32>) -> Option<Self> {
        match hook {
            hooks::FILE_OPEN | hooks::FILE_POST_OPEN => {
                open_flags.is_some_and(opens_for_writing).then_some(Self::WriteOpen)
            }
            hooks::OPEN_DESCRIPTOR => Some(Self::OpenDescriptor),
            hooks::PATH_TRUNCATE | hooks::FILE_TRUNCATE => Some(Self::Truncate),
            hooks::PATH_RENAME | hooks::INODE_RENAME => Some(Self::Rename),
            hooks::PATH_LINK | hooks::INODE_LINK => Some(Self::Link),
            hooks::PATH_UNLINK | hooks::INODE_UNLINK => Some(Self::Unlink),
            hooks::SB_MOUNT | hooks::MOVE_MOUNT => Some(Self::Mount),
            hooks::SB_UMOUNT => Some(Self::Unmount),
            hooks::INODE_SETATTR => Some(Self::SetAttr),
            hooks::INODE_SETXATTR => Some(Self::SetXattr),
            _ => None,
        }
    }

    /// The same for a hook's text alone: what it is with the right flags and attributes.
    pub(super) fn widest_of_hook(hook: &str) -> Option<Self> {
        match Self::of_hook(hook, Some(WRITES))? {
            Self::SetAttr => Some(Self::Truncate),
            act => Some(act),
        }
    }

    /// Whether such an act of the widest is one with these flags.
    pub(super) fn has_flags(self, open_flags: Option<i32>) -> bool {
        self != Self::WriteOpen || open_flags.is_some_and(opens_for_writing)
    }

    /// As users see it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WriteOpen => "write_open",
            Self::OpenDescriptor => "open_descriptor",
            Self::Truncate => "truncate",
            Self::Rename => "rename",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Mount => "mount",
            Self::Unmount => "unmount",
            Self::SetAttr => "setattr",
            Self::SetXattr => "setxattr",
        }
    }

    /// Whether it can have changed the content that the path names.
    pub(crate) fn changes_content(self) -> bool {
        !matches!(self, Self::SetAttr | Self::SetXattr)
    }

    /// Whether a directory above a file, or a mount there, can put another one in its place.
    pub(super) fn moves_directories(self) -> bool {
        matches!(self, Self::Rename | Self::Mount | Self::Unmount)
    }

    /// Whether it can have changed the content of the inode itself.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::WriteOpen | Self::OpenDescriptor | Self::Truncate)
    }
}

fn opens_for_writing(flags: i32) -> bool {
    flags & O_ACCMODE != 0 || flags & O_TRUNC != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hook_is_one_act() {
        let event = |hook: &str| Event { hook: hook.into(), open_flags: Some(1), ..Event::default() };
        for (hook, act) in [
            ("file_open", "write_open"),
            ("file_post_open", "write_open"),
            ("open_descriptor", "open_descriptor"),
            ("path_truncate", "truncate"),
            ("file_truncate", "truncate"),
            ("path_rename", "rename"),
            ("inode_rename", "rename"),
            ("path_link", "link"),
            ("inode_link", "link"),
            ("path_unlink", "unlink"),
            ("inode_unlink", "unlink"),
            ("sb_mount", "mount"),
            ("move_mount", "mount"),
            ("sb_umount", "unmount"),
            ("inode_setattr", "setattr"),
            ("inode_setxattr", "setxattr"),
        ] {
            assert_eq!(Act::of(&event(hook)).map(Act::name), Some(act), "{hook}");
        }
        for hook in ["mmap_file", "bprm_check_security", "sched_process_fork", "running_process", "user_digest"] {
            assert_eq!(Act::of(&event(hook)), None, "{hook}");
        }
    }

    #[test]
    fn only_opens_for_writing_count() {
        let opened = |flags| Act::of(&Event { hook: "file_open".into(), open_flags: flags, ..Event::default() });
        for flags in [1, 0o102, O_TRUNC] {
            assert_eq!(opened(Some(flags)), Some(Act::WriteOpen));
        }
        assert_eq!((opened(Some(0o2_000_000)), opened(None)), (None, None));
    }

    #[test]
    fn a_change_of_size_is_a_truncation_and_other_attributes_leave_the_content() {
        let set = |attributes: &[&str]| {
            let attributes = attributes.iter().map(|attribute| (*attribute).to_owned()).collect();
            Act::of(&Event { hook: "inode_setattr".into(), attributes, ..Event::default() })
        };
        assert_eq!(set(&["mtime", "size"]), Some(Act::Truncate));
        assert_eq!(set(&["mode"]), Some(Act::SetAttr));
        assert!(Act::Truncate.changes_content() && !Act::SetAttr.changes_content() && !Act::SetXattr.changes_content());
    }

    #[test]
    fn what_was_denied_did_not_happen() {
        let rename =
            |enforced| Event { hook: "inode_rename".into(), action: "deny".into(), enforced, ..Event::default() };
        assert_eq!((Act::of(&rename(true)), Act::of(&rename(false))), (None, Some(Act::Rename)));
    }
}
