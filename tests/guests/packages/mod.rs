//! What a real dpkg and a real rpm did and say, against what the archive and the answers say of it.

use crate::support::guest::{Guest, on_guests};
use crate::support::scenario::Scenario;
use crate::support::{hashtrail, integer, json_lines, stdout_of, text};
use serde_json::{Value, json};
use std::fs;

fn change_of(packages: &Scenario, name: &str) -> Value {
    let mut changes = packages.changes(&path_of(name));
    assert_eq!(changes.len(), 1, "`{name}`: {changes:#?}");
    let change = changes.remove(0);
    assert_eq!(text(&change["to"], "digest"), packages.act(&format!("{name}-after")).digest, "as sha256sum has it");
    change
}

fn path_of(name: &str) -> String {
    format!("/data/work/packages/usr/bin/{name}")
}

/// The verdicts about packages, each with its doubts.
fn words(change: &Value) -> Vec<(&str, usize)> {
    let verdicts = change["verdicts"].as_array().expect("a list of verdicts").iter();
    let words = verdicts.map(|verdict| (text(verdict, "verdict"), verdict["doubts"].as_array().map_or(9, Vec::len)));
    words.filter(|(word, _)| ["unpackaged", "not_the_packages_digest"].contains(word)).collect()
}

/// Whether the process that the guest wrote down is among those who can have made a change.
fn is_named(packages: &Scenario, change: &Value, name: &str, exe: &str) -> bool {
    let pid = packages.number(&format!("{name}-pid"));
    let suspects = change["suspects"].as_array().expect("a list of suspects");
    suspects.iter().any(|suspect| integer(suspect, "pid") == pid && suspect["exe"] == exe)
}

on_guests!(an_upgrade_is_told_with_both_versions_and_who_made_it: linux_6_12);
fn an_upgrade_is_told_with_both_versions_and_who_made_it(guest: Guest) {
    let packages = guest.scenario("packages");
    assert_eq!(packages.fact("tool-owner"), "tools: /data/work/packages/bin/tool", "as dpkg has it");
    assert_eq!(packages.fact_in("versions.tsv", "tools"), "2", "as dpkg has it");
    let change = change_of(&packages, "tool");
    let package = &change["package"];
    assert_eq!((text(package, "package"), text(package, "version")), ("tools", "2"), "{package}");
    assert_eq!((&package["previous"]["version"], &package["matches"]), (&json!("1"), &json!(true)), "{package}");
    let says = text(package, "says");
    assert!(says.starts_with("package tools 1 to 2 at 20") && says.contains(" by dpkg ("), "{says}");
    assert_eq!((words(&change), &change["package_unknown"]), (Vec::new(), &Value::Null));
    assert!(is_named(&packages, &change, "tool", "/usr/bin/dpkg"), "{change:#}");
}

on_guests!(an_upgrade_by_rpm_is_told_with_both_versions_and_who_made_it: linux_6_12);
fn an_upgrade_by_rpm_is_told_with_both_versions_and_who_made_it(guest: Guest) {
    let packages = guest.scenario("packages");
    assert_eq!(packages.fact("rpmtool-rpm-owner"), "rpmtools", "as rpm has it");
    assert_eq!(packages.fact_in("rpm-versions.tsv", "rpmtools"), "2-1", "as rpm has it");
    let change = change_of(&packages, "rpmtool");
    let package = &change["package"];
    assert_eq!((text(package, "manager"), text(package, "version")), ("rpm", "2-1"), "{package}");
    assert_eq!((&package["previous"]["version"], &package["matches"]), (&json!("1-1"), &json!(true)), "{package}");
    let says = text(package, "says");
    assert!(says.starts_with("package rpmtools 1-1 to 2-1 at 20") && says.contains(" by rpm ("), "{says}");
    assert_eq!((words(&change), &change["package_unknown"]), (Vec::new(), &Value::Null));
    assert!(is_named(&packages, &change, "rpmtool", "/usr/bin/rpm"), "{change:#}");
}

on_guests!(a_file_of_rpms_that_was_tampered_with_is_told: linux_6_12);
fn a_file_of_rpms_that_was_tampered_with_is_told(guest: Guest) {
    let packages = guest.scenario("packages");
    let verified = fs::read_to_string(packages.file("rpm-verify.txt")).expect("what rpm --verify says");
    let fails: Vec<&str> = verified.lines().filter(|line| line.get(2..3) == Some("5")).collect();
    assert!(fails.len() == 1 && fails[0].ends_with("/data/work/packages/bin/rpmsteady"), "rpm --verify: {verified}");
    let change = change_of(&packages, "rpmsteady");
    assert_eq!(words(&change), [("not_the_packages_digest", 0)], "{change:#}");
    let stated = packages.fact_in("rpm-digests.tsv", "/data/work/packages/bin/rpmsteady");
    assert_eq!(stated, packages.act("rpmsteady-before").digest, "rpm states SHA-256");
    let verdicts = change["verdicts"].as_array().expect("a list of verdicts");
    let says = verdicts.iter().find(|verdict| verdict["verdict"] == "not_the_packages_digest").expect("the verdict");
    assert!(text(says, "says").contains(&format!("the database states {stated}")), "{says}");
    assert!(is_named(&packages, &change, "rpmsteady", "/bin/busybox"), "{change:#}");
}

on_guests!(a_file_of_a_package_that_was_tampered_with_is_told: linux_6_12);
fn a_file_of_a_package_that_was_tampered_with_is_told(guest: Guest) {
    let packages = guest.scenario("packages");
    let verified = fs::read_to_string(packages.file("verify.txt")).expect("what dpkg --verify says");
    let fails: Vec<&str> = verified.lines().filter(|line| line.get(2..3) == Some("5")).collect();
    assert!(fails.len() == 1 && fails[0].ends_with("/data/work/packages/bin/steady"), "dpkg --verify: {verified}");
    assert_eq!(packages.fact("steady-owner"), "steady: /data/work/packages/bin/steady");
    let change = change_of(&packages, "steady");
    assert_eq!(words(&change), [("not_the_packages_digest", 0)], "{change:#}");
    assert_eq!((&change["package"]["package"], &change["package"]["matches"]), (&json!("steady"), &json!(false)));
    assert_eq!(change["from"]["digest"], packages.act("steady-before").digest.as_str());
    assert!(is_named(&packages, &change, "steady", "/bin/busybox"), "{change:#}");
}

on_guests!(a_program_that_no_package_knows_is_told: linux_6_12);
fn a_program_that_no_package_knows_is_told(guest: Guest) {
    let packages = guest.scenario("packages");
    assert_eq!(packages.fact("dropped-owner"), "nobody", "as dpkg has it");
    assert!(packages.fact("dropped-rpm-owner").ends_with("is not owned by any package"), "as rpm has it");
    let change = change_of(&packages, "dropped");
    assert_eq!((words(&change), &change["package"]), (vec![("unpackaged", 0)], &Value::Null), "{change:#}");
    let says = "no package owns the path: the host's dpkg and rpm databases said so from 20";
    let verdicts = change["verdicts"].as_array().expect("a list of verdicts");
    assert!(verdicts.iter().any(|verdict| text(verdict, "says").starts_with(says)), "{change:#}");
    assert!(is_named(&packages, &change, "dropped", "/bin/busybox"), "{change:#}");
}

on_guests!(snapshots_have_what_dpkg_and_rpm_and_sha256sum_say: linux_6_12);
fn snapshots_have_what_dpkg_and_rpm_and_sha256sum_say(guest: Guest) {
    let packages = guest.scenario("packages");
    let rows = packages.rows(
        "SELECT snapshot, package, version, path, real_path, status, digest, CASE manager WHEN 'dpkg' THEN \
         regexp_matches(stated_digest, '^[0-9a-f]{32}$') ELSE stated_digest = digest END AS is_stated FROM packages WHERE path IS NOT NULL AND status <> 'link' ORDER BY snapshot, package",
    );
    let row = |row: &Value| {
        let path = text(row, "path").to_owned();
        assert_eq!(text(row, "real_path"), path.replace("/bin/", "/usr/bin/"), "{row}");
        assert_eq!(row["is_stated"], true, "{row}");
        let fields = ["package", "version", "status", "digest"].map(|name| text(row, name).to_owned());
        (integer(row, "snapshot"), fields)
    };
    let digest = |label: &str| packages.act(label).digest;
    let expected = [
        (0, ["rpmsteady".to_owned(), "1-1".into(), "ok".into(), digest("rpmsteady-before")]),
        (0, ["rpmtools".to_owned(), "1-1".into(), "ok".into(), digest("rpmtool-before")]),
        (0, ["steady".to_owned(), "1".into(), "ok".into(), digest("steady-before")]),
        (0, ["tools".to_owned(), "1".into(), "ok".into(), digest("tool-before")]),
        (1, ["rpmtools".to_owned(), "2-1".into(), "ok".into(), digest("rpmtool-after")]),
        (1, ["tools".to_owned(), "2".into(), "ok".into(), digest("tool-after")]),
    ];
    assert_eq!(rows.iter().map(row).collect::<Vec<_>>(), expected);
    // That the recorder runs is recorded; of its own reading nothing is.
    let own = "SELECT DISTINCT hook FROM events WHERE exe LIKE '%hashtrail-recorder' ORDER BY hook";
    let hooks: Vec<Value> = packages.rows(own).iter().map(|row| row["hook"].clone()).collect();
    assert_eq!(hooks, ["running_process", "user_digest"]);
}

on_guests!(changes_are_asked_for_by_package_and_the_archive_verifies: linux_6_12);
fn changes_are_asked_for_by_package_and_the_archive_verifies(guest: Guest) {
    let packages = guest.scenario("packages");
    let archive = packages.archive();
    let mut command = hashtrail();
    command.args(["changes", "--package", "tools", "--format", "json", "--archive"]).arg(&archive);
    let lines = json_lines(&stdout_of(&mut command));
    let paths: Vec<&str> = lines.iter().filter_map(|line| line["path"].as_str()).collect();
    assert_eq!(paths, [path_of("tool")]);
    let mut command = hashtrail();
    command.arg("verify").arg("--archive").arg(&archive);
    stdout_of(&mut command);
}
