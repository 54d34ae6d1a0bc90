//! `changes`, `history` and `lookup`, the slow way: over each observation, in the order in which it happened.

use super::history::{History, Place, Sight};
use super::machine::{Done, Machine, What};
use super::recorded::Loss;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How much later than it was a step of the clock may be noted.
const NOTED_LATE_NS: i64 = 2_000_000_000;

/// Observations that follow each other and have one content.
pub(super) type Version<'a> = Vec<Sight<'a>>;

/// A change, and what an answer must say of it.
pub(super) struct Change<'a> {
    pub(super) place: Place,
    pub(super) from: Version<'a>,
    pub(super) to: Version<'a>,
    pub(super) kind: &'static str,
    /// When the old content was really read last: recording, and nanoseconds since boot, 0 where that is not known.
    pub(super) after: (usize, i64),
    pub(super) before: (usize, i64),
    pub(super) doubts: BTreeSet<String>,
}

/// Certain observations of each place, or doubtful ones.
pub(super) fn places<'a>(history: &History, sights: &[Sight<'a>], is_certain: bool) -> BTreeMap<Place, Vec<Sight<'a>>> {
    let mut places: BTreeMap<Place, Vec<Sight<'a>>> = BTreeMap::new();
    for sight in sights.iter().filter(|sight| sight.has_digest() && sight.is_certain() == is_certain) {
        places.entry(history.place(sight)).or_default().push(*sight);
    }
    places
}

fn versions<'a>(sights: &[Sight<'a>], is_one: impl Fn(&Sight<'a>, &Sight<'a>) -> bool) -> Vec<Version<'a>> {
    sights.chunk_by(is_one).map(<[Sight<'_>]>::to_vec).collect()
}

/// All changes of all files.
pub(super) fn changes<'a>(history: &History, sights: &[Sight<'a>]) -> Vec<Change<'a>> {
    let doubtful = places(history, sights, false);
    let mut changes = Vec::new();
    for (place, certain) in places(history, sights, true) {
        if certain[0].event().path_flags.is_empty() {
            let versions = versions(&certain, |left, right| left.content() == right.content());
            for number in 1..versions.len() {
                for (kind, from) in pairs(&versions[..number], &versions[number]) {
                    let doubtful = doubtful.get(&place).map_or(&[][..], Vec::as_slice);
                    changes.push(Change::new(&place, kind, (from, &versions[number]), doubtful));
                }
            }
        }
    }
    changes
}

/// What a version is to be compared with.
fn pairs<'v, 'a>(before: &'v [Version<'a>], to: &Version<'a>) -> Vec<(&'static str, &'v Version<'a>)> {
    let algorithm = |version: &Version<'_>| version[0].content().0;
    let kind = |from: &Version<'a>| match from[from.len() - 1].is_file_of(&to[0]) {
        true => "rewritten",
        false => "replaced",
    };
    let last = &before[before.len() - 1];
    if algorithm(last) == algorithm(to) {
        return vec![(kind(last), last)];
    }
    // Digests of two algorithms say nothing of each other, but older ones may.
    let comparable = before.iter().rev().find(|version| algorithm(version) == algorithm(to));
    let differs = comparable.filter(|from| from[0].content() != to[0].content());
    [("algorithm_changed", last)].into_iter().chain(differs.map(|from| (kind(from), from))).collect()
}

impl<'a> Change<'a> {
    fn new(
        place: &Place,
        kind: &'static str,
        (from, to): (&Version<'a>, &Version<'a>),
        doubtful: &[Sight<'a>],
    ) -> Self {
        let latest = from[from.len() - 1];
        let readings = from.iter().filter(|sight| sight.is_file_of(&latest));
        let known = readings.clone().filter_map(|sight| Some((sight.recording, sight.event().content_read_ns?)));
        let first_of_file = readings.map(|sight| (sight.recording, 0)).next();
        let after = known.max().or(first_of_file).unwrap_or_default();
        let first = to[0].event();
        let before = (to[0].recording, first.boot_ns + first.digest_duration_ns.unwrap_or(0));
        let is_between = |sight: &&Sight<'_>| {
            let at = (sight.recording, sight.event().boot_ns);
            at >= after && at <= (to[0].recording, first.boot_ns)
        };
        let doubts = doubtful.iter().filter(is_between).flat_map(|sight| sight.event().digest_doubt.clone()).collect();
        Self { place: place.clone(), from: from.clone(), to: to.clone(), kind, after, before, doubts }
    }

    /// What of it each answer must say.
    pub(super) fn told(&self) -> Value {
        let version = |version: &Version<'_>, next: &Sight<'_>| {
            let (algorithm, digest) = version[0].content();
            let (first, last) = (version[0].time(), version[version.len() - 1].time());
            json!({
                "algorithm": algorithm, "digest": digest, "dev": next.event().dev, "ino": next.event().ino,
                "first_seen": first.rfc3339(), "last_seen": last.rfc3339(), "runs": execs(version, true),
            })
        };
        let (old, new) = (&self.from[self.from.len() - 1], &self.to[0]);
        json!({
            "path": self.place.path, "host": self.place.host, "kind": self.kind,
            "root_dev": new.event().root_dev, "root_ino": new.event().root_ino,
            "from": version(&self.from, old), "to": version(&self.to, new),
            "changed_after_ns": self.after.1, "changed_before_ns": self.before.1,
            "complete": self.causes().is_empty(), "causes": self.causes(), "coverage": self.coverage(),
        })
    }

    /// Hooks that were recorded all the time.
    fn coverage(&self) -> BTreeSet<&'static str> {
        let recordings = &self.to[0].machine.recordings[self.after.0..=self.before.0];
        let hooks = recordings.iter().map(|recorded| recorded.settings.hooks());
        hooks.reduce(|left, right| &left & &right).unwrap_or_default()
    }

    /// Why something may be missing in the interval.
    fn causes(&self) -> BTreeSet<&'static str> {
        let recordings = &self.to[0].machine.recordings;
        let mut causes = BTreeSet::new();
        // Between two recordings there is always a time, and before the first one too.
        if self.after.0 != self.before.0 || self.after.1 == 0 {
            causes.insert("not_recorded");
        }
        for (number, recorded) in recordings.iter().enumerate().take(self.before.0 + 1).skip(self.after.0) {
            let from_ns = if number == self.after.0 { self.after.1 } else { i64::MIN };
            let to_ns = if number == self.before.0 { self.before.1 } else { i64::MAX };
            let touches = |loss: &&Loss| loss.to_ns >= from_ns && loss.from_ns <= to_ns;
            causes.extend(recorded.losses(true).filter(touches).map(|loss| loss.cause));
        }
        causes
    }

    /// What was really done to the place in the interval.
    pub(super) fn done(&self) -> Vec<&'a Done> {
        let machine = self.to[0].machine;
        let boot = |recording: usize| machine.recordings[recording].boot;
        let span = (boot(self.after.0), self.after.1)..=(boot(self.before.0), self.before.1);
        let is_file = |number: usize, sight: &Sight<'_>| {
            let (file, event) = (&machine.files.list[number], sight.event());
            (Some(file.ino), Some(file.generation)) == (event.ino, event.ino_generation)
        };
        let (old, new) = (&self.from[self.from.len() - 1], &self.to[0]);
        let path = self.place.path.as_deref().unwrap_or_default();
        let is_here = |done: &&Done| match &done.what {
            What::Content(number) => is_file(*number, old) || is_file(*number, new),
            What::Name(tree, name) => *tree == self.to[0].stored.tree && name == path,
        };
        machine.done.iter().filter(|done| span.contains(&(done.boot, done.at_ns))).filter(is_here).collect()
    }

    /// The times that the clock may have shown in the interval, at the least and at the most.
    pub(super) fn span(&self) -> (Micros, Micros) {
        span(self.to[0].machine, self.after, self.before)
    }
}

/// The times that the clock may have shown between two moments, at the least and at the most.
fn span(machine: &Machine, after: (usize, i64), before: (usize, i64)) -> (Micros, Micros) {
    let mut times = Vec::new();
    // At some time since boot: then in an earlier recording too.
    let is_of_boot = |number: &usize| machine.recordings[*number].boot == machine.recordings[after.0].boot;
    let first = (0..=after.0).find(is_of_boot).filter(|_| after.1 == 0).unwrap_or(after.0);
    for (number, recorded) in machine.recordings.iter().enumerate().take(before.0 + 1).skip(first) {
        let from_ns = if number <= after.0 { after.1 } else { recorded.start_ns };
        let to_ns = if number == before.0 { before.1 } else { recorded.end_ns };
        times.push(recorded.time_at(from_ns, false));
        times.push(recorded.time_at(to_ns, true));
        let noted = from_ns - NOTED_LATE_NS..=to_ns + NOTED_LATE_NS;
        for step in recorded.steps.iter().filter(|step| noted.contains(&step.at.0)) {
            times.extend([step.before_ns, step.after_ns].map(|offset| Micros((offset + step.at.0) / 1000)));
        }
    }
    (times.iter().min().copied().expect("a time"), times.iter().max().copied().expect("a time"))
}

/// Execs that succeeded, or did not; null where not all recordings could tell.
fn execs(version: &[Sight<'_>], have_run: bool) -> Value {
    let execs = version.iter().filter(|sight| sight.has_run() == have_run).filter_map(Sight::exec);
    let count = execs.map(|(machine, recording, exec_id, _)| (machine, recording, exec_id)).collect::<BTreeSet<_>>();
    match version.iter().all(Sight::tells_runs) {
        true => counted(count.len(), version.iter().any(Sight::is_open)),
        false => Value::Null,
    }
}

/// A count, or null if that is open.
pub(super) fn counted(count: usize, is_open: bool) -> Value {
    if is_open { json!({"open": count}) } else { json!(count) }
}

/// Whether both show one version of one file, which stood alike at its path.
fn is_one(left: &Sight<'_>, right: &Sight<'_>) -> bool {
    let (flags, of_other) = (&left.event().path_flags, &right.event().path_flags);
    left.content() == right.content() && left.is_file_of(right) && flags == of_other
}

/// Every version of what is wanted: certain ones as they followed each other.
pub(super) fn history(
    history: &History,
    sights: &[Sight<'_>],
    is_in_time: impl Fn((Micros, Micros)) -> bool,
) -> Vec<Value> {
    let certain = places(history, sights, true);
    let all = certain.into_iter().flat_map(|(place, sights)| {
        versions(&sights, is_one).into_iter().map(move |version| (place.clone(), version)).collect::<Vec<_>>()
    });
    let at = |sight: &Sight<'_>| (sight.recording, sight.event().boot_ns);
    let span_of = |version: &Version<'_>| span(version[0].machine, at(&version[0]), at(&version[version.len() - 1]));
    all.filter(|(_, version)| is_in_time(span_of(version))).map(|(place, version)| told(&place, &version)).collect()
}

/// Of each place and file what was seen of each content, whatever lay between.
pub(super) fn contents(history: &History, sights: &[Sight<'_>], is_certain: bool) -> Vec<Value> {
    let mut told_of = Vec::new();
    for (place, sights) in places(history, sights, is_certain) {
        let mut groups: Vec<Version<'_>> = Vec::new();
        for sight in sights {
            match groups.iter_mut().find(|group| is_one(&group[0], &sight)) {
                Some(group) => group.push(sight),
                None => groups.push(vec![sight]),
            }
        }
        told_of.extend(groups.iter().map(|version| told(&place, version)));
    }
    told_of
}

/// What `history` and `lookup` say of a version.
pub(super) fn told(place: &Place, version: &[Sight<'_>]) -> Value {
    let (first, last) = (version[0].event(), version[version.len() - 1].event());
    let (algorithm, digest) = version[0].content();
    let doubts: BTreeSet<&String> = version.iter().flat_map(|sight| &sight.event().digest_doubt).collect();
    json!({
        "host": place.host, "path": place.path, "path_flags": first.path_flags, "in_series": first.path_flags.is_empty(),
        "root_dev": first.root_dev, "root_ino": first.root_ino, "root_is_host": place.root.is_none(),
        "algorithm": algorithm, "digest": digest, "doubts": doubts,
        "dev": last.dev, "ino": last.ino, "ino_generation": last.ino_generation,
        "first_seen": first.time.rfc3339(), "last_seen": last.time.rfc3339(),
        "observations": version.len(), "runs": execs(version, true), "attempts": execs(version, false),
        "size_bytes": first.size_bytes, "mode": first.mode,
    })
}
