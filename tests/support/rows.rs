//! The events that tests make archives of: each says what differs from these. Each crate includes this file by its path.

use hashtrail::cell::Micros;
use hashtrail::event::Event;

/// The recording of a test's rows.
pub(crate) const ID: &str = "11111111-0000-4000-8000-000000000000";
/// When it began: 2026-01-02T00:00:00Z, seconds.
pub(crate) const START: i64 = 1_767_312_000;

/// A row of the host `web` some nanoseconds after the start, in the host's own root. It is about no file.
pub(crate) fn act(boot_ns: i64, hook: &str) -> Event {
    Event {
        recording_id: ID.into(),
        host: "web".into(),
        boot_id: "boot".into(),
        time: Micros(START * 1_000_000 + boot_ns / 1000),
        boot_ns,
        hook: hook.into(),
        action: "post".into(),
        root_dev: "8:1".into(),
        root_ino: 2,
        digest_status: "not_requested".into(),
        ..Event::default()
    }
}

/// The same about a program of root's.
pub(crate) fn on_file(path: &str, ino: i64, event: Event) -> Event {
    Event {
        path: Some(path.into()),
        dev: Some("8:1".into()),
        ino: Some(ino),
        ino_generation: Some(1),
        fs_type: Some("ext4".into()),
        mode: Some(0o100_755),
        owner_uid: Some(0),
        owner_gid: Some(0),
        size_bytes: Some(100),
        mtime: Some(Micros(0)),
        ctime: Some(Micros(0)),
        ..event
    }
}

/// The same with this digest, read when the hook was called.
pub(crate) fn with_digest(digest: &str, event: Event) -> Event {
    Event {
        digest_algorithm: Some("sha256".into()),
        digest: Some(digest.into()),
        digest_status: "ok".into(),
        digest_reason: None,
        digest_duration_ns: Some(1_000_000),
        content_read_ns: Some(event.boot_ns),
        ..event
    }
}
