//! Scenario `machines`: a host name that two machines have, and one that was given at recording.

use crate::support::guest::{Guest, on_guests};
use crate::support::{hashtrail, output_of, text};

on_guests!(machines_are_told_apart_by_their_ids_and_by_names_that_were_given: linux_6_1, linux_6_12, linux_7);
fn machines_are_told_apart_by_their_ids_and_by_names_that_were_given(guest: Guest) {
    let machines = guest.scenario("machines");
    let hosts = ["guest (machine 11112222)", "guest (machine aaaabbbb)", "rack-7"];
    let acts = ["one", "other", "named"].map(|label| machines.act(label));
    let versions = machines.ask(&["history", &acts[0].path]);
    let rows = versions.iter().filter(|line| line["type"] == "version");
    let mut seen: Vec<_> = rows.map(|row| (text(row, "host"), text(row, "digest"))).collect();
    seen.sort_unstable();
    let expected: Vec<_> = hosts.into_iter().zip(acts.iter().map(|act| act.digest.as_str())).collect();
    assert_eq!(seen, expected, "{versions:#?}");
    assert!(machines.changes(&acts[0].path).is_empty(), "what another machine runs is no change");
    let named = machines.rows("SELECT DISTINCT host FROM events ORDER BY host");
    assert_eq!(named.iter().map(|row| text(row, "host")).collect::<Vec<_>>(), ["guest", "rack-7"]);
    let said = output_of(hashtrail().args(["changes", "--archive"]).arg(machines.archive())).stderr;
    let note = format!("are told apart by their machine ids: {}, {}", hosts[0], hosts[1]);
    assert!(String::from_utf8_lossy(&said).contains(&note), "{}", String::from_utf8_lossy(&said));
}
