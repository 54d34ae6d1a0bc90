//! The recorder is killed, its disk fails, it is flooded and stopped: nothing that left a ring is lost, and what was lost
//! is on record. Runs on this machine's own kernel; needs root, as the recorder does.

use crate::host::loadtest::{alone, loadtest};
use crate::support::duckdb::rows;
use crate::support::scenario::verify;
use crate::support::{engine_script, full, hashtrail, integer, json_lines, output_of, recorder, stdout_of, text};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the Python oracle; gives what it says of each run. It exits 1 when anything was lost.
fn kills(mode: &str, number: u32) -> Vec<Value> {
    let _alone = alone();
    let recorder = env!("CARGO_BIN_EXE_hashtrail-recorder");
    let mut command = engine_script("kills.py");
    command.args([recorder, env!("CARGO_BIN_EXE_hashtrail"), mode, &number.to_string()]);
    let output = output_of(&mut command);
    let printed = String::from_utf8_lossy(&output.stdout);
    let bad: Vec<&str> = printed.lines().filter(|line| !line.contains("\"problems\": []")).collect();
    assert!(output.status.success(), "{mode}: {bad:#?}\n{}", String::from_utf8_lossy(&output.stderr));
    json_lines(&printed)
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_had_left_a_ring() {
    let runs = kills("kill", if full() { 200 } else { 10 });
    let stored: i64 = runs.iter().map(|run| integer(run, "stored")).sum();
    assert!(stored > 100_000, "there was load: {stored} events in {} runs", runs.len());
}

/// The places at which a crash is most delicate, as the system calls show them.
const PLACES: [(&str, &str); 7] = [
    ("a new journal segment", "fallocate("),
    ("sync of the journal", ".journal>"),
    ("write of a Parquet file", "write("),
    ("sync of a Parquet file", ".tmp>"),
    ("rename into the archive", "renameat2("),
    ("append to the manifest", "manifest.jsonl>"),
    ("sync of a folder", "date="),
];

#[test]
fn a_crash_at_each_call_that_changes_the_disk_loses_nothing() {
    let runs = kills("calls", if full() { 1 } else { 3 });
    for (name, mark) in PLACES {
        assert!(runs.iter().any(|run| text(run, "call").contains(mark)), "no crash in: {name}");
    }
}

#[test]
fn a_call_that_fails_once_loses_nothing_silently() {
    let runs = kills("errors", if full() { 1 } else { 5 });
    assert!(runs.len() > 10, "{} calls failed", runs.len());
}

/// For each CPU, what its producer counted is in the archive or on record as lost, by another engine.
fn assert_exact(archive: &Path, result: &Value) {
    let number = |sql: &str| integer(&rows(archive, sql)[0], "number");
    for producer in result["producers"].as_array().expect("the producers") {
        let cpu = integer(producer, "cpu");
        let stored = number(&format!("SELECT count(*) AS number FROM events WHERE cpu = {cpu}"));
        let lost = number(&format!(
            "SELECT coalesce(sum(count), 0)::BIGINT AS number FROM ledger WHERE kind = 'loss' AND cpu = {cpu}"
        ));
        assert_eq!(integer(producer, "produced"), stored + lost, "CPU {cpu}: {stored} stored, {lost} lost: {result}");
    }
    assert_eq!(number("SELECT count(*) AS number FROM ledger WHERE kind = 'tamper'"), 0);
    stdout_of(hashtrail().args(["verify", "--archive"]).arg(archive));
}

#[test]
fn a_flood_is_accounted_for_exactly_and_hides_no_exec() {
    let archive = tempfile::tempdir().expect("a temporary directory");
    let seconds = if full() { "30s" } else { "4s" };
    let result = loadtest(archive.path(), &["--ring-size", "256KiB", "--duration", seconds, "--exec-rate", "50"]);
    assert_exact(archive.path(), &result);
    assert!(integer(&result, "produced") > 10 * integer(&result, "stored"), "ten times what fits: {result}");
    let execs = "SELECT count(*) AS rows FROM events WHERE hook = 'loadtest'";
    let stored = integer(&rows(archive.path(), execs)[0], "rows");
    assert_eq!(stored, integer(&result, "produced_execs"), "no exec is lost: {result}");
    assert!(stored > 100, "{result}");
}

#[test]
fn a_recorder_that_stood_still_knows_what_it_missed() {
    let archive = tempfile::tempdir().expect("a temporary directory");
    let mut command = recorder();
    let _alone = alone();
    command.args(["loadtest", "--rate", "200000", "--ring-size", "64KiB", "--duration", "9s"]);
    command.args(["--journal-size", "64MiB", "--archive"]).arg(archive.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the load test starts");
    let said = BufReader::new(child.stderr.take().expect("its stderr")).lines().map_while(Result::ok);
    assert!(said.into_iter().any(|line| line.starts_with("recording")), "it begins to record");
    std::thread::sleep(Duration::from_secs(2));
    // The shell's own kill: a bare Debian has no other.
    let signal = |name: &str| stdout_of(Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]));
    signal("STOP");
    std::thread::sleep(Duration::from_secs(5));
    signal("CONT");
    let output = child.wait_with_output().expect("the load test ends");
    let result = json_lines(&String::from_utf8_lossy(&output.stdout)).remove(0);
    assert_exact(archive.path(), &result);
    let printed = stdout_of(hashtrail().args(["verify", "--format", "json", "--archive"]).arg(archive.path()));
    let silence = json_lines(&printed).into_iter().any(|row| row["kind"] == "silence");
    assert!(silence, "5 s without a sign of life are said: {printed}");
}

#[test]
fn a_second_recorder_is_refused_and_the_first_goes_on() {
    let archive = tempfile::tempdir().expect("a temporary directory");
    let mut command = recorder();
    command.args(["loadtest", "--rate", "1000", "--duration", "3s", "--journal-size", "16MiB", "--archive"]);
    let first = command.arg(archive.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let began = Instant::now();
    while !archive.path().join("manifest.jsonl").exists() && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    for second in [&["loadtest", "--duration", "1s", "--journal-size", "16MiB"][..], &["recover"], &["compact"]] {
        let refused = output_of(recorder().args(second).arg("--archive").arg(archive.path()));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("another recorder writes to"), "{said}");
    }
    let output = first.wait_with_output().expect("the first ends");
    assert!(output.status.success());
    assert_exact(archive.path(), &json_lines(&String::from_utf8_lossy(&output.stdout)).remove(0));
}

#[test]
fn minisign_accepts_the_signature() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (archive, key) = (directory.path().join("archive"), directory.path().join("key"));
    stdout_of(recorder().args(["keygen", "--out"]).arg(&key));
    let sign_key = key.to_str().expect("a plain path");
    loadtest(&archive, &["--rate", "1000", "--duration", "1s", "--sign-key", sign_key]);
    let minisign = |manifest: &Path| {
        let mut command = Command::new("minisign");
        command.arg("-V").arg("-p").arg(directory.path().join("key.pub")).arg("-m").arg(manifest);
        output_of(&mut command)
    };
    let manifest = archive.join("manifest.jsonl");
    let accepted = minisign(&manifest);
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    // Signed anew by the other program with the same key: as valid, and told apart.
    let own = std::fs::read(archive.join("manifest.jsonl.minisig")).expect("a signature");
    stdout_of(Command::new("minisign").arg("-S").arg("-s").arg(&key).arg("-m").arg(&manifest));
    assert!(minisign(&manifest).status.success());
    let public = directory.path().join("key.pub");
    let (found, code) = verify(&archive, &["--key", public.to_str().expect("a plain path")]);
    let summary = found.last().expect("a summary");
    assert_eq!((code, text(summary, "signature")), (Some(0), "valid and foreign"), "{found:#?}");
    std::fs::write(archive.join("manifest.jsonl.minisig"), own).expect("it can be written");
    let mut changed = std::fs::read(&manifest).expect("a manifest");
    changed[100] ^= 1;
    std::fs::write(&manifest, changed).expect("it can be written");
    assert!(!minisign(&manifest).status.success(), "a changed manifest");
    // Nothing is overwritten: neither a key, nor an archive that was changed.
    assert_eq!(output_of(recorder().args(["keygen", "--out"]).arg(&key)).status.code(), Some(2));
    let refused = output_of(recorder().args(["recover", "--archive"]).arg(&archive));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is damaged: line"), "{refused:?}");
}
