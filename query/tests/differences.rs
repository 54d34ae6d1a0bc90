//! What is said of two sides beside the rows; that these are right, the model of random histories says.

use super::*;

/// Runs `diff`; all lines, and whether there was a problem.
fn diff(line: &[&str]) -> Result<(Vec<Value>, bool)> {
    let cli = Cli::try_parse_from([&["hashtrail", "diff", "--format", "json"], line].concat())?;
    let (problems, mut written) = (Problems::default(), Vec::new());
    cli.run(&problems, &mut written)?;
    let output = String::from_utf8(written)?;
    contract::check(&["diff", "--format", "json"], &output);
    let lines = json_lines(&output);
    assert_eq!(lines.last().map(|last| &last["type"]), Some(&json!("summary")), "{lines:?}");
    Ok((lines, problems.any()))
}

/// An archive of one recording of the host `web`, with these events and policies of these hooks.
fn sealed(directory: &Path, events: &[Event], policy: Value) -> Result<String> {
    let ledger = vec![
        entry(0, "start", None),
        entry(0, "policy", Some(&policy.to_string())),
        entry(40, "stop", Some("{\"cpus\":[]}")),
    ];
    archive_with(directory, events, 100, ledger)?;
    Ok(directory.display().to_string())
}

fn seen(second: i64, path: &str, digest: &str) -> Event {
    Event { path: Some(path.into()), ..event(second, "mmap_file", Some(digest)) }
}

/// The last line of `diff` between archives of these events and policies, the lines before it, and whether there was a problem.
fn compared(left: (&[Event], Value), right: (&[Event], Value), line: &[&str]) -> Result<(Value, Vec<Value>, bool)> {
    let (first, second) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let sides = [sealed(first.path(), left.0, left.1)?, sealed(second.path(), right.0, right.1)?];
    let (mut lines, problem) = diff(&[&[&*sides[0], &*sides[1]], line].concat())?;
    Ok((lines.pop().unwrap_or_default(), lines, problem))
}

#[test]
fn sides_that_lost_nothing_and_recorded_alike_are_complete() -> Result<()> {
    let policy = || json!({"hooks": ["mmap_file", "bprm_check_security"]});
    let (left, right) = ([seen(10, "/a", OLD)], [seen(10, "/a", NEW), seen(12, "/b", OLD)]);
    let (summary, lines, problem) = compared((&left, policy()), (&right, policy()), &[])?;
    assert_eq!((problem, &summary["complete"], &summary["gaps"]), (false, &json!(true), &json!([])), "{summary}");
    assert_eq!((&summary["different"], &summary["only_right"], &summary["same"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(summary["left"]["coverage"], json!(["bprm_check_security", "mmap_file"]));
    assert_eq!((&lines[0]["left"]["only"], &lines[0]["right"]["only"]), (&json!([OLD]), &json!([NEW])));
    assert_eq!((&lines[1]["path"], &lines[1]["left"]), (&json!("/b"), &Value::Null));
    let (summary, lines, _) = compared((&left, policy()), (&right, policy()), &["--by", "digest"])?;
    assert_eq!((lines.len(), &lines[0]["digest"], &summary["same"]), (1, &json!(NEW), &json!(1)), "{lines:?}");
    Ok(())
}

#[test]
fn a_side_that_recorded_less_is_told() -> Result<()> {
    let events = [seen(10, "/a", OLD)];
    let all = json!({"hooks": ["mmap_file", "bprm_check_security", "inode_rename"]});
    let less = json!({"hooks": ["bprm_check_security"], "coverage": {"bprm_check_security": ["/usr/"]}});
    let others = [seen(10, "/a", OLD), seen(11, "/b", OLD), seen(12, "/usr/c", OLD)];
    let (summary, lines, _) = compared((&others, all), (&events, less), &[])?;
    assert_eq!((&summary["complete"], &summary["left"]["complete"]), (&json!(false), &json!(true)), "{summary}");
    assert_eq!(summary["right"]["missing_hooks"], json!(["mmap_file"]), "a rename tells no digest");
    let recorded: Vec<_> = lines.iter().map(|line| (&line["path"], &line["execs_recorded"])).collect();
    assert_eq!(recorded, [(&json!("/b"), &json!(false)), (&json!("/usr/c"), &json!(true))]);
    assert_eq!(summary["unrecorded_execs"], json!(1));
    Ok(())
}

#[test]
fn digests_of_other_algorithms_are_a_problem() -> Result<()> {
    let policy = || json!({"hooks": ["mmap_file"]});
    let sha1 = Event { digest_algorithm: Some("sha1".into()), ..seen(10, "/a", &"a".repeat(40)) };
    let (summary, lines, problem) = compared((&[seen(10, "/a", OLD)], policy()), (&[sha1], policy()), &[])?;
    assert_eq!(
        (problem, &summary["complete"], &summary["not_comparable"]),
        (true, &json!(false), &json!(2)),
        "{lines:?}"
    );
    let said = summary["problems"][0].as_str().unwrap_or_default();
    assert!(said.contains("left side are sha256 (on web), those of the right side sha1 (on web)"), "{said}");
    Ok(())
}

#[test]
fn what_is_missing_is_told_of_its_side() -> Result<()> {
    let policy = || json!({"hooks": ["mmap_file"]});
    let doubtful = Event { digest_doubt: vec!["old".into()], ..seen(10, "/a", OLD) };
    let deleted = Event { path_flags: vec!["deleted".into()], ..seen(12, "/gone", OLD) };
    let mut lacking = seen(14, "/b", OLD);
    (lacking.digest, lacking.digest_algorithm, lacking.digest_status) = (None, None, "unavailable".into());
    let left = [seen(10, "/a", OLD), seen(14, "/b", OLD)];
    let (summary, lines, _) = compared((&left, policy()), (&[doubtful, deleted, lacking], policy()), &[])?;
    let right = &summary["right"];
    let counts = ["doubtful", "unnamed", "without_digest"].map(|name| right[name].clone());
    assert_eq!((counts, &right["complete"]), ([json!(1), json!(1), json!(1)], &json!(false)), "{summary}");
    assert_eq!((&summary["left"]["complete"], &summary["complete"]), (&json!(true), &json!(false)));
    assert_eq!(lines.iter().map(|line| &line["kind"]).collect::<Vec<_>>(), ["not_known", "not_known"], "{lines:?}");
    let (summary, _, _) = compared((&left, policy()), (&[], policy()), &[])?;
    assert_eq!(
        (&summary["only_left"], &summary["right"]["complete"]),
        (&json!(2), &json!(false)),
        "nothing was observed"
    );
    Ok(())
}

/// The clock is an hour ahead between two steps, and one run of observations has all of it.
#[test]
fn what_was_seen_while_the_clock_was_set_is_seen() -> Result<()> {
    const HOUR: i64 = 3600;
    let at = |second: i64, shown: i64| Event { time: Micros((START + shown) * 1_000_000), ..seen(second, "/a", OLD) };
    let step = |second, before: i64, after: i64| {
        let detail =
            json!({"offset_before_ns": (START + before) * 1_000_000_000, "offset_ns": (START + after) * 1_000_000_000});
        entry(second, "clock", Some(&detail.to_string()))
    };
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("web");
    std::fs::create_dir(&archive)?;
    let events = [at(10, 10), at(20, HOUR + 20), at(30, 30)];
    let policy = json!({"hooks": ["mmap_file"]}).to_string();
    let ledger = vec![
        entry(0, "start", None),
        entry(0, "policy", Some(&policy)),
        step(15, 0, HOUR),
        step(25, HOUR, 0),
        entry(40, "stop", Some("{\"cpus\":[]}")),
    ];
    archive_with(&archive, &events, 100, ledger)?;
    let archive = archive.display().to_string();
    let (lines, _) = diff(&["--before", "2026-01-02T00:30:00Z", &archive, "--same"])?;
    assert_eq!(lines[0]["kind"], "same", "{lines:?}");
    assert_eq!(
        (&lines[0]["left"]["last_seen"], &lines[0]["right"]["last_seen"]),
        (&json!("2026-01-02T00:00:30.000000Z"), &Value::Null)
    );
    let (_, _, output) = query(Path::new(&archive), &["tree", "--since", "2026-01-02T00:30:00Z", "--format", "json"])?;
    assert!(output.contains("\"pid\":7"), "{output}");
    let (_, _, output) = query(Path::new(&archive), &["rare", "--since", "2026-01-02T00:30:00Z", "--format", "json"])?;
    assert_eq!(json_lines(&output)[0]["digest"], OLD, "{output}");
    let (lines, _) = diff(&["--before", "2026-01-02T02:00:00Z", &archive])?;
    assert_eq!(lines[0]["kind"], "only_left", "the clock never showed that: {lines:?}");
    Ok(())
}

#[test]
fn a_path_that_was_observed_without_any_digest_is_told() -> Result<()> {
    let policy = || json!({"hooks": ["mmap_file"]});
    let lacking = |second, path| {
        let without = seen(second, path, OLD);
        Event { digest: None, digest_algorithm: None, digest_status: "unavailable".into(), ..without }
    };
    let (left, right) = ([lacking(13, "/a"), lacking(14, "/b")], [lacking(14, "/b"), seen(20, "/c", OLD)]);
    let (summary, lines, _) = compared((&left, policy()), (&right, policy()), &[])?;
    let told: Vec<Value> = lines.iter().map(|line| json!([line["path"], line["kind"], line["algorithm"]])).collect();
    let expected =
        [json!(["/a", "only_left", null]), json!(["/b", "not_known", null]), json!(["/c", "only_right", "sha256"])];
    assert_eq!(told, expected, "{lines:?}");
    assert_eq!((&lines[0]["left"]["without_digest"], &summary["not_known"]), (&json!(1), &json!(1)), "{summary}");
    let (_, lines, _) = compared((&left, policy()), (&right, policy()), &["--by", "digest"])?;
    assert_eq!(lines.len(), 1, "nothing is known of what has no digest: {lines:?}");
    Ok(())
}

#[test]
fn a_time_before_all_leaves_a_side_of_which_nothing_is_known() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = sealed(directory.path(), &[seen(10, "/a", OLD)], json!({"hooks": ["mmap_file"]}))?;
    let (lines, _) = diff(&["--before", "2026-01-01", &archive])?;
    assert_eq!((&lines[0]["kind"], &lines[1]["left"]["complete"]), (&json!("only_right"), &json!(false)), "{lines:?}");
    let (lines, _) = diff(&["--before", "2026-01-02T00:00:05Z", "--since", "2026-01-01", "--archive", &archive])?;
    let gap = &lines[1]["gaps"][0];
    assert_eq!((&gap["side"], &gap["cause"]), (&json!("left"), &json!("not_recorded")), "{lines:?}");
    Ok(())
}

#[test]
fn what_cannot_be_meant_is_refused() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = &*sealed(directory.path(), &[], json!({"hooks": []}))?;
    let refused = |line: &[&str]| diff(line).expect_err("refused").to_string();
    assert!(refused(&[]).contains("Name LEFT and RIGHT") && refused(&[archive]).contains("Name LEFT and RIGHT"));
    assert!(refused(&[archive, archive, "--before", "now"]).contains("compares one archive with itself"));
    assert!(refused(&[archive, archive, archive]).contains("3 archives are no LEFT and RIGHT"));
    assert!(refused(&[archive, archive, "--archive", archive]).contains("--archive is for --before"));
    assert!(refused(&[archive, "--before", "now", "--archive", archive]).contains("not both"));
    assert!(
        refused(&[archive, "--before", "2026-01-02", "--until", "2026-01-03", "--since", "2026-01-02"])
            .contains("one side")
    );
    Ok(())
}

#[test]
fn a_pattern_narrows_both_sides() -> Result<()> {
    let policy = || json!({"hooks": ["mmap_file"]});
    let (left, right) =
        ([seen(10, "/usr/a", OLD), seen(11, "/b", OLD)], [seen(10, "/usr/c", OLD), seen(11, "/d", OLD)]);
    let (summary, lines, _) = compared((&left, policy()), (&right, policy()), &["--path", "/usr/*"])?;
    let paths: Vec<&Value> = lines.iter().map(|line| &line["path"]).collect();
    assert_eq!((paths, &summary["only_left"]), (vec![&json!("/usr/a"), &json!("/usr/c")], &json!(1)));
    let (summary, lines, _) = compared((&left, policy()), (&right, policy()), &["--path", "/usr/a"])?;
    assert_eq!((lines.len(), &summary["complete"]), (1, &json!(true)), "the other side recorded digests: {summary}");
    Ok(())
}
