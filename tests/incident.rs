//! The story of the sample archive: a system binary is implanted, run, and put back.

use crate::guest::{Guest, Mode, on_guests};
use crate::scenario::{Scenario, assert_change};
use crate::support::integer;

on_guests!(the_implant_and_the_restoration_are_both_told);
fn the_implant_and_the_restoration_are_both_told(guest: Guest) {
    // With a policy IMA reads a content once, and answers from its memory then.
    let read_last = if guest.mode == Mode::Tcb { "run-implant" } else { "run-implant-again" };
    assert_tells_the_incident(&guest.scenario("incident"), read_last);
}

#[test]
fn the_sample_tells_the_same() {
    assert_tells_the_incident(&Scenario::sample("incident"), "run-implant-again");
}

fn assert_tells_the_incident(incident: &Scenario, read_last: &str) {
    let [original, implant, implant_read, restored] =
        ["run-original", "run-implant", read_last, "run-restored"].map(|label| incident.act(label));

    let changes = incident.changes("/usr/sbin/backup-agent");

    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert_change(&changes[0], "rewritten", &original, &incident.act("implant"), &implant);
    assert_change(&changes[1], "replaced", &implant_read, &incident.act("restore"), &restored);
    assert_eq!(integer(&changes[0]["to"], "runs"), 2, "the implant ran twice: {}", changes[0]);
}
