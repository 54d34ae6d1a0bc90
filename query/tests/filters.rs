//! `events` by who acted, for which policy, and where to.

use super::*;

/// Three acts of `/usr/bin/cp`, each with something of its own, one of another program, and one of a process whose program is
/// not known.
fn acts() -> Vec<Event> {
    let act = |second| event(second, "inode_rename", None);
    vec![
        Event { comm: "cp\u{1b}".into(), policy: Some("first".into()), action: "deny".into(), ..act(10) },
        Event {
            parent_comm: "sshd".into(),
            container_id: Some("0123456789abcdef".into()),
            process_start_ns: 99,
            uid: 33,
            ..act(11)
        },
        Event { target_path: Some("/etc/cron.d/job".into()), ..act(12) },
        Event { exe: Some("/bin/busybox".into()), comm: "systemd-network".into(), ..act(13) },
        Event { exe: None, comm: "kworker/0:1".into(), ..act(14) },
        Event { exe: None, comm: "kthreadd".into(), cpu: -1, ..event(15, "running_process", None) },
    ]
}

/// The seconds of the events that an answer has, and its summary.
fn ask(line: &[&str]) -> Result<(Vec<i64>, Value)> {
    let (lines, summary) = ask_by("events", line)?;
    Ok((lines.iter().map(|line| line["seq"].as_i64().expect("a number")).collect(), summary))
}

/// The rows and the summary.
fn ask_by(verb: &str, line: &[&str]) -> Result<(Vec<Value>, Value)> {
    let directory = tempfile::tempdir()?;
    let ledger = vec![
        entry(0, "start", None),
        entry(0, "policy", Some("{\"hooks\":[\"inode_rename\"]}")),
        entry(40, "stop", Some("{\"cpus\":[]}")),
    ];
    archive_with(directory.path(), &acts(), 2, ledger)?;
    let (_, problem, output) = query(directory.path(), &[&[verb, "--format", "json"], line].concat())?;
    assert!(!problem, "{output}");
    let mut lines = json_lines(&output);
    let summary = lines.pop().expect("a summary");
    Ok((lines, summary))
}

#[test]
fn each_filter_leaves_what_has_it() -> Result<()> {
    for (line, seconds) in [
        (&["--exe", "/bin/*"][..], &[13][..]),
        (&["--exe", "cp"], &[10, 11, 12]),
        (&["--exe", "cp", "--exe", "/bin/busybox"], &[10, 11, 12, 13]),
        (&["--comm", "systemd-networkd"], &[13]),
        (&["--comm", "cp\\x1b"], &[10]),
        (&["--comm", "c"], &[]),
        (&["--parent", "sshd"], &[11]),
        (&["--container", "0123"], &[11]),
        (&["--container", "123"], &[]),
        (&["--process-start", "99"], &[11]),
        (&["--pid", "7", "--process-start", "98"], &[]),
        (&["--uid", "33", "--hook", "inode_rename"], &[11]),
        (&["--policy", "first"], &[10]),
        (&["--action", "deny"], &[10]),
        (&["--target", "/etc/cron.d/*"], &[12]),
        (&["--exe", "cp", "--comm", "cp", "--parent", "sshd"], &[11]),
    ] {
        assert_eq!(ask(line)?.0, seconds, "{line:?}");
    }
    Ok(())
}

#[test]
fn an_act_of_an_unknown_program_may_be_one_of_those_asked_for() -> Result<()> {
    let (_, summary) = ask(&["--exe", "cp"])?;
    assert_eq!((&summary["without_exe"], &summary["complete"]), (&json!(1), &json!(false)), "{summary}");
    let (_, summary) = ask(&["--exe", "cp", "--comm", "cp"])?;
    assert_eq!((&summary["without_exe"], &summary["complete"]), (&json!(0), &json!(true)), "{summary}");
    let (_, summary) = ask(&["--comm", "cp"])?;
    assert_eq!((&summary["without_exe"], &summary["complete"]), (&Value::Null, &json!(true)), "{summary}");
    Ok(())
}

#[test]
fn a_timeline_takes_the_same_filters_and_keeps_what_they_are_not_about() -> Result<()> {
    let (lines, summary) = ask_by("timeline", &["--exe", "cp", "--target", "/etc/**"])?;
    let events: Vec<&Value> = lines.iter().filter(|line| line["type"] == "event").collect();
    assert_eq!((events.len(), &events[0]["seq"]), (1, &json!(12)), "{lines:?}");
    assert_eq!(summary["without_exe"], json!(0), "the one without a program goes nowhere: {summary}");
    let (_, summary) = ask_by("timeline", &["--exe", "cp"])?;
    assert_eq!((&summary["without_exe"], &summary["complete"]), (&json!(1), &json!(false)), "{summary}");
    assert!(ask_by("timeline", &["--without-events", "--pid", "7"]).is_err());
    Ok(())
}
