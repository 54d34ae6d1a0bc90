//! Each change, and what really happened.

use super::{Case, Checked, Told, check, count, only, pairs};
use crate::tests::model::history::Sight;
use crate::tests::model::machine::{Done, What};
use crate::tests::model::versions::{self, Change};
use hashtrail::event::Event;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CHANGE: [&str; 10] =
    ["path", "host", "kind", "root_dev", "root_ino", "from", "to", "changed_after_ns", "changed_before_ns", "coverage"];

impl Case<'_> {
    pub(super) fn changes(&self, told: &mut Told) -> Checked {
        let (rows, summary) = self.ask(&["changes"])?;
        let changes = versions::changes(self.history, &self.sights);
        let answered = |row: &Value| {
            let mut answered = only(row, &CHANGE);
            let gaps = row["gaps"].as_array().into_iter().flatten();
            let causes: BTreeSet<&str> = gaps.filter_map(|gap| gap["cause"].as_str()).collect();
            (answered["complete"], answered["causes"]) = (row["complete"].clone(), json!(causes));
            answered
        };
        let expected: Vec<Value> = changes.iter().map(Change::told).collect();
        for (row, change) in pairs("changes", &rows.iter().map(answered).collect::<Vec<_>>(), &expected)? {
            self.change(&changes[change], &rows[row], told)?;
            self.verdicts(&changes[change], &rows[row], told)?;
        }
        // Of each machine all boots stand in one archive, or its clock tells how they follow each other.
        let has_two = summary["problems"].to_string().contains("recorded different boots");
        check("changes", !has_two, || format!("no two machines are one: {summary}"))?;
        check("changes", summary["changes"] == json!(changes.len()), || format!("their number: {summary}"))?;
        let is_named = |sight: &&Sight<'_>| sight.event().path_flags.is_empty();
        let named = || self.sights.iter().filter(is_named);
        let doubtful = named().filter(|sight| sight.has_digest() && !sight.is_certain()).count();
        let lacking = named().filter(|sight| sight.is_lacking()).count();
        let counts = [&summary["doubtful"], &summary["without_digest"]];
        check("changes", counts == [&json!(doubtful), &json!(lacking)], || {
            format!("{doubtful}, {lacking}: {summary}")
        })?;
        let is_complete =
            !self.has_losses(true) && doubtful + lacking == 0 && rows.iter().all(|row| row["complete"] == true);
        check("changes", summary["complete"] == is_complete, || format!("complete is {is_complete}: {summary}"))
    }

    /// What a row says of how a change came about, and what really happened.
    pub(super) fn change(&self, change: &Change<'_>, row: &Value, told: &mut Told) -> Checked {
        count(told, "changes");
        count(told, change.kind);
        count(told, row["attribution"].as_str().unwrap_or("none"));
        if row["complete"] == false {
            count(told, "incomplete");
        }
        let doubts: BTreeSet<&str> = row["doubts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let has_all = change.doubts.iter().all(|doubt| doubts.contains(doubt.as_str()));
        check("changes", has_all, || format!("doubts are {:?}: {row}", change.doubts))?;
        let done = change.done();
        check("changes", !done.is_empty() || change.kind == "algorithm_changed", || {
            format!("nothing was done: {row}")
        })?;
        let machine = change.to[0].machine;
        let suspects: BTreeSet<(String, String)> = row["suspects"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|suspect| (suspect["time"].to_string(), suspect["hook"].to_string()))
            .collect();
        for (done, (recording, cpu, seq)) in done.iter().filter_map(|done| Some((done, done.row?))) {
            let rows = machine.recordings[recording].rows.iter().map(|row| &row.event);
            let event = rows.clone().find(|event| (event.cpu, event.seq) == (cpu, seq)).expect("a stored row");
            if (recording, event.boot_ns) >= change.after && can_be_known(change, done, event) {
                let act = (json!(event.time.rfc3339()).to_string(), json!(event.hook).to_string());
                let is_named = row["attribution"] == "suspects" && suspects.contains(&act);
                check("changes", is_named, || format!("no suspect {act:?}: {row}"))?;
            }
        }
        let is_unseen = row["attribution"] != "nobody seen" || done.iter().all(|done| done.is_silent);
        check("changes", is_unseen, || format!("somebody did it: {done:?}: {row}"))?;
        if !self.has_steps() && change.after.1 > 0 {
            let times = [&row["changed_after"], &row["changed_before"]];
            let time = |(recording, boot_ns): (usize, i64)| {
                json!(machine.recordings[recording].time_at(boot_ns, true).rfc3339())
            };
            let expected = [time(change.after), time(change.before)];
            check("changes", times == expected.each_ref(), || format!("times are {expected:?}: {row}"))?;
        }
        Ok(())
    }
}

/// Whether a row tells of what was done that it was done to this file. After a boot a file under another name may be any, also
/// with the same numbers. Acts on names say where these stand on the host, which in a private namespace is elsewhere.
fn can_be_known(change: &Change<'_>, done: &Done, event: &Event) -> bool {
    let ends = [&change.from[change.from.len() - 1], &change.to[0]];
    let is_of_boot = |sight: &&&Sight<'_>| sight.event().boot_id == event.boot_id;
    let has_name = |tree: usize| tree == 0 || tree == 1 && ends.iter().filter(is_of_boot).count() == ends.len();
    let file = |event: &Event| (event.ino, event.ino_generation);
    matches!(done.what, What::Name(tree, _) if has_name(tree))
        || event.path == change.place.path
        || ends.iter().filter(is_of_boot).any(|sight| file(sight.event()) == file(event))
}
