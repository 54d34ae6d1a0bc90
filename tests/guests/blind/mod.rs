//! Times in which nothing can be recorded: they are known, bounded and told with every answer that they touch.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::{Act, Scenario};
use crate::support::{integer, text};
use serde_json::Value;

/// The recorder looks once a second; the rest is for an emulated machine that is slow.
const NOTICED_WITHIN_NS: i64 = 3_000_000_000;

on_guests!(a_blind_time_is_noted_within_seconds_and_ends: linux_6_1, linux_6_12, linux_7);
fn a_blind_time_is_noted_within_seconds_and_ends(guest: Guest) {
    let scenario = guest.scenario("blind");
    let rows = scenario.rows("SELECT * FROM ledger WHERE kind = 'blind' ORDER BY boot_ns");
    let (first, last) = (rows.first().expect("a row"), rows.last().expect("a row"));
    for row in &rows {
        assert_eq!(text(row, "cause"), scenario.fact("cause"), "{row}");
    }
    for pair in rows.windows(2) {
        assert_eq!(pair[0]["to_ns"], pair[1]["from_ns"], "the rows leave no time out: {rows:#?}");
    }
    for label in ["write-b", "run-unseen", "run-hidden", "rewrite-hidden", "run-hidden-again"] {
        let act = scenario.act(label);
        assert!(integer(first, "from_ns") <= act.before_ns && act.after_ns <= integer(last, "to_ns"), "{act:?}");
        assert_eq!(scenario.events_in(&act, "policy IS NOT NULL"), Vec::<Value>::new(), "not seen: {act:?}");
    }
    let noted = integer(first, "boot_ns") - scenario.number("before_off_ns");
    assert!((0..=NOTICED_WITHIN_NS).contains(&noted), "noted after {noted} ns: {first}");
    let over = integer(last, "to_ns") - scenario.number("before_on_ns");
    assert!((0..=NOTICED_WITHIN_NS).contains(&over), "over after {over} ns: {last}");
}

on_guests!(answers_tell_of_the_blind_time: linux_6_1, linux_6_12, linux_7);
fn answers_tell_of_the_blind_time(guest: Guest) {
    let scenario = guest.scenario("blind");
    let gaps: Vec<Value> = scenario.ask(&["gaps"]).into_iter().filter(|line| line["type"] == "gap").collect();
    assert_eq!(gaps.len(), 1, "one time, one gap: {gaps:#?}");
    let cause = scenario.fact("cause");
    assert_eq!(gaps[0]["cause"], cause.as_str());

    let changes = scenario.changes("/data/work/blind/tool");
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_incomplete(&changes[0], &[&cause]);

    let hidden = scenario.ask(&["changes", "/data/work/blind/hidden"]);
    assert_eq!(hidden.len(), 1, "a file that nobody saw has only the summary: {hidden:#?}");
    assert_incomplete(&hidden[0], &[&cause]);
}

on_guests!(a_step_of_the_wall_clock_is_noted_and_orders_nothing: linux_6_1, linux_6_12, linux_7);
fn a_step_of_the_wall_clock_is_noted_and_orders_nothing(guest: Guest) {
    const HOUR_NS: i64 = 3_600_000_000_000;
    let scenario = guest.scenario("blind");
    let steps = scenario.rows(
        "SELECT (detail->>'step_ns')::BIGINT AS step_ns FROM ledger WHERE kind = 'clock' AND cause = 'step' \
         ORDER BY boot_ns",
    );
    let steps: Vec<i64> = steps.iter().map(|row| integer(row, "step_ns")).collect();
    // `date` sets whole seconds.
    let is_about = |step: i64, hours: i64| (step - hours * HOUR_NS).abs() < 2_000_000_000;
    assert!(matches!(steps[..], [forward, back] if is_about(forward, 1) && is_about(back, -1)), "{steps:?}");

    let runs = scenario.rows(
        "SELECT boot_ns, epoch_us(time) * 1000 AS time_ns FROM events \
         WHERE path = '/data/work/blind/tool' AND hook = 'bprm_committed_creds' ORDER BY boot_ns",
    );
    let acts = ["run-a", "run-b", "run-in-an-hour", "run-now"].map(|label| scenario.act(label));
    assert_eq!(runs.len(), acts.len(), "{runs:#?}");
    for (run, act) in runs.iter().zip(&acts) {
        assert!((act.before_ns..=act.after_ns).contains(&integer(run, "boot_ns")), "{run} is not {act:?}");
    }
    let shown = |run: &Value| integer(run, "time_ns") - integer(run, "boot_ns");
    assert!(is_about(shown(&runs[2]) - shown(&runs[1]), 1), "{runs:#?}");
    assert!(is_about(shown(&runs[3]) - shown(&runs[2]), -1), "{runs:#?}");
}

on_guests!(a_killed_recorder_loses_nothing_before_and_the_gap_is_a_fact: linux_6_1, linux_6_12, linux_7);
fn a_killed_recorder_loses_nothing_before_and_the_gap_is_a_fact(guest: Guest) {
    let scenario = guest.scenario("crash");
    for label in ["before-1", "before-2", "before-3", "after-1", "after-2"] {
        assert_eq!(runs_in(&scenario, &scenario.act(label)), 1, "runs in the act `{label}`");
    }
    let gaps = scenario.rows("SELECT * FROM ledger WHERE kind = 'gap'");
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    let gap = &gaps[0];
    assert_eq!(text(gap, "cause"), "crash");
    let first = scenario.rows("SELECT recording_id FROM ledger WHERE kind = 'start' ORDER BY boot_ns");
    assert_eq!(first.len(), 2, "two recordings: {first:#?}");
    assert_eq!(gap["recording_id"], first[0]["recording_id"], "the gap belongs to the recording that crashed");
    for label in ["write-b", "unseen"] {
        let act = scenario.act(label);
        assert!(integer(gap, "from_ns") <= act.before_ns && act.after_ns <= integer(gap, "to_ns"), "{act:?}: {gap}");
        assert_eq!(runs_in(&scenario, &act), 0, "nobody saw {act:?}");
    }
    let before_kill = scenario.number("before_kill_ns") - integer(gap, "from_ns");
    assert!(before_kill <= NOTICED_WITHIN_NS, "the gap begins {before_kill} ns before the kill");
    assert!(scenario.act("before-3").after_ns <= integer(gap, "to_ns"), "{gap}");
}

on_guests!(answers_tell_of_the_crash: linux_6_1, linux_6_12, linux_7);
fn answers_tell_of_the_crash(guest: Guest) {
    let scenario = guest.scenario("crash");
    let (found, code) = scenario.verify(&[]);
    assert_eq!(code, Some(1), "{found:#?}");
    let (summary, findings) = found.split_last().expect("a summary");
    assert_eq!(text(summary, "state"), "RECOVERED");
    assert!(findings.iter().all(|finding| finding["severity"] != "damage"), "{findings:#?}");

    let changes = scenario.changes("/data/work/crash/tool");
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_incomplete(&changes[0], &["crash", "not_recorded"]);
}

on_guests!(a_stop_names_who_sent_the_signal: linux_6_1, linux_6_12, linux_7);
fn a_stop_names_who_sent_the_signal(guest: Guest) {
    let scenario = guest.scenario("aba");
    let stop = scenario.rows("SELECT cause, detail->>'sender' AS sender FROM ledger WHERE kind = 'stop'");
    let in_ledger: Value = serde_json::from_str(text(&stop[0], "sender")).expect("the sender is JSON");
    let in_manifest = scenario.manifest("stop").remove(0);
    for (cause, sender) in [(&stop[0]["cause"], &in_ledger), (&in_manifest["cause"], &in_manifest["sender"])] {
        assert_eq!(cause, "SIGTERM");
        assert_eq!(integer(sender, "pid"), scenario.number("shell_pid"), "{sender}");
        assert_eq!(text(sender, "comm"), scenario.fact("shell_comm"), "{sender}");
    }
}

/// Programs that ran in an act on its file.
fn runs_in(scenario: &Scenario, act: &Act) -> usize {
    scenario.events_in(act, &format!("hook = 'bprm_committed_creds' AND path = '{}'", act.path)).len()
}

/// Checks that a change or a summary says that it is not complete, for these causes.
fn assert_incomplete(answer: &Value, causes: &[&str]) {
    assert_eq!(answer["complete"], false, "{answer}");
    let gaps = answer["gaps"].as_array().expect("a list of gaps");
    let found: Vec<&str> = gaps.iter().map(|gap| text(gap, "cause")).collect();
    assert_eq!(found, causes, "{answer}");
}
