//! The `files` table: which version of which file was seen, in runs. It answers "when did this hash change" without
//! reading the events.

use crate::cell::Micros;
use crate::columns::{Row, table};
use crate::event::Event;
use crate::execs::Execs;

mod runs;
mod sizes;

pub(crate) use runs::Runs;
pub(crate) use sizes::Sizes;

table! {
    /// A run of consecutive observations of one series and file with one digest, within one sealed segment.
    /// Doubtful observations form runs of their own (`doubts` is then not empty) and end no other run.
    /// What the source of an import does not tell is -1, or empty ([`NOT_TOLD`]).
    #[derive(serde::Serialize, serde::Deserialize)]
    FileVersion, FileVersionView, FileVersionChunks in "files" {
        recording_id: String, Dictionary, "Random UUID of one start of the recorder";
        host: String, Dictionary, "Node name at start, or --host; also the partition";
        boot_id: String, Dictionary, "The kernel's random id of this boot";
        root_dev: String, Dictionary, "Device of the tasks' root directory; part of the series";
        root_ino: i64, Dictionary, "Inode of the tasks' root directory; part of the series";
        root_is_host: bool, Dictionary, "Whether that is the host's own root; compared across boots instead of numbers; false in rows of an import, with -1 as root_ino: the root is not known";
        path: Option<String>, LookUp, "Path as the tasks see it; part of the series";
        path_flags: Vec<String>, Dictionary, "As in events; with deleted, memfd, unreachable, too_long or no_scratch the run belongs to no series";
        mnt_ns: i64, Dictionary, "Mount namespace of the first observation";
        parent_ino: Option<i64>, Dictionary, "Inode of the file's directory; with mnt_ns it separates mounts that share a path";
        dev: String, Dictionary, "Device of the file's filesystem; with ino and ino_generation the file's key; empty where an import does not tell the file: then the columns of the file, from here to fs_type and from size_bytes to owner_gid, are -1 or empty";
        ino: i64, Dictionary, "Inode number";
        ino_generation: i64, Dictionary, "Inode generation";
        fs_type: String, Dictionary, "Filesystem type";
        real_dev: Option<String>, Dictionary, "Of a file on a stacked filesystem (overlayfs): device of the file beneath, which has the content";
        real_ino: Option<i64>, Dictionary, "Of a file on a stacked filesystem: inode number of the file beneath";
        image_dev: Option<String>, Dictionary, "Of a file on a loop device: device of the image that holds the filesystem";
        image_ino: Option<i64>, Dictionary, "Of a file on a loop device: inode number of that image";
        digest_algorithm: String, Dictionary, "Hash algorithm";
        digest: String, LookUp, "Digest of the whole content, lower-case hex";
        first_time: Micros, Delta, "First observation, UTC";
        first_boot_ns: i64, Delta, "First observation, nanoseconds since boot";
        first_cpu: i32, Dictionary, "CPU of the first observation";
        first_seq: i64, Delta, "Sequence number of the first observation";
        first_duration_ns: Option<i64>, Dictionary, "Time that the digest of the first observation took";
        last_time: Micros, Delta, "Last observation, UTC";
        last_boot_ns: i64, Delta, "Last observation, nanoseconds since boot";
        last_cpu: i32, Dictionary, "CPU of the last observation";
        last_seq: i64, Delta, "Sequence number of the last observation";
        last_read_ns: Option<i64>, Delta, "Last real reading of the content in this run, nanoseconds since boot: a digest that was used again is of an earlier one; 0 where it is not known, null in files of version 1";
        observations: i64, Dictionary, "Events of the run";
        runs: Option<i64>, Dictionary, "Execs that succeeded; null where bprm_committed_creds was not recorded, or perhaps not for each of the run's execs: also where the segment ended within a minute of one";
        attempts: Option<i64>, Dictionary, "Execs that were checked and did not succeed";
        size_bytes: i64, Dictionary, "File size at the first observation";
        mtime: Micros, Dictionary, "Modification time at the first observation";
        ctime: Micros, Dictionary, "Inode change time at the first observation";
        mode: i32, Dictionary, "File type and permissions at the first observation";
        owner_uid: i64, Dictionary, "Owner at the first observation";
        owner_gid: i64, Dictionary, "Group at the first observation";
        doubts: Vec<String>, Dictionary, "Doubts of the run's digests; not empty: the run begins no version";
    }
}

/// What the events alone do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VersionContext {
    /// Device of the host's own root directory.
    pub host_root_dev: String,
    /// Inode of the host's own root directory.
    pub host_root_ino: i64,
    /// Whether a policy asked for `bprm_committed_creds`, so that runs can be told from attempts.
    pub commits_recorded: bool,
    /// Whether policies asked for it only at some paths: an exec without one is no attempt for sure then.
    #[serde(default)]
    pub commits_in_part: bool,
    /// Whether the events come from the log of another program: then a path and a digest are enough for a version.
    #[serde(default)]
    pub is_imported: bool,
    /// Execs before these events, whose digests may be among them.
    #[serde(skip)]
    pub earlier: Execs,
}

/// What stands for a number, or a time in microseconds, that the source of an import does not tell. Texts are empty then.
pub const NOT_TOLD: i64 = -1;

impl FileVersion {
    /// Whether it tells which file it is of. Rows of an import whose source names only paths do not.
    #[must_use]
    pub fn has_file(&self) -> bool {
        !self.dev.is_empty()
    }

    /// Whether it tells under which root its path begins. No row of an import does.
    #[must_use]
    pub fn has_root(&self) -> bool {
        self.root_ino != NOT_TOLD
    }

    /// The device of that root, or in its place the source of an import with the container, where that is told.
    #[must_use]
    pub fn told_root_dev(&self) -> Option<&str> {
        (self.has_root() || self.root_dev.contains(':')).then_some(&self.root_dev)
    }
}

/// Builds the `files` rows of events, which must be in event order, and after which nothing tells of their execs.
#[must_use]
pub fn runs_of(events: &[Event], context: &VersionContext) -> Vec<FileVersion> {
    let execs = context.earlier.clone().with(events);
    let mut runs = Runs::new(context, &execs);
    events.iter().for_each(|event| runs.take(&event.view()));
    runs.finish(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(boot_ns: i64, digest: &str, exec_id: i64, hook: &str) -> Event {
        Event {
            boot_ns,
            seq: boot_ns,
            time: Micros(boot_ns / 1000),
            hook: hook.into(),
            exec_id: Some(exec_id),
            path: Some("/usr/bin/tool".into()),
            dev: Some("8:1".into()),
            ino: Some(12),
            ino_generation: Some(1),
            fs_type: Some("ext4".into()),
            digest_algorithm: Some("sha256".into()),
            digest: Some(digest.into()),
            size_bytes: Some(100),
            mtime: Some(Micros(0)),
            ctime: Some(Micros(0)),
            mode: Some(0o100_755),
            owner_uid: Some(0),
            owner_gid: Some(0),
            ..Event::default()
        }
    }

    fn context() -> VersionContext {
        VersionContext { commits_recorded: true, ..VersionContext::default() }
    }

    #[test]
    fn a_b_a_is_three_runs() {
        let events = [
            event(1, "aa", 1, "bprm_check_security"),
            event(2, "aa", 1, "bprm_committed_creds"),
            event(3, "bb", 2, "bprm_check_security"),
            event(4, "aa", 3, "bprm_check_security"),
            event(5, "aa", 3, "bprm_committed_creds"),
        ];
        let rows = runs_of(&events, &context());
        let seen: Vec<_> =
            rows.iter().map(|row| (row.digest.as_str(), row.observations, row.runs, row.attempts)).collect();
        assert_eq!(seen, [("aa", 2, Some(1), Some(0)), ("bb", 1, Some(0), Some(1)), ("aa", 2, Some(1), Some(0))]);
    }

    /// Of a script it is the interpreter's path that a filter of `bprm_committed_creds` looks at, so none says which execs it leaves
    /// out.
    #[test]
    fn where_not_each_success_was_recorded_only_successes_are_known() {
        let in_part = VersionContext { commits_in_part: true, ..context() };
        let counts = |events: &[Event], context: &VersionContext| {
            let rows = runs_of(events, context);
            (rows[0].runs, rows[0].attempts)
        };
        let events = [
            event(1, "aa", 1, "bprm_check_security"),
            event(2, "aa", 1, "bprm_committed_creds"),
            event(3, "aa", 2, "bprm_check_security"),
        ];
        assert_eq!(counts(&events, &context()), (Some(1), Some(1)));
        assert_eq!(counts(&events, &in_part), (None, None), "the second may have succeeded");
        assert_eq!(counts(&events[..2], &in_part), (Some(1), Some(0)));
    }

    #[test]
    fn what_the_last_execs_of_a_segment_came_to_is_known_where_nothing_follows() {
        let events = [
            event(1, "aa", 1, "bprm_check_security"),
            event(2, "aa", 1, "bprm_committed_creds"),
            event(3, "bb", 2, "bprm_check_security"),
        ];
        let counts = |is_last| {
            let (context, execs) = (context(), Execs::default().with(&events));
            let mut runs = Runs::new(&context, &execs);
            events.iter().for_each(|event| runs.take(&event.view()));
            runs.finish(is_last).iter().map(|row| (row.runs, row.attempts)).collect::<Vec<_>>()
        };
        assert_eq!(counts(true), [(Some(1), Some(0)), (Some(0), Some(1))]);
        assert_eq!(counts(false), [(Some(1), Some(0)), (None, None)]);
    }

    #[test]
    fn a_doubtful_digest_ends_no_run() {
        let mut events =
            [event(1, "aa", 1, "mmap_file"), event(2, "bb", 1, "mmap_file"), event(3, "aa", 1, "mmap_file")];
        events[1].digest_doubt = vec!["old".into()];
        let rows = runs_of(&events, &context());
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].observations, rows[0].last_boot_ns, rows[0].doubts.len()), (2, 3, 0));
        assert_eq!((rows[1].digest.as_str(), rows[1].doubts.len()), ("bb", 1));
    }

    /// What goes on is not looked at for other sizes any more.
    #[test]
    fn only_the_same_certain_digest_of_the_same_file_and_size_goes_on() {
        let (context, execs) = (context(), Execs::default());
        let mut runs = Runs::new(&context, &execs);
        let first = event(1, "aa", 1, "mmap_file");
        assert!(!runs.go_on(&first.view()), "nothing began yet");
        runs.take(&first.view());
        assert!(runs.go_on(&event(2, "aa", 1, "mmap_file").view()));
        let same = || event(3, "aa", 1, "mmap_file");
        let others = [
            Event { size_bytes: Some(7), ..same() },
            Event { digest: Some("bb".into()), ..same() },
            Event { digest: None, ..same() },
            Event { digest_doubt: vec!["old".into()], ..same() },
            Event { ino: Some(13), ..same() },
            Event { path: Some("/usr/bin/other".into()), ..same() },
            Event { path: None, ..same() },
            Event { root_dev: "8:2".into(), ..same() },
            Event { root_ino: 9, ..same() },
        ];
        for other in others {
            assert!(!runs.go_on(&other.view()), "{other:?}");
        }
        let rows = runs.finish(true);
        assert_eq!((rows.len(), rows[0].observations, rows[0].last_boot_ns), (1, 2, 2));
    }

    #[test]
    fn a_run_knows_its_last_real_reading() {
        let read = |boot_ns, read_ns| Event { content_read_ns: read_ns, ..event(boot_ns, "aa", 1, "mmap_file") };
        let last_read = |events: &[Event]| runs_of(events, &context())[0].last_read_ns;
        assert_eq!(last_read(&[read(10, Some(11)), read(20, Some(11)), read(30, Some(5))]), Some(11));
        assert_eq!(last_read(&[read(10, Some(11)), read(20, None)]), Some(11));
        assert_eq!(last_read(&[read(10, None)]), Some(0), "at some time since boot");
    }

    #[test]
    fn another_file_beneath_is_another_run() {
        let on = |boot_ns, ino| Event {
            real_dev: Some("8:1".into()),
            real_ino: Some(ino),
            ..event(boot_ns, "aa", 1, "mmap_file")
        };
        let rows = runs_of(&[on(1, 70), on(2, 70), on(3, 71)], &context());
        let seen: Vec<_> = rows.iter().map(|row| (row.real_ino, row.observations)).collect();
        assert_eq!(seen, [(Some(70), 2), (Some(71), 1)], "a copy-up");
    }

    #[test]
    fn the_same_digest_at_another_size_is_doubtful() {
        let mut sizes = Sizes::default();
        let first = event(1, "aa", 1, "mmap_file");
        let other = Event { size_bytes: Some(7), ..event(2, "aa", 1, "mmap_file") };
        let doubts = [first.clone(), other, first].map(|event| {
            let mut view = event.view();
            sizes.mark(&mut view);
            view.into_owned().digest_doubt
        });
        assert_eq!(doubts, [vec![], vec!["same_digest_other_size".to_owned()], vec![]]);
    }
}
