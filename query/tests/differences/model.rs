//! Random histories of several hosts against a plain model that knows events alone.

use super::diff;
use crate::tests::histories::{Numbers, Recorded, count, ran};
use crate::tests::*;
use std::collections::BTreeMap;

/// What the model knows of one path or digest on one side.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    digests: BTreeSet<String>,
    doubtful: BTreeSet<String>,
    without_digest: usize,
    paths: BTreeSet<String>,
    hosts: BTreeSet<String>,
    runs: i64,
    /// Whether an exec has no digest, so that nobody counts whether it succeeded.
    has_uncounted: bool,
    seconds: BTreeSet<i64>,
}

/// The path and root, or the digest, under its algorithm; without one: what has no digest.
type Key = (String, String, String);

/// What a side has, looked for event by event.
fn known(recordings: &[&Recorded], by_digest: bool, is_in_time: impl Fn(&Event) -> bool) -> BTreeMap<Key, Known> {
    let mut known: BTreeMap<Key, Known> = BTreeMap::new();
    for recording in recordings {
        let knows_root = recording.events().any(|event| event.root_ino == 2 && event.digest.is_some());
        let is_answered =
            |event: &Event| recording.events().any(|other| other.answers() == Some((event.cpu, event.seq)));
        let is_seen = |event: &&Event| event.hook != "bprm_committed_creds" && !is_answered(event);
        for event in recording.events().filter(|event| is_in_time(event)).filter(is_seen) {
            let path = event.path.clone().unwrap_or_default();
            // Of events without a digest nobody says which root is the host's, unless a row of versions does.
            let is_host = event.root_ino == 2 || event.digest.is_none() && !knows_root;
            let root = if is_host { String::new() } else { event.boot_id.clone() };
            let algorithm = event.digest_algorithm.clone().unwrap_or_default();
            if by_digest && event.digest.is_none() || !by_digest && !event.path_flags.is_empty() {
                continue;
            }
            let key = match &event.digest {
                Some(digest) if by_digest => (digest.clone(), String::new(), algorithm),
                _ => (path.clone(), root, algorithm),
            };
            let known = known.entry(key).or_default();
            match event.digest.clone() {
                Some(digest) if event.digest_doubt.is_empty() => _ = known.digests.insert(digest),
                Some(digest) => _ = known.doubtful.insert(digest),
                None => known.without_digest += 1,
            }
            known.runs += i64::from(ran(recording, event));
            known.has_uncounted |= event.digest.is_none() && event.hook == "bprm_check_security";
            known.paths.insert(path);
            known.hosts.insert(event.host.clone());
            known.seconds.insert(event.time.0 / 1_000_000);
        }
    }
    known
}

/// What a side has under a key, and whether it has the same path, or any digest at all, under other algorithms only.
fn side_of(known: &BTreeMap<Key, Known>, key: &Key, by_digest: bool) -> (Option<Known>, bool) {
    let (subject, root, algorithm) = key;
    let lacking = known.get(&(subject.clone(), root.clone(), String::new())).filter(|_| !by_digest);
    if let Some(own) = known.get(key) {
        let without_digest = lacking.map_or(0, |lacking| lacking.without_digest);
        let has_uncounted = lacking.is_some_and(|lacking| lacking.has_uncounted);
        return (Some(Known { without_digest, has_uncounted, ..own.clone() }), false);
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

/// All that differs or is the same, as the model has it.
fn expected(
    left: &BTreeMap<Key, Known>,
    right: &BTreeMap<Key, Known>,
    by_digest: bool,
) -> BTreeMap<Key, (String, [Option<Known>; 2])> {
    let all: BTreeSet<&Key> = left.keys().chain(right.keys()).collect();
    // What has no digest is told beside those that have one, or alone.
    let is_alone =
        |(path, root, _): &Key| !all.iter().any(|(of, at, name)| !name.is_empty() && (of, at) == (path, root));
    let keys: BTreeSet<&Key> = all.iter().copied().filter(|key| !key.2.is_empty() || is_alone(key)).collect();
    let row = |key: &Key| {
        let sides = (side_of(left, key, by_digest), side_of(right, key, by_digest));
        (kind_of(&sides.0, &sides.1).to_owned(), [sides.0.0, sides.1.0])
    };
    keys.into_iter().map(|key| (key.clone(), row(key))).collect()
}

fn key_of(row: &Value, by_digest: bool) -> Key {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = if by_digest { &row["digest"] } else { &row["path"] };
    (text(subject), text(&row["root"]["boot_id"]), text(&row["algorithm"]))
}

/// Compares one side of a row with what the model knows. Where it was cut by a time, runs of observations that cross it are told
/// in part.
fn assert_side(row: &Value, name: &str, known: Option<&Known>, (by_digest, cut): (bool, bool)) {
    let side = &row[name];
    let Some(known) = known else { return assert!(side.is_null(), "{name}: {row}") };
    assert_eq!(side["digests"], json!(known.digests), "{name}: {row}");
    assert_eq!(side["doubtful_digests"], json!(known.doubtful), "{name}: {row}");
    assert_eq!(side["without_digest"], json!(known.without_digest), "{name}: {row}");
    assert_eq!(side["hosts"], json!(known.hosts), "{name}: {row}");
    if by_digest {
        assert_eq!(side["paths"], json!(known.paths.len()), "{name}: {row}");
        assert_eq!(side["first_paths"], json!(known.paths), "{name}: {row}");
    }
    let has_digest = !known.digests.is_empty() || !known.doubtful.is_empty();
    let (runs, is_told) = (json!(known.runs), !cut || !side["runs"].is_null());
    let has_digest = has_digest && !known.has_uncounted;
    assert!(!is_told || side["runs"] == if has_digest { runs } else { Value::Null }, "{name}: {row}, {known:?}");
    let time = |second: Option<&i64>| second.map(|second| Micros(second * 1_000_000).rfc3339());
    let (first, last) = (time(known.seconds.first()), time(known.seconds.last()));
    let seen = ["first_seen", "last_seen"].map(|field| side[field].as_str().map(str::to_owned));
    if !cut || name == "left" {
        assert_eq!(seen[0], first, "{name}: {row}");
    }
    if !cut || name == "right" {
        assert_eq!(seen[1], last, "{name}: {row}");
    }
    assert!(seen[0] >= first && seen[1] <= last, "{name}: {row}");
}

fn assert_as_expected(
    rows: &[Value],
    expected: &BTreeMap<Key, (String, [Option<Known>; 2])>,
    by_digest: bool,
    cut: bool,
) {
    let keys: BTreeSet<Key> = rows.iter().map(|row| key_of(row, by_digest)).collect();
    assert_eq!((rows.len(), keys), (expected.len(), expected.keys().cloned().collect()), "{rows:#?}");
    for row in rows {
        let (kind, [left, right]) = &expected[&key_of(row, by_digest)];
        assert_eq!(row["kind"], json!(kind), "{row}");
        assert_side(row, "left", left.as_ref(), (by_digest, cut));
        assert_side(row, "right", right.as_ref(), (by_digest, cut));
    }
}

#[test]
fn two_sides_of_several_hosts_are_compared_as_by_a_plain_model() -> Result<()> {
    let mut kinds = BTreeSet::new();
    for seed in 0..count() {
        let mut numbers = Numbers(seed);
        let directory = tempfile::tempdir()?;
        let recorded: Vec<Recorded> =
            (0..2 + numbers.below(3)).map(|number| Recorded::random(&mut numbers, number)).collect();
        for (number, one) in recorded.iter().enumerate() {
            one.seal(&directory.path().join(if number % 2 == 0 { "left" } else { "right" }).join(number.to_string()))?;
        }
        let side = |which| {
            recorded
                .iter()
                .enumerate()
                .filter(|(number, _)| number % 2 == which)
                .map(|(_, one)| one)
                .collect::<Vec<_>>()
        };
        let glob = |name: &str| directory.path().join(name).join("*").display().to_string();
        for by in ["path", "digest"] {
            let by_digest = by == "digest";
            let (mut lines, _) = diff(&[&glob("left"), &glob("right"), "--by", by, "--same"])?;
            let summary = lines.pop().unwrap_or_default();
            let (left, right) = (known(&side(0), by_digest, |_| true), known(&side(1), by_digest, |_| true));
            let expected = expected(&left, &right, by_digest);
            assert_as_expected(&lines, &expected, by_digest, false);
            for kind in ["only_left", "only_right", "different", "not_known", "not_comparable", "same"] {
                let count = expected.values().filter(|(of, _)| of == kind).count();
                assert_eq!(summary[kind], json!(count), "seed {seed}, {kind}: {summary}");
            }
            kinds.extend(expected.into_values().map(|(kind, _)| (by, kind)));
        }
    }
    assert_eq!(kinds.len(), 11, "each kind came, and digests are never `different`: {kinds:?}");
    Ok(())
}

#[test]
fn one_archive_at_two_times_is_compared_as_by_a_plain_model() -> Result<()> {
    for seed in 0..count() {
        let mut numbers = Numbers(seed + 1_000_000);
        let directory = tempfile::tempdir()?;
        let recorded = Recorded::random(&mut numbers, 0);
        recorded.seal(directory.path())?;
        let moment = Micros((START + i64::try_from(numbers.below(80))?) * 1_000_000);
        let archive = directory.path().display().to_string();
        for by in ["path", "digest"] {
            let by_digest = by == "digest";
            let (mut lines, _) = diff(&["--before", &moment.rfc3339(), &archive, "--by", by, "--same"])?;
            lines.pop();
            let left = known(&[&recorded], by_digest, |event| event.time < moment);
            let right = known(&[&recorded], by_digest, |event| event.time >= moment);
            assert_as_expected(&lines, &expected(&left, &right, by_digest), by_digest, true);
        }
    }
    Ok(())
}
