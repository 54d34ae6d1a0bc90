//! Many tasks at once: no row mixes two of them, and none is lost without being counted.

use crate::support::guest::{Guest, on_guests};
use crate::support::integer;

on_guests!(two_tasks_on_one_cpu_never_mix);
fn two_tasks_on_one_cpu_never_mix(guest: Guest) {
    let pinned = guest.scenario("pinned");
    let execs = pinned.number("execs");
    for name in ["first", "second"] {
        let path = format!("/data/work/pinned/{name}");
        let digest = pinned.fact(name);
        for hook in ["bprm_check_security", "bprm_committed_creds"] {
            let rows = pinned.rows(&format!(
                "SELECT digest, count(*)::BIGINT AS events, count(DISTINCT cpu)::BIGINT AS cpus FROM events \
                 WHERE path = '{path}' AND hook = '{hook}' GROUP BY digest"
            ));
            assert_eq!(rows.len(), 1, "one digest for `{path}`: {rows:#?}");
            assert_eq!(rows[0]["digest"], digest, "the digest of `{path}`");
            assert_eq!(rows[0]["events"], execs / 2, "rows of `{path}` at {hook}");
            assert_eq!(rows[0]["cpus"], 1, "the tasks were pinned");
        }
        // The digest under any other path would be the same mistake, seen from the other side.
        let elsewhere = format!("SELECT count(*) FROM events WHERE digest = '{digest}' AND path <> '{path}'");
        assert_eq!(pinned.count(&elsewhere), 0, "rows with the digest of `{path}` and another path");
    }
}

on_guests!(sixteen_workers_lose_no_exec_uncounted);
fn sixteen_workers_lose_no_exec_uncounted(guest: Guest) {
    let parallel = guest.scenario("parallel");
    assert_eq!(parallel.number("execs"), 2000, "the scenario itself ran all its programs");
    // The policy asks for these execs only; beside them there are forks.
    let stored = parallel.count("SELECT count(*) FROM events WHERE hook = 'bprm_committed_creds'");
    let beside = parallel.count("SELECT count(*) FROM events WHERE policy IS NULL");
    let accounting = parallel.accounting();
    let dropped = integer(&accounting, "dropped");
    assert!(stored <= 2000 && stored + dropped >= 2000, "{stored} execs, {accounting}");
    assert_eq!(integer(&accounting, "stored"), stored + beside, "{accounting}");
    assert_eq!(integer(&accounting, "produced"), stored + beside + dropped, "{accounting}");
    assert_eq!(integer(&accounting, "missed"), 0, "{accounting}");
}

on_guests!(each_process_that_sixteen_workers_start_has_a_row);
fn each_process_that_sixteen_workers_start_has_a_row(guest: Guest) {
    let started = guest.scenario("parallel").count(
        "SELECT count(DISTINCT (pid, process_start_ns)) FROM events \
         WHERE hook = 'sched_process_fork' AND parent_comm = 'actor'",
    );
    assert_eq!(started, 2016, "the workers, and a process for each exec");
}

on_guests!(what_sixteen_workers_run_is_complete: linux_6_12, linux_6_12_tcb, linux_7, linux_7_tcb);
fn what_sixteen_workers_run_is_complete(guest: Guest) {
    let answer = guest.scenario("parallel").ask(&["changes", "/data/work/parallel/programs/1"]);
    assert_eq!(answer.len(), 1, "no change: {answer:#?}");
    assert_eq!(answer[0]["complete"], true, "{answer:#?}");
}

on_guests!(each_of_many_parallel_programs_has_its_own_digest);
fn each_of_many_parallel_programs_has_its_own_digest(guest: Guest) {
    let parallel = guest.scenario("parallel");
    let rows = parallel.rows(
        "SELECT DISTINCT path, digest FROM events WHERE path LIKE '/data/work/parallel/programs/%' ORDER BY path",
    );
    assert_eq!(rows.len(), 8, "eight programs, one digest each: {rows:#?}");
    for row in &rows {
        assert_eq!(row["digest"], parallel.fact(row["path"].as_str().expect("a path")), "{row}");
    }
}
