//! Digests that are kept while the file cannot have changed.

use crate::guest::{Guest, on_guests};
use crate::support::text;

/// The acts and where each digest must come from.
const EXPECTED: [(&str, &str); 27] = [
    ("first", "ima"),
    ("again", "cache"),
    ("once-more", "cache"),
    ("rewritten", "ima"),
    ("restored", "ima"),
    ("mapped", "ima"),
    ("mapped-again", "cache"),
    ("stored-to", "ima"),
    ("while-writable", "ima"),
    ("while-still-writable", "ima"),
    // Who had it open for writing may have stored into a mapping, which moves no counter on some filesystems.
    ("closed", "ima"),
    ("written-while-open", "ima"),
    ("closed-changed", "ima"),
    ("truncated", "ima"),
    ("small", "ima"),
    ("small-again", "cache"),
    ("raw-before", "ima"),
    ("raw-unchanged", "cache"),
    // No counter knows of it, but the file is to be read again.
    ("raw-after", "ima"),
    ("small-after", "ima"),
    ("small-after-again", "ima"),
    // After the time for which a digest is kept.
    ("late", "ima"),
    ("mapped-late", "ima"),
    // With --no-digest-cache.
    ("not-kept", "ima"),
    ("not-kept-again", "ima"),
    // With the disk open for writing from before.
    ("held", "ima"),
    ("held-again", "ima"),
];

on_guests!(a_digest_is_kept_only_while_the_file_cannot_have_changed: linux_6_1, linux_6_12, linux_7);
fn a_digest_is_kept_only_while_the_file_cannot_have_changed(guest: Guest) {
    let kept = guest.scenario("kept");
    let found = EXPECTED.map(|(label, _)| {
        let act = kept.act(label);
        let rows = kept.events_in(&act, &format!("path = '{}'", act.path));
        assert_eq!(rows.len(), 1, "in the act `{label}`: {rows:#?}");
        assert_eq!(text(&rows[0], "digest"), act.digest, "what sha256sum says of the act `{label}`: {}", rows[0]);
        (label, text(&rows[0], "digest_source").to_owned())
    });
    assert_eq!(found, EXPECTED.map(|(label, source)| (label, source.to_owned())));
}
