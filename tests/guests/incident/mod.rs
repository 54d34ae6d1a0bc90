//! The story of the sample archive: a system binary is implanted, run, and put back.

use crate::support::guest::{Guest, on_guests};
use crate::support::integer;
use crate::support::scenario::{Act, Scenario, assert_change};

on_guests!(the_implant_and_the_restoration_are_both_told);
fn the_implant_and_the_restoration_are_both_told(guest: Guest) {
    assert_tells_the_incident(&guest.scenario("incident"));
}

#[test]
fn the_sample_tells_the_same() {
    assert_tells_the_incident(&Scenario::sample("incident"));
}

fn assert_tells_the_incident(incident: &Scenario) {
    let [original, implant, again, restored] =
        ["run-original", "run-implant", "run-implant-again", "run-restored"].map(|label| incident.act(label));
    // Its second run read the content, or used the digest of the first again.
    let implant_read = Act { idle_from_ns: implant.idle_from_ns, ..again };

    let changes = incident.changes("/usr/sbin/backup-agent");

    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert_change(&changes[0], "rewritten", &original, &incident.act("implant"), &implant);
    assert_change(&changes[1], "replaced", &implant_read, &incident.act("restore"), &restored);
    assert_eq!(integer(&changes[0]["to"], "runs"), 2, "the implant ran twice: {}", changes[0]);
}
