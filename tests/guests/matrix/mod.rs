//! Every way of changing a program, in every place where one can lie. How a run ended says what its content was: its rows
//! say the same, or doubt it.

mod oracle;

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, repository, text};
use oracle::{Change, Oracle, Run};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

/// Places where nobody else can write, and nothing lies beneath that can be written by others.
const CERTAIN: [&str; 3] = ["ext4", "btrfs", "tmpfs"];
/// xfs counts it as a change when it writes a new file back, some time later.
const OTHERS: [&str; 10] = [
    "xfs",
    "memfd",
    "overlay-lower",
    "overlay-upper",
    "overlay-merged",
    "overlay-copy-up",
    "overlay-fuse",
    "squashfs",
    "loop",
    "fuse",
];
const WAYS: [&str; 21] = [
    "write",
    "mapping-closed",
    "mapping-open",
    "truncate-path",
    "truncate-descriptor",
    "extend",
    "punch",
    "collapse",
    "direct",
    "copy-file-range",
    "reflink",
    "splice",
    "io-uring",
    "rename",
    "exchange",
    "hard-link",
    "tmpfile",
    "bind-write",
    "bind-over",
    "during-hash",
    "after-hash",
];
/// Ways in which the file can be written already when it first runs.
const HELD: [&str; 3] = ["mapping-open", "during-hash", "after-hash"];
const SIZES: [&str; 2] = ["small", "large"];

/// What the rows of a run say of its content, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Right,
    NoDigest,
    RightWithDoubt,
    WrongWithDoubt,
    Wrong,
}

/// Whether a way is one of a place at all.
fn belongs(place: &str, way: &str) -> bool {
    match way {
        "handle" => place == "xfs",
        "image" | "device" => matches!(place, "squashfs" | "loop"),
        "server" | "two-faced" => matches!(place, "fuse" | "overlay-fuse"),
        _ => true,
    }
}

/// Whether a way may be refused by a place.
fn may_be_refused(place: &str, way: &str, guest: Guest) -> bool {
    match place {
        "squashfs" => !matches!(way, "image" | "device" | "bind-over"),
        "memfd" if matches!(way, "rename" | "exchange" | "hard-link" | "tmpfile" | "bind-over") => true,
        "memfd" | "tmpfs" => matches!(way, "collapse" | "reflink") || way == "direct" && guest.kernel == "6.1",
        // Overlays make files without a name since 6.2 (2b1a77461f16).
        "overlay-merged" | "overlay-copy-up" if way == "tmpfile" => guest.kernel == "6.1",
        "xfs" => false,
        "btrfs" => way == "collapse",
        // An overlay does not run what was renamed beneath it, where the filesystem there looks names up anew.
        "overlay-fuse" if way == "rename" => true,
        "fuse" | "overlay-fuse" => matches!(way, "punch" | "collapse" | "reflink" | "tmpfile"),
        _ => way == "reflink",
    }
}

/// Whether the program may run as it was, although its name was given to another one: beneath an overlay, which keeps to
/// the file that it found.
fn may_have_no_effect(change: &Change) -> bool {
    matches!(&*change.place, "overlay-lower" | "overlay-upper" | "overlay-fuse")
        && matches!(&*change.way, "rename" | "exchange" | "tmpfile")
}

/// The rows of the events table that tell the content of what ran, and the later readings of user space.
struct Rows {
    of_process: HashMap<i64, Vec<Value>>,
    readings: HashMap<(i64, i64), Vec<Value>>,
}

impl Rows {
    fn of(matrix: &Scenario) -> Self {
        let mut rows = Self { of_process: HashMap::new(), readings: HashMap::new() };
        for row in matrix.rows(
            "SELECT cpu, seq, boot_ns, hook, pid, path, digest, digest_status, digest_reason, digest_source, \
             digest_doubt, digest_duration_ns, ref_cpu, ref_seq FROM events WHERE hook IN ('bprm_check_security', \
             'bprm_committed_creds', 'mmap_file', 'user_digest') ORDER BY boot_ns",
        ) {
            if text(&row, "hook") == "user_digest" {
                let answered = (integer(&row, "ref_cpu"), integer(&row, "ref_seq"));
                rows.readings.entry(answered).or_default().push(row);
            } else {
                rows.of_process.entry(integer(&row, "pid")).or_default().push(row);
            }
        }
        rows
    }

    /// The rows of a run, each with what is to be said of it.
    fn judged<'a>(&'a self, run: &Run, oracle: &Oracle) -> Vec<(&'a Value, Verdict)> {
        let all = self.of_process.get(&run.pid).map_or(&[][..], Vec::as_slice);
        let in_time = |row: &&Value| (run.before_ns..=run.after_ns).contains(&integer(row, "boot_ns"));
        let judge = |row| (row, self.judge(row, run, oracle));
        all.iter().filter(in_time).map(judge).collect()
    }

    fn judge(&self, row: &Value, run: &Run, oracle: &Oracle) -> Verdict {
        let ran = oracle.digest_of(run);
        let said = verdict(row, ran);
        let answers = self.readings.get(&(integer(row, "cpu"), integer(row, "seq")));
        answers.into_iter().flatten().fold(said, |said, reading| match verdict(reading, ran) {
            Verdict::Right if said != Verdict::Wrong => Verdict::Right,
            Verdict::Wrong if !oracle.changes_between(run, read_at(reading)) => Verdict::Wrong,
            _ => said,
        })
    }
}

/// The end of a reading by user space.
fn read_at(reading: &Value) -> i64 {
    integer(reading, "boot_ns") + reading["digest_duration_ns"].as_i64().unwrap_or(0)
}

fn verdict(row: &Value, ran: &str) -> Verdict {
    let is_doubted = row["digest_doubt"].as_array().is_some_and(|doubts| !doubts.is_empty());
    match (row["digest"].as_str(), is_doubted) {
        (None, _) => Verdict::NoDigest,
        (Some(digest), false) if digest == ran => Verdict::Right,
        (Some(digest), true) if digest == ran => Verdict::RightWithDoubt,
        (Some(_), true) => Verdict::WrongWithDoubt,
        (Some(_), false) => Verdict::Wrong,
    }
}

on_guests!(no_digest_is_wrong_without_a_doubt);
fn no_digest_is_wrong_without_a_doubt(guest: Guest) {
    let matrix = guest.scenario("matrix");
    let oracle = Oracle::of(&matrix);
    let rows = Rows::of(&matrix);
    let mut table: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    let mut faults = Vec::new();
    for run in &oracle.runs {
        let judged = rows.judged(run, &oracle);
        for hook in ["bprm_check_security", "bprm_committed_creds", "mmap_file"] {
            if !judged.iter().any(|(row, _)| row["hook"] == hook) {
                faults.push(format!("no row of {hook}: {run:?}"));
            }
        }
        if run.place != "memfd" && judged.iter().any(|(row, _)| row["path"] != *run.path) {
            faults.push(format!("another path: {run:?}: {judged:#?}"));
        }
        let worst = judged.iter().map(|(_, verdict)| *verdict).max().unwrap_or(Verdict::NoDigest);
        table.entry(&run.place).or_default()[worst as usize] += 1;
        if worst == Verdict::Wrong {
            let wrong = judged.iter().filter(|(_, verdict)| *verdict == Verdict::Wrong);
            let sources: Vec<_> = wrong.map(|(row, _)| format!("{} {}", row["hook"], row["digest_source"])).collect();
            faults.push(format!("wrong without a doubt: {run}: {}", sources.join(", ")));
        }
        let is_plain = matches!(&*run.step, "before" | "again") && !HELD.contains(&&*run.way);
        if is_plain && CERTAIN.contains(&&*run.place) && worst != Verdict::Right {
            faults.push(format!("{worst:?}, though nobody writes: {run}: {judged:?}"));
        }
    }
    let table = print(guest, &table, &oracle);
    assert!(faults.is_empty(), "{table}\n{}", faults.join("\n"));
}

/// Writes the table where `make test` finds it.
fn print(guest: Guest, counts: &BTreeMap<&str, [usize; 5]>, oracle: &Oracle) -> String {
    let mut table = format!(
        "{:22} {:>5} {:>6} {:>9} {:>9} {:>8} {:>10}\n{:22} {:>5} {:>6} {:>9} {:>9} {:>8} {:>10}\n",
        guest.name(),
        "acts",
        "right",
        "right,",
        "wrong,",
        "wrong",
        "no digest",
        "",
        "",
        "",
        "doubted",
        "doubted",
        "",
        ""
    );
    let mut total = [0; 5];
    let mut line = |name: &str, counts: &[usize; 5]| {
        let [right, none, right_doubted, wrong_doubted, wrong] = counts;
        let acts: usize = counts.iter().sum();
        let _ = writeln!(
            table,
            "{name:22} {acts:>5} {right:>6} {right_doubted:>9} {wrong_doubted:>9} {wrong:>8} {none:>10}"
        );
    };
    for (place, counts) in counts {
        line(place, counts);
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    line("all", &total);
    let mut refused: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for change in oracle.changes.iter().filter(|change| change.outcome != "0" && change.size == "small") {
        refused.entry(&change.place).or_default().push(format!("{} ({})", change.way, change.outcome));
    }
    for (place, ways) in refused {
        let _ = writeln!(table, "not possible on {place}: {}", ways.join(", "));
    }
    let directory = repository("target/vm/matrix");
    std::fs::create_dir_all(&directory).expect("cannot make the directory of the tables");
    std::fs::write(directory.join(guest.name()), &table).expect("cannot write the table");
    table
}

on_guests!(every_way_is_gone_everywhere);
fn every_way_is_gone_everywhere(guest: Guest) {
    let oracle = Oracle::of(&guest.scenario("matrix"));
    for place in CERTAIN.iter().chain(&OTHERS) {
        for way in WAYS.iter().chain(&["handle", "image", "device", "server", "two-faced"]) {
            for size in SIZES.iter().filter(|_| belongs(place, way)) {
                let is_done = oracle.changes_of(place, way, size).any(|change| change.outcome == "0");
                assert!(
                    is_done || may_be_refused(place, way, guest) && oracle.changes_of(place, way, size).count() > 0,
                    "not gone: {place} {way} {size}: {:?}",
                    oracle.changes_of(place, way, size).collect::<Vec<_>>()
                );
            }
        }
    }
    for change in oracle.changes.iter().filter(|change| change.outcome == "0" && !change.way.ends_with("-hash")) {
        let after = oracle.runs.iter().find(|run| run.is_in_cell_of(change) && run.step == "after");
        let after = after.unwrap_or_else(|| panic!("no run after {change:?}"));
        assert!(after.code == 7 || may_have_no_effect(change), "without effect: {change:?}");
    }
}

on_guests!(a_write_of_an_image_is_a_suspect_for_what_lies_in_it: linux_6_1, linux_6_12, linux_7);
fn a_write_of_an_image_is_a_suspect_for_what_lies_in_it(guest: Guest) {
    let matrix = guest.scenario("matrix");
    let oracle = Oracle::of(&matrix);
    for (place, image) in [("loop", "/data/images/ext4.img"), ("squashfs", "/data/images/squashfs.img")] {
        let is_changed = |run: &&Run| (&*run.place, &*run.way, &*run.step) == (place, "image", "after");
        let run = oracle.runs.iter().find(is_changed).expect("a run after the image was written");
        let changes = matrix.changes(&run.path);
        assert_eq!(changes.len(), 1, "{changes:#?}");
        let suspects = changes[0]["suspects"].as_array().expect("a list");
        assert!(suspects.iter().any(|suspect| suspect["path"] == image), "{}", changes[0]);
    }
}
