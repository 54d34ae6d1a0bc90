//! What one start of the recorder stored, and how it is written.

use super::story::Step;
use crate::tests::counts;
use anyhow::Result;
use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// By how much a row can leave the kernel later than others.
const LATE_NS: i64 = 900_000_000;
/// For how long an exec may still succeed.
const OPEN_NS: i64 = 60_000_000_000;
/// The kind of what a policy left out.
pub(super) const SUPPRESSED: &str = "suppressed";

pub(super) const OBSERVING: [&str; 4] = ["bprm_check_security", "mmap_file", "file_open", "kernel_read_file"];
pub(super) const COMMITTED: &str = "bprm_committed_creds";
const WRITING: [&str; 4] = ["inode_rename", "inode_link", "inode_unlink", "inode_setattr"];

/// Of which paths a policy has each call recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covered {
    All,
    /// Below `/usr/`.
    Below,
    None,
}

/// What a recording records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) algorithm: &'static str,
    pub(super) commits: Covered,
    /// Opens for writing, and changes of names.
    pub(super) writes: Covered,
    /// The hook of which rows are left out that say again what another one said just before.
    pub(super) merges: Option<&'static str>,
}

/// Time since boot, and what the clock showed then.
pub(super) type Moment = (i64, Micros);

/// A row that was stored, and the tree that its path leads through.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) event: Event,
    pub(super) tree: usize,
    pub(super) is_late: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Loss {
    pub(super) kind: &'static str,
    pub(super) cause: &'static str,
    pub(super) cpu: Option<i32>,
    pub(super) from_ns: i64,
    pub(super) to_ns: i64,
    pub(super) count: Option<i64>,
    pub(super) time: Micros,
}

#[derive(Debug, Clone)]
pub(super) struct ClockStep {
    pub(super) at: Moment,
    pub(super) before_ns: i64,
    pub(super) after_ns: i64,
}

/// One start of the recorder.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) id: String,
    pub(super) host: &'static str,
    pub(super) boot_id: String,
    pub(super) boot: usize,
    pub(super) root_dev: String,
    pub(super) settings: Settings,
    pub(super) start_ns: i64,
    pub(super) start: Micros,
    /// The look at what ran already.
    pub(super) look: Moment,
    pub(super) end_ns: i64,
    pub(super) end: Micros,
    /// In the order in which it happened.
    pub(super) rows: Vec<Stored>,
    pub(super) losses: Vec<Loss>,
    pub(super) steps: Vec<ClockStep>,
    /// When the journal went on in another segment.
    pub(super) cuts: Vec<i64>,
    pub(super) seqs: BTreeMap<i32, i64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { algorithm: "sha256", commits: Covered::All, writes: Covered::All, merges: None }
    }
}

impl Settings {
    pub(super) fn chosen(step: Step) -> Self {
        let covered = |number: usize| match number % 6 {
            0 => Covered::Below,
            1 => Covered::None,
            _ => Covered::All,
        };
        let algorithm = if step.who.is_multiple_of(5) { "sha1" } else { "sha256" };
        Self { algorithm, commits: covered(step.place), writes: covered(step.other), merges: None }
    }

    /// Of which paths each call of a hook is recorded. Opens that read are recorded of every path, those that write of some.
    fn covered(self, hook: &str) -> Covered {
        match hook {
            COMMITTED => self.commits,
            "file_open" => self.writes,
            hook if WRITING.contains(&hook) => self.writes,
            _ => Covered::All,
        }
    }

    pub(super) fn hooks(self) -> BTreeSet<&'static str> {
        let all = OBSERVING.into_iter().chain([COMMITTED]).chain(WRITING);
        all.filter(|hook| *hook == "file_open" || self.covered(hook) != Covered::None).collect()
    }

    /// As the ledger has it.
    fn policy(self) -> String {
        let prefixes = |hook: &str| match self.covered(hook) {
            Covered::All => Some(json!([""])),
            Covered::Below => Some(json!(["/usr/"])),
            Covered::None => None,
        };
        let coverage: serde_json::Map<String, serde_json::Value> =
            self.hooks().into_iter().filter_map(|hook| Some((hook.to_owned(), prefixes(hook)?))).collect();
        let suppressing = self.merges.map(|hook| ("dedupe", [hook])).into_iter().collect::<BTreeMap<_, _>>();
        json!({"hooks": self.hooks(), "coverage": coverage, "suppressing": suppressing}).to_string()
    }
}

impl Covered {
    pub(super) fn has(self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Below => path.starts_with("/usr/"),
            Self::None => false,
        }
    }
}

impl Recorded {
    pub(super) fn new(settings: Settings, (start_ns, start): Moment) -> Self {
        Self {
            id: String::new(),
            host: "",
            boot_id: String::new(),
            boot: 0,
            root_dev: String::new(),
            settings,
            start_ns,
            start,
            look: (start_ns, start),
            end_ns: start_ns,
            end: start,
            rows: Vec::new(),
            losses: Vec::new(),
            steps: Vec::new(),
            cuts: Vec::new(),
            seqs: BTreeMap::new(),
        }
    }

    pub(super) fn next_seq(&mut self, cpu: i32) -> i64 {
        let seq = self.seqs.entry(cpu).or_default();
        *seq += 1;
        *seq
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.rows.iter().map(|row| row.event.clone()).collect()
    }

    fn entry(&self, kind: &str, (boot_ns, time): Moment, detail: Option<String>) -> LedgerEntry {
        LedgerEntry {
            recording_id: self.id.clone(),
            host: self.host.into(),
            time,
            boot_ns,
            kind: kind.into(),
            detail,
            ..LedgerEntry::default()
        }
    }

    fn ledger(&self) -> Vec<LedgerEntry> {
        let start = (self.start_ns, self.start);
        let mut ledger = vec![
            self.entry("start", start, None),
            self.entry("policy", start, Some(self.settings.policy())),
            self.entry("snapshot", self.look, Some(json!({"descriptors_unseen": 0}).to_string())),
        ];
        for Loss { kind, cause, cpu, from_ns, to_ns, count, time } in &self.losses {
            ledger.push(LedgerEntry {
                cause: Some((*cause).into()),
                cpu: *cpu,
                from_ns: Some(*from_ns),
                to_ns: Some(*to_ns),
                count: *count,
                ..self.entry(kind, (from_ns + 1, *time), None)
            });
        }
        for ClockStep { at, before_ns, after_ns } in &self.steps {
            let step_ns = after_ns - before_ns;
            let detail = json!({"step_ns": step_ns, "offset_before_ns": before_ns, "offset_ns": after_ns});
            ledger.push(self.entry("clock", *at, Some(detail.to_string())));
        }
        ledger.push(self.entry("stop", (self.end_ns, self.end), Some(counts(&self.events()).to_string())));
        ledger
    }

    /// Writes it, segment after segment.
    fn write(&self, archive: &Archive, manifest: &mut Manifest, machine_id: &str) -> Result<()> {
        let facts = json!({"machine_id": machine_id, "boot_id": self.boot_id});
        let programs = json!({"sched_process_fork": "1"});
        let start = json!({
            "recording_id": self.id, "host": self.host, "time": self.start.rfc3339(), "facts": facts, "programs": programs,
        });
        manifest.append(&[("start", start)])?;
        let mut context = VersionContext {
            host_root_dev: self.root_dev.clone(),
            host_root_ino: 2,
            commits_recorded: self.settings.commits != Covered::None,
            commits_in_part: self.settings.commits == Covered::Below,
            ..VersionContext::default()
        };
        for segment in 0..=self.cuts.len() {
            let of_segment = self.rows.iter().filter(|row| self.segment_of(row) == segment);
            let events: Vec<Event> = of_segment.map(|row| row.event.clone()).collect();
            let ledger = self.ledger().into_iter().filter(|entry| self.segment_at(entry.boot_ns) == segment).collect();
            let segment = u32::try_from(segment)?;
            let name = SegmentName { recording_id: self.id.clone(), host: self.host.into(), segment };
            seal(archive, manifest, &name, &context, events.clone(), ledger)?;
            context.earlier = context.earlier.with(&events).waiting();
        }
        manifest.append(&[("stop", json!({"recording_id": self.id, "state": "SEALED"}))])
    }
}

/// Writes recordings of a machine into an archive.
pub(super) fn write(recordings: &[&Recorded], machine_id: &str, directory: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let archive = Archive::create(directory)?;
    let mut manifest = Manifest::open(&archive, None)?;
    recordings.iter().try_for_each(|recorded| recorded.write(&archive, &mut manifest, machine_id))
}

impl Recorded {
    /// What an answer about changes, or about contents alone, may lack.
    pub(super) fn losses(&self, of_changes: bool) -> impl Iterator<Item = &Loss> {
        let lacks_opens = of_changes && self.settings.merges == Some("file_open");
        self.losses.iter().filter(move |loss| loss.kind != SUPPRESSED || lacks_opens)
    }

    fn segment_at(&self, boot_ns: i64) -> usize {
        self.cuts.iter().filter(|cut| **cut <= boot_ns).count()
    }

    fn segment_of(&self, row: &Stored) -> usize {
        self.segment_at(row.event.boot_ns + if row.is_late { LATE_NS } else { 0 })
    }

    /// Whether the segment of a row says not yet what its exec came to.
    pub(super) fn is_open(&self, exec_id: i64, row: &Stored) -> bool {
        let segment = self.segment_of(row);
        let end_ns = self.rows.iter().filter(|row| self.segment_of(row) == segment).map(|row| row.event.boot_ns).max();
        let is_of_exec = |row: &&Stored| {
            row.event.exec_id == Some(exec_id) && row.event.hook.starts_with("bprm_") && self.segment_of(row) <= segment
        };
        let of_exec = || self.rows.iter().filter(is_of_exec).map(|row| &row.event);
        segment < self.cuts.len()
            && of_exec().all(|event| event.hook != COMMITTED && event.action != "deny")
            && of_exec().any(|event| end_ns.is_some_and(|end_ns| event.boot_ns >= end_ns - OPEN_NS))
    }

    /// What the clock showed at a moment; where it was set just then, before or after that.
    pub(super) fn time_at(&self, boot_ns: i64, is_after: bool) -> Micros {
        let of_start = self.start.0 * 1000 - self.start_ns;
        let is_past = |step: &&ClockStep| step.at.0 < boot_ns || is_after && step.at.0 == boot_ns;
        let offset_ns = self.steps.iter().rfind(is_past).map_or(of_start, |step| step.after_ns);
        Micros((offset_ns + boot_ns) / 1000)
    }
}
