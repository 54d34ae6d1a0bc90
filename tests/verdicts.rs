//! What the changes of the sample look like, against what its guest did and against the rows that another engine reads.

use crate::scenario::Scenario;
use crate::support::{integer, text};
use serde_json::Value;

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
    let mut rows = 0;
    for verdict in told(&incident).iter().flatten() {
        for row in verdict["evidence"].as_array().expect("a list") {
            let conditions: Vec<String> = ["recording_id", "cpu", "seq", "boot_ns", "time", "path"]
                .into_iter()
                .map(|name| is_equal(name, &row[name]))
                .chain(row["columns"].as_object().expect("columns").iter().map(|(name, value)| is_equal(name, value)))
                .collect();
            let sql = format!("SELECT count(*) AS rows FROM events WHERE {}", conditions.join(" AND "));
            assert_eq!(incident.count(&sql), 1, "{sql}");
            rows += 1;
        }
    }
    assert_eq!(rows, 6);
}

/// The condition that a column has a value of JSON.
fn is_equal(name: &str, value: &Value) -> String {
    match value {
        Value::Null => format!("{name} IS NULL"),
        Value::String(time) if ["time", "mtime", "ctime"].contains(&name) => {
            format!("epoch_us({name}) = epoch_us(TIMESTAMPTZ '{time}')")
        }
        Value::String(text) => format!("{name} = '{text}'"),
        Value::Number(number) => format!("{name} = {number}"),
        other => panic!("`{name}` is {other}"),
    }
}
