//! Versions of files, places of contents, and what of both lies in a time.

use super::{Case, Checked, Told, check, count, only, same};
use crate::tests::model::history::Sight;
use crate::tests::model::machine::digest_of;
use crate::tests::model::versions;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const VERSION: [&str; 20] = [
    "host",
    "path",
    "path_flags",
    "in_series",
    "root_dev",
    "root_ino",
    "root_is_host",
    "algorithm",
    "digest",
    "doubts",
    "dev",
    "ino",
    "ino_generation",
    "first_seen",
    "last_seen",
    "observations",
    "runs",
    "attempts",
    "size_bytes",
    "mode",
];
/// What tells the rows of one file and content, however they are joined.
const CONTENT: [&str; 11] = [
    "host",
    "path",
    "path_flags",
    "in_series",
    "root_ino",
    "root_is_host",
    "algorithm",
    "digest",
    "doubts",
    "ino",
    "ino_generation",
];

/// Rows of one file and content as one.
fn joined(rows: &[Value], has_times: bool) -> Vec<Value> {
    let mut joined: BTreeMap<String, Value> = BTreeMap::new();
    for row in rows {
        let key = only(row, &CONTENT);
        let known = joined.entry(key.to_string()).or_insert_with(|| {
            let mut known = key;
            (known["observations"], known["runs"], known["attempts"]) = (0.into(), 0.into(), 0.into());
            known
        });
        for field in ["observations", "runs", "attempts"] {
            known[field] = sum(&known[field], &row[field]);
        }
        for (field, is_first) in [("first_seen", true), ("last_seen", false)].into_iter().filter(|_| has_times) {
            let is_beyond = known[field].is_null() || (row[field].as_str() < known[field].as_str()) == is_first;
            if is_beyond {
                known[field] = row[field].clone();
            }
        }
    }
    joined.into_values().collect()
}

/// The sum of two counts that may be open.
fn sum(left: &Value, right: &Value) -> Value {
    let number = |count: &Value| count.as_u64().or_else(|| count["open"].as_u64());
    let sum = number(left).zip(number(right)).map(|(left, right)| left + right);
    if left.is_object() || right.is_object() { sum.map_or(Value::Null, |sum| json!({"open": sum})) } else { json!(sum) }
}

impl Case<'_> {
    /// Changes and versions are in a time that they touch, whatever the clock showed in that.
    pub(super) fn in_time(&self) -> Checked {
        let Some((since, until)) = self.time() else { return Ok(()) };
        let touches = |(first, last): (Micros, Micros)| last >= since && first < until;
        let (rows, _) = self.ask(&["history", "/**", "--since", &since.rfc3339(), "--until", &until.rfc3339()])?;
        let certain = rows.iter().filter(|row| row["doubts"] == json!([])).map(|row| only(row, &VERSION));
        let expected = versions::history(self.history, &self.sights, touches);
        same("history in a time", &certain.collect::<Vec<_>>(), &expected)?;
        let (rows, _) = self.ask(&["changes", "--since", &since.rfc3339(), "--until", &until.rfc3339()])?;
        let changes = versions::changes(self.history, &self.sights);
        let fields = ["path", "host", "kind", "changed_after_ns", "changed_before_ns"];
        let expected: Vec<Value> = changes
            .iter()
            .filter(|change| touches(change.span()))
            .map(|change| only(&change.told(), &fields))
            .collect();
        same("changes in a time", &rows.iter().map(|row| only(row, &fields)).collect::<Vec<_>>(), &expected)
    }

    pub(super) fn versions(&self, told: &mut Told) -> Checked {
        let (rows, summary) = self.ask(&["history", "/**"])?;
        rows.iter().for_each(|_| count(told, "versions"));
        let rows: Vec<Value> = rows.iter().map(|row| only(row, &VERSION)).collect();
        let (certain, doubtful): (Vec<Value>, Vec<Value>) =
            rows.into_iter().partition(|row| row["doubts"] == json!([]));
        same("history", &certain, &versions::history(self.history, &self.sights, |_| true))?;
        let expected = joined(&versions::contents(self.history, &self.sights, false), !self.has_steps());
        same("history, doubtful", &joined(&doubtful, !self.has_steps()), &expected)?;
        let lacking = self.sights.iter().any(|sight| sight.is_lacking() && sight.event().path_flags.is_empty());
        let is_complete = !self.has_losses(false) && !lacking;
        check("history", summary["complete"] == is_complete, || format!("complete is {is_complete}: {summary}"))
    }

    pub(super) fn of_inode(&self) -> Checked {
        let Some(asked) = self.sights.get(self.sights.len() / 2).map(Sight::event) else { return Ok(()) };
        let Some((dev, ino)) = asked.dev.clone().zip(asked.ino) else { return Ok(()) };
        let (rows, _) = self.ask(&["history", "--inode", &format!("{dev}:{ino}")])?;
        let is_asked = |sight: &&Sight<'_>| (sight.event().dev.as_ref(), sight.event().ino) == (Some(&dev), Some(ino));
        let asked: Vec<Sight<'_>> = self.sights.iter().filter(is_asked).copied().collect();
        let certain = rows.iter().filter(|row| row["doubts"] == json!([])).map(|row| only(row, &VERSION));
        same("history of an inode", &certain.collect::<Vec<_>>(), &versions::history(self.history, &asked, |_| true))
    }

    /// All algorithms that there are, and some digests of each.
    fn asked(&self) -> (BTreeSet<&str>, BTreeSet<String>) {
        let mut algorithms: BTreeSet<&str> =
            self.sights.iter().filter_map(|sight| sight.event().digest_algorithm.as_deref()).collect();
        algorithms.insert("sha256");
        let of_algorithm = |name: &&str| (0..3).map(|content| digest_of(content, name)).collect::<Vec<_>>();
        let digests = algorithms.iter().flat_map(of_algorithm).collect();
        (algorithms, digests)
    }

    /// What has a digest in a time is found, whatever the clock showed before and after; so is what may hide one.
    pub(super) fn lookup_in_time(&self) -> Checked {
        let Some((since, until)) = self.time() else { return Ok(()) };
        let (_, digests) = self.asked();
        let times = [since.rfc3339(), until.rfc3339()];
        let span = ["--since", &times[0], "--until", &times[1]];
        let is_inside = |time: Micros| since <= time && time < until;
        let within = || self.sights.iter().filter(|sight| is_inside(sight.time()));
        let doubtful = within().filter(|sight| sight.has_digest() && !sight.is_certain()).count();
        let lost = self.recordings().flat_map(|recorded| recorded.losses(false)).any(|loss| is_inside(loss.time));
        let hides = lost || doubtful > 0 || within().any(Sight::is_lacking);
        let all: Vec<&str> = digests.iter().map(String::as_str).collect();
        for (line, asked) in
            [([&["lookup"][..], &all].concat(), &*all), (vec!["history", "--digest", all[0]], &all[..1])]
        {
            let verb = format!("{} of digests in a time", line[0]);
            let (rows, summary) = self.ask(&[&*line, &span].concat())?;
            let is_asked =
                |sight: &&Sight<'_>| sight.event().digest.as_deref().is_some_and(|digest| asked.contains(&digest));
            let key =
                |sight: &Sight<'_>| only(&versions::told(&self.history.place(sight), &[*sight]), &CONTENT).to_string();
            let answered: BTreeSet<String> = rows.iter().map(|row| only(row, &CONTENT).to_string()).collect();
            let expected: BTreeSet<String> = within().filter(is_asked).map(key).collect();
            let possible: BTreeSet<String> = self.sights.iter().filter(is_asked).map(key).collect();
            check(&verb, expected.is_subset(&answered), || format!("lacks {:?}", &expected - &answered))?;
            check(&verb, answered.is_subset(&possible), || format!("has {:?}", &answered - &possible))?;
            let has_doubtful = summary["doubtful"].as_u64() >= u64::try_from(doubtful).ok();
            check(&verb, has_doubtful, || format!("{doubtful} are doubtful: {summary}"))?;
            self.check_complete(&verb, &summary, !hides)?;
        }
        Ok(())
    }

    pub(super) fn lookup(&self) -> Checked {
        let (algorithms, digests) = self.asked();
        let line: Vec<&str> = ["lookup"].into_iter().chain(digests.iter().map(String::as_str)).collect();
        let (rows, summary) = self.ask(&line)?;
        let is_asked =
            |sight: &&Sight<'_>| sight.event().digest.as_ref().is_some_and(|digest| digests.contains(digest));
        let asked: Vec<Sight<'_>> = self.sights.iter().filter(is_asked).copied().collect();
        let mut expected = versions::contents(self.history, &asked, true);
        expected.extend(versions::contents(self.history, &asked, false));
        let has_times = !self.has_steps();
        same("lookup", &joined(&rows, has_times), &joined(&expected, has_times))?;
        let seen: BTreeSet<&Option<String>> = asked.iter().map(|sight| &sight.event().digest).collect();
        check("lookup", summary["seen"] == json!(seen.len()), || format!("{} were seen: {summary}", seen.len()))?;
        let is_complete = !self.has_losses(false) && !self.is_doubtful();
        let says = summary["complete"] == true;
        // With two algorithms each digest is comparable with a part alone.
        let is_right = says == is_complete || !says && algorithms.len() > 1;
        check("lookup", is_right || asked.is_empty(), || format!("complete is {is_complete}: {summary}"))
    }
}
