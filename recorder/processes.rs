//! Processes that run already when the recording starts: their binaries, noted for the kernel's filters and rows.

use crate::sensor::Sensor;
use crate::wire;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;

/// Notes the binary of each running process. Kernel threads have none.
pub(crate) fn note_running(sensor: &Sensor) {
    let Ok(directory) = fs::read_dir("/proc") else { return };
    for pid in directory.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()) {
        let (Some(process), Some(pid)) = (running_process(pid), Pid::from_raw(pid)) else { continue };
        if let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) {
            sensor.note_process(pidfd.as_fd(), &process);
        }
    }
}

fn running_process(pid: i32) -> Option<wire::process> {
    let mut path = fs::read_link(format!("/proc/{pid}/exe")).ok()?.into_os_string().into_vec();
    // The kernel's own records carry the path without this mark.
    let deleted = b" (deleted)";
    if path.ends_with(deleted) && fs::symlink_metadata(std::ffi::OsString::from_vec(path.clone())).is_err() {
        path.truncate(path.len() - deleted.len());
    }
    let mut process = wire::process::default();
    let kept = path.len().min(process.exe.len() - 1);
    process.exe_bytes = u32::try_from(kept).ok()?;
    process.exe_truncated = u32::from(kept < path.len());
    for (place, byte) in process.exe.iter_mut().zip(&path[..kept]) {
        *place = byte.cast_signed();
    }
    Some(process)
}
