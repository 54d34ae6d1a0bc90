//! Digests that few hosts ran; that they are counted rightly, the model of random histories says.

use super::*;

/// The rows of `rare`, and its summary.
fn rare(directory: &Path, line: &[&str]) -> Result<(Vec<Value>, Value)> {
    let line = [&["rare", "--format", "json"], line].concat();
    let (_, _, output) = query(&directory.join("*"), &line)?;
    let mut lines = json_lines(&output);
    let summary = lines.pop().unwrap_or_default();
    assert_eq!(summary["type"], "summary", "{output}");
    Ok((lines, summary))
}

/// One archive of each host, whose policies ask for these hooks.
fn hosts(directory: &Path, hosts: &[(&str, &[Event], &[&str])]) -> Result<()> {
    for (number, (host, events, hooks)) in hosts.iter().enumerate() {
        let id = format!("{}-0000-4000-8000-000000000000", (number + 1).to_string().repeat(8));
        let archive = Archive::create(&directory.join(host))?;
        let mut manifest = Manifest::open(&archive, None)?;
        manifest.append(&[("start", json!({"recording_id": id, "host": host}))])?;
        let name = SegmentName { recording_id: id.clone(), host: (*host).into(), segment: 0 };
        let of_host = |event: &Event| Event { recording_id: id.clone(), host: (*host).into(), ..event.clone() };
        let policy = json!({"hooks": hooks}).to_string();
        let ledger = vec![entry(0, "start", None), entry(0, "policy", Some(&policy)), entry(40, "stop", None)];
        let ledger = ledger.into_iter();
        let ledger = ledger.map(|entry| LedgerEntry { recording_id: id.clone(), host: (*host).into(), ..entry });
        let context = VersionContext { host_root_dev: "8:1".into(), host_root_ino: 2, ..VersionContext::default() };
        seal(&archive, &mut manifest, &name, &context, events.iter().map(of_host).collect(), ledger.collect())?;
        manifest.append(&[("stop", json!({"recording_id": id, "state": "SEALED"}))])?;
    }
    Ok(())
}

#[test]
fn hosts_that_recorded_alike_give_a_complete_answer() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let hooks: &[&str] = &["mmap_file", "inode_rename"];
    let both = [event(10, "mmap_file", Some(OLD)), event(20, "mmap_file", Some(NEW))];
    hosts(directory.path(), &[("db", &both[..1], hooks), ("web", &both, &["mmap_file"])])?;
    let (rows, summary) = rare(directory.path(), &[])?;
    assert_eq!((rows.len(), &rows[0]["digest"], &rows[0]["host_names"]), (1, &json!(NEW), &json!(["web"])));
    assert_eq!(
        (&summary["complete"], &summary["gaps"]),
        (&json!(true), &json!([])),
        "a rename tells no digest: {summary}"
    );
    assert_eq!((&summary["hosts"], &summary["loaded"]), (&json!(2), &json!(2)));
    let (rows, summary) = rare(directory.path(), &["--at-most", "2", "/usr/sbin/*"])?;
    assert!(rows.is_empty() && summary["hosts"] == 2 && summary["complete"] == true, "nothing ran there: {summary}");
    assert!(rare(directory.path(), &["--at-most", "0"]).is_err());
    Ok(())
}

#[test]
fn what_was_denied_or_failed_did_not_run() -> Result<()> {
    let denied = |event: Event| Event { action: "deny".into(), enforced: true, result: Some(1), ..event };
    let exec = |second, exec_id, digest| Event {
        exec_id: Some(exec_id),
        ..event(second, "bprm_check_security", Some(digest))
    };
    let commit = |second, exec_id| Event { exec_id: Some(exec_id), ..event(second, "bprm_committed_creds", None) };
    let opened = denied(event(26, "file_open", Some(&"c".repeat(64))));
    let not_enforced = Event { action: "deny".into(), ..event(28, "mmap_file", Some(&"d".repeat(64))) };
    let hashed = Event { digest: None, digest_algorithm: None, ..denied(event(30, "mmap_file", None)) };
    let events = [
        exec(10, 1, OLD),
        commit(11, 1),
        // The exec of what is not there any more fails, and a policy denies another.
        exec(14, 2, OLD),
        denied(exec(18, 3, NEW)),
        denied(event(22, "mmap_file", Some(NEW))),
        opened,
        not_enforced,
        hashed,
        Event { cpu: -1, ref_cpu: Some(0), ref_seq: Some(30), ..event(31, "user_digest", Some(&"e".repeat(64))) },
    ];
    let hooks = ["bprm_check_security", "bprm_committed_creds", "mmap_file"];
    let policy = json!({"hooks": hooks, "coverage": {hooks[1]: [""]}}).to_string();
    let of = |policy: &str| -> Result<(Vec<Value>, Value)> {
        let directory = tempfile::tempdir()?;
        let archive = directory.path().join("web");
        std::fs::create_dir(&archive)?;
        let ledger = vec![entry(0, "start", None), entry(0, "policy", Some(policy)), entry(40, "stop", None)];
        archive_with(&archive, &events, 4, ledger)?;
        rare(directory.path(), &[])
    };
    let (rows, summary) = of(&policy)?;
    let told: Vec<Value> =
        rows.iter().map(|row| json!([row["digest"], row["observations"], row["runs"], row["not_run"]])).collect();
    assert_eq!(told, [json!(["d".repeat(64), 1, 0, 0]), json!([OLD, 1, 1, 1])], "{rows:?}");
    let counts = ["loaded", "only_opened", "only_attempted"].map(|name| summary[name].clone());
    assert_eq!((counts, &summary["complete"]), ([json!(2), json!(0), json!(3)], &json!(true)), "{summary}");
    let (_, summary) = of(&json!({"hooks": hooks, "coverage": {hooks[1]: ["/usr/"]}}).to_string())?;
    assert_eq!(summary["without_commits"].as_array().map(Vec::len), Some(1), "{summary}");
    assert_eq!(summary["complete"], false, "{summary}");
    Ok(())
}

#[test]
fn runs_are_not_counted_where_a_recording_did_not_have_them() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let ran = [event(10, "bprm_check_security", Some(OLD)), event(11, "bprm_committed_creds", None)];
    std::fs::create_dir(directory.path().join("1"))?;
    archive_with(&directory.path().join("1"), &ran, 4, ledger())?;
    let (rows, _) = rare(directory.path(), &["--at-most", "2"])?;
    assert_eq!(rows[0]["runs"], 1, "{rows:?}");
    // The archives of `hosts` do not say which execs succeeded.
    let others = tempfile::tempdir()?;
    hosts(others.path(), &[("mail", &[], &[]), ("db", &ran[..1], &["bprm_check_security"])])?;
    std::fs::rename(others.path().join("db"), directory.path().join("2"))?;
    let (rows, _) = rare(directory.path(), &["--at-most", "2"])?;
    assert_eq!((&rows[0]["hosts"], &rows[0]["runs"]), (&json!(2), &Value::Null), "{rows:?}");
    Ok(())
}

#[test]
fn what_can_make_a_digest_seem_rare_is_told() -> Result<()> {
    let seen = [event(10, "mmap_file", Some(OLD))];
    let sha1 = [Event { digest_algorithm: Some("sha1".into()), ..event(10, "mmap_file", Some(&"a".repeat(40))) }];
    let doubtful = [Event { digest_doubt: vec!["old".into()], ..event(10, "mmap_file", Some(OLD)) }];
    let hooks: &[&str] = &["mmap_file"];
    let of = |other: &[Event], other_hooks: &[&str]| -> Result<Value> {
        let directory = tempfile::tempdir()?;
        hosts(directory.path(), &[("web", &seen, hooks), ("db", other, other_hooks)])?;
        let (rows, summary) = rare(directory.path(), &[])?;
        assert_eq!(summary["complete"], false, "{summary}");
        Ok(json!({"rows": rows, "summary": summary}))
    };
    let found = of(&[], &["bprm_check_security"])?;
    assert_eq!((&found["summary"]["hosts"], &found["summary"]["hosts_without_digests"]), (&json!(1), &json!(["db"])));
    assert_eq!(found["summary"]["hooks_recorded_in_part"], json!(["bprm_check_security", "mmap_file"]));
    let found = of(&sha1, hooks)?;
    let said = found["summary"]["problems"][0].as_str().unwrap_or_default();
    assert!(said.contains("sha1 (on db), sha256 (on web)"), "{said}");
    let found = of(&doubtful, hooks)?;
    assert_eq!((&found["summary"]["doubtful"], &found["rows"][0]["doubtful_only"]), (&json!(1), &json!(1)));
    Ok(())
}
