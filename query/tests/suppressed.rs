//! What rate limits and merges stopped, where it can be missing from an answer and where not.

use super::*;

/// The ledger of a recording whose policy stops rows of these hooks, and stopped some in the second from 22 to 23.
fn stopped(suppressing: &Value, causes: &[(&str, i64)]) -> Vec<LedgerEntry> {
    let mut policy = json!({"hooks": ["bprm_check_security", "file_open", "socket_connect"]});
    if !suppressing.is_null() {
        policy["suppressing"] = suppressing.clone();
    }
    let noted = |(cause, count): &(&str, i64)| LedgerEntry {
        cause: Some((*cause).into()),
        count: Some(*count),
        cpu: Some(0),
        from_ns: Some(22_000_000_000),
        to_ns: Some(23_000_000_000),
        ..entry(23, "suppressed", None)
    };
    let mut ledger = vec![entry(0, "start", None), entry(0, "policy", Some(&policy.to_string()))];
    ledger.extend(causes.iter().map(noted));
    ledger.push(entry(40, "stop", Some("{\"cpus\":[]}")));
    ledger
}

/// The gaps of the answer to a command as `cause lost`, those of each row and those of the summary.
fn gaps(line: &[&str], ledger: Vec<LedgerEntry>) -> Result<Vec<Vec<String>>> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 100, ledger)?;
    let (_, _, output) = query(directory.path(), &[line, &["--format", "json"]].concat())?;
    let lines = json_lines(&output);
    let text = |gap: &Value| format!("{} {}", gap["cause"].as_str().unwrap_or_default(), gap["lost"]);
    let gaps = |line: &Value| line["gaps"].as_array().map(|gaps| gaps.iter().map(text).collect::<Vec<_>>());
    for line in lines.iter().filter(|line| line.get("complete").is_some()) {
        assert_eq!(line["complete"] == json!(true), gaps(line).is_some_and(|gaps| gaps.is_empty()), "{line}");
    }
    Ok(lines.iter().filter_map(gaps).collect())
}

const NONE: [&str; 0] = [];

#[test]
fn a_rate_limit_can_hide_a_change_in_its_time_and_only_there() -> Result<()> {
    for hook in ["bprm_check_security", "file_open", "inode_rename", "file_mprotect"] {
        let ledger = stopped(&json!({"rate_limit": [hook]}), &[("rate_limit", 4), ("rate_limit", 3)]);
        // The first change was before.
        let expected = [vec![], vec!["rate_limit 7"], vec!["rate_limit 7"]];
        assert_eq!(gaps(&["changes"], ledger)?, expected, "{hook}");
    }
    Ok(())
}

#[test]
fn what_was_stopped_of_other_hooks_is_missing_nowhere() -> Result<()> {
    let ledger = || stopped(&json!({"rate_limit": ["socket_connect"], "dedupe": []}), &[("rate_limit", 4)]);
    assert_eq!(gaps(&["changes"], ledger())?, [NONE, NONE, NONE]);
    assert_eq!(gaps(&["history", "/usr/bin/*"], ledger())?, [NONE]);
    assert_eq!(gaps(&["gaps"], ledger())?, [NONE]);
    let not_asked_for = stopped(&Value::Null, &[("digest", 4)]);
    assert_eq!(gaps(&["changes"], not_asked_for)?, [NONE, NONE, NONE]);
    Ok(())
}

#[test]
fn rows_without_their_texts_are_lost_to_every_answer() -> Result<()> {
    let lost = || {
        let no_scratch = LedgerEntry {
            cause: Some("no_scratch".into()),
            count: Some(9),
            cpu: Some(0),
            from_ns: Some(22_000_000_000),
            to_ns: Some(23_000_000_000),
            ..entry(23, "loss", None)
        };
        [stopped(&Value::Null, &[]), vec![no_scratch]].concat()
    };
    assert_eq!(gaps(&["changes"], lost())?, [vec![], vec!["no_scratch 9"], vec!["no_scratch 9"]]);
    assert_eq!(gaps(&["history", "/usr/bin/*"], lost())?, [["no_scratch 9"]]);
    assert_eq!(gaps(&["gaps"], lost())?, [["no_scratch 9"]]);
    Ok(())
}

#[test]
fn a_recorder_that_did_not_say_of_which_hooks_may_have_stopped_any() -> Result<()> {
    let ledger = stopped(&Value::Null, &[("rate_limit", 4)]);
    assert_eq!(gaps(&["changes"], ledger)?, [vec![], vec!["rate_limit 4"], vec!["rate_limit 4"]]);
    Ok(())
}

#[test]
fn merged_rows_hide_no_change_but_runs_and_opens() -> Result<()> {
    let execs = || stopped(&json!({"dedupe": ["bprm_check_security"]}), &[("dedupe", 4)]);
    assert_eq!(gaps(&["changes"], execs())?, [NONE, NONE, NONE]);
    assert_eq!(gaps(&["history", "/usr/bin/*"], execs())?, [["dedupe 4"]], "runs are too few");
    assert_eq!(gaps(&["lookup", OLD], execs())?, [["dedupe 4"]]);
    assert_eq!(gaps(&["gaps"], execs())?, [["dedupe 4"]]);
    let opens = || stopped(&json!({"dedupe": ["file_open"]}), &[("dedupe", 4)]);
    assert_eq!(gaps(&["changes"], opens())?, [vec![], vec!["dedupe 4"], vec!["dedupe 4"]]);
    assert_eq!(gaps(&["history", "/usr/bin/*"], opens())?, [NONE]);
    Ok(())
}

#[test]
fn a_limit_on_writers_leaves_who_did_it_unknown() -> Result<()> {
    let attribution = |hook: &str| -> Result<Value> {
        let directory = tempfile::tempdir()?;
        let mut events = incident();
        events.retain(|event| event.hook != "file_post_open");
        let ledger = stopped(&json!({"rate_limit": [hook]}), &[("rate_limit", 1)]);
        archive_with(directory.path(), &events, 100, ledger)?;
        let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
        Ok(json_lines(&output)[1]["attribution"].clone())
    };
    assert_eq!(attribution("inode_rename")?, "unknown: gap");
    assert_eq!(attribution("mmap_file")?, "not covered", "mappings are no writers");
    Ok(())
}
