//! The BPF programs: load, steer, attach, read. The only user of libbpf.

mod object;

use crate::tables::{SetBits, Tables};
use crate::wire::{self, RecorderSkel};
use anyhow::{Context, Result};
use libbpf_rs::skel::{OpenSkel, Skel};
use libbpf_rs::{Btf, Link, MapCore, MapFlags, MapHandle, MapType, ProgramInput, RingBuffer, RingBufferBuilder};
use object::{configure, explained, open_with, program_information};
use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Programs that follow processes and hashes; they send no records of their own.
const TRACKING: [&str; 4] = ["sched_process_fork", "bprm_check_security", "bprm_committed_creds", CANARY];
/// Programs that see when IMA really reads a file. Not every kernel lets them in.
const HASH_PROBES: [&str; 2] = ["ima_hash_begins", "ima_hash_ends"];
/// LSM programs, by their number in `bpf/event.h`; the names are the hooks'.
pub(crate) const HOOK_PROGRAMS: [(wire::hook, &str); 6] = [
    (wire::hook::HOOK_BPRM_CHECK_SECURITY, "bprm_check_security"),
    (wire::hook::HOOK_BPRM_COMMITTED_CREDS, "bprm_committed_creds"),
    (wire::hook::HOOK_MMAP_FILE, "mmap_file"),
    (wire::hook::HOOK_FILE_OPEN, "file_open"),
    (wire::hook::HOOK_FILE_POST_OPEN, "file_post_open"),
    (wire::hook::HOOK_KERNEL_READ_FILE, "kernel_read_file"),
];
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
}

/// Counters of one CPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuCounters {
    /// CPU.
    pub(crate) cpu: u32,
    /// Its counters.
    pub(crate) counts: wire::counters,
}

/// The loaded programs.
pub(crate) struct Sensor {
    skeleton: RecorderSkel<'static>,
    rings: Vec<(u32, MapHandle)>,
    links: Vec<Link>,
    programs: BTreeSet<&'static str>,
}

impl Sensor {
    /// Loads the programs that the tables need.
    ///
    /// # Errors
    /// With the kernel's or the verifier's own words.
    pub(crate) fn load(tables: &Tables, options: SensorOptions) -> Result<Self> {
        let mut programs: BTreeSet<&'static str> = TRACKING.into_iter().collect();
        programs
            .extend(HOOK_PROGRAMS.iter().filter(|(hook, _)| tables.hooks.contains_key(&hook.0)).map(|(_, name)| *name));
        let mut with_probes = programs.clone();
        with_probes.extend(HASH_PROBES);
        Self::load_programs(with_probes, tables, options).or_else(|_| Self::load_programs(programs, tables, options))
    }

    /// Loads the producer of `loadtest`, with rings and counters as in a recording.
    ///
    /// # Errors
    /// With the kernel's own words.
    pub(crate) fn load_producer(options: SensorOptions) -> Result<Self> {
        Self::load_programs([LOADTEST].into(), &Tables::default(), options)
    }

    fn load_programs(programs: BTreeSet<&'static str>, tables: &Tables, options: SensorOptions) -> Result<Self> {
        let mut open = open_with(&programs)?;
        configure(&mut open, &programs, tables, options)?;
        let skeleton = open.load().map_err(|error| explained(&error))?;
        let mut sensor = Self { skeleton, rings: Vec::new(), links: Vec::new(), programs };
        sensor.make_rings(options.ring_bytes).context("cannot make the rings")?;
        sensor.fill_tables(tables).context("cannot fill the policy tables")?;
        Ok(sensor)
    }

    fn make_rings(&mut self, ring_bytes: u64) -> Result<()> {
        let bytes = u32::try_from(ring_bytes).context("--ring-size is at most 2 GiB")?;
        let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
            sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as libbpf_rs::libbpf_sys::size_t,
            ..Default::default()
        };
        for cpu in crate::host::online_cpus() {
            let ring = MapHandle::create(MapType::RingBuf, Some("ring"), 0, 0, bytes, &options)
                .with_context(|| format!("ring of {bytes} bytes for CPU {cpu}"))?;
            let fd = ring.as_fd().as_raw_fd().to_ne_bytes();
            self.skeleton.maps.rings.update(&cpu.to_ne_bytes(), &fd, MapFlags::ANY)?;
            self.rings.push((cpu, ring));
        }
        Ok(())
    }

    fn fill_tables(&mut self, tables: &Tables) -> Result<()> {
        let maps = &self.skeleton.maps;
        for (number, selector) in (0_u32..).zip(&tables.selectors) {
            maps.selectors.update(&number.to_ne_bytes(), wire::bytes_of(selector), MapFlags::ANY)?;
        }
        for (hook, policy) in &tables.hooks {
            maps.hook_policies.update(&hook.to_ne_bytes(), wire::bytes_of(policy), MapFlags::ANY)?;
        }
        for (path, sets) in &tables.paths {
            let map: &dyn MapCore =
                if path.len() <= maps.short_paths.key_size() as usize { &maps.short_paths } else { &maps.long_paths };
            let mut key = path.clone();
            key.resize(map.key_size() as usize, 0);
            map.update(&key, wire::bytes_of(&wire::path_sets { word: *sets }), MapFlags::ANY)?;
        }
        let mut lengths = wire::affix_lengths::default();
        lengths.prefixes = self.fill_affixes(wire::affix_kind::AFFIX_PREFIX, &tables.prefixes, &mut lengths.prefix)?;
        lengths.postfixes =
            self.fill_affixes(wire::affix_kind::AFFIX_POSTFIX, &tables.postfixes, &mut lengths.postfix)?;
        self.skeleton.maps.affix_lengths.update(&0_u32.to_ne_bytes(), wire::bytes_of(&lengths), MapFlags::ANY)?;
        Ok(())
    }

    /// Fills in prefixes or postfixes; returns how many lengths occur.
    fn fill_affixes(
        &self,
        kind: wire::affix_kind,
        affixes: &HashMap<Vec<u8>, SetBits>,
        lengths: &mut [u16],
    ) -> Result<u32> {
        for (affix, sets) in affixes {
            let mut key = wire::affix_key { kind: kind.0, length: u32::try_from(affix.len())?, ..Default::default() };
            key.bytes.get_mut(..affix.len()).context("a prefix or postfix is too long")?.copy_from_slice(affix);
            let value = wire::path_sets { word: *sets };
            self.skeleton.maps.affixes.update(wire::bytes_of(&key), wire::bytes_of(&value), MapFlags::ANY)?;
        }
        let distinct: BTreeSet<usize> = affixes.keys().map(Vec::len).collect();
        for (place, length) in lengths.iter_mut().zip(&distinct) {
            *place = u16::try_from(*length)?;
        }
        Ok(u32::try_from(distinct.len())?)
    }

    /// Attaches what follows processes, so that none is missed while running ones are noted.
    ///
    /// # Errors
    /// Names the program that the kernel does not attach.
    pub(crate) fn attach_tracking(&mut self) -> Result<()> {
        let wanted: Vec<_> = self
            .programs
            .iter()
            .copied()
            .filter(|name| TRACKING.contains(name) || HASH_PROBES.contains(name))
            .collect();
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
            .filter(|name| !TRACKING.contains(name) && !HASH_PROBES.contains(name))
            .collect();
        self.attach(&wanted)
    }

    fn attach(&mut self, names: &[&str]) -> Result<()> {
        for program in self.skeleton.object().progs_mut() {
            if names.iter().any(|name| program.name() == *name) {
                let name = program.name().to_string_lossy().into_owned();
                self.links.push(program.attach().with_context(|| format!("cannot attach to `{name}`"))?);
            }
        }
        Ok(())
    }

    /// Notes the binary of a process that runs already; its own exec or fork, if seen meanwhile, is not overwritten.
    pub(crate) fn note_process(&self, pidfd: BorrowedFd<'_>, process: &wire::process) {
        let key = pidfd.as_raw_fd().to_ne_bytes();
        // A process that is gone by now needs no note.
        let _ = self.skeleton.maps.processes.update(&key, wire::bytes_of(process), MapFlags::NO_EXIST);
    }

    /// Whether the programs on IMA's hash function are in.
    pub(crate) fn has_hash_probes(&self) -> bool {
        HASH_PROBES.iter().all(|name| self.programs.contains(name))
    }

    /// A consumer of all rings.
    ///
    /// # Errors
    /// When a ring cannot be mapped.
    pub(crate) fn ring_buffer<'a>(&'a self, consume: impl Fn(&[u8]) + Clone + 'a) -> Result<RingBuffer<'a>> {
        let mut builder = RingBufferBuilder::new();
        for (_, ring) in &self.rings {
            let consume = consume.clone();
            builder.add(ring, move |record| {
                consume(record);
                0
            })?;
        }
        builder.build().context("cannot map the rings")
    }

    /// The counters of each CPU that has a ring.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub(crate) fn counters(&self) -> Result<Vec<CpuCounters>> {
        let values =
            self.skeleton.maps.counters.lookup_percpu(&0_u32.to_ne_bytes(), MapFlags::ANY)?.unwrap_or_default();
        (0_u32..)
            .zip(&values)
            .map(|(cpu, bytes)| Ok(CpuCounters { cpu, counts: wire::read(bytes).context("short counters")? }))
            .collect()
    }

    /// Runs that the kernel's recursion guard skipped (kernels up to 6.1 without the backport of 271de525e1d7).
    pub(crate) fn recursion_misses(&self) -> u64 {
        self.skeleton
            .object()
            .progs()
            .filter(|program| program.autoload())
            .filter_map(|program| program_information(program.as_fd(), "recursion_misses:")?.parse::<u64>().ok())
            .sum()
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

    /// Ends the recording in the kernel: what runs from now on sends nothing.
    pub(crate) fn stop(&mut self) {
        if let Some(bss) = self.skeleton.maps.bss_data.as_deref_mut() {
            bss.stopped = 1;
        }
        self.links.clear();
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

/// Loads the programs of these hooks, and unloads them.
///
/// # Errors
/// With the kernel's own words.
pub(crate) fn probe_hooks(names: &[&'static str]) -> Result<()> {
    let programs = names.iter().copied().collect();
    let mut open = open_with(&programs)?;
    configure(&mut open, &programs, &Tables::default(), SensorOptions { ring_bytes: 4096, max_hash_bytes: 0 })?;
    open.load().map(drop).map_err(|error| explained(&error))
}

/// Those of our hooks that the kernel's BTF has.
pub(crate) fn kernel_hooks() -> Vec<&'static str> {
    let Ok(btf) = Btf::from_vmlinux() else { return Vec::new() };
    let has_hook =
        |name: &&str| btf.type_by_name::<libbpf_rs::btf::types::Func<'_>>(&format!("bpf_lsm_{name}")).is_some();
    HOOK_PROGRAMS.into_iter().map(|(_, name)| name).filter(has_hook).collect()
}
