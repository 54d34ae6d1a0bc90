//! What the changes of the sample and of a guest look like, against what was done there and against the rows that another engine
//! reads.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{hashtrail, integer, output_of, text};
use serde_json::Value;
use std::collections::BTreeSet;

const PATH: &str = "/usr/sbin/backup-agent";

/// The verdicts on each change of the implanted binary.
fn told(incident: &Scenario) -> Vec<Vec<Value>> {
    let changes = incident.changes(PATH);
    changes.iter().map(|change| change["verdicts"].as_array().expect("a list of verdicts").clone()).collect()
}

fn words(verdicts: &[Value]) -> Vec<&str> {
    verdicts.iter().map(|verdict| text(verdict, "verdict")).collect()
}

/// The guest overwrote the binary and gave it its old mtime (`implant`), then renamed a copy of the original over it
/// (`restore`), which had an mtime of its own; nothing was lost.
#[test]
fn the_implant_was_written_in_place_with_its_mtime_set_back_and_then_replaced() {
    let incident = Scenario::sample("incident");
    let [implanted, restored] = &told(&incident)[..] else { panic!("two changes") };
    assert_eq!(words(implanted), ["changed_in_place", "mtime_set_back"]);
    assert_eq!(words(restored), ["replaced"]);
    for verdict in implanted.iter().chain(restored) {
        assert_eq!(verdict["doubts"], Value::Array(Vec::new()), "{verdict}");
    }
    let digests = |verdict: &Value| -> Vec<String> {
        let rows = verdict["evidence"].as_array().expect("a list").iter();
        rows.map(|row| text(&row["columns"], "digest").to_owned()).collect()
    };
    let [original, implant, again] = ["run-original", "implant", "restore"].map(|label| incident.act(label).digest);
    assert_eq!(digests(&implanted[0]), [original.clone(), implant.clone()], "as the guest's sha256sum has them");
    assert_eq!(digests(&restored[0]), [implant, again]);
    // Hours before the guest ran: `touch -d` gave it the time of the original.
    let mtimes = incident.rows(&format!(
        "SELECT count(DISTINCT mtime) AS mtimes, count(DISTINCT digest) AS digests FROM events \
         WHERE path = '{PATH}' AND ino = 93 AND digest IS NOT NULL"
    ));
    assert_eq!((integer(&mtimes[0], "mtimes"), integer(&mtimes[0], "digests")), (1, 2), "{mtimes:?}");
}

#[test]
fn each_row_of_evidence_stands_in_the_archive_as_it_is_told() {
    let incident = Scenario::sample("incident");
    assert_eq!(stored_evidence(&incident, told(&incident).iter().flatten()), 6);
}

/// Looks for each row of evidence in the archive; gives how many there were.
fn stored_evidence<'a>(scenario: &Scenario, verdicts: impl Iterator<Item = &'a Value>) -> usize {
    let rows = verdicts.flat_map(|verdict| verdict["evidence"].as_array().expect("a list"));
    let asks = rows.map(|row| {
        let conditions: Vec<String> = ["recording_id", "cpu", "seq", "boot_ns", "time", "path"]
            .into_iter()
            .map(|name| is_equal(name, &row[name]))
            .chain(row["columns"].as_object().expect("columns").iter().map(|(name, value)| is_equal(name, value)))
            .collect();
        format!("(SELECT count(*) FROM events WHERE {})", conditions.join(" AND "))
    });
    // One question, because each takes DuckDB most of a second.
    let asks: Vec<String> = asks.collect();
    let columns = asks.iter().enumerate().map(|(number, count)| format!("{count} AS row_{number}"));
    let counts = scenario.rows(&format!("SELECT {}", columns.collect::<Vec<_>>().join(", "))).remove(0);
    for (number, count) in asks.iter().enumerate() {
        assert_eq!(counts[format!("row_{number}")], 1, "{count}");
    }
    asks.len()
}

/// What the guest did to each program, and what is to be said of it, with a question mark where it is a doubt: who ran the memfd
/// could still write to it.
const LOOKS: [(&str, &[&str]); 16] = [
    ("in_place", &["changed_in_place"]),
    ("moved", &["replaced"]),
    ("mtime", &["changed_in_place", "mtime_set_back"]),
    ("setuid", &["changed_in_place", "setuid_gained"]),
    ("setgid", &["changed_in_place", "setgid_gained"]),
    ("capability", &["changed_in_place", "capability_set"]),
    ("library.so", &["changed_in_place", "changed_while_mapped"]),
    ("copied", &["changed_in_place", "same_content"]),
    ("masked", &["changed_in_place", "same_content", "masquerade"]),
    ("rooted", &["changed_in_place", "other_root"]),
    ("place/beside", &["changed_in_place", "other_mount_namespace"]),
    ("memory", &["changed_in_place", "ran_from_memfd?"]),
    ("deleted", &["changed_in_place", "ran_deleted"]),
    (".hidden/concealed", &["changed_in_place", "ran_from_hidden"]),
    ("volatile/fleeting", &["changed_in_place", "ran_from_tmpfs"]),
    ("script", &["changed_in_place", "script"]),
];

/// What the scenario `packages` shows, in a test of its own.
const OF_PACKAGES: [&str; 2] = ["unpackaged", "not_the_packages_digest"];

on_guests!(each_verdict_is_seen_with_its_rows: linux_6_12);
fn each_verdict_is_seen_with_its_rows(guest: Guest) {
    let looks = guest.scenario("looks");
    let (mut seen, mut all): (BTreeSet<&str>, Vec<Value>) = (OF_PACKAGES.into(), Vec::new());
    for (name, expected) in LOOKS {
        let mut changes = looks.changes_with_rows(&format!("/data/work/looks/{name}"));
        changes.retain(|line| line["type"] == "change");
        let label = name.rsplit('/').next().map(|name| name.trim_end_matches(".so")).expect("a name");
        let [change] = &changes[..] else { panic!("one change of `{name}`: {changes:#?}") };
        let digests = ["from", "to"].map(|version| text(&change[version], "digest").to_owned());
        assert_eq!(digests, ["before", "after"].map(|when| looks.act(&format!("{label}-{when}")).digest), "{name}");
        let verdicts = change["verdicts"].as_array().expect("a list of verdicts");
        let mark = |verdict: &Value| if verdict["doubts"] == Value::Array(Vec::new()) { "" } else { "?" };
        let short: Vec<String> = verdicts.iter().map(|one| format!("{}{}", text(one, "verdict"), mark(one))).collect();
        assert_eq!(short, expected, "{name}: {verdicts:#?}");
        all.extend(verdicts.clone());
        seen.extend(expected.iter().map(|word| word.trim_end_matches('?')));
    }
    assert!(stored_evidence(&looks, all.iter()) > all.len());
    let said = output_of(hashtrail().args(["changes", "--verdict", "?"])).stderr;
    let said = String::from_utf8_lossy(&said);
    let listed = said.split_once("[possible values: ").and_then(|(_, rest)| rest.split_once(']')).expect("all words").0;
    assert_eq!(seen, listed.split(", ").collect(), "each word of the program");
}

/// The condition that a column has a value of JSON.
fn is_equal(name: &str, value: &Value) -> String {
    match value {
        // How often a version ran is counted over its rows.
        _ if name == "runs" => "true".to_owned(),
        Value::Null => format!("{name} IS NULL"),
        Value::String(time) if ["time", "mtime", "ctime"].contains(&name) => {
            format!("epoch_us({name}) = epoch_us(TIMESTAMPTZ '{time}')")
        }
        Value::String(text) => format!("{name} = '{text}'"),
        Value::Number(_) | Value::Bool(_) => format!("{name} = {value}"),
        Value::Array(_) => format!("{name} = {}", value.to_string().replace('"', "'")),
        other => panic!("`{name}` is {other}"),
    }
}
