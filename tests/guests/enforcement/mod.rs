//! Denials and signals: done with `--enforce`, only noted without it, and the row says which.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, text};
use serde_json::{Value, json};

/// What the caller saw of each act, without and with `--enforce`: an errno (0: none) or what else it got.
const OUTCOMES: [(&str, &str, &str); 21] = [
    ("denied", "0", "13"),
    ("killed", "0", "signal 9"),
    ("bad", "0", "1"),
    ("renamed", "0", "1"),
    ("listed", "0", "1"),
    ("listed-too", "0", "1"),
    ("secret", "0", "2"),
    ("silent", "0", "13"),
    ("twice", "0", "5"),
    ("watched", "0", "0"),
    ("signalled", "0", "1"),
    ("mapped", "0", "1"),
    ("read-only", "0", "0"),
    ("bad.so", "0", "1"),
    ("renamed.so", "0", "1"),
    ("bad-as-data", "0", "0"),
    ("bad-sealed-memfd", "0", "1"),
    // Its content can change after the hash.
    ("bad-open-memfd", "0", "0"),
    ("written", "0", "0"),
    ("renamed-over", "0", "30"),
    ("protected", "noted", "noted"),
];

/// What the rows of each entry say with `--enforce`: message, action, errno, and why it was not done.
const ROWS: [(&str, &str, Option<i64>, Option<&str>); 11] = [
    ("exec denied", "deny", Some(13), None),
    ("exec killed", "kill", None, None),
    ("known to be bad", "deny", Some(1), None),
    ("open denied", "deny", Some(2), None),
    ("open signalled", "signal", None, None),
    ("first of two", "deny", Some(5), None),
    ("second of two", "deny", None, Some("other_entry")),
    ("mapping denied", "deny", Some(1), None),
    ("mapping while it is written", "deny", None, Some("doubtful_digest")),
    ("rename denied", "deny", Some(30), None),
    ("open watched", "deny", None, Some("monitor")),
];

/// The recordings of the scenario, in their order.
#[derive(Clone, Copy)]
enum When {
    Noted,
    Enforced,
}

/// The rows of one recording that meet a condition, in order.
fn rows_of(enforce: &Scenario, when: When, condition: &str) -> Vec<Value> {
    enforce.rows(&format!(
        "SELECT * FROM events WHERE ({condition}) AND recording_id = (SELECT recording_id FROM ledger \
         WHERE kind = 'start' ORDER BY boot_ns LIMIT 1 OFFSET {}) ORDER BY boot_ns, cpu, seq",
        when as usize
    ))
}

on_guests!(nothing_on_the_host_changes_unless_it_is_asked_for: linux_6_1, linux_6_12, linux_7);
fn nothing_on_the_host_changes_unless_it_is_asked_for(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for (name, noted, enforced) in OUTCOMES {
        assert_eq!(enforce.fact(&format!("noted-{name}")), noted, "`{name}` without --enforce");
        assert_eq!(enforce.fact(&format!("enforced-{name}")), enforced, "`{name}` with --enforce");
    }
}

on_guests!(each_row_says_what_was_done: linux_6_1, linux_6_12, linux_7);
fn each_row_says_what_was_done(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for (message, action, errno, unenforced) in ROWS {
        let rows = rows_of(&enforce, When::Enforced, &format!("message = '{message}'"));
        assert_eq!(rows.len(), if message == "known to be bad" { 2 } else { 1 }, "`{message}`: {rows:#?}");
        for row in &rows {
            assert_eq!(text(row, "action"), action, "{row}");
            assert_eq!(row["enforced"], unenforced.is_none(), "{row}");
            assert_eq!(row["unenforced"], json!(unenforced), "{row}");
            // A signal returns nothing to the caller.
            assert_eq!(row["result"].as_i64().filter(|result| *result != 0), errno, "{row}");
        }
    }
}

on_guests!(without_enforce_each_row_says_what_would_have_been_done: linux_6_1, linux_6_12, linux_7);
fn without_enforce_each_row_says_what_would_have_been_done(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for (message, action, ..) in ROWS {
        let rows = rows_of(&enforce, When::Noted, &format!("message = '{message}'"));
        assert_eq!(rows.len(), if message == "known to be bad" { 2 } else { 1 }, "`{message}`: {rows:#?}");
        for row in &rows {
            assert_eq!((text(row, "action"), &row["enforced"]), (action, &json!(false)), "{row}");
            assert_eq!(text(row, "unenforced"), "not_asked", "{row}");
            assert_eq!(row["result"], Value::Null, "{row}");
        }
    }
}

on_guests!(the_row_of_a_denied_or_killed_exec_has_its_digest: linux_6_1, linux_6_12, linux_7);
fn the_row_of_a_denied_or_killed_exec_has_its_digest(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for when in [When::Noted, When::Enforced] {
        for (message, name) in [("exec denied", "denied"), ("exec killed", "killed"), ("known to be bad", "bad")] {
            let digest = enforce.fact(&format!("digest-{name}"));
            for row in rows_of(&enforce, when, &format!("message = '{message}'")) {
                assert_eq!((text(&row, "digest"), text(&row, "digest_status")), (digest.as_str(), "ok"), "{row}");
            }
        }
    }
}

on_guests!(only_a_certain_digest_drops_a_row: linux_6_1, linux_6_12, linux_7);
fn only_a_certain_digest_drops_a_row(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for when in [When::Noted, When::Enforced] {
        let rows = rows_of(&enforce, when, "message = 'not known to be good'");
        let paths: Vec<&str> = rows.iter().map(|row| text(row, "path")).collect();
        assert_eq!(
            paths,
            ["/data/work/enforce/written.so"],
            "the other library is known, this one is written: {rows:#?}"
        );
    }
}

on_guests!(a_known_bad_program_is_denied_under_any_name: linux_6_1, linux_6_12, linux_7);
fn a_known_bad_program_is_denied_under_any_name(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for when in [When::Noted, When::Enforced] {
        let rows = rows_of(&enforce, when, "message = 'known to be bad'");
        let paths: Vec<&str> = rows.iter().map(|row| text(row, "path")).collect();
        assert_eq!(paths, ["/data/work/enforce/bad", "/data/work/enforce/renamed"]);
    }
}

on_guests!(what_is_on_a_list_is_said_noted_and_denied: linux_6_1, linux_6_12, linux_7);
fn what_is_on_a_list_is_said_noted_and_denied(guest: Guest) {
    let enforce = guest.scenario("enforce");
    let (digest, list) = (enforce.fact("digest-listed"), enforce.fact("list"));
    for (when, name) in [(When::Noted, "noted"), (When::Enforced, "enforced")] {
        let condition = format!("message LIKE 'a program on a list of --ioc is run%' AND digest = '{digest}'");
        let rows = rows_of(&enforce, when, &condition);
        let paths: Vec<&str> = rows.iter().map(|row| text(row, "path")).collect();
        assert_eq!(paths, ["/data/work/enforce/listed", "/data/work/enforce/listed-too"]);
        let ledger = enforce.rows(&format!(
            "SELECT * FROM ledger WHERE kind = 'listed' AND recording_id = '{}' ORDER BY boot_ns",
            text(&rows[0], "recording_id")
        ));
        assert!(!ledger.is_empty(), "{name}");
        for entry in &ledger {
            let detail: Value = serde_json::from_str(text(entry, "detail")).expect("the detail is JSON");
            assert_eq!((&detail["digest"], &detail["doubtful"]), (&json!(digest), &json!(false)), "{detail}");
            assert_eq!(detail["stored"], true, "{detail}");
            assert_eq!(
                detail["lists"],
                json!([{"list": "listed.txt", "sha256": list, "labels": ["implant"]}]),
                "{detail}"
            );
            let same = enforce.rows(&format!(
                "SELECT digest, hook FROM events WHERE recording_id = '{}' AND cpu = {} AND seq = {}",
                text(entry, "recording_id"),
                integer(entry, "cpu"),
                integer(entry, "first_seq")
            ));
            assert_eq!((same.len(), &same[0]["digest"], &same[0]["hook"]), (1, &json!(digest), &detail["hook"]));
        }
        assert_eq!(enforce.fact(&format!("{name}-said")), ledger.len().to_string());
        assert_eq!(enforce.fact(&format!("{name}-warned")), "1");
    }
}

on_guests!(known_bad_code_is_denied_wherever_it_is_mapped_from: linux_6_1, linux_6_12, linux_7);
fn known_bad_code_is_denied_wherever_it_is_mapped_from(guest: Guest) {
    let enforce = guest.scenario("enforce");
    let digest = enforce.fact("digest-bad.so");
    for when in [When::Noted, When::Enforced] {
        let rows = rows_of(
            &enforce,
            when,
            &format!("message = 'code that is known to be bad is mapped' AND digest = '{digest}'"),
        );
        let found: Vec<_> = rows.iter().map(|row| (text(row, "path"), row["unenforced"].clone())).collect();
        let reason = |doubt: Option<&str>| match when {
            When::Noted => json!("not_asked"),
            When::Enforced => json!(doubt),
        };
        let expected = [
            ("/data/work/enforce/bad.so", reason(None)),
            ("/data/work/enforce/renamed.so", reason(None)),
            ("memfd:code", reason(None)),
            ("memfd:code", reason(Some("doubtful_digest"))),
        ];
        assert_eq!(found, expected, "{rows:#?}");
    }
}

on_guests!(a_denial_without_a_row_is_counted: linux_6_1, linux_6_12, linux_7);
fn a_denial_without_a_row_is_counted(guest: Guest) {
    let enforce = guest.scenario("enforce");
    assert_eq!(enforce.count("SELECT count(*) FROM events WHERE path = '/data/work/enforce/silent'"), 0);
    let stops = enforce.rows("SELECT detail FROM ledger WHERE kind = 'stop' ORDER BY boot_ns");
    assert_eq!(stops.len(), 2, "{stops:#?}");
    for stop in &stops {
        let detail: Value = serde_json::from_str(text(stop, "detail")).expect("the detail is JSON");
        let cpus = detail["cpus"].as_array().expect("the detail lists the CPUs");
        let acts: i64 = cpus.iter().map(|cpu| integer(cpu, "acts_without_row")).sum();
        assert_eq!(acts, 1, "{detail}");
    }
}

// The policies in `tetragon-*.yaml`, with the meaning that Tetragon's documentation gives them.

on_guests!(tetragons_exec_policy_denies_and_records_the_digest: linux_6_1, linux_6_12, linux_7);
fn tetragons_exec_policy_denies_and_records_the_digest(guest: Guest) {
    let enforce = guest.scenario("enforce");
    let digest = enforce.fact("digest-nop");
    for (when, enforced) in [(When::Noted, false), (When::Enforced, true)] {
        let rows = rows_of(&enforce, when, "policy = 'lsm'");
        assert_eq!(rows.len(), 1, "by the shell, and not by the actor: {rows:#?}");
        assert_eq!((text(&rows[0], "action"), &rows[0]["enforced"]), ("deny", &json!(enforced)), "{}", rows[0]);
        assert_eq!(text(&rows[0], "digest"), digest, "{}", rows[0]);
    }
    assert_eq!((enforce.fact("noted-nop"), enforce.fact("enforced-nop")), ("0".into(), "126".into()));
    assert_eq!(
        (enforce.fact("noted-nop-by-another"), enforce.fact("enforced-nop-by-another")),
        ("0".into(), "0".into())
    );
}

on_guests!(tetragons_hash_policy_records_what_shells_run: linux_6_1, linux_6_12, linux_7);
fn tetragons_hash_policy_records_what_shells_run(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for when in [When::Noted, When::Enforced] {
        let rows = rows_of(&enforce, when, "policy = 'file-integrity-monitoring'");
        assert!(
            rows.iter().all(|row| row["exe"] == "/bin/busybox" && row["digest_status"] != "not_requested"),
            "{rows:#?}"
        );
        for (name, path) in [("nop", "exec_deny/nop"), ("tool", "parent/tool")] {
            let path = format!("/data/work/{path}");
            let of_program: Vec<_> = rows.iter().filter(|row| row["path"] == path).collect();
            assert_eq!(of_program.len(), 1, "only the run by the shell: {of_program:#?}");
            assert_eq!(text(of_program[0], "digest"), enforce.fact(&format!("digest-{name}")));
        }
    }
}

on_guests!(tetragons_open_policies_record_the_opens_that_they_name: linux_6_1, linux_6_12, linux_7);
fn tetragons_open_policies_record_the_opens_that_they_name(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for when in [When::Noted, When::Enforced] {
        let paths = |policy: &str| {
            let rows = rows_of(&enforce, when, &format!("policy = '{policy}'"));
            assert!(rows.iter().all(|row| row["digest_status"] == "not_requested"), "{rows:#?}");
            rows.iter().map(|row| text(row, "path").trim_start_matches("/data/work/").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths("lsm-file-open"), ["file_open/passwd", "file_open/shadow"], "not those of the other program");
        assert_eq!(paths("lsm-dup-hooks"), ["dup_hooks/first", "dup_hooks/second"]);
    }
}

on_guests!(tetragons_resolved_arguments_are_names_of_processes_and_the_file: linux_6_1, linux_6_12, linux_7);
fn tetragons_resolved_arguments_are_names_of_processes_and_the_file(guest: Guest) {
    let enforce = guest.scenario("enforce");
    for when in [When::Noted, When::Enforced] {
        let execs = rows_of(&enforce, when, "policy = 'lsm-track-grandparent'");
        let hashed = rows_of(&enforce, when, "policy = 'file-integrity-monitoring'");
        let by_shell = execs.iter().filter(|row| row["exe"] == "/bin/busybox").count();
        assert_eq!(by_shell, hashed.len(), "every exec, so also all that the other policy records");
        let resolved = |message: &str| {
            rows_of(&enforce, when, &format!("policy = 'lsm-resolve' AND message = '{}'", message.replace('\'', "''")))
        };
        let callers = |rows: Vec<Value>| rows.iter().map(|row| text(row, "parent_comm").to_owned()).collect::<Vec<_>>();
        // The forked actor's parent, the second actor's, and the shell's.
        assert_eq!(callers(resolved("by the parent's name")), ["actor", "actor"]);
        for message in ["by the file", "by the path"] {
            let rows = resolved(message);
            assert!(rows.iter().all(|row| row["path"] == "/data/work/parent/tool"), "{rows:#?}");
            assert_eq!(rows.len(), 3, "{rows:#?}");
        }
    }
}
