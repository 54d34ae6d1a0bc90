//! Answers without a change or a row: what they mean.

use super::*;

const LIBRARY: &str = "/usr/lib/library.so";

/// A file that stays what it is, one that is only opened for writing, and a path that another file is mounted over.
fn quiet() -> Vec<Event> {
    let library =
        |second, digest| Event { path: Some(LIBRARY.into()), ino: Some(20), ..event(second, "mmap_file", digest) };
    let over = |second| Event { path_flags: vec!["mount_point".into()], ino: Some(30), ..library(second, Some(NEW)) };
    let mount = |second, path: &str, pid| Event {
        path: Some(path.into()),
        pid,
        ino: Some(20),
        ..event(second, "sb_mount", None)
    };
    vec![
        library(10, Some(OLD)),
        Event { path: Some("/etc/config".into()), ino: Some(40), ..event(12, "file_post_open", None) },
        mount(13, LIBRARY, 90),
        mount(14, LIBRARY, 91),
        mount(15, "/mnt", 92),
        over(16),
        over(17),
        mount(18, LIBRARY, 93),
        library(20, Some(OLD)),
    ]
}

/// What `changes` says of a path: all rows.
fn changes(line: &[&str]) -> Result<(bool, Vec<Value>)> {
    let directory = tempfile::tempdir()?;
    let ledger = vec![
        entry(0, "start", None),
        entry(0, "policy", Some("{\"hooks\":[\"mmap_file\"]}")),
        entry(40, "stop", Some("{\"cpus\":[]}")),
    ];
    archive_with(directory.path(), &quiet(), 2, ledger)?;
    let (found, problem, output) = query(directory.path(), &[line, &["--format", "json"]].concat())?;
    assert!(!problem, "{output}");
    Ok((found, json_lines(&output)))
}

#[test]
pub(super) fn a_file_that_did_not_change_is_told_with_its_digest() -> Result<()> {
    let (found, lines) = changes(&["changes", "library.so"])?;
    let summary = &lines[lines.len() - 1];
    assert!(found, "another file was mounted over it");
    assert_eq!((&summary["changes"], &summary["complete"]), (&json!(0), &json!(true)), "{summary}");
    let file = &summary["unchanged_files"][0];
    assert_eq!((&file["path"], &file["digest"], &file["observations"]), (&json!(LIBRARY), &json!(OLD), &json!(2)));
    assert_eq!(file["first_seen"], "2026-01-02T00:00:10.000000Z");
    assert_eq!(file["last_seen"], "2026-01-02T00:00:20.000000Z");
    assert_eq!(summary["never_observed"], json!([]));
    Ok(())
}

#[test]
pub(super) fn a_name_that_nobody_saw_is_told_with_those_near_it() -> Result<()> {
    let (found, lines) = changes(&["changes", "/usr/lib/librery.so", "/etc/config", "/nothing"])?;
    let unseen = &lines[0]["never_observed"];
    assert!(!found && lines.len() == 1);
    assert_eq!(unseen[0], json!({"pattern": "/usr/lib/librery.so", "without_digest": null, "near": [LIBRARY]}));
    assert_eq!(unseen[1]["without_digest"]["events"], json!(1), "{unseen}");
    assert_eq!(unseen[2], json!({"pattern": "/nothing", "without_digest": null, "near": []}));
    let (_, lines) = changes(&["history", "/nothing"])?;
    assert_eq!(lines[0]["never_observed"][0]["pattern"], "/nothing");
    Ok(())
}

#[test]
pub(super) fn a_file_that_is_mounted_over_another_is_told_with_who_mounted_it() -> Result<()> {
    let (_, lines) = changes(&["changes", LIBRARY])?;
    let over: Vec<&Value> = lines.iter().filter(|line| line["type"] == "mounted_over").collect();
    assert_eq!(over.len(), 1, "{lines:?}");
    assert_eq!((&over[0]["path"], &over[0]["ino"], &over[0]["digests"]), (&json!(LIBRARY), &json!(30), &json!([NEW])));
    assert_eq!(over[0]["first_seen"], "2026-01-02T00:00:16.000000Z");
    assert_eq!(over[0]["last_seen"], "2026-01-02T00:00:17.000000Z");
    assert_eq!(over[0]["mounted_by"]["pid"], json!(91), "the last mount there before it was seen");
    Ok(())
}

#[test]
pub(super) fn time_that_nobody_recorded_is_asked_about() -> Result<()> {
    let gaps = |question: &[&str], since, until| -> Result<(Value, Value)> {
        let (_, mut lines) = changes(&[question, &["--since", since, "--until", until]].concat())?;
        let summary = lines.pop().unwrap_or_default();
        Ok((summary["complete"].clone(), summary["gaps"][0]["cause"].clone()))
    };
    for question in [&["changes"][..], &["history", LIBRARY], &["lookup", OLD], &["events"], &["gaps"]] {
        for (since, until) in [
            ("2026-01-01", "2026-01-01T12:00:00Z"),
            ("2026-01-01", "2026-01-02T00:00:30Z"),
            ("2026-01-02T00:00:30Z", "2026-01-03"),
            ("2026-01-03", "2026-01-04"),
        ] {
            let expected = (json!(false), json!("not_recorded"));
            assert_eq!(gaps(question, since, until)?, expected, "{question:?} from {since} to {until}");
        }
        let recorded = gaps(question, "2026-01-02T00:00:05Z", "2026-01-02T00:00:30Z")?;
        assert_eq!(recorded, (json!(true), Value::Null), "{question:?}");
    }
    let error = changes(&["changes", "--since", "2026-01-02", "--until", "2026-01-02"]).expect_err("no time");
    assert!(error.to_string().contains("is not after --since"), "{error}");
    Ok(())
}

#[test]
fn a_hook_that_no_policy_asked_for_leaves_the_answer_incomplete() -> Result<()> {
    let (found, lines) = changes(&["events", "--hook", "file_opne"])?;
    assert!(!found);
    assert_eq!((&lines[0]["complete"], &lines[0]["unrecorded_hooks"]), (&json!(false), &json!(["file_opne"])));
    let (_, lines) = changes(&["events", "--hook", "mmap_fiel"])?;
    assert_eq!(lines[0]["near_hooks"], json!({"mmap_fiel": ["mmap_file"]}));
    let (_, lines) = changes(&["events", "--hook", "mmap_file"])?;
    assert_eq!((lines.len(), &lines[4]["complete"]), (5, &json!(true)));
    assert_eq!(lines[4]["events"], json!(4));
    assert!(changes(&["events", "--hook", "no hook"]).is_err());
    Ok(())
}

#[test]
fn events_of_a_path_that_nobody_saw_are_told_like_files() -> Result<()> {
    let (_, lines) = changes(&["events", "--path", "/usr/lib/librery.so", "--path", "/etc/config", "--pid", "12345"])?;
    let [summary] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        summary["never_observed"][0],
        json!({"pattern": "/usr/lib/librery.so", "left_out": null, "near": [LIBRARY]})
    );
    assert_eq!(summary["never_observed"][1]["left_out"]["events"], json!(1), "{summary}");
    let (_, lines) = changes(&["events", "--path", "/etc/config"])?;
    assert_eq!((lines.len(), &lines[1]["never_observed"]), (2, &json!([])));
    Ok(())
}
