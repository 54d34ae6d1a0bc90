//! Archives that are passed on without some of what they hold.

use super::*;
use hashtrail::reader::{Prune, SealedTable};
use std::fs;
use std::path::PathBuf;

const HOME: &str = "/home/ana";
/// What must not be found in any byte of the archive that is passed on.
const SECRETS: [&str; 7] =
    ["/home/ana", "secret-plan", "hunter2", "love-letter", "\"uid\":1048571017", "ana@example", "xfiltrat"];

fn told(second: i64, change: impl FnOnce(&mut Event)) -> Event {
    let mut event = event(second, "mmap_file", Some(OLD));
    change(&mut event);
    event
}

/// A machine with a home that nobody else is to read about.
fn events() -> Vec<Event> {
    vec![
        told(1, |event| event.uid = 1048571017),
        told(2, |event| {
            event.path = Some(format!("{HOME}/bin/secret-plan.sh"));
            event.exe = event.path.clone();
            event.comm = "secret-plan.sh".into();
            event.argv = Some(vec!["sh".into(), "./secret-plan.sh".into(), "--password=hunter2".into()]);
            event.digest = Some(NEW.into());
            event.owner_uid = Some(1048571017);
        }),
        told(3, |event| {
            event.parent_comm = "secret-plan.sh".into();
            event.argv = Some(vec!["cat".into(), format!("{HOME}/love-letter.txt"), "/etc/passwd".into()]);
            event.message = Some(format!("reads below {HOME}"));
        }),
        told(4, |event| {
            event.hook = "path_rename".into();
            event.target_path = Some(format!("{HOME}/love-letter.txt"));
            event.path_bytes = Some(b"/tmp/\xff".to_vec());
            event.path = Some("/tmp/\\xff".into());
        }),
        told(5, |event| {
            event.path = Some(format!("{HOME}/bin/secret-plan.sh"));
            event.digest = Some(OLD.into());
        }),
        told(6, |event| {
            event.path = Some("/ana/exfiltrated".into());
            event.path_flags = vec!["fs_relative".into()];
        }),
    ]
}

fn parent(directory: &Path) -> Result<()> {
    let archive = Archive::create(directory)?;
    let mut manifest = Manifest::open(&archive, None)?;
    let text = format!("watch: {HOME}");
    let policy = json!({"name": "p", "text": text, "sha256": hashtrail::manifest::hex(&<sha2::Sha256 as sha2::Digest>::digest(&text))});
    manifest.append(&[(
        "start",
        json!({"recording_id": ID, "host": "web", "operator": "ana@example", "policies": [policy], "facts": {"uid": 1048571017}}),
    )])?;
    let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment: 0 };
    let detail =
        json!({"hooks": ["mmap_file"], "coverage": {"file_open": [HOME, "/usr"]}, "uid": 1048571017}).to_string();
    let ledger = vec![
        entry(0, "start", None),
        LedgerEntry { detail: Some(detail), ..entry(0, "policy", None) },
        LedgerEntry { detail: Some(counts(&events()).to_string()), ..entry(9, "stop", None) },
    ];
    let context = VersionContext { host_root_dev: "8:1".into(), host_root_ino: 2, ..VersionContext::default() };
    seal(&archive, &mut manifest, &name, &context, events(), ledger)?;
    manifest.append(&[("stop", json!({"recording_id": ID, "state": "SEALED", "counts": counts(&events())}))])
}

pub(super) const ALL: [&str; 5] = ["--redact", "--paths", HOME, "--arguments", "--users"];

pub(super) fn exported(options: &[&str]) -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    parent(&directory.path().join("parent"))?;
    let out = directory.path().join("out").display().to_string();
    let (found, problem, output) =
        query(&directory.path().join("parent"), &[&["export", "--format", "json", "--out", &out], options].concat())?;
    assert!(found && !problem, "{output}");
    Ok(directory)
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = crate::folder::list(directory).entries.into_iter();
    let below = |entry: crate::folder::Entry| {
        let path = directory.join(&entry.name);
        if entry.kind.is_dir() { files_below(&path) } else { vec![path] }
    };
    entries.flat_map(below).collect()
}

/// All that a file says: its bytes, its footer in words, and its rows.
fn said(path: &Path) -> Result<String> {
    let mut text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
    if path.extension().is_some_and(|extension| extension == "parquet") {
        let file = fs::File::open(path)?;
        let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)?;
        text += &format!("{:?}", builder.metadata());
        for batch in builder.build()? {
            text += &format!("{:?}", batch?);
        }
    }
    Ok(text)
}

fn verdict(directory: &Path, options: &[&str]) -> Result<(Vec<String>, Value)> {
    let (_, _, output) = query(directory, &[&["verify", "--format", "json"], options].concat())?;
    let mut lines = json_lines(&output);
    let verdict = lines.pop().expect("a verdict");
    Ok((lines.iter().map(|line| line["kind"].as_str().unwrap_or_default().to_owned()).collect(), verdict))
}

#[test]
fn no_byte_of_what_was_taken_out_is_left() -> Result<()> {
    let directory = exported(&ALL)?;
    let whole: String =
        files_below(&directory.path().join("parent")).iter().map(|path| said(path)).collect::<Result<_>>()?;
    let left: String =
        files_below(&directory.path().join("out")).iter().map(|path| said(path)).collect::<Result<_>>()?;
    for secret in SECRETS.iter().filter(|secret| !secret.starts_with('"')) {
        assert!(whole.contains(secret), "the parent has `{secret}`");
        assert!(!left.contains(secret), "`{secret}` is left");
    }
    assert!(!left.contains("1048571017"), "a user is left");
    assert!(left.contains("/usr/bin/tool") && left.contains(OLD), "the rest is there");
    Ok(())
}

#[test]
fn a_redacted_archive_verifies_and_says_what_it_is() -> Result<()> {
    for options in [&ALL[..], &["--redact", "--arguments"], &["--redact", "--users"], &["--redact", "--paths", HOME]] {
        let directory = exported(options)?;
        let out = directory.path().join("out");
        let (kinds, found) = verdict(&out, &[])?;
        assert_eq!(
            (&found["verdict"], &found["state"], &found["events"]),
            (&json!("good"), &json!("SEALED"), &json!(6)),
            "{found}"
        );
        assert!(kinds.contains(&"redacted".to_owned()), "{kinds:?}");
        let parent = directory.path().join("parent").display().to_string();
        let (kinds, found) = verdict(&out, &["--parent", &parent])?;
        assert!(
            found["verdict"] == "good" && !kinds.contains(&"not_the_parents".to_owned()),
            "{options:?}: {found} {kinds:?}"
        );
        for line in [&["changes"][..], &["history", "/usr/bin/tool"], &["events"], &["lookup", OLD]] {
            let (_, _, output) = query(&out, &[line, &["--format", "json"]].concat())?;
            let summary = json_lines(&output).pop().expect("a summary");
            assert_eq!(summary["complete"], false, "{line:?}: {summary}");
            assert!(output.contains("\"redacted\""), "{line:?}: {output}");
        }
    }
    Ok(())
}

/// What becomes of a line when somebody makes the archive anew: nothing in it shows that.
type Forger<'a> = &'a dyn Fn(&str, &mut serde_json::Map<String, Value>) -> Forged;

enum Forged {
    Kept,
    LeftOut,
    /// A file of events with other rows.
    Events(Vec<Event>),
    /// A file of the ledger with other entries.
    Ledger(Vec<LedgerEntry>),
}

/// The findings of `verify --parent` in an archive that somebody made anew.
fn forged(directory: &tempfile::TempDir, forger: Forger<'_>) -> Result<Vec<String>> {
    let (out, path) = (directory.path().join("out"), directory.path().join("forged"));
    let _ = fs::remove_dir_all(&path);
    let archive = Archive::create(&path)?;
    let mut manifest = Manifest::open(&archive, None)?;
    for line in hashtrail::manifest::parse(&fs::read(out.join("manifest.jsonl"))?).lines {
        let mut fields = line.fields();
        let made = forger(line.kind(), &mut fields);
        let parent = fields.get("parent").cloned().unwrap_or_default();
        match made {
            Forged::LeftOut => continue,
            Forged::Events(rows) => {
                let mut twin = hashtrail::seal::TwinFile::<Event>::create(&archive, &line.read()?, "boot_ns")?;
                rows.iter().try_for_each(|row| twin.push(&row.view()))?;
                twin.place(&archive, &mut manifest, parent)?;
                continue;
            }
            Forged::Ledger(entries) => {
                let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment: 1 };
                seal(&archive, &mut manifest, &name, &VersionContext::default(), Vec::new(), entries)?;
                continue;
            }
            Forged::Kept => {}
        }
        if let Some(file) = line.path() {
            fs::create_dir_all(path.join(&file).parent().expect("a folder"))?;
            fs::copy(out.join(&file), path.join(&file))?;
        }
        ["prev", "kind", "crc32c", "manifest_version"].iter().for_each(|name| drop(fields.shift_remove(*name)));
        manifest.append(&[(line.kind(), Value::Object(fields))])?;
    }
    drop(manifest);
    let parent = directory.path().join("parent").display().to_string();
    let (_, _, output) = query(&path, &["verify", "--format", "json", "--parent", &parent])?;
    let lines = json_lines(&output);
    let damages = lines.iter().filter(|line| line["kind"] == "not_the_parents");
    let damages: Vec<String> = damages.map(|line| line["detail"].as_str().unwrap_or_default().to_owned()).collect();
    let verdict = &lines.last().expect("a verdict")["verdict"];
    assert_eq!(verdict == "good", damages.is_empty(), "{output}");
    Ok(damages)
}

fn is_in(fields: &serde_json::Map<String, Value>, folder: &str) -> bool {
    fields.get("path").and_then(Value::as_str).is_some_and(|path| path.starts_with(folder))
}

/// Somebody changes what was left in, and seals it again.
#[test]
fn what_is_not_the_parents_is_found() -> Result<()> {
    let directory = exported(&["--redact", "--arguments"])?;
    assert_eq!(forged(&directory, &|_, _| Forged::Kept)?, [""; 0], "the same again");
    let of_events = |change: fn(&mut Event)| {
        let mut rows = events();
        rows.iter_mut().for_each(|row| (row.argv, row.argv_bytes) = (None, None));
        change(&mut rows[0]);
        rows
    };
    let changes: [fn(&mut Event); 4] = [
        |row| row.pid = 4711,
        // Only arguments were taken out.
        |row| row.path = None,
        |row| row.path_flags = vec!["redacted".to_owned()],
        |row| row.uid = -1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let found = forged(&directory, &|_, fields| match is_in(fields, "events") {
            true => Forged::Events(of_events(change)),
            false => Forged::Kept,
        })?;
        assert!(found.len() == 1 && found[0].starts_with("row 1 is not the parent's"), "{number}: {found:?}");
    }
    Ok(())
}

/// Somebody leaves something out, and seals it again: it would look as if it had never been, or as if nothing were missing.
#[test]
fn what_was_left_out_unsaid_is_found() -> Result<()> {
    let directory = exported(&["--redact", "--arguments"])?;
    let is_gap =
        |fields: &serde_json::Map<String, Value>| fields.contains_key("rows") && !fields.contains_key("parent");
    let without = |kind: &'static str, folder: &'static str| {
        move |of: &str, fields: &mut serde_json::Map<String, Value>| match of == kind && is_in(fields, folder) {
            true => Forged::LeftOut,
            false => Forged::Kept,
        }
    };
    for folder in ["events", "files"] {
        let found = forged(&directory, &without("file", folder))?;
        assert!(found.len() == 1 && found[0].contains("was left out"), "{folder}: {found:?}");
    }
    let found = forged(&directory, &|_, fields| if is_gap(fields) { Forged::LeftOut } else { Forged::Kept })?;
    assert!(found.len() == 1 && found[0].contains("looks complete"), "{found:?}");
    let short = |to_ns| LedgerEntry {
        cause: Some("redacted".into()),
        from_ns: Some(0),
        to_ns: Some(to_ns),
        ..entry(9, "gap", None)
    };
    for (entries, is_found) in [(vec![short(2)], true), (vec![], true), (vec![short(i64::MAX)], false)] {
        let found = forged(&directory, &|_, fields| {
            if is_gap(fields) { Forged::Ledger(entries.clone()) } else { Forged::Kept }
        })?;
        assert_eq!(!found.is_empty(), is_found, "{entries:?}: {found:?}");
    }
    for (name, value) in [("redacted", Value::Null), ("host", json!("db")), ("policies", json!([]))] {
        let found = forged(&directory, &|kind, fields| {
            if kind == "start" {
                fields.insert(name.to_owned(), value.clone());
            }
            Forged::Kept
        })?;
        assert!(!found.is_empty(), "{name}");
    }
    Ok(())
}

/// Of an archive from which something was taken out, more can be taken out.
#[test]
fn what_was_redacted_is_redacted_again() -> Result<()> {
    let directory = exported(&["--redact", "--paths", HOME])?;
    let (first, second) = (directory.path().join("out"), directory.path().join("second"));
    let second_name = second.display().to_string();
    query(&first, &["export", "--redact", "--paths", "/usr", "--users", "--out", &second_name])?;
    let (kinds, found) = verdict(&second, &["--parent", &first.display().to_string()])?;
    assert!(found["verdict"] == "good" && !kinds.contains(&"not_the_parents".to_owned()), "{kinds:?} {found}");
    let third = directory.path().join("third");
    query(&second, &["export", "--redact", "--arguments", "--out", &third.display().to_string()])?;
    let (kinds, found) = verdict(&third, &["--parent", &second_name])?;
    assert!(found["verdict"] == "good" && !kinds.contains(&"not_the_parents".to_owned()), "{kinds:?} {found}");
    let start = hashtrail::manifest::parse(&fs::read(third.join("manifest.jsonl"))?).lines.swap_remove(0);
    let redacted = start.field("redacted").expect("it says so");
    assert_eq!(redacted["kinds"], json!(["arguments", "paths", "users"]), "what was taken out before stays told");
    assert_eq!(redacted["policies_left_out"].as_array().map(Vec::len), Some(1));
    Ok(())
}

/// A redacted archive and the one that it was made of have the same events.
#[test]
fn no_event_counts_twice_because_something_was_taken_out_of_it() -> Result<()> {
    let directory = exported(&["--redact", "--users"])?;
    let (parent, out) = (directory.path().join("parent"), directory.path().join("out"));
    let name = |path: &Path| path.display().to_string();
    let other = directory.path().join("other");
    query(&parent, &["export", "--redact", "--arguments", "--out", &name(&other)])?;
    for (one, two) in [(&parent, &out), (&out, &parent), (&out, &other)] {
        let refused = query(one, &["--archive", &name(two), "events"]).expect_err("it is refused");
        assert!(format!("{refused:#}").contains("ask one of them"), "{refused:#}");
    }
    let copy = directory.path().join("copy");
    for file in files_below(&out) {
        let place = copy.join(file.strip_prefix(&out)?);
        fs::create_dir_all(place.parent().expect("a folder"))?;
        fs::copy(&file, place)?;
    }
    let (_, _, output) = query(&out, &["--archive", &name(&copy), "events", "--format", "json"])?;
    assert_eq!(json_lines(&output).len(), events().len() + 1, "a copy is read once");
    Ok(())
}

/// That nothing of a path was left in does not mean that it was never there.
#[test]
fn a_path_that_may_have_been_taken_out_was_not_never_observed() -> Result<()> {
    let line = ["changes", "/home/ana/bin/secret-plan.sh", "--format", "json"];
    for (options, is_told) in [(&["--redact", "--paths", HOME], true), (&["--redact", "--users", "--arguments"], false)]
    {
        let directory = exported(options)?;
        let (_, _, output) = query(&directory.path().join("out"), &line)?;
        let summary = json_lines(&output).pop().expect("a summary");
        let unseen = summary["never_observed"].as_array().expect("a list");
        assert_eq!(unseen.iter().any(|unseen| unseen["perhaps_taken_out"] == true), is_told, "{summary}");
    }
    Ok(())
}

/// Directories are the same however they are spelt.
#[test]
fn paths_that_lead_to_the_same_place_are_the_same() -> Result<()> {
    for directory in ["/home//ana", "/home/./ana/", "//home/ana/."] {
        let directory = exported(&["--redact", "--paths", directory])?;
        let left: String =
            files_below(&directory.path().join("out")).iter().map(|path| said(path)).collect::<Result<_>>()?;
        assert!(!left.contains("/home/ana") && !left.contains("secret-plan"));
    }
    Ok(())
}

#[test]
fn what_cannot_be_exported_is_refused() -> Result<()> {
    let directory = exported(&ALL)?;
    let parent = directory.path().join("parent");
    let refusal = |options: &[&str]| {
        let refused = query(&parent, &[&["export"], options].concat());
        format!("{:#}", refused.expect_err("it is refused"))
    };
    let out = directory.path().join("out").display().to_string();
    let new = directory.path().join("new").display().to_string();
    assert!(refusal(&["--redact", "--users", "--out", &out]).contains("holds an archive"));
    assert!(refusal(&["--redact", "--out", &new]).contains("nothing is taken out"));
    assert!(refusal(&["--redact", "--paths", "/", "--out", &new]).contains("not the root"));
    assert!(refusal(&["--redact", "--paths", "/./", "--out", &new]).contains("not the root"));
    assert!(refusal(&["--redact", "--paths", "/home/x/../ana", "--out", &new]).contains("without `..`"));
    assert!(refusal(&["--redact", "--users", "--out", &new, "--host", "web"]).contains("whole"));
    let sealed = files_below(&parent.join("events")).remove(0);
    let mut bytes = fs::read(&sealed)?;
    bytes[40] ^= 1;
    fs::write(&sealed, bytes)?;
    assert!(refusal(&["--redact", "--users", "--out", &new]).contains("as it was sealed"));
    assert!(
        SealedTable::<Event>::open(&files_below(&directory.path().join("out/events"))[0])?
            .batches(&Prune::default(), &[], None)
            .is_ok()
    );
    Ok(())
}
