//! What `tree` must say of rows, the slow way.

use super::*;
use std::collections::BTreeMap;

/// A process: boots by host and time, then start and pid.
type Key = (String, Micros, String, i64, i32);

/// All rows by process, each in the order of events.
#[derive(Default)]
pub(super) struct Model {
    rows: BTreeMap<Key, Vec<Event>>,
    /// The digest that user space took for a row.
    digests: HashMap<(String, i32, i64), String>,
    /// Recordings that do not have which execs succeeded.
    silent: HashSet<String>,
}

/// A program that a process ran, or tried to.
struct Program {
    path: Option<String>,
    /// Device and inode.
    file: (Option<String>, Option<i64>),
    digest: Option<String>,
    ran: Option<bool>,
}

impl Model {
    /// Of rows with the names of their machines, recordings in their order; and of some recordings that they do not have which execs
    /// succeeded.
    pub(super) fn of(rows: &[(String, Vec<Event>)], silent: HashSet<String>) -> Self {
        let mut model = Self { silent, ..Self::default() };
        let mut boots: BTreeMap<(String, String), Micros> = BTreeMap::new();
        let told = || rows.iter().flat_map(|(host, events)| events.iter().map(move |event| (host, event)));
        for (host, event) in told().filter(|(_, event)| event.hook != "user_digest") {
            let first = boots.entry((host.clone(), event.boot_id.clone())).or_insert(event.time);
            *first = event.time.min(*first);
        }
        for (host, event) in told() {
            if event.hook == "user_digest" {
                let of = (event.ref_cpu.expect("a CPU"), event.ref_seq.expect("a number"));
                let key = (event.recording_id.clone(), of.0, of.1);
                model.digests.entry(key).or_insert(event.digest.clone().expect("a digest"));
                continue;
            }
            let boot = (host.clone(), event.boot_id.clone());
            let key = (boot.0.clone(), boots[&boot], boot.1, event.process_start_ns, event.pid);
            model.rows.entry(key).or_default().push(event.clone());
        }
        let parents: Vec<Key> = model.rows.keys().filter_map(|key| model.parent(key)).collect();
        for parent in parents {
            model.rows.entry(parent).or_default();
        }
        model
    }

    fn birth(&self, key: &Key) -> Option<&Event> {
        let rows = &self.rows[key];
        rows.iter().find(|row| row.hook == "sched_process_fork").or(rows.first())
    }

    fn parent(&self, key: &Key) -> Option<Key> {
        let row = self.birth(key).filter(|row| row.ppid > 0)?;
        Some((key.0.clone(), key.1, key.2.clone(), row.parent_start_ns, row.ppid))
    }

    /// All processes in the order of the tree.
    pub(super) fn tree(&self) -> Vec<Value> {
        let mut tree = Vec::new();
        self.rows.keys().filter(|key| self.parent(key).is_none()).for_each(|key| self.walk(key, 0, &mut tree));
        tree
    }

    fn walk(&self, key: &Key, depth: usize, tree: &mut Vec<Value>) {
        let (parent, birth) = (self.parent(key), self.birth(key));
        let root = match (&parent, birth) {
            (Some(_), _) => Value::Null,
            (None, Some(_)) => "first".into(),
            (None, None) => "parent_unknown".into(),
        };
        let is_fork = birth.is_some_and(|row| row.hook == "sched_process_fork");
        let rows = &self.rows[key];
        let tells = |hook: &str| hook == "sched_process_fork" || hook == "running_process" || hook.starts_with("bprm_");
        let told: Vec<&Event> = rows.iter().filter(|row| tells(&row.hook)).collect();
        let told = if told.is_empty() { rows.iter().take(1).collect() } else { told };
        let exe_before =
            told.first().filter(|row| !["running_process", "bprm_committed_creds"].contains(&row.hook.as_str()));
        tree.push(json!({
            "host": key.0, "boot_id": key.2, "process_start_ns": key.3, "pid": key.4, "depth": depth,
            "parent": parent.as_ref().map(|parent| json!({"pid": parent.4, "process_start_ns": parent.3})),
            "parent_source": parent.as_ref().map(|_| if is_fork { "fork" } else { "later_row" }),
            "root": root,
            "ran_before": !is_fork && rows.iter().any(|row| row.hook == "running_process"),
            "first_seen": rows.iter().map(|row| row.time).min().map(Micros::rfc3339),
            "last_seen": rows.iter().map(|row| row.time).max().map(Micros::rfc3339),
            "comm": told.last().map(|row| &row.comm),
            "exe_before": exe_before.and_then(|row| row.exe.clone()),
            "programs": self.programs(&told),
        }));
        self.rows.keys().filter(|child| self.parent(child).as_ref() == Some(key)).for_each(|child| {
            self.walk(child, depth + 1, tree);
        });
    }

    /// Path, digest and whether it ran, of each program.
    fn programs(&self, rows: &[&Event]) -> Vec<Value> {
        let mut programs: Vec<Program> = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let file = |row: &Event| (row.dev.clone(), row.ino);
            let ran = programs.iter().rev().find(|program| program.ran == Some(true));
            let is_known = ran.is_some_and(|ran| ran.path == row.path && ran.file == file(row));
            if row.hook == "running_process" && !is_known {
                let (path, digest) = (row.path.clone(), self.digest(row).map(|(digest, _)| digest));
                programs.push(Program { path, file: file(row), digest, ran: Some(true) });
            }
            let exec = |row: &Event| row.exec_id.map(|id| (row.recording_id.clone(), id));
            if exec(row).is_none() || rows[..number].iter().any(|before| exec(before) == exec(row)) {
                continue;
            }
            let of_exec: Vec<&&Event> = rows.iter().filter(|other| exec(other) == exec(row)).collect();
            let last = of_exec.last().expect("a row");
            let digests = of_exec.iter().filter(|row| row.path == last.path).filter_map(|row| self.digest(row));
            // The first one that is certain, or the first one.
            let digest = digests.reduce(|known, other| if other.1 && !known.1 { other } else { known });
            let has_run = of_exec.iter().any(|row| row.hook == "bprm_committed_creds");
            let ran = (has_run || !self.silent.contains(&row.recording_id)).then_some(has_run);
            let digest = digest.map(|(digest, _)| digest);
            programs.push(Program { path: last.path.clone(), file: file(last), digest, ran });
        }
        programs.iter().map(|Program { path, digest, ran, .. }| json!([path, digest, ran])).collect()
    }

    /// The digest of a row, and whether it is certain.
    fn digest(&self, row: &Event) -> Option<(String, bool)> {
        let taken = || self.digests.get(&(row.recording_id.clone(), row.cpu, row.seq)).cloned();
        let own = row.digest.clone().map(|digest| (digest, row.digest_doubt.is_empty()));
        own.or_else(|| Some((taken()?, true)))
    }
}
