//! Other policies while a recording runs, and the command that asks for them.

use crate::pipeline::Pipeline;
use crate::policy;
use crate::policy::model::Policy;
use crate::record::{kernel_support, names, note_policies};
use crate::say::say;
use crate::sensor::{self, Sensor, SensorOptions};
use crate::signals::Sender;
use crate::tables::Tables;
use anyhow::{Context, Result, bail};
use hashtrail::ledger::LedgerEntry;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a reload needs of the recording's start.
pub(crate) struct Reloader<'a> {
    /// The policy files, read again.
    pub(crate) files: &'a [PathBuf],
    /// Of the programs that run now.
    pub(crate) options: SensorOptions,
}

impl Reloader<'_> {
    /// Puts new programs beside the old ones, and lets them take over in one step: each call is recorded by the old or
    /// by the new policies. Where the new ones cannot be loaded, the old ones go on.
    ///
    /// # Errors
    /// When the kernel does not let the new programs take over; those that were loaded go on.
    pub(crate) fn reload(
        &mut self,
        sensor: &mut Sensor,
        pipeline: &mut Pipeline,
        sender: Option<Sender>,
    ) -> Result<()> {
        let first_entry = pipeline.session().entries.len();
        let generation = self.options.generation + 1;
        let options = SensorOptions { generation, ..self.options };
        let loaded = self.load(sensor, options, first_entry).and_then(|(policies, tables, next)| {
            pipeline.add_entries(&tables.entries)?;
            next.activate(generation)?;
            Ok((policies, tables, next))
        });
        let now = pipeline.ledger("reload");
        match loaded {
            Ok((policies, tables, mut next)) => {
                next.succeed(sensor);
                *sensor = next;
                self.options = options;
                let detail = json!({ "sender": sender, "generation": generation });
                pipeline.note(LedgerEntry { detail: Some(detail.to_string()), ..now });
                note_policies(pipeline, &policies, &tables, true);
                say!("policies reloaded: {}", names(&policies));
            }
            Err(error) => {
                let detail = json!({ "sender": sender, "error": format!("{error:#}") });
                pipeline.note(LedgerEntry { cause: Some("refused".into()), detail: Some(detail.to_string()), ..now });
                say!("warning: the policies are not reloaded, those before go on: {error:#}");
            }
        }
        Ok(())
    }

    fn load(
        &self,
        before: &Sensor,
        options: SensorOptions,
        first_entry: usize,
    ) -> Result<(Vec<Policy>, Tables, Sensor)> {
        let policies = policy::load(self.files)?;
        for warning in policies.iter().flat_map(|policy| &policy.warnings) {
            say!("warning: {warning}");
        }
        let mut tables = Tables::new(&policies, kernel_support(&policies), first_entry)?;
        sensor::resolve_others(&mut tables)?;
        let mut next = Sensor::load(&tables, options, Some(before))?;
        next.attach_tracking()?;
        next.attach_hooks()?;
        Ok((policies, tables, next))
    }
}

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
