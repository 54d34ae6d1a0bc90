//! How rows are shown, whatever the command: columns, zones, and digests by their beginnings.

use super::*;
use crate::output::zone;

/// A question of each command about the usual incident.
const QUESTIONS: [&[&str]; 12] = [
    &["changes", "--first-seen"],
    &["history", "/usr/bin/*"],
    &["lookup", NEW],
    &["events"],
    &["timeline"],
    &["who", "/usr/bin/*"],
    &["tree"],
    &["rare"],
    &["gaps"],
    &["info"],
    &["verify"],
    &["diff", "--before", "2026-01-02T00:00:15Z"],
];

/// The usual incident, whole.
fn archive() -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    let ledger = vec![entry(0, "start", None), entry(40, "stop", Some("{\"cpus\":[]}"))];
    archive_with(directory.path(), &incident(), 100, ledger)?;
    Ok(directory)
}

/// Each text in a row or below it, with the name it stands under.
fn texts<'a>(name: &'a str, value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((name, text)),
        Value::Array(items) => items.iter().for_each(|item| texts(name, item, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| texts(name, value, found)),
        _ => {}
    }
}

#[test]
fn every_time_in_a_row_can_stand_in_another_zone() -> Result<()> {
    let archive = archive()?;
    let ask = |line: &[&str]| query(archive.path(), line);
    for question in QUESTIONS {
        let (_, _, output) = ask(&[question, &["--format", "json"]].concat())?;
        let (_, _, moved) = ask(&[question, &["--format", "json", "--zone", "+02:00"]].concat())?;
        for (line, moved) in json_lines(&output).iter().zip(json_lines(&moved)) {
            let (mut in_utc, mut in_zone) = (Vec::new(), Vec::new());
            texts("", line, &mut in_utc);
            texts("", &moved, &mut in_zone);
            for ((name, text), (_, moved)) in in_utc.into_iter().zip(in_zone) {
                let time = chrono::DateTime::parse_from_rfc3339(text);
                assert_eq!(time.is_ok(), text != moved, "{question:?} {name}: {text} {moved}");
                if let Ok(time) = time {
                    assert!(zone::COLUMNS.contains(&name) && moved.ends_with("+02:00"), "{name}: {moved}");
                    assert_eq!(chrono::DateTime::parse_from_rfc3339(moved)?, time);
                }
            }
        }
    }
    Ok(())
}

#[test]
fn zones_have_names() -> Result<()> {
    let archive = archive()?;
    let ask = |line: &[&str]| query(archive.path(), line);
    let line = ["events", "--limit", "1", "--columns", "time", "--format", "csv", "--zone"];
    for (zone, end) in [("utc", "Z"), ("Europe/Berlin", "+01:00"), ("-03:30", "-03:30")] {
        let (_, _, output) = ask(&[&line[..], &[zone]].concat())?;
        assert!(output.trim_end().ends_with(end), "{zone}: {output}");
    }
    let error = ask(&[&line[..], &["Berlin"]].concat()).expect_err("no zone").to_string();
    assert!(error.contains("`Berlin` is no zone: write utc, local, "), "{error}");
    Ok(())
}

#[test]
fn each_command_shows_the_columns_that_are_chosen() -> Result<()> {
    let archive = archive()?;
    let ask = |line: &[&str]| query(archive.path(), line);
    for question in QUESTIONS.into_iter().filter(|question| question[0] != "gaps") {
        let column = if question[0] == "verify" { "archive" } else { "host" };
        let column = if question[0] == "rare" { "host_names" } else { column };
        let column = if question[0] == "diff" { "right.hosts" } else { column };
        for format in ["table", "csv"] {
            let (_, _, output) = ask(&[question, &["--format", format, "--columns", column]].concat())?;
            let header = output.lines().next().unwrap_or_default();
            assert_eq!(header.to_lowercase(), column, "{question:?}: {output}");
            assert!(output.lines().count() > 1, "{question:?}: {output}");
        }
        let error = ask(&[question, &["--columns", "nothing"]].concat()).expect_err("no such column").to_string();
        assert!(error.contains("there is no column `nothing`"), "{question:?}: {error}");
    }
    Ok(())
}

#[test]
fn a_digest_is_known_by_its_beginning() -> Result<()> {
    let archive = archive()?;
    let ask = |line: &[&str]| query(archive.path(), line);
    let start = format!("{}…", &NEW[..12]);
    for question in [&["history", "--digest"][..], &["lookup"], &["events", "--digest"], &["tree", "--digest"]] {
        let whole = ask(&[question, &[NEW, "--format", "json"]].concat())?;
        for start in [&start, &NEW[..8], &format!("{}...", NEW[..20].to_uppercase())] {
            assert_eq!(ask(&[question, &[start, "--format", "json"]].concat())?, whole, "{question:?} {start}");
        }
        let error = ask(&[question, &["0123456789ab"]].concat()).expect_err("nothing begins so").to_string();
        assert!(error.starts_with("no digest that was recorded begins with `0123456789ab`"), "{error}");
        assert!(ask(&[question, &[&NEW[..7]]].concat()).is_err(), "too short");
    }
    Ok(())
}

#[test]
fn a_beginning_of_several_digests_is_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let others = ["0", "1"].map(|last| format!("{}{last}", "a".repeat(63)));
    let events = [event(10, "mmap_file", Some(&others[0])), event(20, "mmap_file", Some(&others[1]))];
    archive_with(directory.path(), &events, 100, vec![entry(0, "start", None), entry(40, "stop", None)])?;
    let error = query(directory.path(), &["lookup", "aaaaaaaaaaaa"]).expect_err("two begin so").to_string();
    assert_eq!(error, format!("`aaaaaaaaaaaa` begins 2 digests: give more of it ({})", others.join(", ")));
    Ok(())
}
