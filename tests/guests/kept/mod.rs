//! Digests that are kept while the file cannot have changed.

use crate::support::guest::{Guest, on_guests};
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

/// Where the digests of each way to write a disk come from: of a run, of a run again, and of two after the write.
const WRITTEN_BENEATH: [(&str, [&str; 4]); 6] = [
    ("ioctl", ["ima", "cache", "ima", "ima"]),
    ("generic", ["ima", "cache", "ima", "ima"]),
    ("ring", ["ima", "cache", "ima", "ima"]),
    ("scsi", ["ima", "cache", "ima", "ima"]),
    ("flight", ["ima", "cache", "ima", "ima"]),
    // The ring is found at the start.
    ("registered", ["ima", "ima", "ima", "ima"]),
];

on_guests!(a_disk_is_suspect_from_the_first_command_that_may_write_it: linux_6_1, linux_6_12, linux_7);
fn a_disk_is_suspect_from_the_first_command_that_may_write_it(guest: Guest) {
    let commands = guest.scenario("commands");
    let found = WRITTEN_BENEATH.map(|(way, _)| {
        let sources = ["", "-again", "-after", "-after-again"].map(|when| {
            let act = commands.act(&format!("{way}{when}"));
            let rows = commands.events_in(&act, &format!("path = '{}'", act.path));
            assert_eq!(rows.len(), 1, "in the act `{way}{when}`: {rows:#?}");
            assert_eq!(text(&rows[0], "digest"), act.digest, "what sha256sum says of `{way}{when}`: {}", rows[0]);
            text(&rows[0], "digest_source").to_owned()
        });
        (way, sources)
    });
    assert_eq!(found, WRITTEN_BENEATH.map(|(way, sources)| (way, sources.map(str::to_owned))));
    let is_changed = |way: &str| commands.act(way).digest != commands.act(&format!("{way}-after")).digest;
    assert_eq!(WRITTEN_BENEATH.map(|(way, _)| is_changed(way)), [true, true, true, false, true, true]);
}
