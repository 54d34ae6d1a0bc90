//! Questions about several hosts' archives at once.

use super::*;
use std::fs;

/// An archive of a machine, with one file that no other archive of the test has alike.
fn machine(directory: &Path, recording: &str, machine_id: Option<&str>, digest: &str) -> Result<()> {
    let archive = Archive::create(directory)?;
    let mut manifest = Manifest::open(&archive, None)?;
    let facts = json!({"machine_id": machine_id});
    manifest.append(&[("start", json!({"recording_id": recording, "host": "web", "facts": facts}))])?;
    let name = SegmentName { recording_id: recording.into(), host: "web".into(), segment: 0 };
    let events = vec![Event { recording_id: recording.into(), ..event(10, "mmap_file", Some(digest)) }];
    let ledger = ["start", "stop"].map(|kind| LedgerEntry { recording_id: recording.into(), ..entry(9, kind, None) });
    let context = VersionContext { host_root_dev: "8:1".into(), host_root_ino: 2, ..VersionContext::default() };
    seal(&archive, &mut manifest, &name, &context, events, ledger.to_vec())?;
    manifest.append(&[("stop", json!({"recording_id": recording, "state": "SEALED"}))])
}

/// Two archives below one directory, of these machines.
fn two(machine_ids: [Option<&str>; 2]) -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    machine(&directory.path().join("a"), "aaaaaaaa-0000-4000-8000-000000000000", machine_ids[0], OLD)?;
    machine(&directory.path().join("b"), "bbbbbbbb-0000-4000-8000-000000000000", machine_ids[1], NEW)?;
    Ok(directory)
}

#[test]
fn two_machines_with_one_host_name_make_no_change() -> Result<()> {
    let directory = two([Some("11112222333344445555666677778888"), Some("aaaabbbbccccddddeeeeffff00001111")])?;
    let all = directory.path().join("*");
    let (found, problem, output) = query(&all, &["changes", "--format", "json"])?;
    assert!(!found && !problem, "{output}");
    let (_, _, output) = query(&all, &["events", "--columns", "host,digest", "--format", "json"])?;
    let hosts: Vec<Value> = json_lines(&output).iter().filter_map(|line| line.get("host").cloned()).collect();
    assert_eq!(hosts, ["web (machine 11112222)", "web (machine aaaabbbb)"]);
    Ok(())
}

#[test]
fn one_machine_in_two_archives_is_one_host() -> Result<()> {
    let directory = two([Some("11112222333344445555666677778888"); 2])?;
    let (found, _, output) = query(&directory.path().join("*"), &["changes", "--format", "json"])?;
    assert!(found && json_lines(&output)[0]["host"] == "web", "{output}");
    Ok(())
}

#[test]
fn what_a_glob_finds_and_is_no_archive_is_passed_over() -> Result<()> {
    let directory = two([None, None])?;
    fs::create_dir(directory.path().join("lost+found"))?;
    fs::write(directory.path().join("notes.txt"), "")?;
    let (found, problem, output) = query(&directory.path().join("*"), &["events", "--format", "json"])?;
    assert!(found && !problem && json_lines(&output).len() == 3, "{output}");
    assert!(query(&directory.path().join("lost+found"), &["events"]).is_err(), "asked for by its name");
    assert!(query(&directory.path().join("lost*"), &["events"]).is_err(), "nothing is left to read");
    Ok(())
}
