//! Archives that a test makes: files that run, are written and run again.

use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;
use serde_json::{Value, json};
use std::path::Path;

/// 2026-01-02T00:00:00Z
const START_SECONDS: i64 = 1_767_312_000;
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

pub(super) const WEB: Host = Host { name: "web", id: "11111111-0000-4000-8000-000000000000" };
pub(super) const DB: Host = Host { name: "db", id: "22222222-0000-4000-8000-000000000000" };

/// A file by its path and inode.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) ino: i64,
}

impl Host {
    /// What every event has; times in milliseconds.
    fn event(&self, time: i64, hook: &str) -> Event {
        Event {
            recording_id: self.id.into(),
            host: self.name.into(),
            boot_id: self.id.into(),
            time: Micros(START_SECONDS * 1_000_000 + time * 1000),
            boot_ns: time * 1_000_000,
            hook: hook.into(),
            action: "post".into(),
            pid: 7,
            tid: 7,
            process_start_ns: 1,
            ppid: 1,
            comm: "tool".into(),
            parent_comm: "init".into(),
            root_dev: "8:1".into(),
            root_ino: 2,
            dev: Some("8:1".into()),
            ino_generation: Some(1),
            parent_ino: Some(50),
            fs_type: Some("ext4".into()),
            mode: Some(0o100_755),
            owner_uid: Some(0),
            owner_gid: Some(0),
            size_bytes: Some(100),
            mtime: Some(Micros(0)),
            ctime: Some(Micros(0)),
            digest_status: "not_requested".into(),
            ..Event::default()
        }
    }

    /// The file runs with this content.
    pub(super) fn runs(&self, time: i64, file: &File<'_>, digest: &str) -> [Event; 2] {
        let run = |time, hook: &str| Event {
            exec_id: Some(time / 10),
            pid: 9,
            tid: 9,
            process_start_ns: 1_000_000 * (time / 10),
            path: Some(file.path.into()),
            ino: Some(file.ino),
            exe: Some(file.path.into()),
            ..self.event(time, hook)
        };
        let checked = Event {
            digest_algorithm: Some("sha256".into()),
            digest: Some(digest.into()),
            digest_status: "ok".into(),
            digest_duration_ns: Some(1000),
            content_read_ns: Some(time * 1_000_000),
            ..run(time, "bprm_check_security")
        };
        [checked, Event { argv: Some(vec![file.path.into(), "--all".into()]), ..run(time + 1, "bprm_committed_creds") }]
    }

    /// A program opens the file for writing.
    pub(super) fn writes(&self, time: i64, file: &File<'_>, program: &str) -> Event {
        Event {
            open_flags: Some(1),
            path: Some(file.path.into()),
            ino: Some(file.ino),
            exe: Some(program.into()),
            ..self.event(time, "file_open")
        }
    }

    fn entry(&self, time: i64, kind: &str, detail: Option<Value>) -> LedgerEntry {
        LedgerEntry {
            recording_id: self.id.into(),
            host: self.name.into(),
            time: Micros(START_SECONDS * 1_000_000 + time * 1000),
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
