//! Machines that fork, exec and exit at random, some of the time recorded and some of that lost.

use super::*;
use crate::mutate::random::Random;
use crate::rows;

/// (boot, pid, start): who a process is.
pub(super) type Who = (String, i32, i64);

/// A process that lives.
#[derive(Clone)]
struct Living {
    pid: i32,
    start_ns: i64,
    parent: (i32, i64),
    exe: String,
}

/// One recording: its rows in order, those that are not lost, and whether any is.
pub(super) struct Recorded {
    pub(super) id: String,
    pub(super) segments: Vec<Vec<Event>>,
    pub(super) has_lost: bool,
    /// Number of the boot.
    boot: i64,
    start_ns: i64,
    end_ns: i64,
}

/// A machine with all that happened on it.
pub(super) struct Machine {
    pub(super) random: Random,
    pub(super) machine_id: &'static str,
    pub(super) recordings: Vec<Recorded>,
    /// Who really forked whom.
    pub(super) births: HashMap<Who, (i32, i64)>,
    living: Vec<Living>,
    boot_id: String,
    now_ns: i64,
    boots: i64,
    rows: Vec<Event>,
    recording: Option<String>,
    execs: i64,
}

impl Machine {
    pub(super) fn live(seed: u64, machine_id: &'static str) -> Self {
        let mut machine = Self {
            random: Random::new(seed),
            machine_id,
            recordings: Vec::new(),
            births: HashMap::new(),
            living: Vec::new(),
            boot_id: String::new(),
            now_ns: 0,
            boots: 0,
            rows: Vec::new(),
            recording: None,
            execs: 0,
        };
        for _ in 0..=machine.random.below(2) {
            machine.boot();
            for _ in 0..=machine.random.below(2) {
                machine.act(12);
                machine.record();
            }
        }
        machine
    }

    fn boot(&mut self) {
        self.boots += 1;
        self.boot_id = format!("boot{}", self.boots);
        self.now_ns = 1_000;
        self.living = vec![Living { pid: 1, start_ns: 500, parent: (0, 0), exe: "/bin/init".into() }];
    }

    fn act(&mut self, most: usize) {
        for _ in 0..self.random.below(most) {
            self.now_ns += 1_000_000;
            match self.random.below(7) {
                0 | 1 => self.fork(),
                2 | 3 => self.exec(),
                4 => self.exit(),
                5 => self.open(),
                _ => self.hash(),
            }
        }
    }

    fn record(&mut self) {
        let name = self.recordings.len() + if self.machine_id.starts_with('1') { 16 } else { 32 };
        let id = format!("{name:08x}-0000-4000-8000-000000000000");
        self.recording = Some(id.clone());
        let start_ns = self.now_ns;
        self.act(3);
        for process in self.living.clone() {
            self.now_ns += 1_000;
            let running = Event { cpu: -1, ..self.row(&process, "running_process") };
            self.push(Event { exe: None, ..with_file(running, &process.exe, false) });
        }
        self.act(24);
        self.recording = None;
        let rows = std::mem::take(&mut self.rows);
        let size = 1 + self.random.below(20);
        let all = rows.chunks(size).map(<[Event]>::to_vec).collect::<Vec<_>>();
        let count = all.len();
        let segments: Vec<Vec<Event>> = all.into_iter().filter(|_| self.random.below(6) > 0).collect();
        let has_lost = segments.len() < count;
        self.recordings.push(Recorded { id, segments, has_lost, boot: self.boots, start_ns, end_ns: self.now_ns });
    }

    fn fork(&mut self) {
        let parent = self.living[self.random.below(self.living.len())].clone();
        let Some(pid) = (2..9).find(|pid| self.living.iter().all(|process| process.pid != *pid)) else { return };
        let child = Living { pid, start_ns: self.now_ns - 10, parent: (parent.pid, parent.start_ns), exe: parent.exe };
        self.births.insert((self.boot_id.clone(), pid, child.start_ns), child.parent);
        let fork = self.row(&child, "sched_process_fork");
        self.push(fork);
        self.living.push(child);
    }

    fn exec(&mut self) {
        let place = self.random.below(self.living.len());
        let process = self.living[place].clone();
        self.execs += 1;
        let path = format!("/bin/{}", self.random.below(4));
        let script = (self.random.below(4) == 0).then(|| "/tmp/script".to_owned());
        for path in script.iter().chain([&path]) {
            self.now_ns += 1_000;
            let has_digest = self.random.below(3) > 0;
            let check = self.row(&process, "bprm_check_security");
            self.push(with_file(check, path, has_digest));
        }
        if self.random.below(4) > 0 {
            self.living[place].exe.clone_from(&path);
            self.now_ns += 1_000;
            let commit = self.row(&self.living[place].clone(), "bprm_committed_creds");
            self.push(Event { argv: Some(vec![path.clone(), "-x".into()]), ..with_file(commit, &path, false) });
        }
    }

    fn exit(&mut self) {
        let place = self.random.below(self.living.len());
        if self.living[place].pid != 1 {
            let gone = self.living.remove(place);
            let init = self.living[0].clone();
            let orphans = self.living.iter_mut().filter(|process| process.parent == (gone.pid, gone.start_ns));
            orphans.for_each(|orphan| orphan.parent = (init.pid, init.start_ns));
        }
    }

    fn open(&mut self) {
        let process = self.living[self.random.below(self.living.len())].clone();
        let open = self.row(&process, "file_open");
        self.push(open);
    }

    /// User space takes the digest of a row before, whose process may have ended.
    fn hash(&mut self) {
        let asked: Vec<usize> = (0..self.rows.len()).filter(|row| self.rows[*row].path.is_some()).collect();
        if asked.is_empty() {
            return;
        }
        let of = self.rows[asked[self.random.below(asked.len())]].clone();
        let digest = digest_of(of.path.as_deref().unwrap_or_default());
        let answer = Event { cpu: -1, boot_ns: self.now_ns, ref_cpu: Some(of.cpu), ref_seq: Some(of.seq), ..of };
        let algorithm = Some("sha256".into());
        let answer = Event { hook: "user_digest".into(), digest: Some(digest), digest_algorithm: algorithm, ..answer };
        self.push(Event { digest_status: "ok".into(), ..answer });
    }

    fn row(&mut self, process: &Living, hook: &str) -> Event {
        Event {
            recording_id: self.recording.clone().unwrap_or_default(),
            host: "web".into(),
            boot_id: self.boot_id.clone(),
            cpu: i32::try_from(self.random.below(2)).unwrap_or(0),
            boot_ns: self.now_ns,
            hook: hook.into(),
            pid: process.pid,
            tid: process.pid,
            ppid: process.parent.0,
            process_start_ns: process.start_ns,
            parent_start_ns: process.parent.1,
            exec_id: hook.starts_with("bprm").then_some(self.execs),
            comm: process.exe.rsplit('/').next().unwrap_or_default().into(),
            exe: Some(process.exe.clone()),
            root_dev: "8:1".into(),
            root_ino: 2,
            digest_status: "not_requested".into(),
            ..Event::default()
        }
    }

    fn push(&mut self, event: Event) {
        if self.recording.is_some() {
            let seq = i64::try_from(self.rows.len()).unwrap_or(0);
            let time = Micros((START + self.boots * 1000) * 1_000_000 + self.now_ns / 1000);
            self.rows.push(Event { seq, time, boot_ns: self.now_ns, ..event });
        }
    }

    /// Writes what is not lost.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        let archive = Archive::create(directory)?;
        let mut manifest = Manifest::open(&archive, None)?;
        for recorded in &self.recordings {
            let facts = json!({"machine_id": self.machine_id});
            let programs = json!({"sched_process_fork": "1"});
            let start = json!({"recording_id": recorded.id, "host": "web", "facts": facts, "programs": programs});
            manifest.append(&[("start", start)])?;
            let mut ledger = recorded.ledger();
            let context = VersionContext { host_root_dev: "8:1".into(), host_root_ino: 2, ..VersionContext::default() };
            // The ledger is there even where each segment is lost.
            let segments = recorded.segments.iter().cloned().chain([Vec::new()]);
            for (segment, events) in (0..).zip(segments) {
                let name = SegmentName { recording_id: recorded.id.clone(), host: "web".into(), segment };
                seal(&archive, &mut manifest, &name, &context, events, std::mem::take(&mut ledger))?;
            }
            manifest.append(&[("stop", json!({"recording_id": recorded.id, "state": "SEALED"}))])?;
        }
        Ok(())
    }
}

impl Recorded {
    fn ledger(&self) -> Vec<LedgerEntry> {
        let entry = |boot_ns: i64, kind: &str, detail: Option<Value>| LedgerEntry {
            recording_id: self.id.clone(),
            host: "web".into(),
            time: Micros((START + self.boot * 1000) * 1_000_000 + boot_ns / 1000),
            boot_ns,
            kind: kind.into(),
            detail: detail.map(|detail| detail.to_string()),
            ..LedgerEntry::default()
        };
        let hooks = ["bprm_check_security", "bprm_committed_creds"];
        let policy = json!({"hooks": hooks, "coverage": {hooks[0]: [""], hooks[1]: [""]}});
        let mut ledger = vec![
            entry(self.start_ns, "start", None),
            entry(self.start_ns, "policy", Some(policy)),
            entry(self.start_ns + 1, "snapshot", Some(json!({"descriptors_unseen": 0}))),
        ];
        if self.has_lost {
            let loss = entry(self.end_ns, "loss", None);
            ledger.push(LedgerEntry { cause: Some("segment".into()), from_ns: Some(self.start_ns), ..loss });
        }
        ledger.push(entry(self.end_ns, "stop", None));
        ledger
    }
}

pub(super) fn digest_of(path: &str) -> String {
    path.bytes().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn with_file(event: Event, path: &str, has_digest: bool) -> Event {
    let event =
        rows::on_file(path, path.bytes().map(i64::from).sum(), Event { digest_status: "unavailable".into(), ..event });
    if has_digest { rows::with_digest(&digest_of(path), event) } else { event }
}
