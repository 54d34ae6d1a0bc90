//! Processes that run already when the recording starts: their binaries, noted for the kernel's filters and rows, and what
//! they are and write, so that the archive holds it.

mod proc;

use crate::content::identity;
use crate::host::say::say;
use crate::record::own_row::OwnRow;
use crate::record::wire;
use crate::recording::pipeline::Pipeline;
use crate::sensor::{Iterators, RUNNING_PROCESSES, Sensor, WRITERS};
use anyhow::Result;
use hashtrail::ledger::LedgerEntry;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::json;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Longest path of an executable that records carry.
const EXE_BYTES: usize = 255;
/// A child that is forked before its parent is noted inherits nothing, and only a later look finds it.
const MOST_LOOKS: usize = 16;
/// What the kernel puts behind the path of a file without a name.
const DELETED: &[u8] = b" (deleted)";

/// Notes the binary of each running process, before the hooks are attached: their filters may ask for it from the first
/// event on. Kernel threads have none.
pub(crate) fn note_running(sensor: &Sensor) {
    for _ in 0..MOST_LOOKS {
        let noted = proc::pids().into_iter().filter(|pid| note(sensor, *pid)).count();
        if noted == 0 {
            return;
        }
    }
}

/// Whether it was not known yet. Its own exec or fork, if seen meanwhile, is not overwritten.
fn note(sensor: &Sensor, pid: u32) -> bool {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    // Before its executable is read, so that another process that gets its number is not taken for it.
    let Ok(pidfd) = pidfd_open(process, PidfdFlags::empty()) else { return false };
    let Some(exe) = exe_of(pid) else { return false };
    let mut process = wire::process::default();
    let kept = &exe[..exe.len().min(EXE_BYTES)];
    process.exe_bytes = u32::try_from(kept.len()).unwrap_or_default();
    process.exe_truncated = u32::from(kept.len() < exe.len());
    for (place, byte) in process.exe.iter_mut().zip(kept) {
        *place = byte.cast_signed();
    }
    sensor.note_process(pidfd.as_fd(), &process)
}

/// What a look at the running processes found.
#[derive(Debug, Default)]
struct Found {
    processes: u64,
    descriptors: u64,
    /// `None`: not known.
    descriptors_unseen: Option<u64>,
    /// Whether somebody can write a disk past its filesystem.
    has_raw_writer: bool,
    is_exact: bool,
}

/// Records what runs and what is open for writing, after the hooks were attached, so that nothing falls between. Whether
/// nobody had a disk open for writing, as far as is known.
pub(crate) fn record_running(iterators: Result<Iterators>, pipeline: &mut Pipeline) -> bool {
    let found = iterators.and_then(|iterators| by_iterators(iterators, pipeline)).unwrap_or_else(|error| {
        say!("warning: the kernel gives no list of running processes, /proc is read instead: {error:#}");
        by_proc(pipeline)
    });
    let mut detail = json!({
        "processes": found.processes,
        "descriptors": found.descriptors,
        "descriptors_unseen": found.descriptors_unseen,
    });
    if !found.is_exact {
        detail["exact"] = false.into();
    }
    let now = pipeline.ledger("snapshot");
    pipeline.note(LedgerEntry { detail: Some(detail.to_string()), ..now });
    found.is_exact && found.descriptors_unseen == Some(0) && !found.has_raw_writer
}

fn by_iterators(mut iterators: Iterators, pipeline: &mut Pipeline) -> Result<Found> {
    let mut found = Found { is_exact: true, ..Found::default() };
    iterators.each(RUNNING_PROCESSES, |record| {
        if let Some(row) = OwnRow::read(record) {
            found.processes += 1;
            record_process(row, pipeline);
        }
    })?;
    let mut seen = HashSet::new();
    for writers in WRITERS {
        iterators.each(writers, |record| {
            let Some(row) = OwnRow::read(record) else { return };
            if seen.insert(file_of(&row.head)) {
                found.descriptors += 1;
                record_writer(row, pipeline);
            }
        })?;
    }
    found.descriptors_unseen = Some(iterators.unseen()?);
    // Last: who sets up a loop device closes its disk then.
    found.has_raw_writer = iterators.has_raw_writer()? || has_disk_in_loop();
    Ok(found)
}

/// Whether a loop device may show a disk, which the kernel then has open: what it shows is no regular file, or not found.
fn has_disk_in_loop() -> bool {
    let Ok(devices) = fs::read_dir("/sys/block") else { return true };
    let files = devices.flatten().map(|device| device.path().join("loop/backing_file"));
    files.filter_map(|file| fs::read(file).ok()).any(|path| {
        let path = PathBuf::from(OsString::from_vec(path.trim_ascii_end().to_vec()));
        !path.metadata().is_ok_and(|file| file.is_file())
    })
}

/// Times of starts are then those of the clock's ticks, and mappings without a descriptor are not looked at.
fn by_proc(pipeline: &mut Pipeline) -> Found {
    let mut found = Found::default();
    for pid in proc::pids() {
        let Some(process) = proc::process(pid) else { continue };
        found.processes += 1;
        let writers = proc::writers(&process);
        record_process(process, pipeline);
        let mut seen = HashSet::new();
        for writer in writers.into_iter().filter(|row| seen.insert(file_of(&row.head))) {
            found.descriptors += 1;
            record_writer(writer, pipeline);
        }
    }
    found
}

/// An exec since the look has a row of its own; the path of the old executable is then not known any more.
fn record_process(mut row: OwnRow, pipeline: &mut Pipeline) {
    let is_executable = |file: File| identity::is_file_of(&file, &row.head);
    let exe = proc::exe_handle(row.head.pid).filter(|_| has_file(&row.head)).is_some_and(is_executable);
    if let Some(exe) = exe.then(|| exe_of(row.head.pid)).flatten() {
        set_exe(&mut row, &exe);
        row.path = exe;
    }
    pipeline.record_own(row);
}

fn record_writer(mut row: OwnRow, pipeline: &mut Pipeline) {
    row.path = below(&row.path, &proc::root_of(row.head.pid)).to_vec();
    if let Some(exe) = exe_of(row.head.pid) {
        set_exe(&mut row, &exe);
    }
    pipeline.record_own(row);
}

/// A process and a file of it.
fn file_of(head: &wire::event) -> (u32, u32, u64, u32) {
    (head.pid, head.dev, head.ino, head.ino_generation)
}

fn has_file(head: &wire::event) -> bool {
    u32::from(head.flags) & wire::event_flag::EVENT_HAS_FILE.0 != 0
}

fn set_exe(row: &mut OwnRow, exe: &[u8]) {
    row.exe = exe[..exe.len().min(EXE_BYTES)].to_vec();
    if exe.len() > EXE_BYTES {
        row.head.flags |= wire::event_flag::EVENT_EXE_TRUNCATED.0.to_le_bytes()[0];
    }
}

/// The path of a process's executable as the process sees it, without the kernel's mark of unlinked files.
fn exe_of(pid: u32) -> Option<Vec<u8>> {
    let link = fs::read_link(format!("/proc/{pid}/exe")).ok()?.into_os_string().into_vec();
    let is_unlinked = link.ends_with(DELETED) && proc::exe_handle(pid).is_some_and(|file| proc::is_unlinked(&file));
    let path = if is_unlinked { &link[..link.len() - DELETED.len()] } else { &link };
    Some(below(path, &proc::root_of(pid)).to_vec())
}

/// A path below a root directory, as it is seen from there; others stay as they are.
fn below<'a>(path: &'a [u8], root: &[u8]) -> &'a [u8] {
    match path.strip_prefix(root) {
        Some(rest) if root != b"/" && rest.starts_with(b"/") => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_the_process_sees() {
        assert_eq!(below(b"/jail/bin/tool", b"/jail"), b"/bin/tool");
        assert_eq!(below(b"/jailer/bin/tool", b"/jail"), b"/jailer/bin/tool");
        assert_eq!(below(b"/bin/tool", b"/"), b"/bin/tool");
    }

    #[test]
    fn this_process_knows_its_executable() {
        let exe = std::env::current_exe().expect("this test runs").into_os_string().into_vec();
        assert_eq!(exe_of(std::process::id()), Some(exe));
    }
}
