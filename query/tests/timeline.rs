//! Events, changes and gaps in one order, for people and for other tools.

use super::*;
use anyhow::Context as _;

/// The incident in segments of which the later ones have earlier events.
fn unordered() -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    let mut events = incident();
    events.rotate_left(3);
    archive(directory.path(), &events, 2)?;
    Ok(directory)
}

#[test]
fn all_that_is_known_stands_in_the_order_of_time() -> Result<()> {
    let directory = unordered()?;
    let (found, _, output) = query(directory.path(), &["timeline", "--format", "json"])?;
    let lines = json_lines(&output);
    let place = |line: &Value| {
        let time = ["changed_before", "from", "time"].iter().find_map(|name| line.get(*name)?.as_str());
        (
            line["type"].as_str().unwrap_or_default().to_owned(),
            time.unwrap_or_default().get(17..19).unwrap_or_default().to_owned(),
        )
    };
    let (last, moments) = lines.split_last().context("a summary")?;
    // The content of a run was hashed, and so seen, a moment after its hook was entered.
    let expected = [
        ("event", "10"),
        ("event", "11"),
        ("event", "15"),
        ("event", "20"),
        ("change", "20"),
        ("gap", "22"),
        ("event", "25"),
        ("event", "30"),
        ("change", "30"),
    ];
    let expected = expected.map(|(kind, second)| (kind.to_owned(), second.to_owned()));
    assert_eq!(moments.iter().map(place).collect::<Vec<_>>(), expected);
    assert!(found && last["complete"] == false && last["events"] == 6 && last["changes"] == 2, "{last}");
    let (_, _, output) = query(directory.path(), &["timeline", "--format", "json", "--without-events"])?;
    let kinds: Vec<Value> = json_lines(&output).iter().map(|line| line["type"].clone()).collect();
    assert_eq!(kinds, ["change", "gap", "change", "summary"]);
    Ok(())
}

#[test]
fn other_tools_get_lines_that_they_can_read_and_no_summary() -> Result<()> {
    let directory = unordered()?;
    let (_, _, output) = query(directory.path(), &["timeline", "--to", "timesketch"])?;
    assert!(!output.contains('\u{1b}'), "{output:?}");
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 9);
    for line in &lines {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        assert!(
            ["message", "timestamp_desc", "hostname", "data_type"].iter().all(|name| !text(name).is_empty()),
            "{line}"
        );
        let time = chrono::DateTime::parse_from_rfc3339(text("datetime"))?;
        assert_eq!(line["timestamp"], time.timestamp_micros(), "{line}");
    }
    let digests: Vec<&str> = lines.iter().filter_map(|line| line["sha256_hash"].as_str()).collect();
    assert_eq!(digests, [OLD, NEW, NEW, OLD, OLD], "two of changes, three of runs");
    let (_, _, output) = query(directory.path(), &["timeline", "--to", "csv"])?;
    assert_eq!(output.lines().count(), 10, "a line of names and nine");
    assert!(output.contains("\\x1b[2J") && !output.contains('\u{1b}'), "{output:?}");
    Ok(())
}

#[test]
fn a_text_that_is_too_long_is_cut_and_says_so() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let argv = vec!["\u{e9}".repeat(20_000), "short".into()];
    archive(
        directory.path(),
        &[Event { argv: Some(argv.clone()), ..event(10, "bprm_committed_creds", Some(OLD)) }],
        1,
    )?;
    let (_, _, output) =
        query(directory.path(), &["timeline", "--to", "timesketch", "--hook", "bprm_committed_creds"])?;
    let lines = json_lines(&output);
    let line = lines.iter().find(|line| line["data_type"] == "hashtrail:event").context("the run")?;
    let cut = line["argv"][0].as_str().context("a text")?;
    assert!(cut.len() <= 32_766 && cut.ends_with("(cut)") && argv[0].starts_with(cut.trim_end_matches("… (cut)")));
    assert_eq!(line["argv"][1], "short");
    Ok(())
}

#[test]
fn a_doubtful_digest_stands_in_no_field_that_is_taken_for_certain() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let doubted = Event { digest_doubt: vec!["writer_open".into()], ..event(10, "bprm_check_security", Some(OLD)) };
    archive(directory.path(), &[doubted, event(20, "bprm_check_security", Some(NEW))], 2)?;
    for tool in ["timesketch", "ecs", "ocsf"] {
        let (_, _, output) = query(directory.path(), &["timeline", "--to", tool])?;
        let lines = json_lines(&output);
        let of =
            |digest: &str| lines.iter().filter(|line| line.to_string().contains(digest)).cloned().collect::<Vec<_>>();
        let [doubted] = &of(OLD)[..] else { anyhow::bail!("one line of {tool} names it: {output}") };
        assert_eq!(doubted.to_string().matches(OLD).count(), 1, "only its message: {doubted}");
        assert!(doubted["message"].as_str().is_some_and(|text| text.contains("(doubtful: writer_open)")), "{doubted}");
        assert!(of(NEW)[0].to_string().matches(NEW).count() > 1, "{output}");
    }
    Ok(())
}

#[test]
fn what_was_denied_is_not_told_as_done() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let denied = |second, hook, enforced| Event { action: "deny".into(), enforced, ..event(second, hook, None) };
    let events = [denied(10, "inode_unlink", true), denied(20, "inode_unlink", false), event(30, "inode_unlink", None)];
    archive(directory.path(), &events, 3)?;
    for (tool, name) in [("timesketch", "data_type"), ("ecs", "ecs"), ("csv", "")] {
        let (_, _, output) = query(directory.path(), &["timeline", "--to", tool, "--hook", "inode_unlink"])?;
        let is_unlink = |line: &&str| line.contains("inode_unlink");
        let told: Vec<bool> =
            output.lines().filter(is_unlink).map(|line| line.contains(", which was denied")).collect();
        assert_eq!(told, [true, false, false], "{output}");
        if tool == "ecs" {
            let outcomes = json_lines(&output).into_iter().filter(|line| line["event"]["action"] == "inode_unlink");
            let outcomes: Vec<Value> = outcomes.map(|line| line["event"]["outcome"].clone()).collect();
            assert_eq!(outcomes, [json!("failure"), Value::Null, Value::Null]);
        }
        assert!(name.is_empty() || json_lines(&output)[0].get(name).is_some(), "{output}");
    }
    Ok(())
}

/// The kernel reads firmware by the hook that reads modules, and what is mapped need be no code.
#[test]
fn only_code_is_told_as_loaded() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let read = |second, path: &str| Event { path: Some(path.into()), ..event(second, "kernel_read_file", None) };
    let mapped = |second, prot| Event { mmap_prot: Some(prot), ..event(second, "mmap_file", None) };
    let events = [
        read(10, "/lib/firmware/card.bin"),
        read(11, "/lib/modules/6.12/net.ko"),
        read(12, "/lib/modules/6.12/net.ko.xz"),
        mapped(13, 1),
        mapped(14, 5),
    ];
    archive(directory.path(), &events, 5)?;
    let told = |tool: &str, place: &str| -> Result<Vec<Value>> {
        let (_, _, output) = query(directory.path(), &["timeline", "--to", tool])?;
        let is_event = |line: &&Value| line.pointer("/metadata/sequence").or(line.pointer("/event/sequence")).is_some();
        Ok(json_lines(&output)
            .iter()
            .filter(is_event)
            .map(|line| line.pointer(place).cloned().unwrap_or_default())
            .collect())
    };
    let categories = [["file"], ["driver"], ["driver"], ["host"], ["library"]];
    assert_eq!(told("ecs", "/event/category")?, categories.map(|category| json!(category)));
    assert_eq!(told("ocsf", "/class_uid")?, [1001, 1002, 1002, 1001, 1005].map(|class| json!(class)));
    Ok(())
}

#[test]
fn what_is_no_change_of_content_is_not_told_as_one() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let sha1 = "c".repeat(40);
    let other = Event { digest_algorithm: Some("sha1".into()), ..event(20, "bprm_check_security", Some(&sha1)) };
    let events = [event(10, "bprm_check_security", Some(OLD)), other, event(30, "bprm_check_security", Some(NEW))];
    archive(directory.path(), &events, 3)?;
    let ask = |tool| -> Result<Vec<Value>> {
        let line = ["timeline", "--to", tool, "--without-events", "--first-seen"];
        let lines = json_lines(&query(directory.path(), &line)?.2);
        Ok(lines.into_iter().filter(|line| line["message"].as_str().is_some_and(|text| text.contains(OLD))).collect())
    };
    let [first, switched, rewritten] = &ask("timesketch")?[..] else { anyhow::bail!("three name the old digest") };
    assert_eq!(first["timestamp_desc"], "Content first seen", "{first}");
    assert!(
        first["message"].as_str().is_some_and(|text| text.ends_with(&format!("first seen with sha256 {OLD}"))),
        "{first}"
    );
    assert_eq!(switched["timestamp_desc"], "First seen under another algorithm", "{switched}");
    let both = format!("sha256 {OLD} and sha1 {sha1} cannot be compared");
    assert!(switched["message"].as_str().is_some_and(|text| text.contains(&both)), "{switched}");
    assert_eq!(rewritten["timestamp_desc"], "New content first seen", "{rewritten}");
    assert!(rewritten["message"].as_str().is_some_and(|text| text.contains(&format!("sha256 {OLD} to {NEW}"))));
    let types: Vec<Value> = ask("ecs")?.iter().map(|line| line["event"]["type"][0].clone()).collect();
    assert_eq!(types, ["info", "info", "change"]);
    Ok(())
}

#[test]
fn a_timeline_has_its_own_order() -> Result<()> {
    let directory = unordered()?;
    assert!(query(directory.path(), &["timeline", "--sort", "path"]).is_err());
    Ok(())
}
