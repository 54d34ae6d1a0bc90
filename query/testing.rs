//! What the tests of several modules build on.

use crate::recordings::{Recording, Recordings};
use hashtrail::cell::Micros;
use hashtrail::versions::FileVersion;

/// A run of `/usr/bin/tool` on the host's root in recording `r1`; times in microseconds and nanoseconds alike.
pub(crate) fn version(digest: &str, first: i64, last: i64) -> FileVersion {
    FileVersion {
        recording_id: "r1".into(),
        host: "web".into(),
        boot_id: "boot1".into(),
        root_dev: "8:1".into(),
        root_ino: 2,
        root_is_host: true,
        path: Some("/usr/bin/tool".into()),
        dev: "8:1".into(),
        ino: 12,
        ino_generation: 1,
        digest_algorithm: "sha256".into(),
        digest: digest.into(),
        first_time: Micros(first),
        first_boot_ns: first * 1000,
        first_seq: first,
        last_time: Micros(last),
        last_boot_ns: last * 1000,
        last_seq: last,
        observations: 1,
        ..FileVersion::default()
    }
}

/// Recordings of the host `web` in this order.
pub(crate) fn recordings(ids: &[&str]) -> Recordings {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let recording =
        |id: &String| Recording { id: id.clone(), host: "web".into(), has_ledger: true, ..Recording::default() };
    let known = ids.iter().map(|id| (id.clone(), recording(id))).collect();
    Recordings::in_order(known, vec![ids])
}
