//! Many entries of one hook: each decides alone.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;

/// As many as one hook can have.
const ENTRIES: usize = 64;

/// The one that denies opens of its own file.
const DENYING: usize = 50;

on_guests!(each_entry_has_its_own_rows: linux_6_1, linux_6_12, linux_7);
fn each_entry_has_its_own_rows(guest: Guest) {
    let entries = guest.scenario("entries");
    let rows = entries.rows("SELECT message, path, action, enforced FROM events WHERE policy = 'entries'");
    let mut found: Vec<(String, String, String)> = rows
        .iter()
        .map(|row| {
            let path = text(row, "path").trim_start_matches("/data/work/entries/").to_owned();
            (text(row, "message").to_owned(), path, text(row, "action").to_owned())
        })
        .collect();
    let mut expected = Vec::new();
    for entry in 1..=ENTRIES {
        let message = format!("entry {entry}");
        let action = if entry == DENYING { "deny" } else { "post" };
        expected.push((message.clone(), format!("file-{entry}"), action.to_owned()));
        expected.push((message, "common".to_owned(), "post".to_owned()));
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let enforced: Vec<&str> =
        rows.iter().filter(|row| row["enforced"] == true).map(|row| text(row, "message")).collect();
    assert_eq!(enforced, [format!("entry {DENYING}")]);
}

on_guests!(only_the_denying_entry_denies: linux_6_1, linux_6_12, linux_7);
fn only_the_denying_entry_denies(guest: Guest) {
    let entries = guest.scenario("entries");
    for entry in 1..=ENTRIES {
        let expected = if entry == DENYING { "denied" } else { "opened" };
        assert_eq!(entries.fact(&format!("file-{entry}")), expected, "file-{entry}");
    }
}
