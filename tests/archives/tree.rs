//! The processes of the sample archive, compared with what `DuckDB` makes of the same rows.

use crate::support::duckdb::rows;
use crate::support::{hashtrail, integer, json_lines, output_of, repository, stdout_of, text};
use serde_json::{Value, json};

const ARCHIVE: &str = "samples/incident/archive";
const IMPLANT: &str = "4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04";

/// Each process with the parent that forked it, or had it when it was first seen, how deep it stands, and what it ran.
const TREE: &str = "
    WITH RECURSIVE told AS (
        SELECT *, (hook <> 'sched_process_fork', boot_ns, cpu, seq) AS worth FROM events
        WHERE hook <> 'user_digest' AND pid > 0),
    births AS (
        SELECT pid, process_start_ns AS start_ns, arg_min(ppid, worth) AS ppid, arg_min(parent_start_ns, worth) AS parent_ns,
            bool_or(hook = 'sched_process_fork') AS forked, strftime(max(time), '%Y-%m-%dT%H:%M:%S.%fZ') AS last_seen,
            list(array_to_string(argv, ' ') ORDER BY boot_ns) FILTER (hook = 'bprm_committed_creds') AS ran
        FROM told GROUP BY ALL),
    known AS (
        SELECT * FROM births UNION ALL
        SELECT DISTINCT ppid, parent_ns, 0, 0, false, NULL, NULL FROM births child WHERE ppid > 0 AND NOT EXISTS
            (FROM births parent WHERE parent.pid = child.ppid AND parent.start_ns = child.parent_ns)),
    tree AS (
        SELECT *, 0 AS depth FROM known WHERE ppid = 0 UNION ALL
        SELECT known.*, depth + 1 FROM known JOIN tree ON known.ppid = tree.pid AND known.parent_ns = tree.start_ns)
    SELECT pid, start_ns, nullif(ppid, 0) AS ppid, depth, forked, last_seen,
        coalesce(array_to_string(ran, '; '), '') AS ran
    FROM tree ORDER BY start_ns, pid";

/// Asks the sample.
fn ask(arguments: &[&str]) -> Vec<Value> {
    let mut command = hashtrail();
    command.args(["tree", "--format", "json", "--archive"]).arg(repository(ARCHIVE)).args(arguments);
    json_lines(&stdout_of(&mut command))
}

/// What the oracle has of a process.
fn told(line: &Value) -> Value {
    let ran = line["programs"].as_array().expect("a list").iter().filter(|program| program["argv"].is_array());
    let ran = ran.map(|program| {
        let argv = program["argv"].as_array().into_iter().flatten().filter_map(Value::as_str);
        argv.collect::<Vec<_>>().join(" ")
    });
    json!({
        "pid": line["pid"], "start_ns": line["process_start_ns"], "ppid": line["parent"]["pid"], "depth": line["depth"],
        "forked": line["parent_source"] == "fork", "last_seen": line["last_seen"],
        "ran": ran.collect::<Vec<_>>().join("; "),
    })
}

#[test]
fn the_tree_of_the_sample_is_what_another_engine_makes_of_its_rows() {
    let expected = rows(&repository(ARCHIVE), TREE);
    let mut lines = ask(&[]);
    let summary = lines.pop().expect("a summary");
    let mut found: Vec<Value> = lines.iter().map(told).collect();
    let mut chain: Vec<(i64, i64)> = Vec::new();
    for line in &lines {
        chain.truncate(usize::try_from(integer(line, "depth")).expect("a depth"));
        let parent = chain.last().map(|(pid, start_ns)| json!({"pid": pid, "process_start_ns": start_ns}));
        assert_eq!(line["parent"], json!(parent), "it stands behind its parent: {line}");
        chain.push((integer(line, "pid"), integer(line, "process_start_ns")));
    }
    found.sort_by_key(|line| (integer(line, "start_ns"), integer(line, "pid")));
    assert_eq!(found, expected);
    assert_eq!((&summary["processes"], &summary["without_parent"]), (&json!(expected.len()), &json!(0)), "{summary}");
    assert_eq!((&summary["complete"], &summary["ran_before"]), (&json!(false), &json!(68)), "{summary}");
    for name in ["gaps", "problems", "without_forks", "without_look", "without_execs"] {
        assert_eq!(summary[name], json!([]), "{summary}");
    }
}

#[test]
fn whoever_ran_the_implant_stands_below_the_shell_that_started_it() {
    let lines = ask(&["--digest", IMPLANT]);
    let pids: Vec<(i64, bool)> =
        lines[..lines.len() - 1].iter().map(|line| (integer(line, "pid"), line["asked"] == true)).collect();
    assert_eq!(pids, [(1, false), (156, false), (312, true), (321, true)]);
    let program = &lines[2]["programs"][0];
    assert_eq!((text(program, "path"), &program["ran"]), ("/usr/sbin/backup-agent", &json!(true)), "{program}");
    assert_eq!(text(&program["files"][0], "digest"), IMPLANT);
    let by_path = ask(&["--path", "/usr/sbin/backup-agent"]);
    assert_eq!(by_path.last().expect("a summary")["processes"], 4, "two runs of each content");
    let output = output_of(hashtrail().args(["tree", "99999", "--archive"]).arg(repository(ARCHIVE)));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn a_table_says_beside_it_that_it_is_not_complete() {
    let output = output_of(hashtrail().args(["tree", "156", "--archive"]).arg(repository(ARCHIVE)));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("note: not complete: 3 process(es) ran when a recording began"), "{said}");
    assert!(!said.contains("note: complete"), "{said}");
    let table = String::from_utf8_lossy(&output.stdout);
    let line =
        |pid: &str| table.lines().find(|line| line.split_whitespace().nth(1) == Some(pid)).expect(pid).to_owned();
    assert!(
        line("1").contains("  /bin/busybox (ran already)  ")
            && line("156").contains("  └─ /bin/busybox (ran already)  "),
        "{table}"
    );
    assert!(line("312").contains("     ├─ /usr/sbin/backup-agent  "), "{table}");
    assert!(!table.contains("kthreadd"), "{table}");
}
