//! The `files` table: which version of which file was seen, in runs. It answers "when did this hash change" without
//! reading the events.

use crate::cell::Micros;
use crate::columns::table;
use crate::event::Event;
use crate::execs::Execs;
use std::collections::{HashMap, HashSet};

table! {
    /// A run of consecutive observations of one series and file with one digest, within one sealed segment.
    /// Doubtful observations form runs of their own (`doubts` is then not empty) and end no other run.
    FileVersion in "files" {
        recording_id: String, Dictionary, "Random UUID of one start of the recorder";
        host: String, Dictionary, "Node name at start, or --host; also the partition";
        boot_id: String, Dictionary, "The kernel's random id of this boot";
        root_dev: String, Dictionary, "Device of the tasks' root directory; part of the series";
        root_ino: i64, Dictionary, "Inode of the tasks' root directory; part of the series";
        root_is_host: bool, Dictionary, "Whether that is the host's own root; compared across boots instead of numbers";
        path: Option<String>, LookUp, "Path as the tasks see it; part of the series";
        path_flags: Vec<String>, Dictionary, "As in events; with deleted, memfd, unreachable, too_long or no_scratch the run belongs to no series";
        mnt_ns: i64, Dictionary, "Mount namespace of the first observation";
        parent_ino: Option<i64>, Dictionary, "Inode of the file's directory; with mnt_ns it separates mounts that share a path";
        dev: String, Dictionary, "Device of the file's filesystem; with ino and ino_generation the file's key";
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
        runs: Option<i64>, Dictionary, "Execs that succeeded; null where bprm_committed_creds was not recorded";
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
    /// Execs before these events, whose digests may be among them.
    #[serde(skip)]
    pub earlier: Execs,
}

/// Marks digests that a file has already had at another size: without a collision, one of the two is old.
pub fn mark_other_sizes(events: &mut [Event]) {
    let mut sizes: HashMap<(String, i64, i64, String), i64> = HashMap::new();
    for event in events.iter_mut() {
        let (Some(dev), Some(ino), Some(generation), Some(digest), Some(size)) =
            (&event.dev, event.ino, event.ino_generation, &event.digest, event.size_bytes)
        else {
            continue;
        };
        let key = (dev.clone(), ino, generation, digest.clone());
        if *sizes.entry(key).or_insert(size) != size {
            event.digest_doubt.push("same_digest_other_size".into());
        }
    }
}

/// A series, kept apart for certain and doubtful observations: (root device, root inode, path, certain).
type RunKey = (String, i64, Option<String>, bool);

/// Builds the `files` rows of one segment from its events, which must be in event order.
#[must_use]
pub fn runs_of(events: &[Event], context: &VersionContext) -> Vec<FileVersion> {
    let all_execs = context.earlier.clone().with(events);
    let mut open: HashMap<RunKey, (FileVersion, HashSet<i64>)> = HashMap::new();
    let mut closed = Vec::new();
    for event in events {
        let Some(run) = first_of_run(event, context) else { continue };
        let key = (run.root_dev.clone(), run.root_ino, run.path.clone(), event.has_certain_digest());
        let execs = all_execs.exec_of(event);
        match open.get_mut(&key) {
            Some((current, current_execs)) if same_version(current, &run) => {
                extend(current, event);
                current_execs.extend(execs);
            }
            _ => closed.extend(open.insert(key, (run, execs.into_iter().collect()))),
        }
    }
    closed.extend(open.into_values());
    let mut rows: Vec<FileVersion> =
        closed.into_iter().map(|(run, execs)| count_runs(run, &execs, &all_execs, context)).collect();
    rows.sort_by(|left, right| {
        (&left.path, left.first_boot_ns, left.first_cpu, left.first_seq).cmp(&(
            &right.path,
            right.first_boot_ns,
            right.first_cpu,
            right.first_seq,
        ))
    });
    rows
}

/// The run that begins with this event; `None` when the event shows no digest of a file.
fn first_of_run(event: &Event, context: &VersionContext) -> Option<FileVersion> {
    Some(FileVersion {
        recording_id: event.recording_id.clone(),
        host: event.host.clone(),
        boot_id: event.boot_id.clone(),
        root_dev: event.root_dev.clone(),
        root_ino: event.root_ino,
        root_is_host: event.root_dev == context.host_root_dev && event.root_ino == context.host_root_ino,
        path: event.path.clone(),
        path_flags: event.path_flags.clone(),
        mnt_ns: event.mnt_ns,
        parent_ino: event.parent_ino,
        dev: event.dev.clone()?,
        ino: event.ino?,
        ino_generation: event.ino_generation?,
        fs_type: event.fs_type.clone()?,
        real_dev: event.real_dev.clone(),
        real_ino: event.real_ino,
        image_dev: event.image_dev.clone(),
        image_ino: event.image_ino,
        digest_algorithm: event.digest_algorithm.clone()?,
        digest: event.digest.clone()?,
        first_time: event.time,
        first_boot_ns: event.boot_ns,
        first_cpu: event.cpu,
        first_seq: event.seq,
        first_duration_ns: event.digest_duration_ns,
        last_time: event.time,
        last_boot_ns: event.boot_ns,
        last_cpu: event.cpu,
        last_seq: event.seq,
        last_read_ns: Some(event.content_read_ns.unwrap_or(0)),
        observations: 1,
        runs: None,
        attempts: None,
        size_bytes: event.size_bytes?,
        mtime: event.mtime?,
        ctime: event.ctime?,
        mode: event.mode?,
        owner_uid: event.owner_uid?,
        owner_gid: event.owner_gid?,
        doubts: event.digest_doubt.clone(),
    })
}

fn same_version(current: &FileVersion, next: &FileVersion) -> bool {
    current.path_flags == next.path_flags
        && (&current.dev, current.ino, current.ino_generation) == (&next.dev, next.ino, next.ino_generation)
        && (&current.real_dev, current.real_ino) == (&next.real_dev, next.real_ino)
        && (&current.image_dev, current.image_ino) == (&next.image_dev, next.image_ino)
        && (&current.digest_algorithm, &current.digest) == (&next.digest_algorithm, &next.digest)
}

fn extend(current: &mut FileVersion, event: &Event) {
    current.last_time = event.time;
    current.last_boot_ns = event.boot_ns;
    current.last_cpu = event.cpu;
    current.last_seq = event.seq;
    current.last_read_ns = current.last_read_ns.max(event.content_read_ns);
    current.observations += 1;
    for doubt in &event.digest_doubt {
        if !current.doubts.contains(doubt) {
            current.doubts.push(doubt.clone());
        }
    }
}

fn count_runs(mut run: FileVersion, execs: &HashSet<i64>, all_execs: &Execs, context: &VersionContext) -> FileVersion {
    if context.commits_recorded {
        let succeeded = execs.iter().filter(|exec_id| all_execs.is_committed(**exec_id)).count();
        run.runs = i64::try_from(succeeded).ok();
        run.attempts = i64::try_from(execs.len() - succeeded).ok();
    }
    run
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
        let mut events = [event(1, "aa", 1, "mmap_file"), event(2, "aa", 1, "mmap_file")];
        events[1].size_bytes = Some(7);
        mark_other_sizes(&mut events);
        assert!(events[0].digest_doubt.is_empty());
        assert_eq!(events[1].digest_doubt, ["same_digest_other_size"]);
    }
}
