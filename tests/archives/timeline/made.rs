//! An archive of events that a test makes.

use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;

const ID: &str = "11111111-0000-4000-8000-000000000000";

/// A run with all that is recorded of it.
pub(crate) fn event(second: i64) -> Event {
    Event {
        recording_id: ID.into(),
        host: "web".into(),
        boot_id: "boot".into(),
        time: Micros((1_767_312_000 + second) * 1_000_000),
        boot_ns: second * 1_000_000_000,
        hook: "bprm_committed_creds".into(),
        action: "post".into(),
        exec_id: Some(second),
        pid: 7,
        tid: 7,
        ppid: 1,
        comm: "tool".into(),
        exe: Some("/usr/bin/tool".into()),
        parent_comm: "init".into(),
        root_dev: "8:1".into(),
        root_ino: 2,
        path: Some("/usr/bin/tool".into()),
        dev: Some("8:1".into()),
        ino: Some(12),
        ino_generation: Some(1),
        fs_type: Some("ext4".into()),
        mode: Some(0o100_755),
        owner_uid: Some(0),
        owner_gid: Some(0),
        size_bytes: Some(100),
        mtime: Some(Micros(1_700_000_000_500_000)),
        ctime: Some(Micros(1_700_000_001_500_000)),
        digest_algorithm: Some("sha256".into()),
        digest: Some("a".repeat(64)),
        digest_status: "ok".into(),
        content_read_ns: Some(second * 1_000_000_000),
        ..Event::default()
    }
}

/// Seals them, each with its own number.
pub(crate) fn archive(mut events: Vec<Event>) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (seq, event) in (0..).zip(&mut events) {
        event.seq = seq;
    }
    let archive = Archive::create(directory.path()).expect("an archive");
    let mut manifest = Manifest::open(&archive, None).expect("a manifest");
    let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment: 0 };
    let context = VersionContext {
        host_root_dev: "8:1".into(),
        host_root_ino: 2,
        commits_recorded: true,
        ..VersionContext::default()
    };
    seal(&archive, &mut manifest, &name, &context, events, Vec::new()).expect("a sealed segment");
    directory
}
