//! The rows that a recorder makes of what happens.

use super::{Done, MILLISECOND, Machine, Process, What, digest_of};
use crate::tests::model::files::{Files, tree_of};
use crate::tests::model::recorded::{Loss, SUPPRESSED, Settings, Stored};
use crate::tests::model::story::Digest;
use hashtrail::cell::Micros;
use hashtrail::event::Event;

/// The mount namespace of each view.
const VIEWS: [i64; 3] = [1, 11, 12];
/// For how long a policy merges rows.
const MERGED_NS: i64 = 500 * MILLISECOND;

impl Machine {
    pub(super) fn records(&self, test: impl Fn(&Settings) -> bool) -> bool {
        self.is_recording && self.recordings.last().is_some_and(|recorded| test(&recorded.settings))
    }

    pub(super) fn note(&mut self, what: What, row: Option<(i32, i64)>, is_silent: bool) {
        let recording = self.recordings.len().saturating_sub(1);
        let row = row.map(|(cpu, seq)| (recording, cpu, seq));
        self.done.push(Done { what, boot: self.boot, at_ns: self.now_ns, row, is_silent });
    }

    pub(super) fn row(&self, who: &Process, hook: &str) -> Event {
        let recorded = self.recordings.last();
        Event {
            recording_id: recorded.map(|recorded| recorded.id.clone()).unwrap_or_default(),
            host: self.host.into(),
            boot_id: self.boot_id(),
            cpu: who.pid % 2,
            time: self.time(self.now_ns),
            boot_ns: self.now_ns,
            hook: hook.into(),
            action: "post".into(),
            pid: who.pid,
            tid: who.pid,
            ppid: who.parent.0,
            process_start_ns: who.start_ns,
            parent_start_ns: who.parent.1,
            comm: who.exe.rsplit('/').next().unwrap_or_default().into(),
            exe: Some(who.exe.clone()),
            mnt_ns: VIEWS[who.view],
            root_dev: self.device(false),
            root_ino: [2, 99, 2][who.view],
            digest_status: "not_requested".into(),
            ..Event::default()
        }
    }

    /// The row with its file, by the name that the file has there now.
    pub(super) fn with_file(&self, event: Event, (file, tree, path): (usize, usize, &str)) -> Event {
        let (path, mut flags) = self.files.name_of(file, tree, path);
        // What a process brought along into a container or a namespace stands under none of its directories.
        let is_reached =
            VIEWS.iter().position(|ns| *ns == event.mnt_ns).is_some_and(|view| tree_of(view, &path) == tree);
        if flags.is_empty() && !is_reached {
            flags = vec!["unreachable"];
        }
        let number = file;
        let file = &self.files.list[file];
        let is_memfd = flags == ["memfd"];
        Event {
            parent_ino: Files::directory(tree, &path),
            path: Some(path),
            path_flags: flags.into_iter().map(str::to_owned).collect(),
            dev: Some(if is_memfd { "0:1".into() } else { self.device(file.is_usb) }),
            ino: Some(file.ino),
            ino_generation: Some(file.generation),
            fs_type: Some(if is_memfd { "tmpfs" } else { "ext4" }.into()),
            mode: Some(0o100_755),
            owner_uid: Some(0),
            owner_gid: Some(0),
            nlink: Some(self.files.links(number)),
            size_bytes: Some(100),
            mtime: Some(Micros(0)),
            ctime: Some(Micros(0)),
            ..event
        }
    }

    pub(super) fn put_digest(&mut self, row: Event, at: (usize, usize, &str), digest: Digest, is_late: bool) {
        let (file, tree, _) = at;
        let row = self.with_file(row, at);
        let algorithm = self.recordings.last().map_or("sha256", |recorded| recorded.settings.algorithm);
        let (boot, now_ns) = (self.boot, self.now_ns);
        let file = &mut self.files.list[file];
        let reading = file.read.filter(|(of_boot, _)| *of_boot == boot).map(|(_, read_ns)| read_ns);
        let of = |row: Event, content: usize, read_ns: Option<i64>| Event {
            digest_algorithm: Some(algorithm.into()),
            digest: Some(digest_of(content, algorithm)),
            digest_status: "ok".into(),
            digest_reason: None,
            digest_duration_ns: (read_ns == Some(now_ns)).then_some(MILLISECOND),
            content_read_ns: read_ns,
            ..row
        };
        let without = |reason: &str, row: Event| Event {
            digest_status: "unavailable".into(),
            digest_reason: Some(reason.into()),
            ..row
        };
        let mut by_user = None;
        let row = match digest {
            Digest::Certain => of(row, file.content, Some(now_ns)),
            Digest::Kept => of(row, file.content, reading.or(Some(now_ns))),
            Digest::Undated => of(row, file.content, None),
            Digest::Doubtful => Event { digest_doubt: vec!["old".into()], ..of(row, file.before, Some(now_ns)) },
            Digest::Missing => without("too_large", row),
            Digest::NoContent => without("not_executable_mapping", row),
            Digest::NotAsked => row,
            Digest::ByUser => {
                let hashed = of(row.clone(), file.content, Some(now_ns + MILLISECOND / 2));
                by_user =
                    Some(Event { cpu: -1, boot_ns: now_ns + MILLISECOND / 2, hook: "user_digest".into(), ..hashed });
                without("needs_user", row)
            }
        };
        let is_read = matches!(digest, Digest::Certain | Digest::Kept);
        let read_ns = row.content_read_ns;
        let key = self.put(row, tree, is_late);
        if is_read && key.is_some() {
            self.files.list[at.0].read = read_ns.map(|read_ns| (boot, read_ns));
        }
        if let Some((event, (cpu, seq))) = by_user.zip(key) {
            let time = self.time(event.boot_ns);
            self.put(Event { time, ref_cpu: Some(cpu), ref_seq: Some(seq), ..event }, tree, false);
        }
    }

    /// Stores a row, unless nobody records, the recorder is blind, or the row is lost; gives its CPU and number.
    pub(super) fn put(&mut self, event: Event, tree: usize, is_late: bool) -> Option<(i32, i64)> {
        if !self.is_recording || event.boot_ns < self.blind_until_ns {
            return None;
        }
        let is_lost = self.losing > 0 && event.cpu >= 0;
        let (cpu, from_ns, to_ns) = (event.cpu, event.boot_ns - 1, event.boot_ns + 1);
        let time = event.time;
        let recorded = self.recorded();
        if recorded.rows.iter().any(|row| recorded.settings.merges(&row.event, &event)) {
            let (kind, cause) = (SUPPRESSED, "dedupe");
            recorded.losses.push(Loss { kind, cause, cpu: Some(cpu), from_ns, to_ns, count: Some(1), time });
            return None;
        }
        let seq = recorded.next_seq(cpu);
        if is_lost {
            let loss = Loss { kind: "loss", cause: "ring_full", cpu: Some(cpu), from_ns, to_ns, count: Some(1), time };
            recorded.losses.push(loss);
            self.losing -= 1;
            return None;
        }
        recorded.rows.push(Stored { event: Event { seq, ..event }, tree, is_late });
        Some((cpu, seq))
    }
}

impl Settings {
    /// Whether the policy leaves out a row because another one said the same just before.
    fn merges(&self, earlier: &Event, row: &Event) -> bool {
        let told = |event: &Event| {
            let file =
                (event.dev.clone(), event.ino, event.ino_generation, event.path.clone(), event.path_flags.clone());
            (event.hook.clone(), event.pid, file, event.digest.clone(), event.digest_doubt.clone(), event.open_flags)
        };
        let is_reading = row.open_flags.is_none_or(|flags| flags == 0) && row.action == "post";
        self.merges == Some(row.hook.as_str())
            && row.digest.is_some()
            && is_reading
            && earlier.action == row.action
            && row.boot_ns - earlier.boot_ns < MERGED_NS
            && told(earlier) == told(row)
    }
}
