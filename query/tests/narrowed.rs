//! Changes and processes by who acted, and contents by digest and path: what is left out is no gap, and what cannot be decided is
//! counted.

use super::attribution::{act, covering_ledger, seen};
use super::*;

const TOOL: &str = "/usr/bin/tool\u{1b}[2J";

/// The tool is written at second 25 by a process of its own.
fn written() -> Vec<Event> {
    let write = Event {
        pid: 9,
        process_start_ns: 9,
        uid: 33,
        parent_comm: "sshd".into(),
        container_id: Some("0123456789abcdef".into()),
        ..act(25, "file_open", 12, TOOL)
    };
    vec![seen(20, 12, OLD), write, seen(30, 12, NEW)]
}

/// The rows and the summary of an answer about these events.
fn ask(events: &[Event], line: &[&str]) -> Result<(Vec<Value>, Value)> {
    ask_of(events, covering_ledger(40), line)
}

fn ask_of(events: &[Event], ledger: Vec<LedgerEntry>, line: &[&str]) -> Result<(Vec<Value>, Value)> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), events, 100, ledger)?;
    let (found, problem, output) = query(directory.path(), &[line, &["--format", "json"]].concat())?;
    let mut rows = json_lines(&output);
    let summary = rows.pop().expect("a summary");
    assert_eq!((found, problem), (!rows.is_empty(), false), "{line:?}: {output}");
    Ok((rows, summary))
}

#[test]
fn changes_are_asked_for_by_who_can_have_made_them() -> Result<()> {
    for verb in [&["changes"][..], &["who", "/usr/**"]] {
        let whole = ask(&written(), verb)?;
        for has in [
            &["--pid", "9"][..],
            &["--pid", "8", "--pid", "9", "--process-start", "9"],
            &["--uid", "33", "--hook", "file_open"],
            &["--container", "0123", "--exe", "/usr/bin/*", "--parent", "sshd"],
            &["--digest", NEW],
            &["--digest", OLD],
        ] {
            let (rows, summary) = ask(&written(), &[verb, has].concat())?;
            assert_eq!((&rows, &summary["matching"]), (&whole.0, &json!(1)), "{verb:?} {has:?}");
            assert_eq!(summary["complete"], whole.1["complete"], "{verb:?} {has:?}: {summary}");
        }
        let none = "c".repeat(64);
        for lacks in [
            &["--pid", "8"][..],
            &["--pid", "9", "--process-start", "8"],
            &["--hook", "inode_rename"],
            &["--container", "f"],
            &["--target", "/usr/**"],
            &["--digest", &none],
        ] {
            let (rows, summary) = ask(&written(), &[verb, lacks].concat())?;
            assert_eq!((rows.len(), &summary["changes"], &summary["matching"]), (0, &json!(1), &json!(0)), "{lacks:?}");
            // What is left out is no gap.
            assert_eq!(summary["complete"], whole.1["complete"], "{verb:?} {lacks:?}: {summary}");
        }
    }
    Ok(())
}

#[test]
fn a_change_that_somebody_unknown_can_have_made_is_counted() -> Result<()> {
    let nobody = [seen(20, 12, OLD), seen(30, 12, NEW)];
    let mut without_program = written();
    without_program[1].exe = None;
    for (events, line) in [(&nobody[..], &["--pid", "9"][..]), (&without_program, &["--exe", "/usr/bin/dpkg"])] {
        for verb in [&["changes"][..], &["who", "/usr/**"]] {
            let (rows, summary) = ask(events, &[verb, line].concat())?;
            assert_eq!((rows.len(), &summary["of_unknown_act"]), (0, &json!(1)), "{verb:?} {line:?}: {summary}");
            assert_eq!(summary["complete"], false, "{verb:?} {line:?}: {summary}");
        }
    }
    let (rows, summary) = ask(&without_program, &["changes", "--exe", "/usr/bin/dpkg", "--pid", "8"])?;
    assert_eq!(
        (rows.len(), &summary["of_unknown_act"], &summary["complete"]),
        (0, &json!(0), &json!(true)),
        "{summary}"
    );
    Ok(())
}

#[test]
fn who_is_seen_hides_nobody_that_the_policies_left_out() -> Result<()> {
    let opens = || {
        let policy = json!({"hooks": ["file_open"], "coverage": {"file_open": ["/usr/"]}}).to_string();
        vec![entry(0, "start", None), entry(0, "policy", Some(&policy)), entry(40, "stop", Some("{\"cpus\":[]}"))]
    };
    let (rows, summary) = ask_of(&written(), opens(), &["changes", "--pid", "9"])?;
    assert_eq!((rows.len(), &summary["of_unknown_act"]), (1, &json!(0)), "{summary}");
    let (rows, summary) = ask_of(&written(), opens(), &["changes", "--pid", "8"])?;
    assert_eq!(
        (rows.len(), &summary["of_unknown_act"], &summary["complete"]),
        (0, &json!(1), &json!(false)),
        "{summary}"
    );
    let lost = LedgerEntry {
        cause: Some("ring_full".into()),
        count: Some(1),
        from_ns: Some(24_000_000_000),
        to_ns: Some(26_000_000_000),
        ..entry(27, "loss", None)
    };
    let mut ledger = covering_ledger(40);
    ledger.insert(3, lost);
    let (rows, summary) = ask_of(&written(), ledger, &["changes", "--pid", "8"])?;
    assert_eq!(
        (rows.len(), &summary["of_unknown_act"], &summary["complete"]),
        (0, &json!(1), &json!(false)),
        "{summary}"
    );
    Ok(())
}

#[test]
fn a_timeline_by_digest_has_its_events_and_changes() -> Result<()> {
    let other = Event { path: Some("/usr/bin/other".into()), ..seen(28, 99, &"c".repeat(64)) };
    let mut events = written();
    events.insert(2, other);
    let (rows, _) = ask(&events, &["timeline", "--digest", NEW])?;
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["type"]).collect();
    assert_eq!(kinds, ["event", "change"], "{rows:?}");
    let (rows, _) = ask(&events, &["timeline", "--digest", &"c".repeat(64)])?;
    assert_eq!((rows.len(), &rows[0]["path"]), (1, &json!("/usr/bin/other")));
    Ok(())
}

#[test]
fn digests_are_looked_up_at_paths() -> Result<()> {
    let copy = Event { path: Some("/tmp/copy".into()), ..seen(28, 99, NEW) };
    let mut events = written();
    events.insert(2, copy);
    assert_eq!(ask(&events, &["lookup", NEW])?.0.len(), 2);
    let (rows, summary) = ask(&events, &["lookup", NEW, "--path", "/tmp/*"])?;
    assert_eq!(
        (rows.len(), &rows[0]["path"], &summary["complete"]),
        (1, &json!("/tmp/copy"), &json!(true)),
        "{summary}"
    );
    let (rows, summary) = ask(&events, &["lookup", OLD, "--path", "/tmp/*"])?;
    let left_out = &summary["never_observed"][0]["left_out"];
    assert_eq!((rows.len(), &left_out["events"], &summary["complete"]), (0, &json!(1), &json!(true)), "{summary}");
    Ok(())
}

#[test]
fn processes_are_asked_for_by_user_container_and_start() -> Result<()> {
    let pids = |line: &[&str]| -> Result<Vec<i64>> {
        let rows = ask(&written(), &[&["tree"], line].concat())?.0;
        let asked = rows.iter().filter(|row| row["asked"] == true);
        Ok(asked.filter_map(|row| row["pid"].as_i64()).collect())
    };
    assert_eq!(pids(&[])?, [7, 9]);
    for line in [&["--uid", "33"][..], &["--container", "0123"], &["--process-start", "9"], &["9", "--uid", "33"]] {
        assert_eq!(pids(line)?, [9], "{line:?}");
    }
    assert_eq!(pids(&["7", "--uid", "33"])?, [0; 0]);
    Ok(())
}

#[test]
fn a_verdict_on_an_archive_knows_no_times_and_hosts() {
    for option in [["--since", "2026-01-01"], ["--host", "web"]] {
        let error = query(Path::new("."), &[&["verify"][..], &option].concat()).expect_err("a whole archive");
        assert!(error.to_string().contains("leave out --host, --since and --until"), "{error}");
    }
}
