//! `verify` as a whole command: no option hides a verdict.

use super::*;

/// Two archives of which the second has damage: a file that no line names, and one that is gone.
fn archives() -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    for name in ["a", "b"] {
        archive(&directory.path().join(name), &incident(), 2)?;
    }
    std::fs::write(directory.path().join("b/files/x (1).parquet"), "")?;
    std::fs::remove_file(directory.path().join("b/ledger/host=web/date=2026-01-02/11111111-000000.parquet"))?;
    Ok(directory)
}

#[test]
fn no_option_hides_a_verdict() -> Result<()> {
    let directory = archives()?;
    let all = directory.path().join("*");
    let options =
        [&[][..], &["--limit", "1"], &["--limit", "0"], &["--sort", "-kind"], &["--sort", "verdict", "--limit", "1"]];
    for options in options {
        for format in ["json", "csv", "table"] {
            let (found, problem, output) = query(&all, &[&["verify", "--format", format], options].concat())?;
            assert_eq!((found, problem), (false, false), "{options:?}");
            assert_eq!(output.matches("NOT GOOD").count(), 1, "{options:?}: {output}");
            let good = output.lines().filter(|line| line.contains("good") && line.contains("SEALED")).count();
            assert_eq!(good, 1, "{options:?}: {output}");
        }
        let (_, _, output) = query(&all, &[&["verify", "--format", "json"], options].concat())?;
        let lines = json_lines(&output);
        let bad = lines.iter().find(|line| line["verdict"] == "NOT GOOD").expect("a verdict");
        assert_eq!((&bad["damages"], &bad["notices"]), (&json!(2), &json!(0)), "whatever is shown: {output}");
    }
    Ok(())
}

#[test]
fn findings_and_verdicts_are_sorted_and_findings_limited() -> Result<()> {
    let directory = archives()?;
    let all = directory.path().join("*");
    let kinds = |options: &[&str]| -> Result<Vec<Value>> {
        let (_, _, output) = query(&all, &[&["verify", "--format", "json"], options].concat())?;
        Ok(json_lines(&output)
            .into_iter()
            .map(|line| line.get("kind").or(line.get("verdict")).cloned().unwrap_or_default())
            .collect())
    };
    let unsorted = ["silence", "file_missing", "file_unlisted"];
    assert_eq!(kinds(&[])?, [&unsorted[..], &["good", "NOT GOOD"]].concat());
    assert_eq!(kinds(&["--sort", "kind", "--limit", "1"])?, ["file_missing", "good", "NOT GOOD"]);
    assert_eq!(kinds(&["--sort", "verdict"])?, [&unsorted[..], &["NOT GOOD", "good"]].concat());
    let error = kinds(&["--sort", "nothing"]).expect_err("an error").to_string();
    assert!(error.contains("cannot sort by `nothing`: the columns are archive"), "{error}");
    Ok(())
}

#[test]
fn a_key_that_is_no_file_and_no_key_is_said_to_be_neither() -> Result<()> {
    let directory = archives()?;
    let error = |key: &str| {
        query(&directory.path().join("a"), &["verify", "--key", key]).err().map(|error| format!("{error:#}"))
    };
    let said = error("nosuchfile.pub").expect("an error");
    assert_eq!(said, "--key `nosuchfile.pub`: there is no such file, and it is no public key in base64");
    let said = error(directory.path().to_str().expect("a plain path")).expect("an error");
    assert!(said.contains("cannot read"), "{said}");
    Ok(())
}

/// A list without its start, with a name without a directory, and with an entry of a template that nobody knows.
#[test]
fn json_says_what_a_measurement_list_is_like() -> Result<()> {
    let directory = archives()?;
    let fixture = "tests/fixtures/ima/6.1.0-56-cloud-amd64/ascii_runtime_measurements";
    let whole = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture))?;
    let list = directory.path().join("list");
    let lists = |text: &str| -> Result<Value> {
        std::fs::write(&list, text)?;
        let line = ["verify", "--format", "json", "--ima-log", list.to_str().expect("a plain path")];
        let (_, _, output) = query(&directory.path().join("a"), &line)?;
        let summary = json_lines(&output).pop().unwrap_or_default();
        let list = &summary["measurements"]["lists"][0];
        Ok(json!([list["begins_with_boot"], list["bare_names"], list["unknown_templates"]]))
    };
    assert_eq!(lists(&whole)?, json!([true, 0, 0]));
    let (_, rest) = whole.split_once('\n').expect("lines");
    let (hash, digest) = ("a".repeat(40), "b".repeat(64));
    let named = format!("{rest}10 {hash} ima-ng sha256:{digest} tool\n10 {hash} ima-new x\n");
    assert_eq!(lists(&named)?, json!([false, 1, 1]));
    Ok(())
}

#[test]
fn an_archive_that_cannot_be_verified_leaves_the_others_their_verdict() -> Result<()> {
    let directory = archives()?;
    std::fs::write(directory.path().join("c"), "")?;
    let paths = ["c", "a"].map(|name| directory.path().join(name).to_string_lossy().into_owned());
    let line = ["verify", "--format", "json", "--archive", &paths[0], "--archive", &paths[1]];
    let (_, problem, output) = query(directory.path(), &line)?;
    assert!(problem && json_lines(&output).last().is_some_and(|line| line["verdict"] == "good"), "{output}");
    Ok(())
}

#[test]
fn what_a_glob_names_and_cannot_be_opened_is_a_problem_of_every_command() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name);
    archive(&path("web1/archive"), &incident(), 2)?;
    archive(&path("web9"), &incident(), 2)?;
    std::fs::create_dir(path("lost+found"))?;
    let glob = |pattern: &str, question: &[&str]| {
        query(&path(pattern), &[question, &["--format", "json"]].concat()).map(|(_, problem, output)| (problem, output))
    };
    let questions = [&["changes"][..], &["lookup", NEW], &["events"], &["gaps"], &["info"], &["verify"]];
    for question in questions {
        assert!(!glob("*/archive", question)?.0, "{question:?}");
    }
    // For root no folder is closed; a link that leads to itself is, for everybody.
    std::os::unix::fs::symlink(path("web2"), path("web2"))?;
    for (pattern, question) in ["*/archive", "*/arch*"].into_iter().flat_map(|glob| questions.map(|one| (glob, one))) {
        let (problem, output) = glob(pattern, question)?;
        assert!(problem, "{question:?} of {pattern}: {output}");
        let last = json_lines(&output).pop().unwrap_or_default();
        assert!(last.get("complete").is_none_or(|complete| complete == false), "{question:?}: {last}");
    }
    std::fs::remove_file(path("web2"))?;
    std::os::unix::fs::symlink(path("nothing"), path("web3"))?;
    assert!(glob("web*", &["verify"])?.0, "a link to nothing is no archive that was looked at");
    Ok(())
}
