//! An archive of events that a test makes.

use crate::support::rows::{self, ID};
use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;

/// A run with all that is recorded of it.
pub(crate) fn event(second: i64) -> Event {
    let run = Event {
        exec_id: Some(second),
        pid: 7,
        tid: 7,
        ppid: 1,
        comm: "tool".into(),
        exe: Some("/usr/bin/tool".into()),
        parent_comm: "init".into(),
        ..rows::act(second * 1_000_000_000, "bprm_committed_creds")
    };
    Event {
        mtime: Some(Micros(1_700_000_000_500_000)),
        ctime: Some(Micros(1_700_000_001_500_000)),
        digest_duration_ns: None,
        ..rows::with_digest(&"a".repeat(64), rows::on_file("/usr/bin/tool", 12, run))
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
