//! Policies are replaced while a recording runs, and no call is lost or recorded twice.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, text};
use serde_json::Value;

on_guests!(each_exec_is_recorded_once_across_reloads: linux_6_1_turns, linux_6_12_turns);
fn each_exec_is_recorded_once_across_reloads(guest: Guest) {
    let reload = guest.scenario("reload");
    let of_tool = "hook = 'bprm_committed_creds' AND path = '/data/work/reload/tool'";
    let runs = reload.number("runs");
    assert!(runs >= 50, "programs ran all the time: {runs}");
    let processes = format!("SELECT count(DISTINCT (pid, process_start_ns)) FROM events WHERE {of_tool}");
    assert_eq!(reload.count(&processes), runs, "each run is one process");
    assert_eq!(reload.count(&format!("SELECT count(*) FROM events WHERE {of_tool}")), runs, "and one row");
    assert_eq!(reload.count(&format!("SELECT count(DISTINCT cpu) FROM events WHERE {of_tool}")), 2, "on both CPUs");
    let mapped = "SELECT count(*) AS maps FROM events WHERE message = 'mapped' GROUP BY pid, process_start_ns";
    assert_eq!(reload.count(&format!("SELECT count(*) FROM ({mapped})")), runs, "its binary is known to either policy");
    assert_eq!(reload.count(&format!("SELECT count(DISTINCT maps) FROM ({mapped})")), 1, "at each of its mappings");
    let accounting = reload.accounting();
    assert_eq!([integer(&accounting, "dropped"), integer(&accounting, "missed")], [0, 0], "{accounting}");
    assert_eq!(integer(&accounting, "produced"), integer(&accounting, "stored"), "{accounting}");
}

on_guests!(each_policy_records_until_the_next_one_takes_over: linux_6_1_turns, linux_6_12_turns);
fn each_policy_records_until_the_next_one_takes_over(guest: Guest) {
    let reload = guest.scenario("reload");
    // A call that began under the old policies may get its time after one that began under the new ones.
    let rows_of = |policy: &str, when: &str| {
        reload.count(&format!(
            "WITH b AS (SELECT min(boot_ns) + 1e8 AS first, max(boot_ns) - 1e8 AS last FROM events WHERE policy = 'reload-b') \
             SELECT count(*) FROM events, b WHERE policy = 'reload-{policy}' AND message = 'policy {policy}' AND {when}"
        ))
    };
    assert!(rows_of("a", "boot_ns < first") > 0 && rows_of("b", "true") > 0 && rows_of("a", "boot_ns > last") > 0);
    assert_eq!(rows_of("a", "boot_ns BETWEEN first AND last"), 0);
    assert_eq!(
        rows_of("a", "true") + rows_of("b", "true"),
        reload.count("SELECT count(*) FROM events WHERE policy IS NOT NULL AND message != 'mapped'")
    );
}

/// The rows of the ledger of one kind, in order, with their detail.
fn noted(reload: &Scenario, kind: &str) -> Vec<(Value, Value)> {
    let rows = reload.rows(&format!("SELECT * FROM ledger WHERE kind = '{kind}' ORDER BY boot_ns"));
    let detail = |row: &Value| serde_json::from_str(text(row, "detail")).expect("the detail is JSON");
    rows.into_iter().map(|row| (row.clone(), detail(&row))).collect()
}

on_guests!(the_ledger_says_what_held_when_and_who_asked: linux_6_1_turns, linux_6_12_turns);
fn the_ledger_says_what_held_when_and_who_asked(guest: Guest) {
    let reload = guest.scenario("reload");
    let reloads = noted(&reload, "reload");
    let causes: Vec<_> = reloads.iter().map(|(row, _)| row["cause"].as_str()).collect();
    assert_eq!(causes, [None, Some("refused"), None], "{reloads:#?}");
    for (_, detail) in &reloads {
        assert!(integer(&detail["sender"], "pid") > 0, "{detail}");
    }
    assert_eq!(integer(&reloads[2].1["sender"], "pid"), reload.number("shell_pid"), "{reloads:#?}");

    let policies = noted(&reload, "policy");
    let names: Vec<&str> = policies.iter().map(|(row, _)| text(row, "policy")).collect();
    assert_eq!(names, ["reload-a", "reload-b", "reload-a"]);
    for (row, detail) in &policies[1..] {
        let name = text(row, "policy");
        assert!(text(detail, "text").contains(&format!("name: {name}\n")), "the whole policy is kept: {detail}");
    }
}

on_guests!(a_broken_policy_is_refused_and_the_one_before_goes_on: linux_6_1_turns, linux_6_12_turns);
fn a_broken_policy_is_refused_and_the_one_before_goes_on(guest: Guest) {
    let reload = guest.scenario("reload");
    let said = std::fs::read_to_string(reload.file("said.log")).expect("the recorder's messages");
    assert!(said.contains("active.yaml:13:"), "file and line of the fault:\n{said}");
    let reloads = noted(&reload, "reload");
    let (refused, detail) = &reloads[1];
    assert!(text(detail, "error").contains("Equals"), "{detail}");
    let after = integer(refused, "boot_ns");
    let next = integer(&reloads[2].0, "boot_ns");
    let between =
        format!("SELECT count(*) FROM events WHERE policy = 'reload-b' AND boot_ns BETWEEN {after} AND {next}");
    assert!(reload.count(&between) > 0, "the policy before records on");
}
