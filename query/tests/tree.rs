//! Processes below their parents.

mod model;
mod world;

use super::*;
use model::Model;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use world::Machine;

/// Of an answer in JSON what the model has.
pub(super) fn told(line: &Value) -> Value {
    let mut told = json!({});
    for name in [
        "host",
        "boot_id",
        "process_start_ns",
        "pid",
        "depth",
        "parent",
        "parent_source",
        "root",
        "ran_before",
        "first_seen",
        "last_seen",
        "comm",
        "exe_before",
    ] {
        told[name] = line[name].clone();
    }
    let program = |program: &Value| {
        let files = program["files"].as_array().expect("a list");
        let file = files.iter().find(|file| file["path"] == program["path"]).expect("a file");
        json!([program["path"], file["digest"], program["ran"]])
    };
    told["programs"] = line["programs"].as_array().expect("a list").iter().map(program).collect();
    told
}

/// All processes, as a naive model has them: of recordings in their order with the names of their machines, and whether they
/// have which execs succeeded.
pub(super) fn naive_tree(recordings: &[(String, Vec<Event>, bool)]) -> Vec<Value> {
    let silent = recordings.iter().filter(|(_, _, tells_runs)| !tells_runs).flat_map(|(_, events, _)| events);
    let silent = silent.map(|event| event.recording_id.clone()).collect();
    let rows: Vec<(String, Vec<Event>)> =
        recordings.iter().map(|(host, events, _)| (host.clone(), events.clone())).collect();
    Model::of(&rows, silent).tree()
}

/// The processes of an answer, and its summary.
fn ask(directory: &Path, arguments: &[&str]) -> Result<(Vec<Value>, Value)> {
    let (found, problem, output) = query(directory, &[&["tree", "--format", "json"], arguments].concat())?;
    let mut lines = json_lines(&output);
    let summary = lines.pop().expect("a summary");
    assert_eq!((&summary["type"], problem), (&json!("summary"), false), "{output}");
    assert_eq!(found, summary["processes"] != 0, "{output}");
    Ok((lines, summary))
}

/// Which of a tree stand above or below those with a pid, or have it.
fn around(tree: &[Value], pid: usize) -> Vec<Value> {
    let depth = |at: usize| tree[at]["depth"].as_u64().expect("a depth");
    let above = |at: usize| {
        let mut chain = vec![at];
        for before in (0..at).rev() {
            if depth(before) < depth(chain[chain.len() - 1]) {
                chain.push(before);
            }
        }
        chain
    };
    let asked = (0..tree.len()).filter(|at| above(*at).iter().any(|above| tree[*above]["pid"] == pid));
    let shown: HashSet<usize> = asked.flat_map(above).collect();
    (0..tree.len()).filter(|at| shown.contains(at)).map(|at| tree[at].clone()).collect()
}

#[test]
fn random_histories_are_told_as_a_naive_model_tells_them() -> Result<()> {
    let count = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 3000 } else { 40 };
    let (mut processes, mut forks, mut lost) = (0, 0, 0);
    for seed in 1..=count {
        let machines = [("11112222333344445555666677778888", 1), ("aaaabbbbccccddddeeeeffff00001111", 2)];
        let machines = machines.map(|(id, number)| Machine::live(seed * 2 + number, id));
        let directory = tempfile::tempdir()?;
        let mut rows = Vec::new();
        for machine in &machines {
            machine.write(&directory.path().join(machine.machine_id))?;
            let host = format!("web (machine {})", &machine.machine_id[..8]);
            let segments = machine.recordings.iter().flat_map(|recorded| recorded.segments.clone());
            rows.extend(segments.map(|segment| (host.clone(), segment)));
            lost += machine.recordings.iter().filter(|recorded| recorded.has_lost).count();
        }
        let expected = Model::of(&rows, HashSet::new()).tree();
        let (lines, summary) = ask(&directory.path().join("*"), &[])?;
        assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected, "seed {seed}");
        for line in lines.iter().filter(|line| line["parent_source"] == "fork") {
            let machine = machines
                .iter()
                .find(|machine| line["host"].as_str().expect("a host").contains(&machine.machine_id[..8]));
            let number = |value: &Value, name: &str| value[name].as_i64().expect("a number");
            let pid = i32::try_from(number(line, "pid"))?;
            let who = (line["boot_id"].as_str().expect("a boot").to_owned(), pid, number(line, "process_start_ns"));
            let parent = &line["parent"];
            let parent = (i32::try_from(number(parent, "pid"))?, number(parent, "process_start_ns"));
            assert_eq!(machine.expect("a machine").births.get(&who), Some(&parent), "seed {seed}: {line}");
            forks += 1;
        }
        let number = |test: &dyn Fn(&Value) -> bool| json!(expected.iter().filter(|line| test(line)).count());
        assert_eq!(summary["without_parent"], number(&|line| line["root"] == "parent_unknown"), "seed {seed}");
        assert_eq!(summary["ran_before"], number(&|line| line["ran_before"] == true), "seed {seed}");
        let has_lost = machines.iter().flat_map(|machine| &machine.recordings).any(|recorded| recorded.has_lost);
        assert!(!has_lost || summary["complete"] == false && summary["gaps"] != json!([]), "seed {seed}: {summary}");
        let pid = 1 + usize::try_from(seed)? % 8;
        let (lines, _) = ask(&directory.path().join("*"), &[&pid.to_string()])?;
        assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), around(&expected, pid), "seed {seed}, pid {pid}");
        processes += expected.len();
    }
    assert!(processes > 10 * usize::try_from(count)? && forks > 0 && lost > 0, "{processes}, {forks}, {lost}");
    Ok(())
}

/// A row of a process that began at its pid, as its parent did.
pub(super) fn row(second: i64, hook: &str, pid: i32, ppid: i32) -> Event {
    let file = hook.starts_with("bprm") || hook == "running_process";
    Event {
        pid,
        ppid,
        process_start_ns: i64::from(pid),
        parent_start_ns: i64::from(ppid),
        exe: (hook == "sched_process_fork").then(|| "/bin/sh".into()),
        path: file.then(|| format!("/bin/{pid}")),
        ino: file.then_some(i64::from(pid)),
        exec_id: hook.starts_with("bprm").then_some(i64::from(pid)),
        comm: format!("p{pid}"),
        ..event(second, hook, None)
    }
}

fn digested(event: Event, digest: &str) -> Event {
    let with = self::event(0, "", Some(digest));
    Event { digest: with.digest, digest_algorithm: with.digest_algorithm, digest_status: with.digest_status, ..event }
}

/// What is recorded of all processes.
fn whole_ledger() -> Vec<LedgerEntry> {
    let hooks = ["bprm_check_security", "bprm_committed_creds"];
    let policy = json!({"hooks": hooks, "coverage": {hooks[0]: [""], hooks[1]: [""]}}).to_string();
    vec![
        entry(0, "start", None),
        entry(0, "policy", Some(&policy)),
        entry(1, "snapshot", Some("{\"descriptors_unseen\":0}")),
        entry(90, "stop", Some("{\"cpus\":[]}")),
    ]
}

/// The answer about these rows.
fn of(events: &[Event], ledger: Vec<LedgerEntry>, arguments: &[&str]) -> Result<(bool, String)> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), events, 100, ledger)?;
    let (_, problem, output) = query(directory.path(), &[&["tree"], arguments].concat())?;
    Ok((problem, output))
}

#[test]
fn the_table_draws_the_tree_and_each_program() -> Result<()> {
    let hostile = vec!["/bin/\u{1b}[2J".to_owned(), "a\nb".to_owned()];
    let events = [
        row(1, "running_process", 1, 0),
        row(2, "sched_process_fork", 4, 1),
        row(3, "sched_process_fork", 5, 4),
        row(4, "bprm_check_security", 5, 4),
        Event { argv: Some(hostile), path: Some("/bin/\u{1b}[2J".into()), ..row(5, "bprm_committed_creds", 5, 4) },
        digested(Event { exec_id: Some(77), ..row(6, "bprm_check_security", 5, 4) }, NEW),
        row(7, "sched_process_fork", 6, 4),
        row(8, "sched_process_fork", 7, 1),
        row(9, "file_open", 9, 8),
    ];
    let (problem, table) = of(&events, whole_ledger(), &[])?;
    assert!(!problem && !table.contains('\u{1b}'), "{table}");
    let mut shown = String::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let drawn = line.find(['├', '└', '│']).map_or("", |at| &line[at..]);
        writeln!(shown, "{} {}", cells[1], if drawn.is_empty() { cells[cells.len() - 2] } else { drawn.trim_end() })?;
    }
    assert_eq!(
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>(),
        [
            "1 /bin/1 (ran already)",
            "4 ├─ /bin/sh (forked) -",
            "5 │ ├─ /bin/5 by /bin/\\x1b[2J /bin/\\x1b[2J, a\\nb",
            "5 │ │ then /bin/5 (attempt) -",
            "6 │ └─ /bin/sh (forked) -",
            "7 └─ /bin/sh (forked) -",
            "8 (parent unknown) (no row)",
            "9 └─ [p9] -",
        ],
        "{table}"
    );
    Ok(())
}

#[test]
fn an_answer_says_what_it_cannot_know() -> Result<()> {
    let forked = [row(1, "sched_process_fork", 4, 3)];
    let summary = |events: &[Event], ledger| -> Result<Value> {
        let (_, output) = of(events, ledger, &["--format", "json"])?;
        Ok(json_lines(&output).pop().expect("a summary"))
    };
    let told = summary(&forked, whole_ledger())?;
    assert_eq!((&told["complete"], &told["without_parent"]), (&json!(false), &json!(1)), "{told}");
    // The archive's first line names no programs.
    assert_eq!(told["without_forks"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!((&told["without_look"], &told["without_execs"]), (&json!([]), &json!([])), "{told}");
    let told = summary(&[row(1, "file_open", 4, 0)], ledger())?;
    assert_eq!(told["without_fork"], 1, "{told}");
    assert_eq!(told["without_look"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["without_execs"].as_array().map(Vec::len), Some(1), "{told}");
    let mut in_ticks = whole_ledger();
    in_ticks[2].detail = Some("{\"descriptors_unseen\":0,\"exact\":false}".into());
    let looked = Event { cpu: -1, ..row(1, "running_process", 1, 0) };
    let told = summary(&[looked], in_ticks)?;
    assert_eq!((&told["starts_in_ticks"], &told["ran_before"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!(told["without_look"].as_array().map(Vec::len), Some(1), "{told}");
    for (hook, is_gap) in [("bprm_committed_creds", true), ("file_open", false)] {
        let policy = json!({"hooks": ["bprm_committed_creds", "file_open"], "suppressing": {"dedupe": [hook]}});
        let mut suppressed = whole_ledger();
        suppressed[1].detail = Some(policy.to_string());
        suppressed.push(LedgerEntry { cause: Some("dedupe".into()), ..entry(50, "suppressed", None) });
        assert_eq!(summary(&forked, suppressed)?["gaps"] != json!([]), is_gap, "{hook}");
    }
    let mut skipped = whole_ledger();
    skipped.push(LedgerEntry { cause: Some("fork".into()), count: Some(2), ..entry(50, "skipped", None) });
    let told = summary(&forked, skipped)?;
    assert_eq!((&told["gaps"][0]["cause"], &told["gaps"][0]["lost"]), (&json!("fork"), &json!(2)), "{told}");
    Ok(())
}

#[test]
fn a_doubtful_or_a_missing_digest_is_told_in_every_format() -> Result<()> {
    let doubted = |event: Event| Event { digest_doubt: vec!["not_revalidated".into()], ..digested(event, NEW) };
    let lacking = |reason: &str| Event {
        digest_status: "unavailable".into(),
        digest_reason: Some(reason.into()),
        ..row(7, "bprm_check_security", 6, 1)
    };
    let events = [
        row(1, "running_process", 1, 0),
        row(2, "sched_process_fork", 4, 1),
        doubted(row(3, "bprm_check_security", 4, 1)),
        row(4, "sched_process_fork", 5, 1),
        doubted(row(5, "bprm_check_security", 5, 1)),
        // User space read the file again, and is certain.
        Event { cpu: -1, ref_cpu: Some(0), ref_seq: Some(5), ..digested(row(6, "user_digest", 5, 1), OLD) },
        lacking("too_large"),
    ];
    let (_, output) = of(&events, whole_ledger(), &["--format", "json"])?;
    let lines = json_lines(&output);
    let file = |place: usize| &lines[place]["programs"][0]["files"][0];
    assert_eq!((&file(1)["digest"], &file(1)["digest_doubt"]), (&json!(NEW), &json!(["not_revalidated"])), "{output}");
    assert_eq!((&file(2)["digest"], &file(2)["digest_doubt"]), (&json!(OLD), &json!([])), "{output}");
    let summary = &lines[lines.len() - 1];
    assert_eq!(
        (&summary["programs_doubtful"], &summary["programs_without_digest"]),
        (&json!(1), &json!(1)),
        "{summary}"
    );
    let (_, table) = of(&events, whole_ledger(), &[])?;
    let marked = table.lines().filter(|line| line.contains("(digest doubtful: not_revalidated)"));
    assert!(marked.map(|line| line.contains("/bin/4 ")).eq([true]), "{table}");
    let (_, csv) = of(&events, whole_ledger(), &["--format", "csv"])?;
    let marked = csv.lines().filter(|line| line.contains(&format!("{NEW},not_revalidated,")));
    assert_eq!(marked.count(), 1, "{csv}");
    let whole = [&events[..6], &[lacking("no_file")]].concat();
    let (_, output) = of(&whole, whole_ledger(), &["5", "--format", "json"])?;
    let lines = json_lines(&output);
    let summary = &lines[lines.len() - 1];
    assert_eq!(
        (&summary["programs_doubtful"], &summary["programs_without_digest"]),
        (&json!(0), &json!(0)),
        "{summary}"
    );
    Ok(())
}

#[test]
fn the_lines_of_a_tree_are_not_sorted() -> Result<()> {
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), &[row(1, "running_process", 1, 0)], 100, whole_ledger())?;
    for line in [&["tree"][..], &["who", "/bin/*"]] {
        let sorted = [line, &["--sort", "pid"]].concat();
        assert!(query(directory.path(), &sorted).is_err(), "{line:?}");
        assert!(query(directory.path(), &[&sorted, &["--format", "csv"][..]].concat()).is_ok(), "{line:?}");
    }
    Ok(())
}

#[test]
fn whoever_ran_a_digest_or_a_path_is_found_with_its_ancestors() -> Result<()> {
    let events = [
        row(1, "running_process", 1, 0),
        row(2, "sched_process_fork", 4, 1),
        digested(row(3, "bprm_check_security", 4, 1), NEW),
        row(4, "bprm_committed_creds", 4, 1),
        row(5, "sched_process_fork", 5, 4),
        row(6, "sched_process_fork", 6, 1),
        row(7, "bprm_check_security", 6, 1),
        Event { cpu: -1, ref_cpu: Some(0), ref_seq: Some(7), ..digested(row(8, "user_digest", 6, 1), OLD) },
    ];
    let pids = |arguments: &[&str]| -> Result<Vec<(i64, bool)>> {
        let (_, output) = of(&events, whole_ledger(), &[&["--format", "json"], arguments].concat())?;
        let lines = json_lines(&output);
        let lines = lines.iter().filter(|line| line["type"] == "process");
        Ok(lines.map(|line| (line["pid"].as_i64().unwrap_or(0), line["asked"] == true)).collect())
    };
    assert_eq!(pids(&["--digest", NEW])?, [(1, false), (4, true), (5, true)]);
    assert_eq!(pids(&["--digest", OLD])?, [(1, false), (6, true)], "by the row of user space");
    assert_eq!(pids(&["--path", "/bin/6"])?, [(1, false), (6, true)]);
    assert_eq!(pids(&["4", "--path", "/bin/6"])?, []);
    assert_eq!(
        pids(&["--since", "2026-01-02T00:00:05Z", "--until", "2026-01-02T00:00:06Z"])?,
        [(1, false), (4, false), (5, true)]
    );
    Ok(())
}

#[test]
fn a_process_that_was_looked_at_in_ticks_is_the_one_of_other_rows() -> Result<()> {
    const TICK_NS: i64 = 10_000_000;
    let looked = |second, pid, ppid| Event { cpu: -1, ..row(second, "running_process", pid, ppid) };
    let exact = TICK_NS + 123;
    let events = [
        Event { process_start_ns: 0, ..looked(1, 1, 0) },
        Event { process_start_ns: TICK_NS, parent_start_ns: 0, ..looked(2, 4, 1) },
        Event { process_start_ns: exact, parent_start_ns: 5, ..row(3, "file_open", 4, 1) },
        Event { process_start_ns: 2 * TICK_NS, parent_start_ns: exact, ..row(4, "sched_process_fork", 5, 4) },
    ];
    let mut ledger = whole_ledger();
    ledger[2].detail = Some("{\"descriptors_unseen\":0,\"exact\":false}".into());
    let (_, output) = of(&events, ledger, &["--format", "json"])?;
    let lines = json_lines(&output);
    let tree: Vec<Value> = lines[..lines.len() - 1]
        .iter()
        .map(|line| json!([line["pid"], line["process_start_ns"], line["depth"], line["ran_before"]]))
        .collect();
    assert_eq!(
        tree,
        [json!([1, 5, 0, true]), json!([4, exact, 1, true]), json!([5, 2 * TICK_NS, 2, false])],
        "{output}"
    );
    assert_eq!(lines[3]["starts_in_ticks"], 0, "{output}");
    Ok(())
}

#[test]
fn rows_that_contradict_each_other_end_and_are_told() -> Result<()> {
    let events = [
        row(1, "sched_process_fork", 4, 4),
        row(2, "sched_process_fork", 6, 5),
        row(3, "sched_process_fork", 7, 6),
        row(4, "sched_process_fork", 5, 7),
        row(5, "sched_process_fork", 3, 7),
    ];
    let (problem, output) = of(&events, whole_ledger(), &["--format", "json"])?;
    let lines = json_lines(&output);
    let tree: Vec<(i64, i64, &Value)> = lines[..lines.len() - 1]
        .iter()
        .map(|line| (line["pid"].as_i64().unwrap_or(0), line["depth"].as_i64().unwrap_or(-1), &line["root"]))
        .collect();
    let (circle, none) = (json!("circle"), Value::Null);
    assert_eq!(tree, [(4, 0, &circle), (5, 0, &circle), (6, 1, &none), (7, 2, &none), (3, 3, &none)]);
    assert!(problem && lines[lines.len() - 1]["complete"] == false, "{output}");
    Ok(())
}
