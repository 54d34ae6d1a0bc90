//! The BPF programs: load, steer, attach, read.

mod fill;
mod iterators;
mod kernel;
mod look;
mod object;
pub(crate) mod preflight;
mod raw_writers;
pub(crate) mod skipped;
pub(crate) mod tables;

pub(crate) use iterators::{Iterators, RUNNING_PROCESSES, WRITERS};
pub(crate) use kernel::{kernel_hooks, resolve_others};

use crate::record::programs;
use crate::record::wire::{self, RecorderSkel};
use crate::sensor::skipped::Skipped;
use crate::sensor::tables::Tables;
use anyhow::{Context, Result};
use libbpf_rs::skel::{OpenSkel, Skel};
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle, MapType, ProgramInput, RingBuffer, RingBufferBuilder};
use look::{Look, RUNNING_BINARIES};
use object::{configure, explained, open_with, program_information, reuse};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

/// Programs that follow processes, and the canary.
const TRACKING: [&str; 5] = [FORK, FORK_AGAIN, "bprm_check_security", "bprm_committed_creds", CANARY];
/// Sends a row for each new process, and where the kernel skipped that, the other does.
const FORK: &str = "sched_process_fork";
const FORK_AGAIN: &str = "sched_wakeup_new";
/// Programs that see when IMA really reads a file. Not every kernel lets them in.
const HASH_PROBES: [&str; 4] = ["ima_hash_begins", "ima_hash_begins_again", "ima_hash_ends", "ima_hash_ends_again"];
/// Sees each open for writing, after which no digest of the file holds that was taken before.
const WRITERS_PROGRAM: &str = "file_open";
/// Programs for hooks without one of their own.
const OTHER_PROGRAMS: [&str; 8] =
    ["other_0", "other_1", "other_2", "other_3", "other_4", "other_5", "other_6", "other_7"];
/// Finds out where the kernel has the attributes of IMA's policy; attached nowhere.
const IMA_POLICY: &str = "find_ima_policy_flag";
/// Counts the recorder's own locks of its lock file.
const CANARY: &str = "canary";
/// The producer of `loadtest`.
const LOADTEST: &str = "loadtest";

/// What is set before load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SensorOptions {
    /// Bytes of each CPU's ring, a power of two and a multiple of the page size.
    pub(crate) ring_bytes: u64,
    /// Files above this size are not hashed.
    pub(crate) max_hash_bytes: u64,
    /// Use a digest again while the file cannot have changed.
    pub(crate) keeps_digests: bool,
    /// Deny and signal as the policies ask; else it is only noted what they would have done.
    pub(crate) enforce: bool,
    /// Number of this set of policies in the recording, from 1.
    pub(crate) generation: u32,
}

impl SensorOptions {
    /// For programs that record nothing by policy.
    pub(crate) fn without_policies(ring_bytes: u64) -> Self {
        Self { ring_bytes, max_hash_bytes: 0, keeps_digests: false, enforce: false, generation: 1 }
    }
}

/// Counters of one CPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuCounters {
    /// CPU.
    pub(crate) cpu: u32,
    /// Nanoseconds since boot, before they were read: what happened by then is counted.
    pub(crate) read_ns: i64,
    /// Its counters.
    pub(crate) counts: wire::counters,
}

/// The ring buffers of all CPUs. They outlive the programs of one set of policies.
#[derive(Clone, Default)]
pub(crate) struct Rings(Arc<Vec<MapHandle>>);

impl Rings {
    /// A consumer of all rings.
    ///
    /// # Errors
    /// When a ring cannot be mapped.
    pub(crate) fn consumer<'a>(&'a self, consume: impl Fn(&[u8]) + Clone + 'a) -> Result<RingBuffer<'a>> {
        let mut builder = RingBufferBuilder::new();
        for ring in self.0.iter() {
            let consume = consume.clone();
            builder.add(ring, move |record| {
                consume(record);
                0
            })?;
        }
        builder.build().context("cannot map the rings")
    }
}

/// The loaded programs.
pub(crate) struct Sensor {
    skeleton: RecorderSkel<'static>,
    rings: Rings,
    links: Vec<Link>,
    programs: BTreeSet<&'static str>,
    look: Look,
    generation: u32,
    skipped_before: Skipped,
}

impl Sensor {
    /// Loads the programs that the tables need. With `before`, they go on where those left off: with its rings,
    /// counters and memory of tasks; they record once [`Self::activate`] says so.
    ///
    /// # Errors
    /// With the kernel's or the verifier's own words.
    pub(crate) fn load(tables: &Tables, options: SensorOptions, before: Option<&Self>) -> Result<Self> {
        let mut programs: BTreeSet<&'static str> = TRACKING.into_iter().collect();
        programs.extend(programs::ALL.iter().filter(|(hook, _)| tables.has_hook(*hook)).map(|(_, name)| *name));
        if tables.asks_for_digests() {
            programs.extend([WRITERS_PROGRAM, IMA_POLICY]);
        }
        if tables.asks_for_digests() && options.keeps_digests {
            programs.extend(raw_writers::programs());
        }
        programs.extend(&OTHER_PROGRAMS[..tables.others.len().min(OTHER_PROGRAMS.len())]);
        let load = |optional: &[&'static str]| {
            Self::load_programs(programs.iter().chain(optional).copied().collect(), tables, options, before)
        };
        // The kernel may refuse either of them, and then neither costs the other.
        let look = Vec::from_iter(tables.asks_for_binaries().then_some(RUNNING_BINARIES));
        let all = [&HASH_PROBES, &look[..]].concat();
        let fewer = [HASH_PROBES.to_vec(), look, Vec::new()];
        let fewer = fewer.iter().filter(|optional| **optional != all);
        fewer.fold(load(&all), |loaded, optional| loaded.or_else(|_| load(optional)))
    }

    /// Loads the producer of `loadtest`, with rings and counters as in a recording.
    ///
    /// # Errors
    /// With the kernel's own words.
    pub(crate) fn load_producer(options: SensorOptions) -> Result<Self> {
        Self::load_programs([LOADTEST].into(), &Tables::default(), options, None)
    }

    fn load_programs(
        programs: BTreeSet<&'static str>,
        tables: &Tables,
        options: SensorOptions,
        before: Option<&Self>,
    ) -> Result<Self> {
        let mut open = open_with(&programs)?;
        configure(&mut open, tables, options)?;
        if let Some(before) = before {
            reuse(&mut open, &before.skeleton)?;
        }
        let skeleton = open.load().map_err(|error| explained(&error))?;
        let rings = before.map(Self::rings).unwrap_or_default();
        let look = Look::first(before.is_some());
        let (generation, skipped_before) = (options.generation, Skipped::default());
        let mut sensor = Self { skeleton, rings, links: Vec::new(), programs, look, generation, skipped_before };
        if before.is_none() {
            sensor.make_rings(options.ring_bytes).context("cannot make the rings")?;
        }
        sensor.fill_tables(tables).context("cannot fill the policy tables")?;
        if sensor.programs.contains(IMA_POLICY) {
            let program = &sensor.skeleton.progs.find_ima_policy_flag;
            program.test_run(ProgramInput::default()).context("cannot look for IMA's policy")?;
        }
        Ok(sensor)
    }

    fn make_rings(&mut self, ring_bytes: u64) -> Result<()> {
        let bytes = u32::try_from(ring_bytes).context("--ring-size is at most 2 GiB")?;
        let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
            sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as libbpf_rs::libbpf_sys::size_t,
            ..Default::default()
        };
        let mut rings = Vec::new();
        for cpu in crate::host::online_cpus() {
            let ring = MapHandle::create(MapType::RingBuf, Some("ring"), 0, 0, bytes, &options)
                .with_context(|| format!("ring of {bytes} bytes for CPU {cpu}"))?;
            let fd = ring.as_fd().as_raw_fd().to_ne_bytes();
            self.skeleton.maps.rings.update(&cpu.to_ne_bytes(), &fd, MapFlags::ANY)?;
            rings.push(ring);
        }
        self.rings = Rings(Arc::new(rings));
        Ok(())
    }

    /// Attaches what follows processes, so that none is missed while running ones are noted.
    ///
    /// # Errors
    /// Names the program that the kernel does not attach.
    pub(crate) fn attach_tracking(&mut self) -> Result<()> {
        self.attach(&[WRITERS_PROGRAM])?;
        self.attach(&raw_writers::PROGRAMS.map(|(name, _)| name))?;
        let wanted: Vec<_> = self.programs.iter().copied().filter(|name| is_tracking(name)).collect();
        self.attach(&wanted)
    }

    /// Attaches the remaining hooks.
    ///
    /// # Errors
    /// Names the program that the kernel does not attach.
    pub(crate) fn attach_hooks(&mut self) -> Result<()> {
        let wanted: Vec<_> = self
            .programs
            .iter()
            .copied()
            .filter(|name| {
                !is_tracking(name)
                    && !raw_writers::is_program(name)
                    && ![WRITERS_PROGRAM, IMA_POLICY, RUNNING_BINARIES].contains(name)
            })
            .collect();
        self.attach(&wanted)
    }

    fn attach(&mut self, names: &[&str]) -> Result<()> {
        for program in self.skeleton.object().progs_mut() {
            if program.autoload() && names.iter().any(|name| program.name() == *name) {
                let name = program.name().to_string_lossy().into_owned();
                self.links.push(program.attach().with_context(|| format!("cannot attach to `{name}`"))?);
            }
        }
        Ok(())
    }

    /// Notes the binary of a process that runs already; its own exec or fork, if seen meanwhile, is not overwritten.
    /// Whether it was not known yet.
    pub(crate) fn note_process(&self, pidfd: BorrowedFd<'_>, process: &wire::process) -> bool {
        let key = pidfd.as_raw_fd().to_ne_bytes();
        // A process that is gone by now needs no note.
        self.skeleton.maps.processes.update(&key, wire::bytes_of(process), MapFlags::NO_EXIST).is_ok()
    }

    /// Whether the programs on IMA's hash function are in.
    pub(crate) fn has_hash_probes(&self) -> bool {
        HASH_PROBES.iter().all(|name| self.programs.contains(name))
    }

    /// The rings that the programs write to.
    pub(crate) fn rings(&self) -> Rings {
        self.rings.clone()
    }

    /// The counters of each CPU that has a ring.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub(crate) fn counters(&self) -> Result<Vec<CpuCounters>> {
        counters_of(&self.skeleton)
    }

    /// Runs of programs that the kernel skipped.
    pub(crate) fn skipped(&self) -> Skipped {
        let mut skipped = self.skipped_before;
        for program in self.skeleton.object().progs().filter(|program| program.autoload()) {
            let misses = program_information(program.as_fd(), "recursion_misses:");
            let misses = misses.and_then(|misses| misses.parse::<u64>().ok()).unwrap_or_default();
            match program.name().to_str() {
                Some(FORK) => {}
                Some(FORK_AGAIN) => skipped.forks += misses,
                Some(name) if HASH_PROBES.contains(&name) => skipped.hash_probes += misses,
                // A silent canary is told as what it stands for.
                Some(CANARY) => {}
                _ => skipped.events += misses,
            }
        }
        skipped
    }

    /// Takes over from the programs before a reload: their counts go on. What these programs do not watch, nobody can vouch
    /// for later.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub(crate) fn succeed(&mut self, before: &Self) -> Result<()> {
        self.skipped_before = before.skipped();
        if self.watches_raw_writers() { Ok(()) } else { self.set_no_raw_writer_before(0) }
    }

    /// Whether somebody else told the programs not to record.
    pub(crate) fn is_switched_off(&self) -> bool {
        let active = self.skeleton.maps.active_generation.lookup(&0_u32.to_ne_bytes(), MapFlags::ANY);
        active.ok().flatten().is_none_or(|active| active != self.generation.to_ne_bytes())
    }

    /// How often the canary ran; `None` where it is not loaded.
    ///
    /// # Errors
    /// When the counters cannot be read.
    pub(crate) fn canaries(&self) -> Result<Option<u64>> {
        let counters = self.counters()?;
        let is_loaded = self.programs.contains(CANARY);
        Ok(is_loaded.then(|| counters.iter().map(|cpu| cpu.counts.canaries).sum()))
    }

    /// Programs that should be attached and are not.
    pub(crate) fn lost_links(&self) -> usize {
        self.links.iter().filter(|link| link.info().is_err()).count()
    }

    /// Name and tag of each loaded program; the tag is the kernel's digest over its instructions.
    pub(crate) fn program_tags(&self) -> Vec<(String, String)> {
        self.skeleton
            .object()
            .progs()
            .filter(|program| program.autoload())
            .filter_map(|program| {
                let tag = program_information(program.as_fd(), "prog_tag:")?;
                Some((program.name().to_string_lossy().into_owned(), tag))
            })
            .collect()
    }

    /// From now on the programs of this generation record, and no others; 0 ends the recording.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub(crate) fn activate(&self, generation: u32) -> Result<()> {
        let key = 0_u32.to_ne_bytes();
        let maps = &self.skeleton.maps;
        maps.active_generation.update(&key, &generation.to_ne_bytes(), MapFlags::ANY).context("cannot switch policies")
    }

    /// Ends the recording in the kernel: what runs from now on sends nothing.
    ///
    /// # Errors
    /// When the map cannot be written.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.activate(0)?;
        self.links.clear();
        Ok(())
    }

    /// Runs the producer once: `count` events numbered from `first`, which rank as opens (bulk) or as execs. Returns how
    /// many it produced.
    ///
    /// # Errors
    /// When the kernel refuses the run.
    pub(crate) fn produce(&self, first: u64, count: u64, is_bulk: bool) -> Result<u64> {
        let mut arguments = [first.to_ne_bytes(), count.to_ne_bytes(), u64::from(is_bulk).to_ne_bytes()].concat();
        let input = ProgramInput { context_in: Some(&mut arguments), ..Default::default() };
        Ok(self.skeleton.progs.loadtest.test_run(input)?.return_value.into())
    }
}

/// Whether the program follows processes or hashes.
fn is_tracking(name: &str) -> bool {
    TRACKING.contains(&name) || HASH_PROBES.contains(&name)
}

/// The counters of each possible CPU.
fn counters_of(skeleton: &RecorderSkel<'static>) -> Result<Vec<CpuCounters>> {
    let read_ns = crate::host::clock_anchor().boot_ns;
    let values = skeleton.maps.counters.lookup_percpu(&0_u32.to_ne_bytes(), MapFlags::ANY)?.unwrap_or_default();
    (0_u32..)
        .zip(&values)
        .map(|(cpu, bytes)| Ok(CpuCounters { cpu, read_ns, counts: wire::read(bytes).context("short counters")? }))
        .collect()
}

/// Loads the programs of these hooks, and unloads them.
///
/// # Errors
/// With the kernel's own words.
pub(crate) fn probe_hooks(names: &[&'static str]) -> Result<()> {
    let programs = names.iter().copied().collect();
    let mut open = open_with(&programs)?;
    configure(&mut open, &Tables::default(), SensorOptions::without_policies(4096))?;
    open.load().map(drop).map_err(|error| explained(&error))
}
