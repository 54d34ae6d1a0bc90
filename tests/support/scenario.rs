//! What one scenario left: its oracle (acts and facts), its archive, and the answers about it.

use crate::support::duckdb::rows;
use crate::support::{hashtrail, json_lines, text};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// One act of a scenario: when it was done and the digest of the content that it acted on.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) label: String,
    /// The end of the act before.
    pub(crate) idle_from_ns: i64,
    pub(crate) before_ns: i64,
    pub(crate) after_ns: i64,
    pub(crate) digest: String,
    pub(crate) path: String,
}

/// The directory of one scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    directory: PathBuf,
}

impl Scenario {
    /// Opens what a scenario left; it must have ended well.
    pub(crate) fn open(out: &Path, name: &str, console: &str) -> Self {
        let directory = out.join(name);
        let status = fs::read_to_string(directory.join("status")).unwrap_or_else(|_| "no status".into());
        let log = fs::read_to_string(directory.join("scenario.log")).unwrap_or_default();
        assert_eq!(
            status.trim(),
            "0",
            "the scenario `{name}` did not end well in the guest of `{}`\n{log}\nThe harness said:\n{console}",
            out.display()
        );
        Self { directory }
    }

    /// A recording in `samples/`, kept with its oracle.
    pub(crate) fn sample(name: &str) -> Self {
        Self { directory: crate::support::repository("samples").join(name) }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.file("archive")
    }

    /// All acts, in order.
    pub(crate) fn acts(&self) -> Vec<Act> {
        let mut acts: Vec<Act> = Vec::new();
        for fields in self.table("acts.tsv") {
            let [label, before, after, digest, path] = &fields[..] else { panic!("not an act: {fields:?}") };
            let before_ns = before.parse().expect("before_ns is a number");
            acts.push(Act {
                label: label.clone(),
                idle_from_ns: acts.last().map_or(before_ns, |last| last.after_ns),
                before_ns,
                after_ns: after.parse().expect("after_ns is a number"),
                digest: digest.clone(),
                path: path.clone(),
            });
        }
        acts
    }

    /// The act with this label.
    pub(crate) fn act(&self, label: &str) -> Act {
        let mut found: Vec<Act> = self.acts().into_iter().filter(|act| act.label == label).collect();
        assert_eq!(found.len(), 1, "acts with the label `{label}` in {self:?}");
        found.remove(0)
    }

    /// The fact with this name.
    pub(crate) fn fact(&self, name: &str) -> String {
        self.fact_in("facts.tsv", name)
    }

    /// The fact with this name in another table.
    pub(crate) fn fact_in(&self, table: &str, name: &str) -> String {
        let facts = self.table(table);
        let fact = facts.iter().find(|fact| fact[0] == name).unwrap_or_else(|| panic!("no fact `{name}` in {self:?}"));
        fact[1].clone()
    }

    /// The fact with this name, a number.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.fact(name).parse().unwrap_or_else(|error| panic!("the fact `{name}` is no number: {error}"))
    }

    /// The lines of a table of the oracle, as fields.
    pub(crate) fn table(&self, name: &str) -> Vec<Vec<String>> {
        let path = self.file(name);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()));
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// The manifest's lines of one kind, in order.
    pub(crate) fn manifest(&self, kind: &str) -> Vec<Value> {
        let manifest = fs::read_to_string(self.archive().join("manifest.jsonl")).expect("the archive has a manifest");
        let mut lines = json_lines(&manifest);
        lines.retain(|line| line["kind"] == kind);
        lines
    }

    /// Rows of the archive, read by another engine.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Value> {
        rows(&self.archive(), sql)
    }

    /// The rows of the events table that fall in an act and meet a condition, in order. A digest of user space comes some
    /// time after the event that it is for, so it says nothing of the act.
    pub(crate) fn events_in(&self, act: &Act, condition: &str) -> Vec<Value> {
        self.rows(&format!(
            "SELECT * FROM events WHERE boot_ns BETWEEN {} AND {} AND hook <> 'user_digest' AND ({condition}) \
             ORDER BY boot_ns",
            act.before_ns, act.after_ns
        ))
    }

    /// The one number that a query gives.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        let rows = self.rows(sql);
        let value = rows.first().and_then(|row| row.as_object()?.values().next()?.as_i64());
        value.unwrap_or_else(|| panic!("no number from `{sql}`: {rows:?}"))
    }

    /// The counts at the stop of the recording, summed over all CPUs: produced, stored, dropped and so on.
    pub(crate) fn accounting(&self) -> Value {
        let rows = self.rows("SELECT detail FROM ledger WHERE kind = 'stop'");
        assert_eq!(rows.len(), 1, "stop rows in the ledger of {self:?}");
        let detail: Value = serde_json::from_str(text(&rows[0], "detail")).expect("the detail of a ledger row is JSON");
        let mut sums = serde_json::Map::new();
        for cpu in detail["cpus"].as_array().expect("the detail lists the CPUs") {
            for (name, count) in cpu.as_object().expect("the counts of a CPU are an object") {
                let sum = sums.get(name).and_then(Value::as_i64).unwrap_or(0) + count.as_i64().expect("a count");
                sums.insert(name.clone(), sum.into());
            }
        }
        sums.into()
    }

    /// `hashtrail COMMAND ARGUMENTS --archive … --format json`: its objects.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Vec<Value> {
        ask(&self.archive(), arguments)
    }

    /// What `verify` finds, the summary last, and its exit code.
    pub(crate) fn verify(&self, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
        verify(&self.archive(), arguments)
    }

    /// All rows of the answer about the changes of one path, without the summary line.
    pub(crate) fn changes_with_rows(&self, path: &str) -> Vec<Value> {
        let mut lines = self.ask(&["changes", path]);
        let summary = lines.pop().unwrap_or_else(|| panic!("no summary line about `{path}`"));
        assert_eq!(summary["type"], "summary", "the last line about `{path}`: {summary}");
        lines
    }

    /// The changes of one path, of which nothing else is told.
    pub(crate) fn changes(&self, path: &str) -> Vec<Value> {
        let lines = self.changes_with_rows(path);
        for line in &lines {
            assert_eq!(line["type"], "change", "a line before the summary: {line}");
        }
        lines
    }
}

/// What `hashtrail verify` finds, the summary last, and its exit code.
pub(crate) fn verify(archive: &Path, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
    let mut command = hashtrail();
    command.arg("verify").args(arguments).arg("--archive").arg(archive).args(["--format", "json"]);
    let output = crate::support::output_of(&mut command);
    (json_lines(&String::from_utf8_lossy(&output.stdout)), output.status.code())
}

/// The objects that the query tool prints about an archive. Exit 1 says that there is nothing, which is an answer too.
pub(crate) fn ask(archive: &Path, arguments: &[&str]) -> Vec<Value> {
    let mut command = hashtrail();
    command.args(arguments).arg("--archive").arg(archive).args(["--format", "json"]);
    let output = crate::support::output_of(&mut command);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{command:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    json_lines(&String::from_utf8_lossy(&output.stdout))
}

/// Checks that one change is told as it was: from one act's content to another's, within an interval that holds the
/// true time of the act that made it. The old content may have been read between two acts, when the scenario itself took its
/// digest: with a policy that is IMA's one reading of it.
pub(crate) fn assert_change(change: &Value, kind: &str, from: &Act, made_by: &Act, to: &Act) {
    assert_eq!(text(change, "kind"), kind, "{change}");
    assert_eq!(text(change, "path"), to.path, "{change}");
    assert_eq!(text(&change["from"], "digest"), from.digest, "the old digest in {change}");
    assert_eq!(text(&change["to"], "digest"), to.digest, "the new digest in {change}");
    let after = crate::support::integer(change, "changed_after_ns");
    let before = crate::support::integer(change, "changed_before_ns");
    assert!(from.idle_from_ns <= after && after <= from.after_ns, "{change} begins outside of {from:?}");
    assert!(to.before_ns <= before && before <= to.after_ns, "{change} ends outside of {to:?}");
    assert!(after <= made_by.before_ns && made_by.after_ns <= before, "{change} does not hold {made_by:?}");
}
