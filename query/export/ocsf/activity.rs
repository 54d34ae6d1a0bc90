//! The class of a moment, and what was done in its words.

use crate::export::words::{is_denied, is_library_load, is_module_load, texts};
use crate::investigate::timeline::{Moment, What};
use hashtrail::hooks;

/// Classes with their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// What is none of the others.
    Base = 0,
    File = 1001,
    KernelExtension = 1002,
    Module = 1005,
    Process = 1007,
    EventLog = 1008,
}

impl Class {
    /// Where in its objects the file stands.
    pub(super) fn place_of_file(self) -> &'static str {
        match self {
            Self::KernelExtension => "driver.file",
            Self::Module => "module.file",
            Self::Process => "process.file",
            Self::Base | Self::File | Self::EventLog => "file",
        }
    }
}

pub(super) struct Activity<'a> {
    pub(super) class: Class,
    pub(super) id: u32,
    pub(super) name: &'a str,
    pub(super) status: u32,
}

/// The schema has no number for it.
const OTHER: u32 = 99;
const UNKNOWN: u32 = 0;
const SUCCESS: u32 = 1;
const FAILURE: u32 = 2;

impl<'a> Activity<'a> {
    pub(super) fn of(moment: &'a Moment) -> Self {
        let (class, id, name) = match moment.what {
            What::Gap => (Class::EventLog, OTHER, "Gap"),
            What::Change => of_change(moment),
            What::Event => of_event(moment),
        };
        Self { class, id, name, status: status(moment) }
    }

    /// How a process was launched, where it was.
    pub(super) fn launch_type(&self) -> Option<u32> {
        let launched = if self.name == "Fork" { 2 } else { 3 };
        (self.class == Class::Process && self.id == 1).then_some(launched)
    }
}

/// Only where the bytes of the same inode changed, somebody wrote to the file. What stands at a path can be another file.
fn of_change(moment: &Moment) -> (Class, u32, &str) {
    let kind = moment.text("kind");
    if kind == "rewritten" { (Class::File, 3, "Update") } else { (Class::File, OTHER, kind) }
}

fn of_event(moment: &Moment) -> (Class, u32, &str) {
    let hook = moment.text("hook");
    let (id, name) = match hook {
        hooks::PROCESS_FORK => return (Class::Process, 1, "Fork"),
        // What a policy denied was asked for and did not become a run; of another attempt a later row tells the end.
        hooks::BPRM_COMMITTED_CREDS => return (Class::Process, 1, "Launch"),
        _ if hooks::is_exec(hook) && is_denied(moment) => return (Class::Process, 1, "Launch"),
        _ if hooks::is_exec(hook) || hook == hooks::RUNNING_PROCESS => return (Class::Process, OTHER, hook),
        // Whatever is about a file names it.
        _ if moment.text("path").is_empty() => return (Class::Base, OTHER, hook),
        _ if is_library_load(moment) => return (Class::Module, 1, "Load"),
        _ if is_module_load(moment) => return (Class::KernelExtension, 1, "Load"),
        "inode_create" | "inode_mkdir" | "inode_mknod" | "inode_symlink" => (1, "Create"),
        hooks::KERNEL_READ_FILE => (2, "Read"),
        hooks::PATH_TRUNCATE => (3, "Update"),
        hooks::INODE_SETATTR if changes(moment, &["size"]) => (3, "Update"),
        hooks::INODE_UNLINK | hooks::PATH_UNLINK | "inode_rmdir" => (4, "Delete"),
        hooks::INODE_RENAME | hooks::PATH_RENAME => (5, "Rename"),
        hooks::INODE_SETATTR if changes(moment, &["mode", "uid", "gid"]) => (7, "Set Security"),
        hooks::INODE_SETATTR | hooks::INODE_SETXATTR | "inode_removexattr" => (6, "Set Attributes"),
        hooks::FILE_OPEN | hooks::FILE_POST_OPEN => (14, "Open"),
        _ => (OTHER, hook),
    };
    (Class::File, id, name)
}

fn changes(moment: &Moment, attributes: &[&str]) -> bool {
    texts(moment, "attributes").any(|changed| attributes.contains(&changed))
}

/// A hook stands before what it is about. Whether that came about is known where it was denied, or is over.
fn status(moment: &Moment) -> u32 {
    match moment.text("hook") {
        _ if is_denied(moment) => FAILURE,
        hooks::BPRM_COMMITTED_CREDS | hooks::PROCESS_FORK => SUCCESS,
        _ => UNKNOWN,
    }
}
