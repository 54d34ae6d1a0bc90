//! The BPF object before it is loaded, and what libbpf and the kernel say about it.

use super::{HASH_PROBES, SensorOptions};
use crate::tables::Tables;
use crate::wire::{OpenRecorderSkel, RecorderSkelBuilder};
use anyhow::{Context, Result, anyhow};
use libbpf_rs::PrintLevel;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Mutex;

/// What the kernel says about a program under this label.
pub(super) fn program_information(program: BorrowedFd<'_>, label: &str) -> Option<String> {
    let information = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", program.as_raw_fd())).ok()?;
    information.lines().find_map(|line| Some(line.strip_prefix(label)?.trim().to_owned()))
}

/// Opens the object with these programs to be loaded.
pub(super) fn open_with(programs: &BTreeSet<&'static str>) -> Result<OpenRecorderSkel<'static>> {
    libbpf_rs::set_print(Some((PrintLevel::Warn, keep_message)));
    // Lives as long as the process: one sensor in a recording, a few probes in `doctor`.
    let storage = Box::leak(Box::new(MaybeUninit::uninit()));
    let mut open = RecorderSkelBuilder::default().open(storage).map_err(|error| explained(&error))?;
    for mut program in open.open_object_mut().progs_mut() {
        let wanted = programs.iter().any(|name| program.name() == *name);
        program.set_autoload(wanted);
    }
    Ok(open)
}

/// Sets what must stand before load: the configuration and the sizes of the maps.
pub(super) fn configure(
    open: &mut OpenRecorderSkel<'static>,
    programs: &BTreeSet<&'static str>,
    tables: &Tables,
    options: SensorOptions,
) -> Result<()> {
    let config = &mut open.maps.rodata_data.as_deref_mut().context("the object has no configuration")?.config;
    config.max_hash_bytes = options.max_hash_bytes;
    config.ring_bytes = options.ring_bytes;
    config.recorder_tgid = std::process::id();
    config.direct_io_flag = rustix::fs::OFlags::DIRECT.bits();
    config.hash_probe = u32::from(HASH_PROBES.iter().all(|name| programs.contains(name)));
    let at_least_one = |count: usize| u32::try_from(count.max(1));
    let short = open.maps.short_paths.key_size() as usize;
    let long_paths = tables.paths.keys().filter(|path| path.len() > short).count();
    open.maps.rings.set_max_entries(crate::host::possible_cpus())?;
    open.maps.selectors.set_max_entries(at_least_one(tables.selectors.len())?)?;
    open.maps.affixes.set_max_entries(at_least_one(tables.prefixes.len() + tables.postfixes.len())?)?;
    open.maps.short_paths.set_max_entries(at_least_one(tables.paths.len() - long_paths)?)?;
    open.maps.long_paths.set_max_entries(at_least_one(long_paths)?)?;
    Ok(())
}

/// What libbpf said since the last question.
static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn keep_message(_: PrintLevel, message: String) {
    if let Ok(mut messages) = MESSAGES.lock() {
        messages.push(message);
    }
}

/// An error of libbpf with what it printed on the way; a verifier log is cut to its end, which names the fault.
pub(super) fn explained(error: &libbpf_rs::Error) -> anyhow::Error {
    let messages = MESSAGES.lock().map(|mut messages| std::mem::take(&mut *messages)).unwrap_or_default();
    let lines: Vec<&str> = messages
        .iter()
        .flat_map(|message| message.lines())
        // A guess that libbpf makes at every EPERM, wrong since 5.11, and what repeats the line before.
        .filter(|line| !line.contains("ulimit -l") && !line.contains("ailed to load"))
        .collect();
    let end = lines[lines.len().saturating_sub(40)..].join("\n");
    if end.is_empty() { anyhow!("{error}") } else { anyhow!("{error}\n{end}") }
}
