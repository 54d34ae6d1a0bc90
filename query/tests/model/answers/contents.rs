//! Contents by the hosts that have them, and two sides.

use super::{Case, Checked, Told, agrees, check, count, same};
use crate::tests::model::contents::{self, Known};
use crate::tests::model::history::Sight;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Case<'_> {
    pub(super) fn rare(&self, told: &mut Told) -> Checked {
        let (rows, summary) = self.ask(&["rare", "--at-most", "9"])?;
        let known = contents::prevalence(self.history, &self.sights);
        let loaded = known.iter().filter(|(_, known)| !known.hosts.is_empty());
        let mut expected: Vec<Value> = loaded.clone().map(|(key, known)| known.told(key)).collect();
        let mut answered = rows.clone();
        if self.has_steps() {
            let forget = |row: &mut Value| (row["first_seen"], row["last_seen"]) = (Value::Null, Value::Null);
            answered.iter_mut().chain(&mut expected).for_each(forget);
        }
        same("rare", &answered, &expected)?;
        rows.iter().for_each(|_| count(told, "rare"));
        let order = |row: &Value| (row["hosts"].as_i64(), row["runs"].as_i64(), row["digest"].to_string());
        check("rare", rows.iter().map(order).is_sorted(), || format!("the order: {rows:?}"))?;
        let others = || known.values().filter(|known| known.hosts.is_empty());
        let opened = others().filter(|known| !known.opened.is_empty()).count();
        let tried = others().filter(|known| known.opened.is_empty() && !known.tried.is_empty()).count();
        let expected = [loaded.count(), opened, tried].map(|count| json!(count));
        let counts = ["loaded", "only_opened", "only_attempted"].map(|name| summary[name].clone());
        check("rare", counts == expected, || format!("{expected:?}: {summary}"))?;
        self.check_complete(
            "rare",
            &summary,
            !self.has_losses(false) && !self.is_doubtful() && self.is_of_one_algorithm(),
        )
    }

    /// A run of observations that is longer than the time counts as seen in it, and nothing else does that was not.
    pub(super) fn rare_in_time(&self) -> Checked {
        let Some((since, until)) = self.time().filter(|_| !self.has_steps()) else { return Ok(()) };
        let line = ["rare", "--at-most", "9", "--since", &since.rfc3339(), "--until", &until.rfc3339()];
        let (rows, _) = self.ask(&line)?;
        let of = |is_in: &dyn Fn(Micros) -> bool| {
            let sights: Vec<Sight<'_>> = self.sights.iter().filter(|sight| is_in(sight.time())).copied().collect();
            contents::prevalence(self.history, &sights)
        };
        let (before, after) = (of(&|time| time < since), of(&|time| time >= until));
        let inside = of(&|time| since <= time && time < until);
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let found: BTreeMap<(String, String), &Value> =
            rows.iter().map(|row| ((text(row, "algorithm"), text(row, "digest")), row)).collect();
        for (key, known) in inside.iter().filter(|(_, known)| !known.hosts.is_empty()) {
            let (expected, row) = (known.told(key), found.get(key).copied().unwrap_or(&Value::Null));
            let is = |name: &str| row[name].is_null() || agrees(&row[name], &expected[name]);
            let is_right = row["not_run"] == expected["not_run"] && is("observations") && is("runs");
            check("rare in a time", is_right, || format!("{row}, and not {expected}"))?;
        }
        for (key, row) in found {
            let hosts: BTreeSet<String> = row["host_names"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|host| host.as_str().unwrap_or_default().into())
                .collect();
            let has = |known: &BTreeMap<(String, String), contents::Prevalence>, host: &String| {
                known.get(&key).is_some_and(|known| known.hosts.contains(host))
            };
            let is_whole = inside.get(&key).is_none_or(|known| known.hosts.is_subset(&hosts));
            let is_seen = |host: &String| has(&inside, host) || has(&before, host) && has(&after, host);
            check("rare in a time", is_whole && hosts.iter().all(is_seen), || format!("the hosts: {row}"))?;
        }
        Ok(())
    }

    pub(super) fn is_of_one_algorithm(&self) -> bool {
        let named = self.sights.iter().filter(|sight| sight.has_digest()).map(|sight| sight.content().0);
        named.collect::<BTreeSet<String>>().len() < 2
    }

    /// The first machine against all others.
    pub(super) fn sides(&self, told: &mut Told) -> Checked {
        if self.history.machines.len() < 2 {
            return Ok(());
        }
        let machines = &self.history.machines;
        let first = machines[0].number;
        let sides = [&machines[..1], &machines[1..]].map(|side| self.history.pattern(self.directory, side.iter()));
        for by in ["path", "digest"] {
            let line = ["diff", "--by", by, "--same"];
            let (rows, summary) = self.ask_at(&sides, &line)?;
            let of = |is_first: bool| {
                let of_side = self.sights.iter().filter(|sight| (sight.machine.number == first) == is_first);
                contents::known(&self.sights, &of_side.collect::<Vec<_>>(), by == "digest")
            };
            self.differences(&rows, &of(true), &of(false), (by == "digest", false))?;
            rows.iter().for_each(|row| count(told, row["kind"].as_str().unwrap_or("no kind")));
            self.check_complete(
                "diff",
                &summary,
                !self.has_losses(false) && !self.is_doubtful() && self.is_of_one_algorithm(),
            )?;
        }
        Ok(())
    }

    /// One machine before a moment and after it.
    pub(super) fn before_and_after(&self) -> Checked {
        let Some(machine) = self.history.machines.first() else { return Ok(()) };
        let sights: Vec<&Sight<'_>> =
            self.sights.iter().filter(|sight| sight.machine.number == machine.number).collect();
        let Some(moment) = sights.get(sights.len() / 2).map(|sight| sight.time()).filter(|_| !self.has_steps()) else {
            return Ok(());
        };
        let archive = self.history.pattern(self.directory, std::iter::once(machine));
        for by in ["path", "digest"] {
            let (rows, _) = self.ask_at(
                std::slice::from_ref(&archive),
                &["diff", "--before", &moment.rfc3339(), "--by", by, "--same"],
            )?;
            let of = |is_before: bool| {
                let of_side = sights.iter().copied().filter(|sight| (sight.time() < moment) == is_before);
                contents::known(&self.sights, &of_side.collect::<Vec<_>>(), by == "digest")
            };
            self.differences(&rows, &of(true), &of(false), (by == "digest", true))?;
        }
        Ok(())
    }

    pub(super) fn differences(
        &self,
        rows: &[Value],
        left: &BTreeMap<contents::Key, Known>,
        right: &BTreeMap<contents::Key, Known>,
        (by_digest, is_cut): (bool, bool),
    ) -> Checked {
        let expected = contents::differences(left, right, by_digest);
        let verb = if is_cut { "diff --before" } else { "diff" };
        let kinds = |key: &contents::Key, kind: &str| json!([key, kind]);
        let answered: Vec<Value> = rows
            .iter()
            .map(|row| kinds(&contents::key_of(row, by_digest), row["kind"].as_str().unwrap_or("none")))
            .collect();
        same(verb, &answered, &expected.iter().map(|(key, (kind, _))| kinds(key, kind)).collect::<Vec<_>>())?;
        for row in rows {
            let (_, [left, right]) = &expected[&contents::key_of(row, by_digest)];
            for (name, known) in [("left", left), ("right", right)] {
                let wrong = contents::disagreement(row, name, known.as_ref(), by_digest, (is_cut, !self.has_steps()));
                wrong.map_or(Ok(()), |wrong| Err(format!("{verb}: {wrong}")))?;
            }
        }
        Ok(())
    }
}
