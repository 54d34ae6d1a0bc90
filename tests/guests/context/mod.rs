//! The context of a recording: what ran and wrote before it, forks, containers, and digests that user space takes.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{integer, text};
use serde_json::Value;

/// The one row of a process under this hook.
fn row_of(context: &Scenario, hook: &str, pid: i64, condition: &str) -> Value {
    let mut rows =
        context.rows(&format!("SELECT * FROM events WHERE hook = '{hook}' AND pid = {pid} AND ({condition})"));
    assert_eq!(rows.len(), 1, "{hook} of {pid} with {condition}: {rows:#?}");
    rows.remove(0)
}

on_guests!(what_ran_before_is_in_the_archive);
fn what_ran_before_is_in_the_archive(guest: Guest) {
    let context = guest.scenario("context");
    let early = row_of(&context, "running_process", context.number("early"), "true");
    assert_eq!(text(&early, "path"), "/data/work/context/busybox-early", "{early}");
    assert_eq!(text(&early, "exe"), "/data/work/context/busybox-early", "{early}");
    let start_ns = integer(&early, "process_start_ns");
    assert_eq!(start_ns / 10_000_000, context.number("early_start_ticks"), "{early}");
    // A start in whole ticks would be one of a hundred thousand.
    assert_ne!(start_ns % 10_000_000, 0, "{early}");
    let jailed = row_of(&context, "running_process", context.number("jailed"), "true");
    assert_eq!(text(&jailed, "path"), "/bin/busybox-jailed", "{jailed}");
    assert_eq!(integer(&jailed, "root_ino"), context.number("jail_ino"), "{jailed}");
    let kernel = row_of(&context, "running_process", 2, "true");
    assert_eq!((text(&kernel, "comm"), &kernel["ino"]), ("kthreadd", &Value::Null), "{kernel}");
    assert_eq!(context.count("SELECT count(*) FROM events WHERE hook = 'running_process' AND pid = 1"), 1);
}

on_guests!(a_tree_joins_forks_to_what_ran_before);
fn a_tree_joins_forks_to_what_ran_before(guest: Guest) {
    let context = guest.scenario("context");
    let early = context.number("early");
    let children = context.count(&format!(
        "SELECT count(*) FROM events fork JOIN events parent \
         ON fork.ppid = parent.pid AND fork.parent_start_ns = parent.process_start_ns \
         WHERE fork.hook = 'sched_process_fork' AND parent.hook = 'running_process' AND parent.pid = {early}"
    ));
    assert!(children >= 1, "no child of {early}");
}

on_guests!(descriptors_and_mappings_that_can_write_are_in_the_archive);
fn descriptors_and_mappings_that_can_write_are_in_the_archive(guest: Guest) {
    let context = guest.scenario("context");
    let (early, mapper) = (context.number("early"), context.number("mapper"));
    let held = row_of(&context, "open_descriptor", early, "path = '/data/work/context/held'");
    let open_for_append = 0o2001;
    assert_eq!(integer(&held, "open_flags") & 0o2003, open_for_append, "{held}");
    assert_eq!(held["mmap_prot"], Value::Null, "{held}");
    let dropped = row_of(&context, "open_descriptor", early, "list_contains(path_flags, 'deleted')");
    assert_eq!(text(&dropped, "path"), "/data/work/context/dropped", "{dropped}");
    let mapped = row_of(&context, "open_descriptor", mapper, "path = '/data/work/context/mapped'");
    assert_eq!(mapped["mmap_prot"], 3, "{mapped}");
    let recorder = context.number("recorder");
    let own = format!("SELECT count(*) FROM events WHERE hook = 'open_descriptor' AND pid = {recorder}");
    assert_eq!(context.count(&own), 0);

    let looks = context.rows("SELECT detail FROM ledger WHERE kind = 'snapshot'");
    assert_eq!(looks.len(), 1, "{looks:#?}");
    let detail: Value = serde_json::from_str(text(&looks[0], "detail")).expect("the detail is JSON");
    for (name, hook) in [("processes", "running_process"), ("descriptors", "open_descriptor")] {
        let rows = context.count(&format!("SELECT count(*) FROM events WHERE hook = '{hook}'"));
        assert_eq!(integer(&detail, name), rows, "{detail}");
    }
    assert_eq!((&detail["descriptors_unseen"], &detail["exact"]), (&0.into(), &Value::Null), "{detail}");
}

on_guests!(a_container_is_known_by_its_cgroup);
fn a_container_is_known_by_its_cgroup(guest: Guest) {
    let context = guest.scenario("context");
    let id = context.fact("container");
    let before = row_of(&context, "running_process", context.number("contained"), "true");
    assert_eq!(text(&before, "container_id"), id, "{before}");
    let runs = context.events_in(
        &context.act("contained"),
        "hook = 'bprm_committed_creds' AND path = '/data/work/context/contained'",
    );
    assert_eq!(runs.len(), 1, "{runs:#?}");
    assert_eq!(text(&runs[0], "container_id"), id, "{}", runs[0]);
    let early = row_of(&context, "running_process", context.number("early"), "true");
    assert_eq!(early["container_id"], Value::Null, "{early}");
}

on_guests!(executables_of_the_snapshot_have_digests_of_user_space);
fn executables_of_the_snapshot_have_digests_of_user_space(guest: Guest) {
    let context = guest.scenario("context");
    let rows = context.rows(
        "SELECT digest.* FROM events digest JOIN events running \
         ON digest.ref_cpu = running.cpu AND digest.ref_seq = running.seq \
         WHERE digest.hook = 'user_digest' AND running.hook = 'running_process' \
         AND running.path = '/data/work/context/busybox-early'",
    );
    assert_eq!(rows.len(), 1, "one for the two processes: {rows:#?}");
    assert_eq!(text(&rows[0], "digest"), context.fact("early_digest"), "{}", rows[0]);
    assert_eq!((text(&rows[0], "digest_source"), text(&rows[0], "digest_algorithm")), ("user", "sha256"));
    let version = context.rows("SELECT * FROM files WHERE path = '/data/work/context/busybox-early'");
    assert_eq!(version.len(), 1, "{version:#?}");
    assert_eq!((integer(&version[0], "runs"), integer(&version[0], "attempts")), (0, 0), "{}", version[0]);
}

/// The digests that user space took for the open of an act.
fn digests_for(context: &Scenario, act: &str) -> Vec<Value> {
    let act = context.act(act);
    context.rows(&format!(
        "SELECT digest.* FROM events digest JOIN events opened \
         ON digest.ref_cpu = opened.cpu AND digest.ref_seq = opened.seq \
         WHERE digest.hook = 'user_digest' AND opened.hook = 'file_open' AND opened.path = '{}' \
         AND opened.boot_ns BETWEEN {} AND {}",
        act.path, act.before_ns, act.after_ns
    ))
}

on_guests!(an_open_that_the_kernel_cannot_hash_is_hashed_by_user_space: linux_6_1, linux_6_1_tcb, linux_6_12, linux_7);
fn an_open_that_the_kernel_cannot_hash_is_hashed_by_user_space(guest: Guest) {
    let context = guest.scenario("context");
    let (kept, replaced) = (digests_for(&context, "kept"), digests_for(&context, "replaced"));
    if guest.has_file_post_open() {
        assert_eq!((kept.len(), replaced.len()), (0, 0), "the kernel did it: {kept:#?} {replaced:#?}");
        return;
    }
    assert_eq!((kept.len(), replaced.len()), (1, 1), "{kept:#?} {replaced:#?}");
    assert_eq!(text(&kept[0], "digest"), context.act("kept").digest, "{}", kept[0]);
    assert_eq!(text(&replaced[0], "digest_reason"), "file_moved", "{}", replaced[0]);
    assert_eq!(replaced[0]["digest"], Value::Null, "{}", replaced[0]);
}

on_guests!(each_process_has_the_id_of_the_container_that_it_is_in: linux_6_1, linux_6_12, linux_7);
fn each_process_has_the_id_of_the_container_that_it_is_in(guest: Guest) {
    let containers = guest.scenario("containers");
    let mut checked = 0;
    for fact in containers.table("facts.tsv") {
        let Some(label) = fact[0].strip_prefix("container:") else { continue };
        let expected = Some(fact[1].as_str()).filter(|id| *id != "none");
        let rows = containers.rows(&format!(
            "SELECT DISTINCT container_id FROM events WHERE hook = 'bprm_check_security' \
             AND path = '/data/work/containers/{label}'"
        ));
        assert_eq!(rows.len(), 1, "rows of `{label}`: {rows:#?}");
        assert_eq!(rows[0]["container_id"].as_str(), expected, "the container of `{label}`");
        checked += 1;
    }
    assert_eq!(checked, 15, "programs that the scenario ran");
}
