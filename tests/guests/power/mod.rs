//! The power is cut: everything but the last moments is in the archive, once, and the archive says what is missing.

use crate::support::duckdb::rows;
use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::verify;
use crate::support::{integer, output_of, repository, stdout_of, text};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The scenario's `--sync-interval`.
const SYNC_INTERVAL_MS: i64 = 250;
/// A sync of the emulated disk, with another guest beside it, can take more than the half interval that it has.
const DISK_MS: i64 = 250;

on_guests!(a_power_cut_costs_at_most_the_sync_interval: linux_6_1, linux_6_12);
fn a_power_cut_costs_at_most_the_sync_interval(guest: Guest) {
    let rounds = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 10 } else { 1 };
    let first_seed = first_seed();
    for round in 0..rounds {
        let seed = first_seed.wrapping_add(round);
        eprintln!("power cut {round} on {}: HASHTRAIL_TEST_SEED={first_seed}", guest.kernel);
        let cut = Cut::make(guest, delay_ms(round, seed));
        check_recovery(&cut.archive);
        let lost_ms = cut.check_events();
        let slack_ms = cut.between_lines_ns / 1_000_000;
        eprintln!("power cut {round} on {}: the last {lost_ms} ms are lost, known to {slack_ms} ms", guest.kernel);
        assert!(
            lost_ms <= SYNC_INTERVAL_MS + DISK_MS + slack_ms,
            "{lost_ms} ms are lost, which is known to {slack_ms} ms"
        );
    }
}

/// Another moment in each run; a failure tells the seed that repeats it, as far as an emulated machine does.
fn first_seed() -> u64 {
    let given = std::env::var("HASHTRAIL_TEST_SEED").ok().map(|seed| seed.parse().expect("the seed is a number"));
    given.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs())
}

/// Every other cut comes 3.4 to 4.1 seconds after the recording began, when the first segment is finished and most likely
/// not yet sealed; the others 2 to 12 seconds after.
fn delay_ms(round: u64, seed: u64) -> u64 {
    let (first, span) = if round.is_multiple_of(2) { (3400, 700) } else { (2000, 10_000) };
    first + (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % span
}

/// What was on the disk when the power was cut, recovered on this machine.
struct Cut {
    _directory: tempfile::TempDir,
    archive: std::path::PathBuf,
    /// The last moment that the guest told of, since boot.
    cut_ns: i64,
    /// The longest time between two such moments: the cut came at most so much later.
    between_lines_ns: i64,
}

impl Cut {
    fn make(guest: Guest, delay_ms: u64) -> Self {
        let out = repository("target/vm/out").join(format!("{}-power", guest.kernel));
        let seconds = format!("{}.{:03}", delay_ms / 1000, delay_ms % 1000);
        stdout_of(
            Command::new(repository("tests/vm/run"))
                .args(["--kernel", guest.kernel, "--cut-after", &seconds, "--out"])
                .arg(&out)
                .arg("power"),
        );
        let directory = tempfile::tempdir().expect("a temporary directory");
        let archive = directory.path().join("archive");
        stdout_of(Command::new("cp").arg("-a").arg(out.join("power/archive")).arg(&archive));
        let console = fs::read_to_string(out.join("console.log")).expect("a console");
        let (cut_ns, between_lines_ns) = last_sign_ns(&console);
        Self { _directory: directory, archive, cut_ns, between_lines_ns }
    }

    /// Checks that the events are those of an unbroken recording up to its end; gives how much of that end is lost.
    fn check_events(&self) -> i64 {
        let sums = rows(
            &self.archive,
            "SELECT count(*) AS rows, count(DISTINCT (recording_id, cpu, seq)) AS keys, max(boot_ns) AS last_ns, \
             max(boot_ns) - min(boot_ns) AS span_ns, max(first) AS first FROM events \
             JOIN (SELECT cpu, min(seq) AS first FROM events GROUP BY cpu) USING (cpu)",
        );
        let sums = &sums[0];
        assert_eq!(sums["rows"], sums["keys"], "no event twice: {sums}");
        assert_eq!(sums["first"], 0, "the events of each CPU begin with the first: {sums}");
        let per_second = integer(sums, "rows") * 1_000_000_000 / integer(sums, "span_ns").max(1);
        assert!((1000..=2500).contains(&per_second), "{per_second} events a second: {sums}");
        let holes = rows(
            &self.archive,
            "WITH neighbours AS (SELECT cpu, seq, lead(seq) OVER (PARTITION BY cpu ORDER BY seq) AS next FROM events) \
             SELECT * FROM neighbours WHERE next > seq + 1 AND NOT EXISTS (SELECT * FROM ledger WHERE \
             ledger.cpu = neighbours.cpu AND first_seq <= seq + 1 AND last_seq >= next - 1)",
        );
        assert!(holes.is_empty(), "holes that the ledger does not explain: {holes:#?}");
        let last_ns = integer(sums, "last_ns");
        self.check_gap(last_ns);
        (self.cut_ns - last_ns) / 1_000_000
    }

    /// The ledger says that the recording broke off, and after which moment.
    fn check_gap(&self, last_ns: i64) {
        let gaps = rows(&self.archive, "SELECT * FROM ledger WHERE kind = 'gap'");
        assert_eq!(gaps.len(), 1, "{gaps:#?}");
        assert_eq!(text(&gaps[0], "cause"), "crash");
        let from_ns = integer(&gaps[0], "from_ns");
        assert!(last_ns <= from_ns && from_ns <= self.cut_ns + self.between_lines_ns, "{}", gaps[0]);
    }
}

/// The guest says `power: on at 11.62 s` again and again: the last time that it did, and the longest time between two.
fn last_sign_ns(console: &str) -> (i64, i64) {
    let words = console.lines().filter_map(|line| line.trim().strip_prefix("power: on at ")?.strip_suffix(" s"));
    let seconds: Vec<f64> = words.map(|word| word.parse().expect("seconds")).collect();
    let longest = seconds.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    let last = seconds.last().expect("the guest said how late it is");
    ((last * 1e9) as i64, (longest * 1e9) as i64)
}

fn check_recovery(archive: &Path) {
    let output =
        output_of(Command::new(env!("CARGO_BIN_EXE_hashtrail-recorder")).args(["recover", "--archive"]).arg(archive));
    let said = String::from_utf8_lossy(&output.stderr);
    // 1: the segment that was being written ends in the middle of something.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {said}", output.status);
    let (found, code) = verify(archive, &[]);
    assert_eq!(code, Some(1), "{found:#?}");
    let (summary, findings) = found.split_last().expect("a summary");
    assert_eq!(text(summary, "state"), "RECOVERED", "{summary}");
    assert!(findings.iter().all(|finding| finding["severity"] != "damage"), "{findings:#?}\n{said}");
}
