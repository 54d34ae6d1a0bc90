//! Copies that are not whole: an answer from one says so, whatever was asked.

use super::*;
use std::fs;
use std::path::PathBuf;

/// Questions whose answers end with a summary.
const QUESTIONS: [&[&str]; 8] = [
    &["changes"],
    &["changes", "/usr/bin/*"],
    &["history", "/usr/bin/*"],
    &["lookup", NEW],
    &["diff", "--before", "2026-01-02T00:00:15Z"],
    &["rare"],
    &["events"],
    &["gaps"],
];

/// A ledger without losses that counts these events.
fn whole_ledger(events: usize) -> Vec<LedgerEntry> {
    let policy = json!({
        "hooks": ["bprm_check_security", "bprm_committed_creds", "file_post_open"],
        "coverage": {
            "bprm_committed_creds": [""],
            "file_open": [""], "inode_rename": [""], "inode_link": [""], "inode_unlink": [""], "inode_setattr": [""],
        },
    });
    let counts = json!({"cpus": [{"cpu": 0, "produced": events, "stored": events, "dropped": 0}]});
    vec![
        entry(0, "start", None),
        entry(0, "policy", Some(&policy.to_string())),
        entry(1, "snapshot", Some("{\"descriptors_unseen\":0}")),
        entry(40, "stop", Some(&counts.to_string())),
    ]
}

/// The summary of an answer, and whether there was a problem.
fn summary(directory: &Path, question: &[&str]) -> Result<(Value, bool)> {
    let (_, problem, output) = query(directory, &[question, &["--format", "json"]].concat())?;
    let last = json_lines(&output).pop().unwrap_or_default();
    assert_eq!(last["type"], "summary", "{question:?}: {output}");
    Ok((last, problem))
}

/// All files below a directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

/// An archive of these events, copied anew for each way in which a copy goes wrong.
fn spoilt(
    events: &[Event],
    rows: usize,
    spoil: impl Fn(&Path, &Path) -> Result<()>,
) -> Result<Vec<(PathBuf, tempfile::TempDir)>> {
    let first = tempfile::tempdir()?;
    archive_with(first.path(), events, rows, whole_ledger(events.len()))?;
    for question in QUESTIONS {
        let (summary, problem) = summary(first.path(), question)?;
        assert_eq!((&summary["complete"], problem), (&json!(true), false), "{question:?}: {summary}");
    }
    let mut copies = Vec::new();
    for file in files(first.path())? {
        let copy = tempfile::tempdir()?;
        archive_with(copy.path(), events, rows, whole_ledger(events.len()))?;
        let name = file.strip_prefix(first.path())?.to_owned();
        spoil(copy.path(), &name)?;
        copies.push((name, copy));
    }
    Ok(copies)
}

/// Each answer must say that it is not complete, and name the file.
fn assert_each_is_told(copies: &[(PathBuf, tempfile::TempDir)]) -> Result<()> {
    assert!(copies.len() > 3);
    for (name, copy) in copies {
        for question in QUESTIONS {
            let (summary, problem) = summary(copy.path(), question)?;
            assert_eq!(
                (&summary["complete"], problem),
                (&json!(false), true),
                "{question:?} without {name:?}: {summary}"
            );
            let problems = summary["problems"].to_string();
            let stem = name.file_stem().unwrap_or_default().to_string_lossy().replace("manifest", "no manifest");
            assert!(problems.contains(&*stem), "{question:?} does not name {name:?}: {problems}");
        }
    }
    Ok(())
}

#[test]
fn a_file_that_is_missing_is_named_by_every_answer() -> Result<()> {
    assert_each_is_told(&spoilt(&incident(), 2, |copy, name| Ok(fs::remove_file(copy.join(name))?))?)
}

#[test]
fn a_file_under_another_name_is_named_by_every_answer() -> Result<()> {
    let rename = |copy: &Path, name: &Path| {
        let capital = copy.join(name).with_extension("PARQUET");
        Ok(fs::rename(copy.join(name), capital)?)
    };
    assert_each_is_told(&spoilt(&incident(), 2, rename)?)
}

#[test]
fn a_file_in_another_folder_is_named_and_read() -> Result<()> {
    let name = "files/host=web/date=2026-01-02/11111111-000001.parquet";
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 2, whole_ledger(6))?;
    let elsewhere = directory.path().join("files/host=web/date=2026-01-03");
    fs::create_dir(&elsewhere)?;
    fs::rename(directory.path().join(name), elsewhere.join("11111111-000001.parquet"))?;
    let (found, problem, output) = query(directory.path(), &["changes", "--format", "json"])?;
    let lines = json_lines(&output);
    assert!(found && problem && lines.len() == 3, "{output}");
    let problem = lines[2]["problems"][0].as_str().unwrap_or_default();
    assert!(problem.contains(&format!("{name}` stands at `files/host=web/date=2026-01-03/")), "{problem}");
    Ok(())
}

#[test]
fn a_second_copy_of_a_file_counts_once() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 100, whole_ledger(6))?;
    let folder = directory.path().join("events/host=web/date=2026-01-02");
    fs::copy(folder.join("11111111-000000.parquet"), folder.join("11111111-000000 (1).parquet"))?;
    let (_, problem, output) = query(directory.path(), &["events", "--format", "json"])?;
    let lines = json_lines(&output);
    assert!(problem && lines.len() == 7, "{output}");
    assert_eq!(lines[6]["problems"].as_array().map(Vec::len), Some(1), "{output}");
    let problem = lines[6]["problems"][0].as_str().unwrap_or_default();
    assert!(problem.contains("000000 (1).parquet` is a second copy of `events/"), "{problem}");
    Ok(())
}

#[test]
fn a_file_that_no_line_names_and_one_that_was_cut_are_told() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 100, whole_ledger(6))?;
    let ledger = directory.path().join("ledger/host=web/date=2026-01-02/11111111-000000.parquet");
    fs::write(ledger.with_file_name("planted.parquet"), "PAR1")?;
    let file = fs::OpenOptions::new().write(true).open(&ledger)?;
    file.set_len(file.metadata()?.len() - 1)?;
    let (summary, problem) = summary(directory.path(), &["gaps"])?;
    let problems = summary["problems"].to_string();
    assert!(
        problem && problems.contains("no line of the manifest names") && problems.contains("planted"),
        "{problems}"
    );
    assert!(problems.contains("it was cut or changed"), "{problems}");
    Ok(())
}

#[test]
fn nobody_is_not_seen_in_a_copy_that_lacks_a_file() -> Result<()> {
    let mut events = incident();
    events.iter_mut().for_each(|event| event.parent_ino = Some(50));
    let verdicts = |directory: &Path| -> Result<Vec<Value>> {
        let (_, _, output) = query(directory, &["changes", "--format", "json"])?;
        Ok(json_lines(&output).iter().filter_map(|line| line.get("attribution").cloned()).collect())
    };
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &events, 3, whole_ledger(events.len()))?;
    assert_eq!(verdicts(directory.path())?, ["suspects", "suspects"]);
    fs::remove_file(directory.path().join("events/host=web/date=2026-01-02/11111111-000000.parquet"))?;
    assert_eq!(verdicts(directory.path())?, ["unknown: gap", "suspects"]);
    Ok(())
}

#[test]
fn a_journal_that_was_not_copied_is_missed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 100, whole_ledger(6))?;
    Manifest::open(&Archive::create(directory.path())?, None)?
        .append(&[("start", json!({"recording_id": "22222222-0000-4000-8000-000000000000", "host": "web"}))])?;
    let journal = directory.path().join(".journal");
    fs::write(journal.join("22222222-000000.journal"), "")?;
    let (with, problem) = summary(directory.path(), &["changes"])?;
    assert_eq!((&with["complete"], problem), (&json!(false), false), "it is not sealed: {with}");
    fs::remove_dir_all(&journal)?;
    let (without, problem) = summary(directory.path(), &["changes"])?;
    assert!(
        problem && without["problems"].to_string().contains("lacks the journal of recording 22222222"),
        "{without}"
    );
    fs::write(&journal, "")?;
    let (summary, _) = summary(directory.path(), &["changes"])?;
    assert!(summary["problems"].to_string().contains("cannot list"), "{summary}");
    Ok(())
}

#[test]
fn events_that_the_ledger_counts_and_that_are_not_here_are_missed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &incident(), 100, whole_ledger(7))?;
    let (summary, problem) = summary(directory.path(), &["gaps"])?;
    assert!(problem && summary["problems"].to_string().contains("stored 7 event(s), and 6 are here"), "{summary}");
    Ok(())
}
