//! What this host says of itself: names, clocks, kernel, security modules, IMA.

pub(crate) mod lock;
pub(crate) mod mounts;
pub(crate) mod say;
pub(crate) mod units;

use hashtrail::clock::ClockAnchor;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Folder of IMA's own files.
const IMA: &str = "/sys/kernel/security/ima";

/// Facts about the host that stand in the manifest's start line.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Host {
    /// Node name as the kernel has it.
    pub(crate) node: String,
    /// `/etc/machine-id`.
    pub(crate) machine_id: Option<String>,
    /// The kernel's random id of this boot.
    pub(crate) boot_id: String,
    /// Kernel release.
    pub(crate) kernel: String,
    /// Machine hardware name.
    pub(crate) machine: String,
    /// Kernel command line.
    pub(crate) cmdline: Option<String>,
    /// Running LSMs in their order; `None` where securityfs is not mounted.
    pub(crate) lsm: Option<String>,
    /// Whether an IMA policy is loaded; `None` where it cannot be told.
    pub(crate) ima_policy: Option<bool>,
}

impl Host {
    /// Asks the running kernel.
    pub(crate) fn read() -> Self {
        let uname = rustix::system::uname();
        let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
        Self {
            node: text(uname.nodename()),
            machine_id: read_line("/etc/machine-id"),
            boot_id: read_line("/proc/sys/kernel/random/boot_id").unwrap_or_default(),
            kernel: text(uname.release()),
            machine: text(uname.machine()),
            cmdline: read_line("/proc/cmdline"),
            lsm: read_line("/sys/kernel/security/lsm"),
            ima_policy: ima_policy_loaded(),
        }
    }
}

/// A file's text without its final newline; `None` when it cannot be read.
pub(crate) fn read_line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

/// IMA measures `boot_aggregate` only when a policy asks for measurements, so two entries or more mean that a policy
/// is loaded. The policy itself cannot be read back on most kernels.
pub(crate) fn ima_policy_loaded() -> Option<bool> {
    let named = read_line("/proc/cmdline").is_some_and(|line| line.contains("ima_policy=") || line.contains("ima_tcb"));
    if named {
        return Some(true);
    }
    let count: u64 = read_line(&format!("{IMA}/runtime_measurements_count"))?.parse().ok()?;
    Some(count > 1)
}

/// Violations that IMA has counted: files that were written while they were measured.
pub(crate) fn ima_violations() -> Option<u64> {
    read_line(&format!("{IMA}/violations"))?.parse().ok()
}

/// Whether the kernel's function tracing is switched on; without it BPF LSM programs are attached and never run.
pub(crate) fn ftrace_enabled() -> Option<bool> {
    read_line("/proc/sys/kernel/ftrace_enabled").map(|value| value != "0")
}

/// Whether the kernel has IMA: its folder in securityfs.
pub(crate) fn has_ima() -> bool {
    fs::metadata(IMA).is_ok()
}

/// IMA's hash algorithm where no policy says otherwise.
pub(crate) fn ima_algorithm() -> String {
    let cmdline = read_line("/proc/cmdline").unwrap_or_default();
    cmdline
        .split_whitespace()
        .find_map(|word| word.strip_prefix("ima_hash="))
        .map_or_else(|| "the kernel's default".to_owned(), ToOwned::to_owned)
}

/// SHA-256 of the running recorder's own binary.
pub(crate) fn own_digest() -> Option<String> {
    let content = hashtrail::manifest::Content::of(fs::File::open("/proc/self/exe").ok()?);
    content.ok().map(|content| content.sha256)
}

/// A random UUID, from the kernel.
pub(crate) fn random_uuid() -> anyhow::Result<String> {
    use anyhow::Context;
    read_line("/proc/sys/kernel/random/uuid").context("cannot read `/proc/sys/kernel/random/uuid`")
}

/// Two random words, from the kernel.
///
/// # Errors
/// When the kernel gives none.
pub(crate) fn random_words() -> anyhow::Result<[u64; 2]> {
    use anyhow::Context;
    use std::io::Read;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("no random bytes")?;
    let number = u128::from_ne_bytes(bytes);
    Ok([u64::try_from(number >> 64)?, u64::try_from(number & u128::from(u64::MAX))?])
}

/// Inode number of a namespace of the first process, by its name below `/proc/<pid>/ns`.
///
/// # Errors
/// When the kernel has no such namespace.
pub(crate) fn host_namespace(name: &str) -> anyhow::Result<u64> {
    use anyhow::Context;
    let link = fs::metadata(format!("/proc/1/ns/{name}"));
    link.map(|metadata| metadata.ino()).with_context(|| format!("this kernel has no namespace `{name}`"))
}

/// Both clocks at this moment.
pub(crate) fn clock_anchor() -> ClockAnchor {
    let nanoseconds = |id| {
        let time = clock_gettime(id);
        time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
    };
    ClockAnchor { boot_ns: nanoseconds(ClockId::Boottime), utc_ns: nanoseconds(ClockId::Realtime) }
}

/// Device (`major:minor`) and inode of the root directory of process 1.
pub(crate) fn host_root() -> (String, i64) {
    let Ok(root) = fs::metadata("/proc/1/root/.") else { return (String::new(), 0) };
    let (major, minor) = (rustix::fs::major(root.dev()), rustix::fs::minor(root.dev()));
    (format!("{major}:{minor}"), root.ino().cast_signed())
}

/// Bytes of memory.
pub(crate) fn memory_bytes() -> u64 {
    let information = rustix::system::sysinfo();
    information.totalram.saturating_mul(u64::from(information.mem_unit))
}

/// The CPUs in a kernel list such as `0-3,8`.
pub(crate) fn parse_cpu_list(list: &str) -> Vec<u32> {
    list.trim()
        .split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.parse::<u32>().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

/// Online CPUs.
pub(crate) fn online_cpus() -> Vec<u32> {
    parse_cpu_list(&read_line("/sys/devices/system/cpu/online").unwrap_or_else(|| "0".into()))
}

/// Number of CPUs that could ever be: the range of CPU numbers.
pub(crate) fn possible_cpus() -> u32 {
    let list = read_line("/sys/devices/system/cpu/possible").unwrap_or_else(|| "0".into());
    parse_cpu_list(&list).last().map_or(1, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        assert_eq!(parse_cpu_list("0-2,8\n"), [0, 1, 2, 8]);
        assert_eq!(parse_cpu_list(""), Vec::<u32>::new());
    }
}
