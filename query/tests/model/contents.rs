//! `rare` and `diff`, the slow way: what is known of each digest and of each path.

use super::answers::agrees;
use super::history::{History, Sight};
use super::versions::counted;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Paths that are named.
const NAMED_MAX: usize = 5;

/// An exec with its file and path.
type Exec = ((usize, usize, i64, Option<i64>), Option<String>, usize);

/// What is known of one digest on all hosts.
#[derive(Debug, Default)]
pub(super) struct Prevalence {
    pub(super) hosts: BTreeSet<String>,
    pub(super) opened: BTreeSet<String>,
    pub(super) tried: BTreeSet<String>,
    doubtful: BTreeSet<String>,
    observations: usize,
    execs: BTreeSet<Exec>,
    has_untold_runs: bool,
    has_open_execs: bool,
    not_run: usize,
    paths: BTreeSet<String>,
    times: BTreeSet<Micros>,
}

/// What is known of each algorithm and digest.
pub(super) fn prevalence(history: &History, sights: &[Sight<'_>]) -> BTreeMap<(String, String), Prevalence> {
    let mut all: BTreeMap<(String, String), Prevalence> = BTreeMap::new();
    for sight in sights.iter().filter(|sight| sight.has_digest()) {
        let known = all.entry(sight.content()).or_default();
        let (host, subject) = (history.host(sight.machine), sight.subject());
        let has_failed = sight.exec().is_some() && sight.tells_all_runs() && !sight.has_run();
        if !sight.is_certain() {
            known.doubtful.insert(host);
            continue;
        }
        known.has_untold_runs |= !sight.tells_runs();
        known.has_open_execs |= sight.is_open();
        if subject.action == "deny" || has_failed {
            known.tried.insert(host);
            known.not_run += 1;
        } else if subject.hook == "file_open" {
            known.opened.insert(host);
            known.not_run += 1;
        } else {
            known.hosts.insert(host);
            known.observations += 1;
            known.execs.extend(exec(sight));
            known.paths.extend(sight.event().path.clone());
            known.times.insert(sight.time());
        }
    }
    all
}

fn exec(sight: &Sight<'_>) -> Option<Exec> {
    let exec = sight.exec().filter(|_| sight.has_run())?;
    Some((exec, sight.event().path.clone(), sight.stored.tree))
}

impl Prevalence {
    /// What `rare` says of it.
    pub(super) fn told(&self, (algorithm, digest): &(String, String)) -> Value {
        let only = |hosts: &BTreeSet<String>| hosts.difference(&self.hosts).count();
        let tried: BTreeSet<String> = self.tried.difference(&self.opened).cloned().collect();
        let time = |time: Option<&Micros>| time.map(|time| time.rfc3339());
        let runs = (!self.has_untold_runs).then(|| counted(self.execs.len(), self.has_open_execs));
        json!({
            "type": "rare", "algorithm": algorithm, "digest": digest, "hosts": self.hosts.len(), "host_names": self.hosts,
            "observations": self.observations, "runs": runs,
            "not_run": self.not_run, "opened_only": only(&self.opened), "attempted_only": only(&tried),
            "doubtful_only": only(&self.doubtful), "paths": self.paths.len(),
            "first_paths": self.paths.iter().take(NAMED_MAX).collect::<Vec<_>>(),
            "first_seen": time(self.times.first()), "last_seen": time(self.times.last()),
        })
    }
}

/// What one side has of a path under its root, or of a digest, under one algorithm.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    digests: BTreeSet<String>,
    doubtful: BTreeSet<String>,
    without_digest: usize,
    paths: BTreeSet<String>,
    hosts: BTreeSet<String>,
    execs: BTreeSet<Exec>,
    has_untold_runs: bool,
    has_open_execs: bool,
    times: BTreeSet<Micros>,
}

/// The path and root, or the digest, under its algorithm; without one: what has no digest.
pub(super) type Key = (String, String, String);

/// What a side has, and how it differs from the other.
pub(super) type Difference = (&'static str, [Option<Known>; 2]);

/// What a side has. `all` are the rows of all times.
pub(super) fn known(all: &[Sight<'_>], sights: &[&Sight<'_>], by_digest: bool) -> BTreeMap<Key, Known> {
    let mut known: BTreeMap<Key, Known> = BTreeMap::new();
    let told_roots: BTreeSet<&str> = all
        .iter()
        .filter(|sight| sight.has_digest() && sight.event().root_ino == 2)
        .map(|sight| sight.recorded().id.as_str())
        .collect();
    for sight in sights {
        let event = sight.event();
        let is_left_out = if by_digest { !sight.has_digest() } else { !event.path_flags.is_empty() };
        if is_left_out || !sight.has_digest() && !sight.is_lacking() {
            continue;
        }
        // Of events without a digest nobody says which root is the host's, unless another row does.
        let is_host = event.root_ino == 2 || !sight.has_digest() && !told_roots.contains(sight.recorded().id.as_str());
        let (algorithm, digest) = sight.content();
        let path = event.path.clone().unwrap_or_default();
        let key = match by_digest {
            true => (digest.clone(), String::new(), algorithm),
            false => (path.clone(), if is_host { String::new() } else { event.boot_id.clone() }, algorithm),
        };
        known.entry(key).or_default().take(sight, digest, path);
    }
    known
}

impl Known {
    fn take(&mut self, sight: &Sight<'_>, digest: String, path: String) {
        if sight.has_digest() {
            let digests = if sight.is_certain() { &mut self.digests } else { &mut self.doubtful };
            digests.insert(digest);
            self.execs.extend(exec(sight));
            self.has_untold_runs |= !sight.tells_runs();
            self.has_open_execs |= sight.is_open();
        } else {
            self.without_digest += 1;
            self.has_untold_runs |= sight.exec().is_some();
        }
        self.paths.insert(path);
        // No side has both machines of one name.
        self.hosts.insert(sight.machine.host.to_owned());
        self.times.insert(sight.time());
    }

    /// What an answer says of it, but for its times.
    fn told(&self, by_digest: bool) -> Value {
        let has_digest = !self.digests.is_empty() || !self.doubtful.is_empty();
        let is_told = has_digest && !self.has_untold_runs;
        let runs = is_told.then(|| counted(self.execs.len(), self.has_open_execs));
        let mut told = json!({
            "digests": self.digests, "doubtful_digests": self.doubtful, "without_digest": self.without_digest,
            "hosts": self.hosts, "runs": runs,
        });
        if by_digest {
            told["paths"] = self.paths.len().into();
            told["first_paths"] = self.paths.iter().take(NAMED_MAX).cloned().collect();
        }
        told
    }
}

/// What a side has under a key, and whether it has the same path, or any digest at all, under other algorithms only.
fn side_of(known: &BTreeMap<Key, Known>, key: &Key, by_digest: bool) -> (Option<Known>, bool) {
    let (subject, root, algorithm) = key;
    let lacking = known.get(&(subject.clone(), root.clone(), String::new())).filter(|_| !by_digest);
    if let Some(own) = known.get(key) {
        let mut own = own.clone();
        if let Some(lacking) = lacking.filter(|_| !algorithm.is_empty()) {
            own.without_digest = lacking.without_digest;
            own.has_untold_runs |= lacking.has_untold_runs;
        }
        return (Some(own), false);
    }
    let comparable = known.keys().filter(|(of, at, _)| by_digest || of == subject && at == root);
    let algorithms: BTreeSet<&String> = comparable.map(|(.., algorithm)| algorithm).collect();
    let has_other = algorithms.iter().any(|name| !name.is_empty()) && !algorithms.contains(algorithm);
    (lacking.filter(|_| !has_other).cloned(), has_other)
}

fn kind_of(left: &(Option<Known>, bool), right: &(Option<Known>, bool)) -> &'static str {
    match (left, right) {
        ((Some(left), _), (Some(right), _)) if left.digests.is_empty() || right.digests.is_empty() => "not_known",
        ((Some(left), _), (Some(right), _)) => {
            if left.digests == right.digests {
                "same"
            } else {
                "different"
            }
        }
        ((None, true), _) | (_, (None, true)) => "not_comparable",
        ((_, _), (None, _)) => "only_left",
        _ => "only_right",
    }
}

/// All that differs or is the same.
pub(super) fn differences(
    left: &BTreeMap<Key, Known>,
    right: &BTreeMap<Key, Known>,
    by_digest: bool,
) -> BTreeMap<Key, Difference> {
    let all: BTreeSet<&Key> = left.keys().chain(right.keys()).collect();
    // What has no digest is told beside those that have one, or alone.
    let is_alone =
        |(path, root, _): &Key| !all.iter().any(|(of, at, name)| !name.is_empty() && (of, at) == (path, root));
    let keys = all.iter().copied().filter(|key| !key.2.is_empty() || is_alone(key));
    let row = |key: &Key| {
        let sides = (side_of(left, key, by_digest), side_of(right, key, by_digest));
        (kind_of(&sides.0, &sides.1), [sides.0.0, sides.1.0])
    };
    keys.map(|key| (key.clone(), row(key))).collect()
}

pub(super) fn key_of(row: &Value, by_digest: bool) -> Key {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = if by_digest { &row["digest"] } else { &row["path"] };
    (text(subject), text(&row["root"]["boot_id"]), text(&row["algorithm"]))
}

/// How one side of a row and what is known of it disagree. Where it was cut by a time, runs of observations that cross it are
/// told in part.
pub(super) fn disagreement(
    row: &Value,
    name: &str,
    known: Option<&Known>,
    by_digest: bool,
    (is_cut, has_times): (bool, bool),
) -> Option<String> {
    let side = &row[name];
    let Some(known) = known else {
        return (!side.is_null()).then(|| format!("{name}: is not known, and is told: {row}"));
    };
    let told = known.told(by_digest);
    for (field, expected) in told.as_object().expect("an object") {
        let is_part = is_cut && field == "runs" && side[field].is_null();
        if !agrees(&side[field], expected) && !is_part {
            return Some(format!("{name}: {field} is {expected}: {row}"));
        }
    }
    // Where the clock was set, the ends of a run of observations are not the earliest and the latest of its times.
    if !has_times {
        return None;
    }
    let time = |time: Option<&Micros>| json!(time.map(|time| time.rfc3339()));
    let ends = [("first_seen", time(known.times.first())), ("last_seen", time(known.times.last()))];
    // Only the end that faces the time is cut.
    let is_told = |field: &str| !is_cut || (field == "first_seen") == (name == "left");
    let wrong = ends.iter().find(|(field, expected)| is_told(field) && side[*field] != *expected);
    wrong.map(|(field, expected)| format!("{name}: {field} is {expected}: {row}"))
}
