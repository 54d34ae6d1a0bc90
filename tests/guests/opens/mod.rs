//! Opens that cannot or must not be hashed: no digest, a reason, no hang, and no event that nobody caused.

use crate::support::guest::{Guest, on_guests};
use crate::support::text;
use serde_json::Value;

on_guests!(what_has_no_content_gets_a_reason_in_place_of_a_digest);
fn what_has_no_content_gets_a_reason_in_place_of_a_digest(guest: Guest) {
    let special = guest.scenario("special");
    let reason = if guest.has_file_post_open() { "not_regular_file" } else { "not_available_at_this_hook" };
    for label in ["device", "fifo", "directory"] {
        let act = special.act(label);
        let rows = special.events_in(&act, &format!("path = '{}' AND exe = '/data/bin/actor'", act.path));
        assert_eq!(rows.len(), 1, "opens in the act `{label}`: {rows:#?}");
        assert_eq!(text(&rows[0], "digest_status"), "unavailable", "{}", rows[0]);
        assert_eq!(text(&rows[0], "digest_reason"), reason, "{}", rows[0]);
        assert_eq!(rows[0]["digest"], Value::Null, "{}", rows[0]);
    }
}

on_guests!(a_proc_file_gets_no_digest_of_nothing);
fn a_proc_file_gets_no_digest_of_nothing(guest: Guest) {
    let special = guest.scenario("special");
    let rows = special.events_in(&special.act("proc"), "path = '/proc/version' AND exe = '/data/bin/actor'");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(text(&rows[0], "digest_status"), "unavailable", "{}", rows[0]);
    assert!(!text(&rows[0], "digest_reason").is_empty(), "{}", rows[0]);
    assert_eq!(rows[0]["digest"], Value::Null, "{}", rows[0]);
}

on_guests!(a_regular_file_is_hashed_where_the_kernel_can);
fn a_regular_file_is_hashed_where_the_kernel_can(guest: Guest) {
    let special = guest.scenario("special");
    let of_actor = "path = '/data/work/special/regular' AND exe = '/data/bin/actor'";
    let rows = special.events_in(&special.act("regular"), of_actor);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(text(&rows[0], "hook"), "file_open", "{}", rows[0]);
    if guest.has_file_post_open() {
        assert_eq!(text(&rows[0], "served_by"), "file_post_open", "{}", rows[0]);
        assert_eq!(text(&rows[0], "digest"), special.fact("regular_digest"), "{}", rows[0]);
    } else {
        assert_eq!(text(&rows[0], "served_by"), "file_open", "{}", rows[0]);
        assert_eq!(text(&rows[0], "digest_status"), "unavailable", "{}", rows[0]);
        assert_eq!(text(&rows[0], "digest_reason"), "not_available_at_this_hook", "{}", rows[0]);
    }
}

on_guests!(an_open_that_is_only_a_handle_is_no_event);
fn an_open_that_is_only_a_handle_is_no_event(guest: Guest) {
    let special = guest.scenario("special");
    let rows =
        special.events_in(&special.act("o_path"), "path = '/data/work/special/regular' AND exe = '/data/bin/actor'");
    assert_eq!(rows.len(), 0, "O_PATH opens nothing: {rows:#?}");
}

on_guests!(write_only_opens_under_a_measuring_rule_are_one_event_each);
fn write_only_opens_under_a_measuring_rule_are_one_event_each(guest: Guest) {
    let write_only = guest.scenario("write_only");
    let kinds = write_only.rows(
        "SELECT served_by, open_flags & 3 AS access, count(*)::BIGINT AS events FROM events \
         WHERE policy IS NOT NULL GROUP BY ALL ORDER BY ALL",
    );
    assert_eq!(kinds.len(), 1, "write-only opens and nothing else: {kinds:#?}");
    assert_eq!(kinds[0]["access"], 1, "{kinds:#?}");
    assert_eq!(kinds[0]["events"], write_only.number("opens"), "{kinds:#?}");
    assert_eq!(
        write_only
            .count("SELECT count(*) FROM events WHERE policy IS NOT NULL AND path <> '/data/work/write_only/target'"),
        0
    );
}
