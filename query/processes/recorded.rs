//! Which processes rows tell of. A million of them is a large archive, so of each only numbers are held.

use super::ends::{self, Tells};
use super::{Boot, Parent, ParentSource, Process, ProcessKey, Seen, in_ticks};
use crate::archives::{Archives, Scan};
use crate::recordings::{Position, Recordings};
use anyhow::{Result, anyhow, bail};
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::versions::NOT_TOLD;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// More are refused: each takes about 200 bytes.
const PROCESSES_MAX: usize = 1 << 22;

const COLUMNS: [&str; 12] = [
    "recording_id",
    "host",
    "boot_id",
    "cpu",
    "seq",
    "time",
    "boot_ns",
    "hook",
    "pid",
    "ppid",
    "process_start_ns",
    "parent_start_ns",
];

/// All processes, by boot, start and pid.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    pub(crate) list: Vec<Process>,
    pub(crate) boots: Vec<Boot>,
    /// The same by their names.
    numbers: HashMap<Boot, u32>,
    /// Earliest time of each boot.
    boot_times: Vec<Micros>,
    last_boot: u32,
    places: HashMap<ProcessKey, u32>,
    /// Rows of recordings that neither a manifest nor a ledger knows.
    unknown_rows: usize,
}

impl Processes {
    /// Reads the rows of events, as far as they tell something new.
    ///
    /// # Errors
    /// When there are too many processes, or a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn read(archives: &Archives<'_>, recordings: &Recordings) -> Result<Self> {
        let mut found = Self::default();
        let known = recordings.list.iter().map(|recording| recording.id.clone()).collect();
        let scan =
            Scan { columns: COLUMNS.to_vec(), predicates: vec![ends::predicate(known, tells)], ..Scan::default() };
        archives.each_row_until(&scan, |event: Event| {
            found.take(&event, recordings);
            if found.list.len() > PROCESSES_MAX {
                bail!("there are more than {PROCESSES_MAX} processes: ask about one --host or --archive at a time");
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if found.unknown_rows > 0 {
            let rows = found.unknown_rows;
            archives
                .problems()
                .error(&anyhow!("{rows} event(s) are of recordings that no manifest and no ledger knows"));
        }
        found.put_boots_in_order();
        found.add_parents_without_rows();
        in_ticks::join(&mut found.list, &mut found.places);
        found.put_in_order();
        if found.list.len() > PROCESSES_MAX {
            bail!("there are more than {PROCESSES_MAX} processes: ask about one --host or --archive at a time");
        }
        Ok(found)
    }

    /// Place of the process that a row is of.
    pub(crate) fn of_row(&self, event: &Event) -> Option<u32> {
        self.of_boot(&Boot::of(event), event.pid, event.process_start_ns)
    }

    /// Place of the process with this pid that began then.
    pub(crate) fn of_boot(&self, boot: &Boot, pid: i32, start_ns: i64) -> Option<u32> {
        self.place(&ProcessKey { boot: *self.numbers.get(boot)?, start_ns, pid })
    }

    /// Place of a process.
    pub(crate) fn place(&self, key: &ProcessKey) -> Option<u32> {
        self.places.get(key).copied()
    }

    fn take(&mut self, event: &Event, recordings: &Recordings) {
        // Rows of the idle task are of no process, and those of user space tell of an earlier moment.
        if event.pid <= 0 || event.hook == hooks::USER_DIGEST {
            return;
        }
        // Rows of an import that tell no start may be of any process with that pid, one after the other.
        if event.process_start_ns == NOT_TOLD {
            return;
        }
        let rank = recordings.rank(&event.recording_id);
        self.unknown_rows += usize::from(rank.is_none());
        let at = Position { rank: rank.unwrap_or(usize::MAX), boot_ns: event.boot_ns, cpu: event.cpu, seq: event.seq };
        let boot = self.boot_of(event);
        let key = ProcessKey { boot, start_ns: event.process_start_ns, pid: event.pid };
        let parent = ProcessKey { boot, start_ns: event.parent_start_ns, pid: event.ppid };
        let is_parent_told = event.ppid != -1 && (event.ppid <= 0 || event.parent_start_ns != NOT_TOLD);
        let looked = event.cpu == hashtrail::event::USER_SPACE_CPU;
        let is_in_ticks = looked && rank.is_some_and(|rank| recordings.list[rank].coverage.looked_in_ticks());
        let source = if event.hook == hooks::PROCESS_FORK { ParentSource::Fork } else { ParentSource::Later };
        let seen = Seen { first: at, first_time: event.time, last: at, last_time: event.time };
        self.add(Process {
            key,
            seen: Some(seen),
            parent: is_parent_told.then_some(Parent { key: (event.ppid > 0).then_some(parent), source }),
            ran_before: event.hook == hooks::RUNNING_PROCESS,
            is_told: tells_more(&event.hook),
            is_in_ticks,
        });
    }

    /// Number of the boot, as they come. Rows of one boot follow each other.
    fn boot_of(&mut self, event: &Event) -> u32 {
        let is_of = |boot: &Boot| boot.host == event.host && boot.boot_id == event.boot_id;
        let last = self.boots.get(self.last_boot as usize).filter(|boot| is_of(boot));
        if last.is_none() {
            let boot = Boot::of(event);
            let next = u32::try_from(self.boots.len()).unwrap_or(u32::MAX);
            self.last_boot = *self.numbers.entry(boot.clone()).or_insert(next);
            if self.last_boot == next {
                self.boots.push(boot);
                self.boot_times.push(event.time);
            }
        }
        let time = &mut self.boot_times[self.last_boot as usize];
        *time = event.time.min(*time);
        self.last_boot
    }

    fn add(&mut self, process: Process) {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let place = *self.places.entry(process.key).or_insert(next);
        match self.list.get_mut(place as usize) {
            Some(known) => known.join(&process),
            None => self.list.push(process),
        }
    }

    /// By host, and those of one host by time.
    fn put_boots_in_order(&mut self) {
        let mut order: Vec<usize> = (0..self.boots.len()).collect();
        order.sort_by_key(|place| (&self.boots[*place].host, self.boot_times[*place], &self.boots[*place].boot_id));
        let mut numbers = vec![0; order.len()];
        (0..).zip(&order).for_each(|(number, place)| numbers[*place] = number);
        // Another map of all processes is large.
        if numbers.is_sorted() {
            return;
        }
        let renumber = |key: ProcessKey| ProcessKey { boot: numbers[key.boot as usize], ..key };
        self.boots = order.iter().map(|place| self.boots[*place].clone()).collect();
        self.numbers = self.boots.iter().cloned().zip(0..).collect();
        for process in &mut self.list {
            process.key = renumber(process.key);
            if let Some(Parent { key: Some(key), .. }) = &mut process.parent {
                *key = renumber(*key);
            }
        }
        self.places = std::mem::take(&mut self.places).into_iter().map(|(key, place)| (renumber(key), place)).collect();
    }

    fn put_in_order(&mut self) {
        let mut order: Vec<u32> = (0..).take(self.list.len()).collect();
        order.sort_unstable_by_key(|place| self.list[*place as usize].key);
        let mut numbers = vec![0; order.len()];
        (0..).zip(&order).for_each(|(number, place)| numbers[*place as usize] = number);
        self.places.values_mut().for_each(|place| *place = numbers[*place as usize]);
        self.list.sort_unstable_by_key(|process| process.key);
    }

    /// A parent without a row is known by its children, and nothing else of it.
    fn add_parents_without_rows(&mut self) {
        for place in 0..self.list.len() {
            let Some(Parent { key: Some(key), .. }) = self.list[place].parent else { continue };
            if !self.places.contains_key(&key) {
                let is_in_ticks = self.list[place].is_in_ticks;
                self.add(Process { key, seen: None, parent: None, ran_before: false, is_told: false, is_in_ticks });
            }
        }
    }
}

#[cfg(test)]
impl Processes {
    /// These, by their keys in order.
    pub(super) fn of(list: Vec<Process>) -> Self {
        let places = list.iter().map(|process| process.key).zip(0..).collect();
        Self { list, places, ..Self::default() }
    }
}

/// What a row of this hook tells of its process.
fn tells(hook: &str) -> Tells {
    match hook {
        hooks::USER_DIGEST => Tells::Nothing,
        hook if tells_more(hook) => Tells::More,
        _ => Tells::Presence,
    }
}

/// Whether a row of this hook is read for what it says of its process.
pub(super) fn tells_more(hook: &str) -> bool {
    hook == hooks::PROCESS_FORK || hook == hooks::RUNNING_PROCESS || hooks::is_exec(hook)
}

impl Process {
    /// Takes what other rows say of the same process.
    pub(super) fn join(&mut self, other: &Self) {
        let first = |process: &Self| process.seen.map(|seen| seen.first);
        // A fork says more than any other row, and of equal rows the earliest.
        let rank =
            |process: &Self| (process.parent.map_or(ParentSource::Later, |parent| parent.source), first(process));
        if self.parent.is_none() || other.parent.is_some() && rank(other) < rank(self) {
            self.parent = other.parent;
        }
        self.seen = match (self.seen, other.seen) {
            (Some(left), Some(right)) => Some(left.joined(right)),
            (left, right) => left.or(right),
        };
        self.ran_before |= other.ran_before;
        self.is_told |= other.is_told;
        self.is_in_ticks &= other.is_in_ticks;
    }

    /// The first row, where no other one says what the process is.
    pub(super) fn untold_row(&self) -> Option<Position> {
        self.seen.filter(|_| !self.is_told).map(|seen| seen.first)
    }
}

impl Seen {
    fn joined(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            first_time: self.first_time.min(other.first_time),
            last: self.last.max(other.last),
            last_time: self.last_time.max(other.last_time),
        }
    }
}
