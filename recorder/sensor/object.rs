//! The BPF object before it is loaded, and what libbpf and the kernel say about it.

use super::{OTHER_PROGRAMS, SensorOptions};
use crate::host;
use crate::host::say::Lines;
use crate::record::wire::{self, OpenRecorderSkel, RecorderSkel, RecorderSkelBuilder};
use crate::sensor::tables::Tables;
use anyhow::{Context, Result};
use libbpf_rs::PrintLevel;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
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
pub(super) fn configure(open: &mut OpenRecorderSkel<'static>, tables: &Tables, options: SensorOptions) -> Result<()> {
    let config = &mut open.maps.rodata_data.as_deref_mut().context("the object has no configuration")?.config;
    config.max_hash_bytes = options.max_hash_bytes;
    config.ring_bytes = options.ring_bytes;
    config.watches_writers = u32::from(tables.asks_for_digests());
    config.keeps_digests = u32::from(options.keeps_digests);
    config.page_bytes = u32::try_from(rustix::param::page_size())?;
    config.hash_key = host::random_words()?;
    config.recorder_tgid = std::process::id();
    config.direct_io_flag = rustix::fs::OFlags::DIRECT.bits();
    config.generation = options.generation;
    config.enforce = u32::from(options.enforce);
    config.family_count = u32::try_from(tables.families.len())?;
    config.has_limits = u32::from(tables.has_limits);
    for (hook, gate) in &tables.gates {
        *config.gate.get_mut(*hook as usize).context("a hook has no gate")? = *gate;
    }
    // The program is there to see writers only: no open has this bit of a mode.
    if !tables.has_hook(wire::hook::HOOK_FILE_OPEN) {
        config.gate.get_mut(wire::hook::HOOK_FILE_OPEN.0 as usize).context("a hook has no gate")?.mask = 1 << 63;
    }
    config.has_values = u32::from(!tables.values.is_empty());
    for (place, hook) in config.other_kind.iter_mut().zip(&tables.others) {
        *place = hook.kind.0;
    }
    for (place, hook) in config.other_argument.iter_mut().zip(&tables.others) {
        *place = hook.file.as_ref().map_or(0, |file| file.index.into());
    }
    for (program, hook) in OTHER_PROGRAMS.iter().zip(&tables.others) {
        let mut programs = open.open_object_mut().progs_mut();
        let mut program = programs.find(|known| known.name() == *program).context("a program is missing")?;
        program
            .set_attach_target(0, Some(hook.name.clone()))
            .with_context(|| format!("hook `{}` cannot be recorded", hook.name))?;
    }
    set_sizes(open, tables)
}

fn set_sizes(open: &mut OpenRecorderSkel<'static>, tables: &Tables) -> Result<()> {
    /// What limits and merges remember: about 2 MiB each.
    const REMEMBERED: u32 = 1 << 14;
    let at_least_one = |count: usize| u32::try_from(count.max(1));
    let maps = &mut open.maps;
    let texts = &tables.texts;
    let short = maps.short_paths.key_size() as usize;
    let long_paths = texts.whole.keys().filter(|path| path.len() > short).count();
    maps.rings.set_max_entries(host::possible_cpus())?;
    maps.steps.set_max_entries(at_least_one(tables.steps.len())?)?;
    maps.selectors.set_max_entries(at_least_one(tables.selectors.len())?)?;
    maps.ranges.set_max_entries(at_least_one(tables.ranges.len())?)?;
    maps.value_table.set_max_entries(at_least_one(tables.values.len())?)?;
    maps.networks.set_max_entries(at_least_one(tables.networks.len())?)?;
    maps.families.set_max_entries(at_least_one(tables.families.len())?)?;
    maps.digest_sets.set_max_entries(at_least_one(tables.digests.len())?)?;
    maps.substring_states.set_max_entries(at_least_one(texts.substring_states()?.states.len())?)?;
    maps.limits.set_max_entries(if tables.has_limits { REMEMBERED } else { 1 })?;
    maps.merges.set_max_entries(if tables.has_merges { REMEMBERED } else { 1 })?;
    maps.affixes.set_max_entries(at_least_one(texts.prefixes.len() + texts.postfixes.len())?)?;
    maps.short_paths.set_max_entries(at_least_one(texts.whole.len() - long_paths)?)?;
    maps.long_paths.set_max_entries(at_least_one(long_paths)?)?;
    Ok(())
}

/// Lets the programs use the maps of the recording that runs already.
pub(super) fn reuse(open: &mut OpenRecorderSkel<'static>, before: &RecorderSkel<'static>) -> Result<()> {
    let (maps, known) = (&mut open.maps, &before.maps);
    maps.rings.reuse_fd(known.rings.as_fd())?;
    maps.counters.reuse_fd(known.counters.as_fd())?;
    maps.threads.reuse_fd(known.threads.as_fd())?;
    maps.processes.reuse_fd(known.processes.as_fd())?;
    maps.digest_cache.reuse_fd(known.digest_cache.as_fd())?;
    maps.execs_in_progress.reuse_fd(known.execs_in_progress.as_fd())?;
    maps.active_generation.reuse_fd(known.active_generation.as_fd())?;
    maps.raw_writers.reuse_fd(known.raw_writers.as_fd())?;
    maps.last_exec_id.reuse_fd(known.last_exec_id.as_fd())?;
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
    let end = lines[lines.len().saturating_sub(40)..].iter().map(|line| (*line).to_owned());
    Lines(std::iter::once(error.to_string()).chain(end).collect()).into()
}
