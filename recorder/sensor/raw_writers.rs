//! Who can write a disk past its filesystem: while nobody can, digests of small files are used again.

use super::Sensor;
use crate::btf::Kernel;
use crate::record::wire;
use anyhow::Result;
use libbpf_rs::{MapCore, MapFlags};

/// The programs that see it, and the hooks of each.
pub(super) const PROGRAMS: [(&str, &str); 4] = [
    ("watch_ioctl", "file_ioctl"),
    (COMPAT_PROGRAM, "file_ioctl_compat"),
    ("watch_uring_cmd", "uring_cmd"),
    ("watch_receive", "file_receive"),
];
/// Where the kernel lacks its hook, `watch_ioctl` sees what it would. Without one of the others it is not known who writes.
const COMPAT_PROGRAM: &str = "watch_ioctl_compat";

/// Those whose hooks this kernel has.
pub(super) fn programs() -> Vec<&'static str> {
    let Ok(kernel) = Kernel::read() else { return Vec::new() };
    PROGRAMS.into_iter().filter(|(_, hook)| kernel.has_hook(hook)).map(|(name, _)| name).collect()
}

pub(super) fn is_program(name: &str) -> bool {
    PROGRAMS.iter().any(|(program, _)| *program == name)
}

impl Sensor {
    /// Nobody had a disk open for writing when the programs were attached: digests of small files can be used again, if
    /// whoever writes one from then on is seen.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub(crate) fn note_no_raw_writer(&self) -> Result<()> {
        if self.watches_raw_writers() { self.set_no_raw_writer_before(1) } else { Ok(()) }
    }

    pub(super) fn watches_raw_writers(&self) -> bool {
        PROGRAMS.iter().filter(|(name, _)| *name != COMPAT_PROGRAM).all(|(name, _)| self.programs.contains(name))
    }

    pub(super) fn set_no_raw_writer_before(&self, is_known: u64) -> Result<()> {
        let key = wire::raw_writers_key::RAW_WRITERS_NONE_BEFORE.0.to_ne_bytes();
        Ok(self.skeleton.maps.raw_writers.update(&key, &is_known.to_ne_bytes(), MapFlags::ANY)?)
    }
}
