//! The `reload` command: asks the running recorder to read its policies again.

use crate::host::say::say;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

/// Asks the running recorder to read its policies again.
///
/// # Errors
/// When none or several run, or the signal cannot be sent.
pub(crate) fn run(archive: Option<&Path>) -> Result<ExitCode> {
    let running = running_recorders(archive)?;
    let [pid] = running[..] else {
        let found = running.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if running.is_empty() {
            bail!("no recorder is running{}", if archive.is_some() { " on this archive" } else { "" });
        }
        bail!("several recorders are running (pids {found}); say which one with --archive");
    };
    let process = Pid::from_raw(pid).context("not a pid")?;
    kill_process(process, Signal::HUP).with_context(|| format!("cannot signal the recorder, pid {pid}"))?;
    say!("asked the recorder with pid {pid} to reload; its messages and the ledger say what came of it");
    Ok(ExitCode::SUCCESS)
}

/// Processes that run this same binary with `record`, and hold the archive's lock file open where one is given.
fn running_recorders(archive: Option<&Path>) -> Result<Vec<i32>> {
    let own = fs::metadata("/proc/self/exe").context("cannot find this binary")?;
    let lock = archive.map(|archive| archive.join(".journal/lock"));
    let lock = lock
        .map(|path| fs::metadata(&path).with_context(|| format!("cannot look at `{}`", path.display())))
        .transpose()?;
    let is_recorder = |pid: &i32| {
        let exe = fs::metadata(format!("/proc/{pid}/exe"));
        let same = exe.is_ok_and(|exe| (exe.dev(), exe.ino()) == (own.dev(), own.ino()));
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        same && arguments.split(|byte| *byte == 0).any(|argument| argument == b"record")
    };
    let holds_lock = |pid: &i32| {
        let Some(lock) = &lock else { return true };
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let mut opened = descriptors.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
        opened.any(|file| (file.dev(), file.ino()) == (lock.dev(), lock.ino()))
    };
    let pids = fs::read_dir("/proc").context("cannot read `/proc`")?.flatten();
    let pids = pids.filter_map(|entry| std::str::from_utf8(entry.file_name().as_bytes()).ok()?.parse::<i32>().ok());
    Ok(pids.filter(is_recorder).filter(holds_lock).collect())
}
