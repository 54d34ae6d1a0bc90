//! Questions and archives that a nasty mind makes up, to be told more than is known.

use super::taken_away::copy;
use super::*;
use std::fs;

fn plain_ledger() -> Vec<LedgerEntry> {
    let policy = json!({"hooks": ["bprm_check_security", "file_post_open", "mmap_file"]}).to_string();
    vec![entry(0, "start", None), entry(0, "policy", Some(&policy)), entry(40, "stop", Some("{\"cpus\":[]}"))]
}

/// An archive of these events without losses.
fn of(events: &[Event]) -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), events, 100, plain_ledger())?;
    Ok(directory)
}

fn ask(directory: &Path, line: &[&str]) -> Result<(Vec<Value>, bool)> {
    let (_, problem, output) = query(directory, &[line, &["--format", "json"]].concat())?;
    Ok((json_lines(&output), problem))
}

#[test]
fn a_host_that_no_archive_has_is_named_with_those_that_are_there() -> Result<()> {
    let directory = of(&incident())?;
    let questions = [&["changes"][..], &["lookup", NEW], &["events"], &["gaps"], &["tree"], &["history", "/usr/bin/*"]];
    for question in questions {
        let (lines, problem) = ask(directory.path(), &[question, &["--host", "web", "--host", "wbe"]].concat())?;
        let summary = &lines[lines.len() - 1];
        let said = summary["problems"][0].as_str().unwrap_or_default();
        assert_eq!((problem, &summary["complete"]), (true, &json!(false)), "{question:?}: {summary}");
        assert_eq!(said, "no archive here has the host `wbe`; they have web");
        assert!(!ask(directory.path(), &[question, &["--host", "web"]].concat())?.1);
    }
    Ok(())
}

#[test]
fn a_doubtful_observation_may_have_had_the_digest_that_is_looked_for() -> Result<()> {
    let doubtful = Event { digest_doubt: vec!["old".into()], ..event(20, "mmap_file", Some(NEW)) };
    let directory = of(&[event(10, "mmap_file", Some(NEW)), doubtful])?;
    for question in [&["lookup", OLD][..], &["history", "--digest", OLD], &["events", "--digest", OLD]] {
        let (lines, problem) = ask(directory.path(), question)?;
        assert_eq!((problem, &lines[0]["complete"]), (false, &json!(false)), "{question:?}: {lines:?}");
        let before = [question, &["--until", "2026-01-02T00:00:15Z"]].concat();
        assert_eq!(ask(directory.path(), &before)?.0[0]["complete"], true, "{question:?}: it came later");
    }
    Ok(())
}

#[test]
fn an_event_without_its_digest_may_have_had_the_content_that_is_looked_for() -> Result<()> {
    let lacking = |reason: &str| Event {
        digest_status: "unavailable".into(),
        digest_reason: Some(reason.into()),
        ..event(20, "bprm_check_security", None)
    };
    let by_user = Event { ref_cpu: Some(0), ref_seq: Some(20), cpu: -1, ..event(21, "user_digest", Some(NEW)) };
    let complete = |events: &[Event]| -> Result<Vec<Value>> {
        let directory = of(events)?;
        let questions = [&["lookup", OLD][..], &["history", "--digest", OLD], &["events", "--digest", OLD]];
        let answers = questions.iter().map(|line| ask(directory.path(), line));
        answers.map(|answer| answer.map(|(lines, _)| lines[0]["complete"].clone())).collect()
    };
    let seen = || event(10, "mmap_file", Some(NEW));
    assert_eq!(complete(&[seen(), lacking("too_large")])?, [false; 3]);
    assert_eq!(complete(&[seen(), lacking("too_large"), by_user])?, [true; 3], "user space hashed it");
    assert_eq!(complete(&[seen(), lacking("not_executable_mapping")])?, [true; 3], "it was not asked for");
    Ok(())
}

#[test]
fn an_inode_that_nobody_saw_is_told() -> Result<()> {
    let opened = Event { ino: Some(40), ..event(12, "file_post_open", None) };
    let directory = of(&[event(10, "mmap_file", Some(NEW)), opened])?;
    let never =
        |inode: &str| Ok::<_, anyhow::Error>(ask(directory.path(), &["history", "--inode", inode])?.0[0].clone());
    let unseen = &never("8:1:99")?["never_observed"][0];
    assert_eq!(*unseen, json!({"pattern": "inode 99 of 8:1", "without_digest": null, "near": []}));
    assert_eq!(never("8:1:40")?["never_observed"][0]["without_digest"]["events"], json!(1));
    assert_eq!(ask(directory.path(), &["history", "--inode", "8:1:12"])?.0[1]["never_observed"], json!([]));
    Ok(())
}

#[test]
fn times_beyond_four_digits_of_a_year_leave_nothing_out() -> Result<()> {
    let late = Event { time: Micros(253_402_300_800_000_000), ..event(30, "mmap_file", Some(NEW)) };
    let early = Event { time: Micros(-62_135_596_800_000_000), ..event(31, "mmap_file", Some(NEW)) };
    let directory = of(&[event(10, "mmap_file", Some(NEW)), late, early])?;
    let seqs = |options: &[&str]| -> Result<Vec<i64>> {
        let (lines, _) = ask(directory.path(), &[&["events", "--sort", "seq"], options].concat())?;
        Ok(lines.iter().filter_map(|line| line["seq"].as_i64()).collect())
    };
    assert_eq!(seqs(&["--until", "@253402300801"])?, [10, 30, 31]);
    assert_eq!(seqs(&["--until", "@9223372036854"])?, [10, 30, 31]);
    assert_eq!(seqs(&["--since", "2026-01-01"])?, [10, 30]);
    assert_eq!(seqs(&["--since", "@-62135596801", "--until", "2026-01-01"])?, [31]);
    Ok(())
}

#[test]
fn two_copies_of_an_archive_count_once() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (first, second) = (directory.path().join("a"), directory.path().join("b"));
    archive_with(&first, &incident(), 2, plain_ledger())?;
    fs::create_dir(&second)?;
    copy(&first, &second)?;
    let both = directory.path().join("*");
    let one = ask(&first, &["events"])?.0;
    assert_eq!(ask(&both, &["events"])?.0, one);
    assert_eq!(ask(&both, &["history", "/usr/bin/*"])?.0, ask(&first, &["history", "/usr/bin/*"])?.0);
    // What one of them lacks, the other has.
    fs::remove_file(first.join("events/host=web/date=2026-01-02/11111111-000000.parquet"))?;
    let (lines, problem) = ask(&both, &["events"])?;
    assert!(problem && lines.len() == one.len(), "{lines:?}");
    Ok(())
}

/// Clones of an image have one machine id too.
#[test]
fn clones_that_recorded_at_the_same_time_are_named() -> Result<()> {
    let directory = tempfile::tempdir()?;
    for (name, boot, second) in [("a", "boot-a", 10), ("b", "boot-b", 20), ("c", "boot-c", 100)] {
        let id = format!("{}-0000-4000-8000-000000000000", name.repeat(8));
        let archive = Archive::create(&directory.path().join(name))?;
        let mut manifest = Manifest::open(&archive, None)?;
        let facts = json!({"machine_id": "0123456789abcdef", "boot_id": boot});
        manifest.append(&[("start", json!({"recording_id": id, "host": "web", "facts": facts}))])?;
        let segment = SegmentName { recording_id: id.clone(), host: "web".into(), segment: 0 };
        let seen = Event { recording_id: id.clone(), boot_id: boot.into(), ..event(second, "mmap_file", Some(NEW)) };
        let ledger = [(0, "start"), (30, "stop")]
            .map(|(after, kind)| LedgerEntry { recording_id: id.clone(), ..entry(second + after, kind, None) });
        seal(&archive, &mut manifest, &segment, &VersionContext::default(), vec![seen], ledger.to_vec())?;
        manifest.append(&[("stop", json!({"recording_id": id, "state": "SEALED"}))])?;
    }
    let (lines, problem) = ask(&directory.path().join("*"), &["changes"])?;
    let summary = &lines[lines.len() - 1];
    assert!(problem && summary["problems"].as_array().is_some_and(|problems| problems.len() == 1), "{summary}");
    let said = summary["problems"].to_string();
    assert!(said.contains("/a` and `") && said.contains("/b` are both of host `web`"), "{said}");
    assert!(!ask(&directory.path().join("[bc]"), &["changes"])?.1, "one after the other may be one machine");
    Ok(())
}

#[test]
fn links_that_lead_nowhere_and_files_of_other_kinds_are_named() -> Result<()> {
    let directory = of(&incident())?;
    let folder = directory.path().join("events/host=web/date=2026-01-02");
    std::os::unix::fs::symlink("nothing", folder.join("dangling.parquet"))?;
    assert!(ask(directory.path(), &["events"])?.1);
    fs::remove_file(folder.join("dangling.parquet"))?;
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff.parquet");
    fs::write(folder.join(name), "PAR1")?;
    for question in [&["events"][..], &["gaps"], &["lookup", NEW], &["tree"], &["info"]] {
        assert!(ask(directory.path(), question)?.1, "{question:?}: a name that is no text");
    }
    Ok(())
}

#[test]
fn a_limit_that_was_reached_is_told() -> Result<()> {
    let directory = of(&incident())?;
    for question in [&["changes"][..], &["history", "/usr/bin/*"], &["events"], &["lookup", OLD]] {
        let limited = |limit| {
            let (lines, _) = ask(directory.path(), &[question, &["--limit", limit]].concat())?;
            Ok::<_, anyhow::Error>(lines[lines.len() - 1].get("limited").cloned())
        };
        assert_eq!(limited("1")?, Some(json!(true)), "{question:?}");
        assert_eq!(limited("100")?, None, "{question:?}");
    }
    Ok(())
}

/// Rows of several CPUs may have one time: the end of what interleaves is one of them, not all.
#[test]
fn rows_that_tie_are_told_in_their_full_order() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &tied(), 2)?;
    let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
    let lines = json_lines(&output);
    let changes = lines.iter().filter(|line| line["type"] == "change");
    let digests: Vec<&Value> = changes.map(|change| &change["to"]["digest"]).collect();
    assert_eq!(digests, [NEW, OLD, NEW, OLD], "{lines:#?}");
    Ok(())
}
