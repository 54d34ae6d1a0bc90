//! Archives that a test makes: files that run, are written and run again.

use crate::support::rows::{self, ID, START};
use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;
use serde_json::{Value, json};
use std::path::Path;

const SEGMENT_ROWS: usize = 40_000;
const HOOKS: [&str; 7] = [
    "bprm_check_security",
    "bprm_committed_creds",
    "file_open",
    "inode_rename",
    "inode_link",
    "inode_unlink",
    "inode_setattr",
];

/// A host with its recording.
pub(super) struct Host {
    pub(super) name: &'static str,
    pub(super) id: &'static str,
}

pub(super) const WEB: Host = Host { name: "web", id: ID };
pub(super) const DB: Host = Host { name: "db", id: "22222222-0000-4000-8000-000000000000" };

/// A file by its path and inode.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) ino: i64,
}

impl Host {
    /// What every event of a file has; times in milliseconds.
    fn event(&self, time: i64, hook: &str, file: &File<'_>) -> Event {
        let act = Event {
            recording_id: self.id.into(),
            host: self.name.into(),
            boot_id: self.id.into(),
            pid: 7,
            tid: 7,
            process_start_ns: 1,
            ppid: 1,
            comm: "tool".into(),
            parent_comm: "init".into(),
            parent_ino: Some(50),
            ..rows::act(time * 1_000_000, hook)
        };
        rows::on_file(file.path, file.ino, act)
    }

    /// The file runs with this content.
    pub(super) fn runs(&self, time: i64, file: &File<'_>, digest: &str) -> [Event; 2] {
        let run = |time, hook: &str| Event {
            exec_id: Some(time / 10),
            pid: 9,
            tid: 9,
            process_start_ns: 1_000_000 * (time / 10),
            exe: Some(file.path.into()),
            ..self.event(time, hook, file)
        };
        let checked = rows::with_digest(digest, run(time, "bprm_check_security"));
        [checked, Event { argv: Some(vec![file.path.into(), "--all".into()]), ..run(time + 1, "bprm_committed_creds") }]
    }

    /// A program opens the file for writing.
    pub(super) fn writes(&self, time: i64, file: &File<'_>, program: &str) -> Event {
        Event { open_flags: Some(1), exe: Some(program.into()), ..self.event(time, "file_open", file) }
    }

    fn entry(&self, time: i64, kind: &str, detail: Option<Value>) -> LedgerEntry {
        LedgerEntry {
            recording_id: self.id.into(),
            host: self.name.into(),
            time: Micros(START * 1_000_000 + time * 1000),
            boot_ns: time * 1_000_000,
            kind: kind.into(),
            detail: detail.map(|detail| detail.to_string()),
            ..LedgerEntry::default()
        }
    }

    /// Seals events in their order, and an end after this time; `case` and `operator` are what the manifest says.
    pub(super) fn seal(&self, directory: &Path, mut events: Vec<Event>, end: i64, [case, operator]: [&str; 2]) {
        for (seq, event) in (0..).zip(&mut events) {
            event.seq = seq;
        }
        let archive = Archive::create(directory).expect("an archive");
        let mut manifest = Manifest::open(&archive, None).expect("a manifest");
        let start = json!({
            "recording_id": self.id, "host": self.name, "kernel": "6.12", "case": case, "operator": operator,
        });
        manifest.append(&[("start", start)]).expect("a start");
        let stored = events.len();
        let counts = json!({"cpus": [
            {"cpu": 0, "produced": stored, "stored": stored, "dropped": 0, "suppressed": 0, "missed": 0},
        ]});
        let prefixes: serde_json::Map<String, Value> =
            HOOKS.iter().map(|hook| ((*hook).to_owned(), json!([""]))).collect();
        let mut ledger = vec![
            self.entry(0, "start", None),
            self.entry(0, "policy", Some(json!({"hooks": HOOKS, "coverage": prefixes}))),
            self.entry(0, "snapshot", Some(json!({"descriptors_unseen": 0}))),
            self.entry(end, "stop", Some(counts.clone())),
        ];
        let mut context = VersionContext {
            host_root_dev: "8:1".into(),
            host_root_ino: 2,
            commits_recorded: true,
            ..VersionContext::default()
        };
        for (segment, events) in (0..).zip(events.chunks(SEGMENT_ROWS)) {
            let name = SegmentName { recording_id: self.id.into(), host: self.name.into(), segment };
            let ledger = std::mem::take(&mut ledger);
            seal(&archive, &mut manifest, &name, &context, events.to_vec(), ledger).expect("a sealed segment");
            context.earlier = context.earlier.with(events).waiting();
        }
        let stop = json!({"recording_id": self.id, "state": "SEALED", "counts": counts});
        manifest.append(&[("stop", stop)]).expect("a stop");
    }
}

/// A digest of its own for each number.
pub(super) fn digest(number: usize) -> String {
    format!("{:064x}", number + 0xabcd_0000)
}
