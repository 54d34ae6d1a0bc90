//! One path that names three files: each belongs to its own series, and none is a change of another.

use crate::support::guest::{Guest, on_guests};
use crate::support::{integer, text};
use serde_json::json;
use std::collections::BTreeSet;

on_guests!(the_same_path_under_three_roots_is_no_change);
fn the_same_path_under_three_roots_is_no_change(guest: Guest) {
    let roots = guest.scenario("roots");
    let lines = roots.changes_with_rows("/data/work/roots/tool");
    let told: Vec<_> = lines.iter().map(|line| (text(line, "type"), &line["digests"])).collect();
    let mounted = json!([roots.act("namespace").digest]);
    assert_eq!(
        told,
        [("mounted_over", &mounted)],
        "nothing was changed, and one file stood there by a mount: {lines:#?}"
    );
    let versions = roots.ask(&["history", "/data/work/roots/tool"]);
    let seen: BTreeSet<&str> =
        versions.iter().filter(|line| line["type"] == "version").map(|line| text(line, "digest")).collect();
    let acts = ["host", "chroot", "namespace"].map(|label| roots.act(label).digest);
    assert_eq!(seen, acts.iter().map(String::as_str).collect(), "and each content is told: {versions:#?}");
}

on_guests!(each_root_shows_its_own_content);
fn each_root_shows_its_own_content(guest: Guest) {
    let roots = guest.scenario("roots");
    for label in ["host", "chroot", "namespace", "host-again"] {
        let act = roots.act(label);
        let rows = roots.events_in(&act, &format!("path = '{}' AND hook = 'bprm_committed_creds'", act.path));
        assert_eq!(rows.len(), 1, "{rows:#?}");
        assert_eq!(rows[0]["digest"], act.digest, "{}", rows[0]);
        assert_eq!(integer(&rows[0], "root_ino") == roots.number("chroot_root_ino"), label == "chroot", "{}", rows[0]);
        assert_eq!(integer(&rows[0], "ino") == roots.number("host_ino"), label.starts_with("host"), "{}", rows[0]);
    }
    let namespaces = "SELECT count(DISTINCT mnt_ns) FROM events WHERE path = '/data/work/roots/tool'";
    assert_eq!(roots.count(namespaces), 2, "the bind mount has a mount namespace of its own");
}
