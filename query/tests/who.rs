//! Who made a change, up to where that came from.

use super::attribution::{act, covering_ledger, seen};
use super::tree::row;
use super::*;

const TOOL: &str = "/usr/bin/tool\u{1b}[2J";

/// A login shell of session 9 below a service, whose child writes the tool if it is asked to.
fn events(session_id: Option<i64>, container_id: Option<&str>, writes: bool) -> Vec<Event> {
    let of_shell = |event: Event| Event {
        session_id,
        auid: session_id.map(|_| 1000),
        container_id: container_id.map(str::to_owned),
        ..event
    };
    let write = Event {
        pid: 9,
        ppid: 4,
        process_start_ns: 9,
        parent_start_ns: 4,
        ..act(if writes { 25 } else { 35 }, "file_open", 12, TOOL)
    };
    vec![
        row(1, "running_process", 1, 0),
        row(2, "sched_process_fork", 3, 1),
        of_shell(row(3, "sched_process_fork", 4, 3)),
        of_shell(row(4, "bprm_check_security", 4, 3)),
        of_shell(row(5, "bprm_committed_creds", 4, 3)),
        of_shell(row(6, "sched_process_fork", 9, 4)),
        seen(20, 12, OLD),
        of_shell(write),
        seen(30, 12, NEW),
    ]
}

fn ask(events: &[Event], arguments: &[&str]) -> Result<String> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), events, 100, covering_ledger(40))?;
    let (found, problem, output) = query(directory.path(), &[&["who", "/usr/bin/*"], arguments].concat())?;
    assert!(found && !problem, "{output}");
    Ok(output)
}

#[test]
fn a_writer_is_told_with_its_chain_and_where_it_came_from() -> Result<()> {
    let cases =
        [(Some(9), Some("c0ffee"), "login", 4), (None, Some("c0ffee"), "container", 4), (None, None, "service", 3)];
    for (session_id, container_id, kind, pid) in cases {
        let lines = json_lines(&ask(&events(session_id, container_id, true), &["--format", "json"])?);
        let [case, summary] = &lines[..] else { panic!("{lines:?}") };
        let writer = &case["writers"][0];
        let chain = writer["chain"].as_array().expect("a list").iter();
        let chain: Vec<(i64, bool)> =
            chain.map(|link| (link["pid"].as_i64().unwrap_or(0), link["asked"] == true)).collect();
        assert_eq!(chain, [(1, false), (3, false), (4, false), (9, true)], "{case}");
        assert_eq!((&writer["origin"]["kind"], &writer["origin"]["pid"]), (&json!(kind), &json!(pid)), "{case}");
        assert_eq!(writer["origin"]["session_id"], json!(session_id), "{case}");
        assert_eq!(writer["origin"]["certain"], true, "each was forked: {case}");
        assert_eq!((&writer["acts"][0]["act"], &writer["acts"][0]["pid"]), (&json!("write_open"), &json!(9)), "{case}");
        assert_eq!((&case["attribution"], &case["to"]["digest"]), (&json!("suspects"), &json!(NEW)), "{case}");
        assert_eq!((&summary["changes"], &summary["ran_before"]), (&json!(1), &json!(1)), "{summary}");
    }
    let table = ask(&events(Some(9), None, true), &[])?;
    assert!(table.contains("from login (pid 4):") && table.contains("=> write_open by "), "{table}");
    assert!(!table.contains('\u{1b}') && table.contains("      └─ /bin/sh (forked)"), "{table}");
    Ok(())
}

/// A child whose parent ended has the one above it, or the first process, as its parent from then on.
#[test]
fn where_a_fork_has_no_row_the_origin_may_be_that_of_an_adopter() -> Result<()> {
    let mut adopted = events(None, None, true);
    adopted[1] = row(2, "file_open", 3, 1);
    let lines = json_lines(&ask(&adopted, &["--format", "json"])?);
    let origin = &lines[0]["writers"][0]["origin"];
    assert_eq!((&origin["kind"], &origin["pid"], &origin["certain"]), (&json!("service"), &json!(3), &json!(false)));
    let table = ask(&adopted, &[])?;
    assert!(table.contains("from service (pid 3), unless it was adopted:"), "{table}");
    let lines = json_lines(&ask(&events(None, None, true), &["--format", "json"])?);
    assert_eq!(lines[0]["writers"][0]["origin"]["certain"], true, "{lines:?}");
    Ok(())
}

#[test]
fn a_write_while_the_file_was_mapped_is_told_beside_its_changes() -> Result<()> {
    let mut mapped = events(None, None, true);
    mapped[7].mapped_executable = Some(true);
    let lines = json_lines(&ask(&mapped, &["--format", "json"])?);
    let summary = &lines[lines.len() - 1];
    assert_eq!((&summary["written_while_mapped"], &summary["mounted_over"]), (&json!(1), &json!(0)), "{summary}");
    assert_eq!((&summary["doubtful"], &summary["without_digest"]), (&json!(0), &json!(0)), "{summary}");
    Ok(())
}

#[test]
fn where_nobody_was_seen_it_says_just_that() -> Result<()> {
    let lines = json_lines(&ask(&events(Some(9), None, false), &["--format", "json"])?);
    assert_eq!((&lines[0]["attribution"], &lines[0]["writers"]), (&json!("nobody seen"), &json!([])), "{lines:?}");
    let table = ask(&events(Some(9), None, false), &[])?;
    assert!(table.contains("/usr/bin/tool\\x1b[2J rewritten: nobody seen") && !table.contains("from "), "{table}");
    Ok(())
}
