//! Observations without a digest though their policy asked for one: a change may hide behind them.

use super::*;

const TOOL: &str = "/usr/bin/tool";
const LARGE: &str = "/usr/bin/large";

fn seen(second: i64, path: &str, digest: Option<&str>) -> Event {
    let event = Event { path: Some(path.into()), ..event(second, "bprm_check_security", digest) };
    if digest.is_some() {
        return event;
    }
    Event { digest_status: "unavailable".into(), digest_reason: Some("too_large".into()), ..event }
}

/// The summary of an answer.
fn summary(events: &[Event], line: &[&str]) -> Result<Value> {
    let directory = tempfile::tempdir()?;
    let ledger = vec![entry(0, "start", None), entry(60, "stop", Some("{\"cpus\":[]}"))];
    archive_with(directory.path(), events, 100, ledger)?;
    let (_, problem, output) = query(directory.path(), &[line, &["--format", "json"]].concat())?;
    assert!(!problem, "{output}");
    Ok(json_lines(&output).pop().expect("a summary"))
}

/// Whether the answer is complete, and how many observations of what it is about have no digest.
fn told(events: &[Event], line: &[&str]) -> Result<(Value, Value)> {
    let summary = summary(events, line)?;
    Ok((summary["complete"].clone(), summary["without_digest"].clone()))
}

#[test]
fn no_answer_about_their_path_is_complete() -> Result<()> {
    let events = [
        seen(10, TOOL, Some(OLD)),
        seen(20, TOOL, None),
        seen(21, TOOL, None),
        seen(30, TOOL, Some(OLD)),
        seen(31, LARGE, None),
        seen(32, "/usr/bin/other", Some(NEW)),
    ];
    for (line, count) in [
        (&["changes"][..], 3),
        (&["changes", TOOL], 2),
        (&["changes", "/usr/bin/l*"], 1),
        (&["changes", TOOL, LARGE], 3),
        (&["history", TOOL], 2),
        (&["history", "--inode", "8:1:12"], 3),
        (&["events", "--digest", OLD], 3),
        (&["history", "--digest", OLD], 3),
    ] {
        assert_eq!(told(&events, line)?, (json!(false), json!(count)), "{line:?}");
    }
    for line in [&["changes", "/usr/bin/other"][..], &["history", "/usr/bin/other"]] {
        assert_eq!(told(&events, line)?, (json!(true), json!(0)), "{line:?}");
    }
    Ok(())
}

#[test]
fn what_has_no_content_or_was_hashed_by_the_recorder_hides_nothing() -> Result<()> {
    let of_user = |digest: Option<&str>, status: &str| Event {
        cpu: -1,
        seq: 1,
        hook: "user_digest".into(),
        ref_cpu: Some(0),
        ref_seq: Some(20),
        digest_status: status.into(),
        ..seen(22, TOOL, digest)
    };
    let observed = [seen(10, TOOL, Some(OLD)), seen(20, TOOL, None), seen(30, TOOL, Some(OLD))];
    let with = |event: Event| told(&[&observed[..], &[event]].concat(), &["changes", TOOL]);
    assert_eq!(with(of_user(Some(OLD), "ok"))?, (json!(true), json!(0)));
    assert_eq!(with(of_user(None, "unavailable"))?, (json!(false), json!(1)), "the file had moved");
    let other = Event { ref_seq: Some(21), ..of_user(Some(OLD), "ok") };
    assert_eq!(with(other)?, (json!(false), json!(1)), "a digest for another event");
    for (status, reason) in [("unavailable", Some("not_executable_mapping")), ("not_requested", None)] {
        let event =
            Event { digest_status: status.into(), digest_reason: reason.map(str::to_owned), ..seen(20, TOOL, None) };
        let events = [seen(10, TOOL, Some(OLD)), event, seen(30, TOOL, Some(OLD))];
        assert_eq!(told(&events, &["changes", TOOL])?, (json!(true), json!(0)), "{status} {reason:?}");
    }
    let deleted = Event { path_flags: vec!["deleted".into()], ..seen(20, TOOL, None) };
    assert_eq!(told(&[seen(10, TOOL, Some(OLD)), deleted], &["changes", TOOL])?, (json!(true), json!(0)));
    Ok(())
}

#[test]
fn only_where_a_change_behind_them_may_touch_the_time_that_was_asked_about() -> Result<()> {
    let events =
        [10, 20, 30, 40, 50].map(|second| seen(second, TOOL, Some(OLD).filter(|_| second != 20 && second != 40)));
    let of = |command: &str, since: i64, until: i64| {
        let time = |second: i64| Micros((START + second) * 1_000_000).rfc3339();
        told(&events, &[command, TOOL, "--since", &time(since), "--until", &time(until)])
    };
    // Of the certain observations, which are one run, the first and the last are known without a look at events.
    assert_eq!(of("changes", 25, 35)?, (json!(false), json!(2)));
    assert_eq!(of("changes", 12, 15)?, (json!(false), json!(2)), "what ran at 20 may have been changed by 15");
    assert_eq!(of("changes", 45, 49)?, (json!(false), json!(2)), "and what ran at 40 changed back after 45");
    assert_eq!(of("changes", 51, 55)?, (json!(true), json!(0)), "it was known at 50");
    assert_eq!(of("changes", 1, 10)?, (json!(true), json!(0)), "and at 10");
    Ok(())
}

#[test]
fn events_without_a_path_are_about_every_path_that_is_asked_for() -> Result<()> {
    let without_path = Event { path: None, ..seen(20, TOOL, None) };
    let events = [seen(10, TOOL, Some(OLD)), without_path, seen(30, TOOL, Some(OLD))];
    for line in [&["changes"][..], &["changes", "**"], &["history", "**"]] {
        assert_eq!(told(&events, line)?, (json!(false), json!(1)), "{line:?}");
    }
    Ok(())
}

/// What a footer says of values is not asked where that would make an answer complete.
#[test]
fn bounds_that_somebody_wrote_hide_none() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &[seen(10, TOOL, Some(OLD)), seen(20, TOOL, None)], 100, ledger())?;
    let path = directory.path().join("events/host=web/date=2026-01-02/11111111-000000.parquet");
    let mut bytes = std::fs::read(&path)?;
    let text = b"unavailable";
    let end = bytes.len() - 8;
    let footer_bytes = u32::from_le_bytes(bytes[end..end + 4].try_into()?) as usize;
    let footer = end - footer_bytes..end;
    let places: Vec<usize> = footer.filter(|place| bytes[*place..].starts_with(text)).collect();
    assert!(!places.is_empty(), "the highest value stands there");
    places.iter().for_each(|place| bytes[*place] = b'o');
    std::fs::write(&path, bytes)?;
    let (_, _, output) = query(directory.path(), &["changes", TOOL, "--format", "json"])?;
    assert_eq!(json_lines(&output).pop().expect("a summary")["without_digest"], 1);
    Ok(())
}
