//! The disk fills up while the recorder runs: it goes on draining and counting, loses nothing that is in the journal or
//! sealed, and goes on recording when there is space again. Needs root, to mount small filesystems.

use crate::host::loadtest::alone;
use crate::support::duckdb::rows;
use crate::support::{full, hashtrail, integer, json_lines, output_of, recorder, stdout_of};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A small filesystem in memory; gone when it is dropped.
struct SmallDisk {
    directory: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(options: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        stdout_of(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory.path()));
        Self { directory }
    }

    fn archive(&self) -> PathBuf {
        self.directory.path().join("archive")
    }

    fn grow(&self) {
        stdout_of(Command::new("mount").args(["-o", "remount,size=256m,nr_inodes=10000"]).arg(self.directory.path()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.directory.path()).status();
    }
}

/// A load that fills segments of 1 MiB many times a second.
fn load(archive: &Path, duration: &str) -> Child {
    let mut command = recorder();
    command.args(["loadtest", "--rate", "40000", "--journal-size", "4MiB", "--duration", duration, "--archive"]);
    command.arg(archive).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the load test starts")
}

/// What became of the events, by the producer's own count; `None` where the disk was too small to begin.
fn result_of(output: &Output) -> Option<Value> {
    let result = json_lines(&String::from_utf8_lossy(&output.stdout)).pop()?;
    let [produced, stored, dropped] = ["produced", "stored", "dropped"].map(|name| integer(&result, name));
    assert_eq!(produced, stored + dropped, "{result}");
    Some(result)
}

/// The archive holds what was stored, each event once, and nothing of it is damaged.
fn assert_whole(archive: &Path, result: &Value, state: &str) {
    let printed = output_of(hashtrail().args(["verify", "--format", "json", "--archive"]).arg(archive));
    let lines = json_lines(&String::from_utf8_lossy(&printed.stdout));
    assert!(lines.iter().all(|line| line["severity"] != "damage"), "{lines:?}");
    assert_eq!(lines.last().expect("a summary")["state"], state, "{lines:?}");
    let events = &rows(archive, "SELECT count(*) AS rows, count(DISTINCT (cpu, seq)) AS keys FROM events")[0];
    assert_eq!(integer(events, "rows"), integer(result, "stored"), "{result}");
    assert_eq!(integer(events, "keys"), integer(result, "stored"), "{result}");
}

fn disk_full_on_record(archive: &Path) -> i64 {
    let sql = "SELECT coalesce(sum(count), 0)::BIGINT AS lost FROM ledger WHERE kind = 'loss' AND cause = 'disk_full'";
    integer(&rows(archive, sql)[0], "lost")
}

/// Space returns after two seconds: everything is sealed, the gap is in the ledger, and later events are there.
fn space_returns(options: &str) -> bool {
    let disk = SmallDisk::mount(options);
    let child = load(&disk.archive(), "4s");
    std::thread::sleep(Duration::from_millis(2500));
    disk.grow();
    let output = child.wait_with_output().expect("the load test ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let Some(result) = result_of(&output) else {
        assert!(output.status.code() == Some(2) && said.contains("error: "), "{options}: {said}");
        return false;
    };
    assert!(output.status.success(), "{options}: {said}");
    assert_whole(&disk.archive(), &result, "SEALED");
    let lost = disk_full_on_record(&disk.archive());
    let counted: i64 =
        result["cpus"].as_array().expect("CPUs").iter().map(|cpu| integer(cpu, "dropped_disk_full")).sum();
    assert_eq!(lost, counted, "{options}: the ledger has the loss");
    if lost > 0 {
        assert!(said.contains("events may be lost from now on"), "{options}: {said}");
        let after = "SELECT count(*) AS rows FROM events WHERE boot_ns > (SELECT max(to_ns) FROM ledger \
                     WHERE cause = 'disk_full')";
        assert!(integer(&rows(&disk.archive(), after)[0], "rows") > 0, "{options}: recording goes on");
    }
    lost > 0
}

/// Space returns only after the recorder has ended: what was not sealed is recovered.
fn space_returns_too_late(options: &str) {
    let disk = SmallDisk::mount(options);
    let output = load(&disk.archive(), "2500ms").wait_with_output().expect("the load test ends");
    disk.grow();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let Some(result) = result_of(&output) else { return };
    let recovered = output_of(recorder().args(["recover", "--archive"]).arg(disk.archive()));
    assert!(recovered.status.success(), "{options}: {}", String::from_utf8_lossy(&recovered.stderr));
    let state = if output.status.success() { "SEALED" } else { "RECOVERED" };
    assert!(output.status.success() || said.contains("recover"), "{options}: what to do is said: {said}");
    assert_whole(&disk.archive(), &result, state);
}

/// Sizes in KiB, in steps of 64 KiB; without `HASHTRAIL_TEST_FULL` some of them.
fn sizes() -> impl Iterator<Item = u32> {
    (2560..=6144).step_by(if full() { 64 } else { 832 })
}

#[test]
fn recording_goes_on_when_space_returns() {
    let _alone = alone();
    let lossy = sizes().filter(|size| space_returns(&format!("size={size}k"))).count();
    assert!(lossy > 1, "the disk really was full, in {lossy} of the sizes");
}

#[test]
fn what_a_full_disk_left_unsealed_is_recovered() {
    let _alone = alone();
    sizes().for_each(|size| space_returns_too_late(&format!("size={size}k")));
}

/// Somebody else fills the disk: what the journal holds is sealed all the same, from the reserve.
#[test]
fn a_disk_that_stays_full_does_not_keep_an_archive_from_being_sealed() {
    let _alone = alone();
    let disk = SmallDisk::mount("size=8m");
    let mut command = recorder();
    command.args(["loadtest", "--rate", "500", "--journal-size", "4MiB", "--duration", "3s", "--archive"]);
    let child = command.arg(disk.archive()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    std::thread::sleep(Duration::from_secs(1));
    let ballast = format!("of={}", disk.directory.path().join("ballast").display());
    let filled = output_of(Command::new("dd").args(["if=/dev/zero", "bs=4096", &ballast]));
    assert!(String::from_utf8_lossy(&filled.stderr).contains("No space left"), "{filled:?}");
    let output = child.wait_with_output().expect("the load test ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result = result_of(&output).expect("a result");
    assert_whole(&disk.archive(), &result, "SEALED");
    assert!(integer(&result, "stored") > 1000, "{result}");
}

#[test]
fn inodes_that_are_used_up_are_a_full_disk_too() {
    let _alone = alone();
    assert!(space_returns("size=64m,nr_inodes=40"), "there was a loss");
}
