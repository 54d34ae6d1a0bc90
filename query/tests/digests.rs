//! Digests of another algorithm, and lists of digests: that one was not found is said only where it was looked for.

use super::*;

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The answer to a question about the usual incident, whose digests are SHA-256: all lines, and whether there was a problem.
fn ask(line: &[&str]) -> Result<(Vec<Value>, bool)> {
    let directory = tempfile::tempdir()?;
    let ledger = vec![entry(0, "start", None), entry(40, "stop", Some("{\"cpus\":[]}"))];
    archive_with(directory.path(), &incident(), 100, ledger)?;
    let (_, problem, output) = query(directory.path(), &[line, &["--format", "json"]].concat())?;
    Ok((json_lines(&output), problem))
}

/// A list of digests in a file.
fn list(text: &str) -> Result<(tempfile::TempDir, String)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("bad.txt");
    std::fs::write(&path, text)?;
    let path = path.to_string_lossy().into_owned();
    Ok((directory, path))
}

#[test]
fn a_digest_of_another_algorithm_is_not_absent() -> Result<()> {
    for question in [&["lookup", MD5][..], &["history", "--digest", MD5], &["events", "--digest", MD5]] {
        let (lines, problem) = ask(question)?;
        let [summary] = &lines[..] else { panic!("{question:?}: {lines:?}") };
        assert_eq!((problem, &summary["complete"]), (true, &json!(false)), "{question:?}: {summary}");
        let said = summary["problems"][0].as_str().unwrap_or_default();
        assert!(said.starts_with("not comparable: `d41d8") && said.contains("are sha256 (on web)"), "{said}");
        assert_eq!(summary["algorithms"], json!(["sha256"]));
        assert_eq!(summary["not_comparable"][0]["digests"], json!([MD5]));
    }
    let (lines, problem) = ask(&["lookup", MD5, NEW])?;
    assert!(problem && lines[0]["digest"] == NEW && lines[1]["complete"] == false, "the others are found: {lines:?}");
    let (lines, problem) = ask(&["lookup", &"c".repeat(64)])?;
    assert_eq!((problem, &lines[0]["complete"], &lines[0]["not_comparable"]), (false, &json!(true), &json!([])));
    Ok(())
}

#[test]
fn only_the_time_that_was_asked_about_has_its_algorithms() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let sha1 = Event { digest_algorithm: Some("sha1".into()), ..event(10, "mmap_file", Some(&"a".repeat(40))) };
    let events = [sha1, event(20, "mmap_file", Some(NEW))];
    archive_with(directory.path(), &events, 100, vec![entry(0, "start", None), entry(40, "stop", None)])?;
    let problem = |options: &[&str]| {
        let line = [&["lookup", NEW, "--format", "json"], options].concat();
        query(directory.path(), &line).map(|(found, problem, output)| (found, problem, output.contains("with a part")))
    };
    assert_eq!(problem(&[])?, (true, true, true), "SHA-1 was recorded too");
    assert_eq!(problem(&["--since", "2026-01-02T00:00:15Z"])?, (true, false, false));
    assert_eq!(problem(&["--until", "2026-01-02T00:00:15Z"])?, (false, true, false));
    Ok(())
}

#[test]
fn without_a_recorded_digest_nothing_is_absent() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let ledger = vec![entry(0, "start", None), entry(40, "stop", None)];
    archive_with(directory.path(), &[event(10, "file_post_open", None)], 100, ledger)?;
    for question in [&["lookup", NEW][..], &["history", "--digest", NEW], &["events", "--digest", NEW]] {
        let (_, problem, output) = query(directory.path(), &[question, &["--format", "json"]].concat())?;
        let lines = json_lines(&output);
        assert_eq!((problem, &lines[0]["complete"]), (false, &json!(false)), "{question:?}: {output}");
    }
    Ok(())
}

#[test]
fn lists_are_looked_for_by_every_digest_and_shown_with_every_name() -> Result<()> {
    let sha1 = "e".repeat(40);
    let (_directory, path) =
        list(&format!("{MD5},{sha1},{NEW},dropper\n{OLD}:{}\n{NEW}  second\nnonsense\n", "c".repeat(64)))?;
    let (lines, problem) = ask(&["lookup", "--ioc", &path])?;
    let found: Vec<_> = lines[..3].iter().map(|line| (&line["digest"], &line["label"])).collect();
    let (old, new) = ((&json!(OLD), &Value::Null), (&json!(NEW), &json!("dropper; second")));
    assert_eq!(found.iter().filter(|row| **row == old).count(), 2, "{lines:?}");
    assert_eq!(found.iter().filter(|row| **row == new).count(), 1, "{lines:?}");
    let summary = &lines[3];
    assert_eq!((problem, &summary["unusable_lines"]), (true, &json!(1)), "{summary}");
    assert_eq!((&summary["digests"], &summary["seen"]), (&json!(5), &json!(2)));
    let problems = summary["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [unusable] = problems else { panic!("{summary}") };
    assert!(unusable.as_str().is_some_and(|text| text.contains("bad.txt:4: `nonsense`")), "{unusable}");
    Ok(())
}

#[test]
fn a_line_with_a_digest_of_the_recorded_algorithm_is_answered_by_it() -> Result<()> {
    let (_directory, path) = list(&format!("md5,sha256\n{MD5},{NEW}\n"))?;
    let (lines, problem) = ask(&["lookup", "--ioc", &path])?;
    assert_eq!((problem, &lines[1]["complete"], &lines[1]["seen"]), (false, &json!(true), &json!(1)), "{lines:?}");
    let (_directory, path) = list(&format!("{MD5},{NEW}\n{MD5}\n"))?;
    assert!(ask(&["lookup", "--ioc", &path])?.1, "the second line has nothing but the MD5");
    Ok(())
}
