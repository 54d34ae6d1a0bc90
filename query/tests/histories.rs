//! Random histories of hosts, each in an archive of its own.

use super::*;

const PATHS: [&str; 3] = ["/usr/bin/one", "/usr/bin/two", "/usr/lib/three.so"];

/// Numbers that repeat from run to run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

/// One recording of one host.
pub(super) struct Recorded {
    id: String,
    pub(super) host: &'static str,
    /// Events that belong to one segment.
    acts: Vec<Vec<Event>>,
    acts_per_segment: usize,
}

impl Recorded {
    /// Runs, mappings and opens of a few files under two roots, with few digests, so that they repeat (A→B→A): of two algorithms,
    /// with doubts, without any, by user space, and of files that no path names.
    pub(super) fn random(numbers: &mut Numbers, number: usize) -> Self {
        let host = ["web", "db", "mail"][numbers.below(3)];
        let id = format!("{}-0000-4000-8000-000000000000", (number + 1).to_string().repeat(8));
        let count = 1 + numbers.below(7);
        let mut acts = Vec::new();
        for act in 0..count {
            let second = i64::try_from(act * 10 + numbers.below(9)).expect("a small number");
            let identity = Event { recording_id: id.clone(), host: host.into(), ..Event::default() };
            acts.push(Self::act(numbers, second, &identity));
        }
        Self { id, host, acts, acts_per_segment: 1 + numbers.below(4) }
    }

    fn act(numbers: &mut Numbers, second: i64, identity: &Event) -> Vec<Event> {
        let place = numbers.below(PATHS.len());
        let algorithm = if numbers.below(6) == 0 { "sha1" } else { "sha256" };
        let digest = ["a", "b", "c"][numbers.below(3)].repeat(if algorithm == "sha1" { 40 } else { 64 });
        let hook = ["mmap_file", "bprm_check_security", "file_open"][numbers.below(3)];
        let is_exec = hook == "bprm_check_security";
        let without = Event {
            recording_id: identity.recording_id.clone(),
            host: identity.host.clone(),
            boot_id: format!("boot of {}", identity.host),
            path: Some(PATHS[place].into()),
            path_flags: if numbers.below(8) == 0 { vec!["deleted".into()] } else { Vec::new() },
            ino: Some(i64::try_from(20 + place).expect("a small number")),
            parent_ino: Some(50),
            root_ino: if numbers.below(4) == 0 { 99 } else { 2 },
            exec_id: is_exec.then_some(second + 1),
            digest_status: "unavailable".into(),
            digest_reason: Some("too_large".into()),
            ..event(second, hook, None)
        };
        let with = |event: Event| Event {
            digest_algorithm: Some(algorithm.into()),
            digest: Some(digest.clone()),
            digest_status: "ok".into(),
            digest_reason: None,
            ..event
        };
        match numbers.below(12) {
            0 | 1 => vec![without],
            2 | 3 if !is_exec => vec![without.clone(), with(of_user(without))],
            4 | 5 => vec![Event { digest_doubt: vec!["old".into()], ..with(without) }],
            6.. if is_exec => vec![with(without.clone()), committed(without)],
            _ => vec![with(without)],
        }
    }

    pub(super) fn seal(&self, directory: &Path) -> Result<()> {
        let archive = Archive::create(directory)?;
        let mut manifest = Manifest::open(&archive, None)?;
        manifest.append(&[("start", json!({"recording_id": self.id, "host": self.host}))])?;
        let mut context = VersionContext {
            host_root_dev: "8:1".into(),
            host_root_ino: 2,
            commits_recorded: true,
            ..VersionContext::default()
        };
        let of_recording =
            |entry: LedgerEntry| LedgerEntry { recording_id: self.id.clone(), host: self.host.into(), ..entry };
        let mut ledger =
            vec![entry(0, "start", None), entry(100, "stop", None)].into_iter().map(of_recording).collect();
        for (segment, acts) in self.acts.chunks(self.acts_per_segment).enumerate() {
            let name =
                SegmentName { recording_id: self.id.clone(), host: self.host.into(), segment: u32::try_from(segment)? };
            let events = acts.concat();
            seal(&archive, &mut manifest, &name, &context, events.clone(), std::mem::take(&mut ledger))?;
            context.earlier = context.earlier.with(&events).waiting();
        }
        manifest.append(&[("stop", json!({"recording_id": self.id, "state": "SEALED"}))])
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.acts.iter().flatten()
    }
}

/// The row that says of an exec that it succeeded.
fn committed(event: Event) -> Event {
    Event {
        seq: event.seq + 1000,
        boot_ns: event.boot_ns + 1,
        hook: "bprm_committed_creds".into(),
        digest_status: "not_requested".into(),
        digest_reason: None,
        ..event
    }
}

/// The row in which user space answers an event.
fn of_user(event: Event) -> Event {
    Event {
        cpu: -1,
        boot_ns: event.boot_ns + 1,
        hook: "user_digest".into(),
        ref_cpu: Some(event.cpu),
        ref_seq: Some(event.seq),
        ..event
    }
}

/// The event that a digest is for: another one where user space took it.
pub(super) fn subject<'a>(recording: &'a Recorded, event: &'a Event) -> &'a Event {
    let is_it = |other: &&Event| event.answers() == Some((other.cpu, other.seq));
    recording.events().find(is_it).unwrap_or(event)
}

/// Whether an exec succeeded.
pub(super) fn ran(recording: &Recorded, event: &Event) -> bool {
    let is_commit = |other: &Event| other.hook == "bprm_committed_creds" && other.exec_id == event.exec_id;
    event.digest.is_some() && event.exec_id.is_some() && recording.events().any(is_commit)
}

/// How many histories a test goes through.
pub(super) fn count() -> u64 {
    if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 5_000 } else { 250 }
}
