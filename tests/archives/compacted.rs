//! Small sealed files are merged: another engine finds the same rows, every question has the same answer, and a kill at any
//! call that changes the disk costs nothing.

use crate::host::loadtest::loadtest;
use crate::support::{engine_script, full, hashtrail, integer, json_lines, output_of, recorder, stdout_of};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const QUESTIONS: [&[&str]; 7] = [
    &["gaps"],
    &["events", "--limit", "3000"],
    &["events", "--hook", "loadtest", "--sort", "-time", "--limit", "500"],
    &["changes"],
    &["history", "/*"],
    &["info"],
    &["verify"],
];

/// A signed archive of small files, and the key that signed it.
fn archive(directory: &Path, rate: &str, seconds: &str) -> (PathBuf, PathBuf) {
    let (archive, key) = (directory.join("archive"), directory.join("key"));
    stdout_of(recorder().args(["keygen", "--out"]).arg(&key));
    let sign_key = key.to_str().expect("a plain path");
    let options = ["--rate", rate, "--duration", seconds, "--seal-interval", "1s", "--sign-key", sign_key];
    loadtest(&archive, &options);
    assert!(sealed_files(&archive).len() > 5, "small files: {:?}", sealed_files(&archive));
    (archive, key)
}

fn copy_of(archive: &Path, to: &Path) {
    stdout_of(Command::new("cp").arg("-a").arg(archive).arg(to));
}

fn compact(archive: &Path, options: &[&str]) -> Output {
    output_of(recorder().args(["compact", "--archive"]).arg(archive).args(options))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The sealed files below the tables, with their sizes.
fn sealed_files(archive: &Path) -> Vec<(PathBuf, u64)> {
    let (mut found, mut folders) = (Vec::new(), vec![archive.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the archive") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                let bytes = fs::metadata(&path).expect("a file").len();
                found.push((path.strip_prefix(archive).expect("below the archive").to_owned(), bytes));
            }
        }
    }
    found.sort();
    found
}

/// What the query tool answers, without what tells of files.
fn answers(archive: &Path, questions: &[&[&str]]) -> Vec<String> {
    let answer = |question: &&[&str]| {
        let output = output_of(hashtrail().args(*question).args(["--format", "json", "--archive"]).arg(archive));
        let mut lines = json_lines(&String::from_utf8_lossy(&output.stdout));
        for fields in lines.iter_mut().filter_map(Value::as_object_mut) {
            let of_files = ["archive", "file", "files", "bytes", "size_bytes", "head"];
            fields.retain(|name, _| !of_files.contains(&name.as_str()));
        }
        let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
        format!("{question:?} {:?}\n{}", output.status.code(), lines.join("\n"))
    };
    questions.iter().map(answer).collect()
}

#[test]
fn merged_files_hold_the_same_rows_and_give_the_same_answers() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (before, key) = archive(directory.path(), "20000", if full() { "60s" } else { "8s" });
    let after = directory.path().join("after");
    copy_of(&before, &after);
    let key = key.to_str().expect("a plain path");
    let refused = compact(&after, &[]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("give --sign-key"), "{}", said(&refused));
    let merged = compact(&after, &["--sign-key", key]);
    assert_eq!(merged.status.code(), Some(0), "{}", said(&merged));
    let same = json_lines(&stdout_of(engine_script("same_rows.py").args([&before, &after]))).remove(0);
    for (table, counts) in same.as_object().expect("tables") {
        assert!(integer(counts, "rows") > 0, "{table}: {counts}");
        assert_eq!((integer(counts, "only_first"), integer(counts, "only_second")), (0, 0), "{table}: {counts}");
    }
    for (before, after) in answers(&before, &QUESTIONS).iter().zip(answers(&after, &QUESTIONS)) {
        assert!(*before == after, "before:\n{before:.2000}\nafter:\n{after:.2000}");
    }
    let bytes = |archive: &Path| sealed_files(archive).iter().map(|(_, bytes)| bytes).sum::<u64>();
    assert!(bytes(&after) < bytes(&before), "{} bytes of {}", bytes(&after), bytes(&before));
    assert!(sealed_files(&after).len() < sealed_files(&before).len(), "{:?}", sealed_files(&after));
    let public = format!("{key}.pub");
    stdout_of(hashtrail().args(["verify", "--key", &public, "--archive"]).arg(&after));
    let again = compact(&after, &["--sign-key", key]);
    assert!(again.status.success() && said(&again).starts_with("nothing to merge"), "{}", said(&again));
    // A recording that goes on in the same archive finds it as it left it, and merges what it adds.
    loadtest_more(&after, key);
    stdout_of(hashtrail().args(["verify", "--key", &public, "--archive"]).arg(&after));
}

fn loadtest_more(archive: &Path, key: &str) {
    let _alone = crate::host::loadtest::alone();
    let options =
        ["loadtest", "--rate", "1000", "--duration", "2s", "--seal-interval", "1s", "--compact", "--sign-key", key];
    let ended = output_of(recorder().args(options).arg("--archive").arg(archive));
    let said_of_end = said(&ended);
    assert_eq!(ended.status.code(), Some(0), "{said_of_end}");
    let (sealed, merged) = said_of_end.split_once("; head ").expect("what was sealed, with the head of then");
    assert!(sealed.contains("sealed: ") && merged.contains("\nmerged: "), "{said_of_end}");
    let head = said_of_end.lines().last().and_then(|line| line.strip_prefix("head ")).expect("the head of now");
    let again = compact(archive, &["--sign-key", key]);
    assert_eq!(said(&again), format!("nothing to merge\nhead {head}\n"));
}

/// Calls that change the disk.
const CHANGING_CALLS: &str = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,write,openat,mkdir";

/// The command, killed at its `number`th call that changes the disk; whether it was.
fn is_killed_at(archive: &Path, key: &str, number: usize) -> bool {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={CHANGING_CALLS}")]);
    command.args(["-e", &format!("inject={CHANGING_CALLS}:signal=SIGKILL:when={number}")]);
    command
        .arg(env!("CARGO_BIN_EXE_hashtrail-recorder"))
        .args(["compact", "--sign-key", key, "--archive"])
        .arg(archive);
    let output = output_of(&mut command);
    if output.status.success() {
        return false;
    }
    assert!(output.status.code().is_none(), "killed, not failed: {}", said(&output));
    true
}

#[test]
fn a_kill_at_any_call_that_changes_the_disk_changes_no_answer() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (before, key) = archive(directory.path(), "2000", "5s");
    let key = key.to_str().expect("a plain path");
    let after = directory.path().join("after");
    copy_of(&before, &after);
    assert!(compact(&after, &["--sign-key", key]).status.success());
    let questions = &QUESTIONS[..4];
    let expected = answers(&before, questions);
    let (mut number, mut kills, mut unsigned, mut states) = (1, 0, 0, std::collections::HashSet::new());
    loop {
        let killed = directory.path().join("killed");
        copy_of(&before, &killed);
        if !is_killed_at(&killed, key, number) {
            break;
        }
        kills += 1;
        states.insert(sealed_files(&killed));
        for (expected, found) in expected.iter().zip(answers(&killed, questions)) {
            assert!(*expected == found, "call {number}:\n{expected:.2000}\nafter the kill:\n{found:.2000}");
        }
        let mut ended = compact(&killed, &["--sign-key", key]);
        if said(&ended).contains("are not signed: run `hashtrail-recorder recover") {
            unsigned += 1;
            stdout_of(recorder().args(["recover", "--sign-key", key, "--archive"]).arg(&killed));
            ended = compact(&killed, &["--sign-key", key]);
        }
        assert_eq!(ended.status.code(), Some(0), "call {number}: {}", said(&ended));
        assert_eq!(sealed_files(&killed), sealed_files(&after), "call {number}");
        stdout_of(hashtrail().args(["verify", "--archive"]).arg(&killed));
        fs::remove_dir_all(&killed).expect("it can be removed");
        number += if full() { 1 } else { 4 };
    }
    assert!(kills > 10 && states.len() > 3, "{kills} kills, {} states of the tree", states.len());
    assert!(unsigned > 0 || !full(), "a kill between a line and its signature");
}

#[test]
fn what_is_not_sealed_or_damaged_is_not_merged() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (sealed, key) = archive(directory.path(), "1000", "4s");
    let key = key.to_str().expect("a plain path");
    let refusal = |spoil: &dyn Fn(&Path), code: i32| {
        let archive = directory.path().join("spoilt");
        copy_of(&sealed, &archive);
        spoil(&archive);
        let before = sealed_files(&archive);
        let output = compact(&archive, &["--sign-key", key]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert_eq!(sealed_files(&archive), before, "nothing is touched");
        fs::remove_dir_all(&archive).expect("it can be removed");
        said(&output)
    };
    let journal = |archive: &Path| fs::write(archive.join(".journal/00000000-000000.journal"), "x").expect("a file");
    let hint = refusal(&journal, 2);
    assert!(hint.contains("1 journal segment(s)") && hint.contains("hashtrail-recorder recover --archive"), "{hint}");
    let torn = |archive: &Path| {
        let mut manifest = fs::read(archive.join("manifest.jsonl")).expect("a manifest");
        manifest.extend(b"{\"prev\"");
        fs::write(archive.join("manifest.jsonl"), manifest).expect("it can be written");
    };
    assert!(refusal(&torn, 2).contains("in the middle of a line"));
    let open = |archive: &Path| {
        let manifest = fs::read_to_string(archive.join("manifest.jsonl")).expect("a manifest");
        let lines: Vec<&str> = manifest.lines().filter(|line| !line.contains("\"kind\":\"stop\"")).collect();
        fs::write(archive.join("manifest.jsonl"), lines.join("\n") + "\n").expect("it can be written");
    };
    assert!(refusal(&open, 2).contains("1 recording(s) have no end"));
    let name = sealed_files(&sealed)[0].0.clone();
    let flip = |archive: &Path| {
        let mut bytes = fs::read(archive.join(&name)).expect("a file");
        bytes[1000] ^= 4;
        fs::write(archive.join(&name), bytes).expect("it can be written");
    };
    let damage = refusal(&flip, 1);
    assert!(damage.contains(&*name.to_string_lossy()) && damage.contains("nothing was merged"), "{damage}");
    let unsigned = |archive: &Path| fs::remove_file(archive.join("manifest.jsonl.minisig")).expect("a signature");
    assert!(refusal(&unsigned, 2).contains("it was taken away"));
    let plain = directory.path().join("plain");
    fs::create_dir(&plain).expect("a folder");
    let output = compact(&plain, &[]);
    let entries = fs::read_dir(&plain).expect("the folder").count();
    assert_eq!((output.status.code(), entries), (Some(2), 0), "it stays as it is: {}", said(&output));
    let missing = directory.path().join("missing");
    let output = compact(&missing, &[]);
    assert_eq!((output.status.code(), missing.exists()), (Some(2), false), "{}", said(&output));
}
