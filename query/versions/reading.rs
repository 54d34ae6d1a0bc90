//! When a content was last really read: a digest that was kept is of an earlier time than the row that shows it.

use crate::recordings::gaps::Mark;
use crate::versions::run::Run;
use hashtrail::cell::Micros;
use serde::{Deserialize, Serialize};

/// The last real reading of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reading {
    mark: Mark,
    time: Micros,
    boot_id: String,
}

impl Reading {
    /// Of the runs of a version, with the one that was seen last. Of the file that had the content last: another one with the same
    /// content may have been read later, at a time when this one was no more what it had been.
    pub(crate) fn last_of(runs: &[Run], latest: &Run) -> Self {
        let of_file = || runs.iter().filter(|run| run.is_file_of(latest));
        let known = of_file().filter_map(|run| Some((run, known_ns(run)?)));
        let last = known.max_by_key(|(run, boot_ns)| (run.last.rank, *boot_ns));
        // 0 where it is not known: at some time since boot.
        let (run, boot_ns) = last.unwrap_or((of_file().next().unwrap_or(latest), 0));
        let before_ns = run.row.last_boot_ns.saturating_sub(boot_ns).max(0);
        Self {
            mark: Mark { rank: run.last.rank, boot_ns },
            // Rounded down: the interval must hold the true time.
            time: Micros(run.row.last_time.0.saturating_sub(before_ns.saturating_add(999) / 1000)),
            boot_id: run.row.boot_id.clone(),
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    pub(crate) fn time(&self) -> Micros {
        self.time
    }

    pub(crate) fn boot_id(&self) -> &str {
        &self.boot_id
    }
}

/// Files of version 1 do not say it: there each sight counts as a reading.
fn known_ns(run: &Run) -> Option<i64> {
    let last_ns = run.last.boot_ns;
    let read_ns = run.row.last_read_ns.unwrap_or(last_ns).min(last_ns);
    (read_ns > 0).then_some(read_ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{group, recordings, version};
    use crate::versions::version::versions;
    use hashtrail::versions::FileVersion;

    /// Rank, nanoseconds since boot and microseconds of the last reading.
    fn reading(rows: Vec<FileVersion>) -> (usize, i64, i64) {
        let series = group(rows, &recordings(&["r1", "r2"])).into_values().next().expect("series");
        let versions = versions(&series.certain, Run::has_digest_of);
        assert_eq!(versions.len(), 1);
        let reading = versions[0].reading();
        (reading.mark().rank, reading.mark().boot_ns, reading.time().0)
    }

    fn read(first: i64, last: i64, read_ns: i64) -> FileVersion {
        FileVersion { last_read_ns: Some(read_ns), ..version("aa", first, last) }
    }

    #[test]
    fn a_kept_sight_is_no_reading() {
        assert_eq!(reading(vec![read(10, 20, 10_400)]), (0, 10_400, 10));
        assert_eq!(reading(vec![read(10, 20, 10_400), read(21, 30, 10_400)]), (0, 10_400, 10));
        assert_eq!(reading(vec![read(10, 20, 20_500)]), (0, 20_000, 20), "never later than the last sight");
        assert_eq!(reading(vec![read(10, 20, 15_000), read(12, 18, 17_000)]), (0, 17_000, 17), "of any run");
    }

    #[test]
    fn a_file_of_version_1_counts_its_sights() {
        assert_eq!(reading(vec![version("aa", 10, 20)]), (0, 20_000, 20));
    }

    #[test]
    fn what_is_not_known_was_at_some_time_since_boot() {
        assert_eq!(reading(vec![read(10, 20, 0)]), (0, 0, 0));
        assert_eq!(reading(vec![read(10, 20, 15_000), read(21, 30, 0)]), (0, 15_000, 15));
        let in_second = FileVersion { recording_id: "r2".into(), ..read(30, 40, 0) };
        assert_eq!(reading(vec![read(10, 20, 15_000), in_second]), (0, 15_000, 15));
    }

    #[test]
    fn a_reading_of_another_file_with_the_content_says_nothing_of_this_one() {
        let other = FileVersion { ino: 13, ..read(21, 30, 8_000) };
        assert_eq!(reading(vec![read(10, 20, 15_000), other]), (0, 8_000, 8));
    }
}
