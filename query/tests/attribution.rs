//! Who made a change, from whole archives: what the scans must find however long ago it was.

use super::*;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader};
use std::os::unix::fs::FileExt;

const TOOL: &str = "/usr/bin/tool\u{1b}[2J";
const HOOKS: [&str; 5] = ["file_open", "inode_rename", "inode_link", "inode_unlink", "inode_setattr"];
const DAY: i64 = 86_400;

pub(super) fn act(second: i64, hook: &str, ino: i64, path: &str) -> Event {
    let opens = ["file_open", "open_descriptor"].contains(&hook);
    Event {
        ino: Some(ino),
        path: Some(path.into()),
        open_flags: opens.then_some(1),
        exe: Some("/usr/bin/dpkg".into()),
        parent_ino: Some(50),
        ..event(second, hook, None)
    }
}

pub(super) fn seen(second: i64, ino: i64, digest: &str) -> Event {
    Event { ino: Some(ino), parent_ino: Some(50), ..event(second, "mmap_file", Some(digest)) }
}

/// A recording that covers everything, until this second.
pub(super) fn covering_ledger(stop: i64) -> Vec<LedgerEntry> {
    let prefixes: serde_json::Map<String, Value> =
        HOOKS.iter().map(|hook| ((*hook).to_owned(), json!(["/usr/"]))).collect();
    let policy = json!({"hooks": HOOKS, "coverage": prefixes}).to_string();
    vec![
        entry(0, "start", None),
        entry(0, "policy", Some(&policy)),
        entry(2, "snapshot", Some("{\"descriptors_unseen\":0}")),
        entry(stop, "stop", Some("{\"cpus\":[]}")),
    ]
}

/// The first change, and the acts of its suspects with the mark of those before the interval.
fn first_change(events: &[Event], ledger: Vec<LedgerEntry>) -> Result<(Value, Vec<(String, bool)>)> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), events, 1, ledger)?;
    let (_, problem, output) = query(directory.path(), &["changes", "--format", "json"])?;
    assert!(!problem, "{output}");
    let change = json_lines(&output).swap_remove(0);
    let suspects = change["suspects"].as_array().expect("a list").clone();
    let act = |suspect: &Value| {
        (suspect["act"].as_str().unwrap_or_default().to_owned(), suspect["before_interval"] == json!(true))
    };
    Ok((change, suspects.iter().map(act).collect()))
}

#[test]
fn a_package_manager_unpacks_first_and_renames_later() -> Result<()> {
    let rename = Event {
        target_path: Some(TOOL.into()),
        target_ino: Some(12),
        ..act(25, "inode_rename", 13, "/usr/bin/tool.dpkg-new")
    };
    let events = [
        act(10, "file_open", 13, "/usr/bin/tool.dpkg-new"),
        seen(20, 12, OLD),
        act(22, "file_open", 99, "/usr/bin/other"),
        rename,
        act(26, "inode_setattr", 13, TOOL),
        seen(30, 13, NEW),
    ];
    let (change, suspects) = first_change(&events, covering_ledger(40))?;
    let expected = [("write_open", true), ("rename", false), ("setattr", false)];
    assert_eq!(suspects, expected.map(|(act, before)| (act.to_owned(), before)));
    assert_eq!((&change["attribution"], &change["kind"]), (&json!("suspects"), &json!("replaced")));
    let rename = &change["suspects"][1];
    assert_eq!((&rename["path"], &rename["target_path"]), (&json!("/usr/bin/tool.dpkg-new"), &json!(TOOL)));
    let names = ["time", "pid", "exe", "comm", "uid", "hook", "tid", "ppid", "parent_comm", "auid", "euid"];
    assert!(names.iter().all(|name| rename.get(name).is_some()), "{rename}");
    Ok(())
}

#[test]
fn a_descriptor_that_was_open_weeks_before_is_found() -> Result<()> {
    let start = 30 * DAY;
    let events = [act(1, "open_descriptor", 12, "/x"), seen(start, 12, OLD), seen(start + 10, 12, NEW)];
    let (change, suspects) = first_change(&events, covering_ledger(start + 20))?;
    assert_eq!(suspects, [("open_descriptor".to_owned(), true)]);
    assert_eq!(change["attribution"], "suspects");
    Ok(())
}

#[test]
fn rows_without_digest_are_no_versions_and_no_suspects() -> Result<()> {
    let by_user = |second, hook: &str| Event { cpu: -1, ..act(second, hook, 12, TOOL) };
    let events = [
        by_user(1, "running_process"),
        seen(20, 12, OLD),
        by_user(25, "sched_process_fork"),
        by_user(26, "sched_process_fork"),
        seen(30, 12, NEW),
        Event { cpu: -1, ref_cpu: Some(0), ref_seq: Some(30), ..seen(31, 12, NEW) },
    ];
    let (change, suspects) = first_change(&events, covering_ledger(40))?;
    assert_eq!((suspects.len(), &change["attribution"]), (0, &json!("nobody seen")));
    let (without_coverage, _) = first_change(&events, ledger())?;
    assert_eq!(without_coverage["attribution"], "unknown: gap", "events were lost from 22 to 23");
    let mut only_hooks = ledger();
    only_hooks.remove(2);
    assert_eq!(first_change(&events, only_hooks)?.0["attribution"], "not covered");
    Ok(())
}

#[test]
fn where_a_rename_without_names_may_have_been_above_nobody_knows() -> Result<()> {
    let unnamed = |ino| Event {
        path: None,
        path_flags: vec!["no_scratch".into()],
        undecided: Some(true),
        mode: Some(0o040_755),
        ..act(25, "inode_rename", ino, TOOL)
    };
    let with = |act| first_change(&[seen(20, 12, OLD), act, seen(30, 13, NEW)], covering_ledger(40));
    let (change, suspects) = with(unnamed(99))?;
    assert_eq!((suspects.len(), &change["attribution"]), (0, &json!("unknown: gap")));
    assert_eq!(change["unnamed_acts"], true);
    let (change, suspects) = with(unnamed(12))?;
    assert_eq!((suspects.len(), &change["attribution"]), (1, &json!("suspects")), "by the file's key");
    let (change, _) =
        with(Event { path: Some("/x".into()), target_path: Some("/y".into()), path_flags: Vec::new(), ..unnamed(99) })?;
    assert_eq!((&change["attribution"], &change["unnamed_acts"]), (&json!("nobody seen"), &json!(false)));
    Ok(())
}

#[test]
fn a_write_beside_an_overlay_is_a_suspect_of_its_file() -> Result<()> {
    let merged = |second, digest| Event {
        dev: Some("0:50".into()),
        real_dev: Some("8:1".into()),
        real_ino: Some(70),
        ..seen(second, 12, digest)
    };
    let events = [merged(20, OLD), act(25, "file_open", 70, "/upper/tool"), merged(30, NEW)];
    let (change, suspects) = first_change(&events, covering_ledger(40))?;
    assert_eq!((suspects, &change["kind"]), (vec![("write_open".to_owned(), false)], &json!("rewritten")));
    Ok(())
}

#[test]
fn what_is_not_sealed_may_hold_the_end_of_the_interval() -> Result<()> {
    let attribution = |stop, segment: &str| -> Result<Value> {
        let directory = tempfile::tempdir()?;
        archive_with(directory.path(), &[seen(20, 12, OLD), seen(30, 12, NEW)], 100, covering_ledger(stop))?;
        std::fs::write(directory.path().join(".journal").join(segment), b"")?;
        let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
        Ok(json_lines(&output)[0]["attribution"].clone())
    };
    assert_eq!(attribution(30, "11111111-000009.journal")?, "unknown: gap");
    assert_eq!(attribution(40, "11111111-000009.journal")?, "nobody seen");
    assert_eq!(attribution(30, "22222222-000009.journal")?, "nobody seen", "of another recording");
    Ok(())
}

#[test]
fn table_and_csv_say_who_or_why_not() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let weak = [seen(20, 12, OLD), act(24, "inode_setxattr", 12, TOOL), seen(30, 12, NEW)];
    let strong = [
        act(35, "file_open", 12, TOOL),
        act(36, "file_open", 12, TOOL),
        act(37, "inode_setattr", 12, TOOL),
        seen(40, 12, OLD),
    ];
    archive_with(directory.path(), &[&weak[..], &strong].concat(), 100, covering_ledger(50))?;
    let (_, _, table) = query(directory.path(), &["changes"])?;
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert!(rows[0].ends_with("nobody seen"), "a weaker suspect cannot have changed the content: {table}");
    assert!(rows[1].ends_with("  write_open by /usr/bin/dpkg (pid 7, uid 0)"), "{table}");
    let (_, _, csv) = query(directory.path(), &["changes", "--format", "csv"])?;
    assert!(csv.contains(",attribution,suspects,") && csv.contains("\"nobody seen\""), "{csv}");
    assert!(csv.contains("setxattr"), "{csv}");
    Ok(())
}

/// A filter on the path sees no act by another name, nor by none: what was seen of the file says whether there can be such.
#[test]
fn names_by_which_the_file_was_seen_must_be_covered_too() -> Result<()> {
    let verdict = |sight: Event| -> Result<Value> {
        let (change, suspects) = first_change(&[seen(20, 12, OLD), sight, seen(30, 12, NEW)], covering_ledger(40))?;
        assert!(suspects.is_empty(), "{change}");
        Ok(change["attribution"].clone())
    };
    let sight = |path: &str| act(22, "file_lock", 12, path);
    let flagged = |flag: &str| Event { path_flags: vec![flag.into()], ..sight("/data/tool") };
    assert_eq!(verdict(sight(TOOL))?, "nobody seen");
    assert_eq!(verdict(sight("/usr/lib/other"))?, "nobody seen", "below the same prefix");
    assert_eq!(verdict(flagged("deleted"))?, "nobody seen", "that name is gone");
    assert_eq!(verdict(sight("/data/other"))?, "not covered");
    assert_eq!(verdict(Event { nlink: Some(2), ..sight(TOOL) })?, "not covered", "a hard link");
    assert_eq!(verdict(flagged("unreachable"))?, "not covered", "a handle, or a mount that hangs nowhere");
    assert_eq!(verdict(Event { path: None, ..flagged("no_scratch") })?, "not covered");
    assert_eq!(verdict(Event { ino: Some(99), ..sight("/data/other") })?, "nobody seen", "another file");
    Ok(())
}

/// The names of a file are looked for in all events, also in those that nothing else asks about.
#[test]
fn where_names_cannot_be_read_nobody_knows() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let events = [seen(20, 12, OLD), seen(30, 12, NEW), act(35, "file_lock", 12, TOOL)];
    archive_with(directory.path(), &events, 1, covering_ledger(40))?;
    let attribution = || -> Result<Value> {
        let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
        Ok(json_lines(&output)[0]["attribution"].clone())
    };
    assert_eq!(attribution()?, "nobody seen");
    let path = directory.path().join("events/host=web/date=2026-01-02/11111111-000002.parquet");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file)?;
    let is_count = |column: &&ColumnChunkMetaData| column.column_path().string() == "nlink";
    let column = metadata.row_group(0).columns().iter().find(is_count).expect("a column");
    file.write_all_at(&[0xff; 8], column.byte_range().0)?;
    assert_eq!(attribution()?, "unknown: gap");
    Ok(())
}
