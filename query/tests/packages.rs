//! What the package manager's database says of a change: each answer, and each reason why there is none.

mod rpm;

use super::attribution::{act, covering_ledger};
use super::*;
use hashtrail::packages::{PackageFile, Snapshot};
use hashtrail::seal::LooseFile;

const PATH: &str = "/usr/bin/tool";
const THIRD: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

/// A look at the database.
#[derive(Clone)]
struct Taken {
    second: i64,
    rows: Vec<PackageFile>,
    told: Snapshot,
    /// Until when nothing changed.
    until: i64,
}

impl Taken {
    /// The first one, which has all.
    fn first(rows: &[PackageFile]) -> Self {
        let told =
            Snapshot { full: true, settled: true, packages: 1, managers: vec!["dpkg".into()], ..Snapshot::default() };
        Self { second: 1, rows: rows.to_vec(), told, until: 50 }
    }

    /// What changed since.
    fn next(number: i32, second: i64, rows: &[PackageFile]) -> Self {
        let told = Snapshot { snapshot: number, settled: true, ..Snapshot::default() };
        Self { second, rows: rows.to_vec(), told, until: second + 1 }
    }

    fn entries(&self) -> [LedgerEntry; 2] {
        let ns = |second: i64| Some(second * 1_000_000_000);
        let detail = serde_json::to_string(&self.told).ok();
        let taken = LedgerEntry {
            cause: Some("snapshot".into()),
            from_ns: ns(self.second),
            to_ns: ns(self.second + 1),
            count: i64::try_from(self.rows.len()).ok(),
            ..entry(self.second + 1, "packages", detail.as_deref())
        };
        let detail = json!({ "snapshot": self.told.snapshot }).to_string();
        let unchanged = LedgerEntry {
            cause: Some("unchanged".into()),
            to_ns: ns(self.until),
            ..entry(self.until, "packages", Some(&detail))
        };
        [taken, unchanged]
    }
}

/// The tool as a package's file, in this version.
fn owned(version: &str, status: &str, digest: Option<&str>) -> PackageFile {
    PackageFile {
        manager: "dpkg".into(),
        package: "tools".into(),
        version: Some(version.into()),
        architecture: Some("amd64".into()),
        state: Some("installed".into()),
        path: Some("/bin/tool".into()),
        real_path: Some(PATH.into()),
        stated_algorithm: Some("md5".into()),
        stated_digest: Some(format!("md5 of {version}")),
        status: status.into(),
        digest_algorithm: digest.map(|_| "sha256".into()),
        digest: digest.map(str::to_owned),
        dev: digest.map(|_| "8:1".into()),
        ..PackageFile::default()
    }
}

/// Another package, which says nothing of the tool.
fn other() -> PackageFile {
    let (path, real_path) = (Some("/bin/other".into()), Some("/usr/bin/other".into()));
    PackageFile { package: "others".into(), path, real_path, ..owned("7", "ok", Some(THIRD)) }
}

/// The tool changes at second 30; `sees` may change what is seen.
fn events(sees: impl Fn(Event) -> Event) -> Vec<Event> {
    let seen = |second, ino, digest| {
        let at = Event { path: Some(PATH.into()), parent_ino: Some(50), ..event(second, "mmap_file", Some(digest)) };
        sees(Event { ino: Some(ino), ..at })
    };
    let by = |event| Event { comm: "dpkg".into(), parent_comm: "apt".into(), ..event };
    vec![seen(20, 12, OLD), by(act(25, "inode_unlink", 12, PATH)), seen(30, 13, NEW)]
}

/// Arguments, and what is asked with them.
fn ask(events: &[Event], taken: &[Taken], told: &[LedgerEntry], arguments: &[&str]) -> Result<(bool, String)> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"recording_id": ID, "host": "web", "time": "2026-01-02T00:00:00Z"}))])?;
    let mut ledger = covering_ledger(90);
    for one in taken {
        let name =
            SegmentName { recording_id: ID.into(), host: "web".into(), segment: one.told.snapshot.cast_unsigned() };
        let time = Micros((START + one.second) * 1_000_000);
        let mut file = LooseFile::<PackageFile>::create(&archive, name, time)?;
        for row in one.rows.clone() {
            let (recording_id, host, snapshot) = (ID.to_owned(), "web".to_owned(), one.told.snapshot);
            let row = PackageFile { recording_id, host, snapshot, time, boot_ns: one.second * 1_000_000_000, ..row };
            file.push(time, &row.view())?;
        }
        file.place(&archive, &mut manifest)?;
        ledger.extend(one.entries());
    }
    ledger.extend_from_slice(told);
    let context = VersionContext {
        host_root_dev: "8:1".into(),
        host_root_ino: 2,
        commits_recorded: true,
        ..VersionContext::default()
    };
    let name = SegmentName { recording_id: ID.into(), host: "web".into(), segment: 0 };
    let counts = counts(events);
    seal(&archive, &mut manifest, &name, &context, events.to_vec(), ledger)?;
    manifest.append(&[("stop", json!({"recording_id": ID, "state": "SEALED", "counts": counts}))])?;
    let (found, problem, output) = query(directory.path(), arguments)?;
    assert!(!problem, "{output}");
    Ok((found, output))
}

/// The change of the tool, as these looks have it.
fn change(taken: &[Taken]) -> Result<Value> {
    change_in(&events(|event| event), taken, &[])
}

fn change_in(events: &[Event], taken: &[Taken], told: &[LedgerEntry]) -> Result<Value> {
    let (_, output) = ask(events, taken, told, &["changes", "--format", "json"])?;
    Ok(json_lines(&output).into_iter().find(|row| row["type"] == "change").expect("a change"))
}

/// What is said about packages in one word each, and why nothing more is known.
fn words(change: &Value) -> (Vec<&str>, &str) {
    let verdicts = change["verdicts"].as_array().expect("a list").iter();
    let words = verdicts.filter_map(|verdict| verdict["verdict"].as_str());
    let packages = words.filter(|word| ["unpackaged", "not_the_packages_digest"].contains(word)).collect();
    (packages, change["package_unknown"].as_str().unwrap_or_default())
}

fn verdict(change: &Value) -> &Value {
    change["verdicts"].as_array().and_then(|verdicts| verdicts.last()).expect("a verdict")
}

#[test]
pub(super) fn a_path_that_no_package_lists_is_nobodys() -> Result<()> {
    let found = change(&[Taken::first(&[other()])])?;
    assert_eq!((words(&found), &found["package"]), ((vec!["unpackaged"], ""), &Value::Null));
    let found = verdict(&found);
    let says = "no package owns the path: the host's dpkg database said so from 2026-01-02T00:00:01.000000Z to \
                2026-01-02T00:00:50.000000Z";
    assert_eq!(found["says"], says);
    let look = &found["evidence"][1];
    assert_eq!(
        (&look["table"], &look["snapshot"], &look["columns"]["rows"]),
        (&json!("packages"), &json!(0), &json!(0))
    );
    Ok(())
}

#[test]
fn another_content_than_the_packages_is_told_with_the_row_that_says_so() -> Result<()> {
    let found = change(&[Taken::first(&[owned("1", "ok", Some(OLD)), other()])])?;
    assert_eq!(words(&found), (vec!["not_the_packages_digest"], ""));
    assert_eq!((&found["package"]["package"], &found["package"]["matches"]), (&json!("tools"), &json!(false)));
    let found = verdict(&found);
    assert!(
        found["says"].as_str().is_some_and(|says| says.starts_with("owned by tools 1, but the digest is not")),
        "{found}"
    );
    assert_eq!((&found["evidence"][0]["seq"], &found["evidence"][1]["columns"]["digest"]), (&json!(30), &json!(OLD)));
    // The recorder itself read the content there, and it is not what the database states.
    let found = change(&[Taken::first(&[owned("1", "differs", Some(NEW))])])?;
    assert_eq!(words(&found), (vec!["not_the_packages_digest"], ""));
    assert!(verdict(&found)["says"].as_str().is_some_and(|says| says.contains("the recorder read this content")));
    Ok(())
}

#[test]
pub(super) fn a_new_version_of_a_package_is_told_with_who_brought_it() -> Result<()> {
    let first = Taken { until: 22, ..Taken::first(&[owned("1", "ok", Some(OLD)), other()]) };
    let upgraded = Taken::next(1, 35, &[owned("2", "ok", Some(NEW))]);
    let found = change(&[first.clone(), upgraded.clone()])?;
    assert_eq!(words(&found), (Vec::new(), ""));
    let package = &found["package"];
    assert_eq!(package["says"], "package tools 1 to 2 at 2026-01-02T00:00:25.000000Z by dpkg (apt)");
    assert_eq!((&package["matches"], &package["previous"]["version"]), (&json!(true), &json!("1")));
    // Another content than either version's.
    let found = change(&[first.clone(), Taken::next(1, 35, &[owned("2", "ok", Some(THIRD))])])?;
    let (found, reason) = words(&found);
    assert!(found.is_empty() && reason.contains("neither version"), "{reason}");
    // It was taken away, and installed.
    let gone = PackageFile { status: "removed".into(), path: None, real_path: None, ..owned("1", "ok", None) };
    let says = |taken: &[Taken]| -> Result<String> {
        Ok(change(taken)?["package"]["says"].as_str().unwrap_or_default().to_owned())
    };
    let span = |old: &str, new: &str| {
        let times = ["2026-01-02T00:00:01.000000Z", "2026-01-02T00:00:35.000000Z"];
        format!("owned by {old} at {}, and by {new} at {}, as the host's dpkg database said then", times[0], times[1])
    };
    assert_eq!(says(&[first.clone(), Taken::next(1, 35, &[gone])])?, span("tools 1", "no package"));
    let before = Taken { until: 22, ..Taken::first(&[other()]) };
    assert_eq!(says(&[before, upgraded.clone()])?, span("no package", "tools 2"));
    // What was there before the upgrade was not made by it, and who else was at work is not left out.
    let arguments = ["changes", "--first-seen", "--format", "json"];
    let (_, output) = ask(&events(|event| event), &[first.clone(), upgraded.clone()], &[], &arguments)?;
    let seen = json_lines(&output).swap_remove(0);
    assert_eq!((&seen["kind"], &seen["package"]["version"]), (&json!("first_seen"), &json!("1")), "{seen}");
    let says = "owned by tools 1: the host's dpkg database said so from 2026-01-02T00:00:01.000000Z to \
                2026-01-02T00:00:22.000000Z";
    assert_eq!((&seen["package"]["says"], &seen["package"]["previous"]), (&json!(says), &Value::Null));
    let early = Taken { until: 15, ..first.clone() };
    let (_, output) = ask(&events(|event| event), &[early, upgraded.clone()], &[], &arguments)?;
    let seen = json_lines(&output).swap_remove(0);
    let expected = (&json!(span("tools 1", "tools 2")), &Value::Null);
    assert_eq!((&seen["package"]["says"], &seen["package"]["previous"]), expected);
    let with_other = [events(|event| event), vec![Event { pid: 8, ..act(26, "inode_unlink", 12, PATH) }]].concat();
    let found = change_in(&with_other, &[first, upgraded], &[])?;
    let says = "package tools 1 to 2 after 2026-01-02T00:00:20.000000Z and before 2026-01-02T00:00:30.001000Z; who can have \
                done it: cp (), dpkg (apt)";
    assert_eq!(found["package"]["says"], says);
    Ok(())
}

#[test]
fn an_older_version_that_is_put_back_is_not_the_packages() -> Result<()> {
    let first = Taken { until: 5, ..Taken::first(&[owned("1", "ok", Some(NEW)), other()]) };
    let second = Taken { until: 50, ..Taken::next(1, 10, &[owned("2", "ok", Some(OLD))]) };
    let found = change(&[first, second])?;
    assert_eq!(words(&found), (vec!["not_the_packages_digest"], ""));
    assert_eq!(found["package"]["version"], "2");
    Ok(())
}

#[test]
fn where_nobody_can_tell_there_is_no_verdict_but_a_reason() -> Result<()> {
    let tools = |status, digest| owned("1", status, digest);
    let ok = || Taken::first(&[tools("ok", Some(OLD))]);
    let told =
        |told: Snapshot| Taken { told: Snapshot { full: true, settled: true, ..told }, ..Taken::first(&[other()]) };
    let rpm = Snapshot { not_covered: vec!["rpm (/var/lib/rpm)".into()], ..Snapshot::default() };
    let unread = Snapshot { problem_count: 3, problems: vec!["a line".into()], ..Snapshot::default() };
    let configuration = PackageFile { is_configuration: true, ..tools("ok", Some(OLD)) };
    let half = PackageFile { state: Some("unpacked".into()), ..tools("ok", Some(OLD)) };
    let elsewhere = PackageFile { dev: Some("8:9".into()), ..tools("ok", Some(OLD)) };
    let busy = Taken { told: Snapshot { full: true, ..Snapshot::default() }, ..ok() };
    let two = PackageFile { package: "second".into(), ..owned("9", "ok", Some(OLD)) };
    let cases = [
        ("not looked at before", Taken { second: 31, ..ok() }),
        ("not looked at any more", Taken { until: 29, ..ok() }),
        ("at work at each look", busy),
        ("not covered: rpm", told(rpm)),
        ("3 part(s) of the database could not be read: a line", told(unread)),
        ("ended as `budget`", Taken::first(&[tools("budget", None)])),
        ("configuration file", Taken::first(&[configuration])),
        ("not installed whole: unpacked", Taken::first(&[half])),
        ("another filesystem", Taken::first(&[elsewhere])),
        ("not one package alone", Taken::first(&[tools("ok", Some(OLD)), two])),
    ];
    for (reason, taken) in cases {
        let found = change(&[taken])?;
        let (words, unknown) = words(&found);
        assert!(words.is_empty() && unknown.contains(reason), "{reason}: {words:?} {unknown}");
    }
    assert_eq!(words(&change(&[])?), (Vec::new(), "the recording has no package baseline"));
    Ok(())
}

#[test]
fn a_path_of_another_root_or_an_algorithm_that_does_not_fit_is_no_packages() -> Result<()> {
    let taken = [Taken::first(&[owned("1", "ok", Some(OLD))])];
    let in_container = events(|event| Event { root_ino: 99, ..event });
    assert!(words(&change_in(&in_container, &taken, &[])?).1.contains("not one of the host's own root"));
    let by_sha1 = events(|event| Event { digest_algorithm: Some("sha1".into()), ..event });
    let found = change_in(&by_sha1, &taken, &[])?;
    assert_eq!(words(&found), (Vec::new(), "the digest is one of sha1, and those of packages were taken by sha256"));
    assert_eq!(found["package"]["matches"], Value::Null);
    Ok(())
}

#[test]
fn why_there_is_no_baseline_is_told() -> Result<()> {
    let told =
        |cause: &str, detail: &str| LedgerEntry { cause: Some(cause.into()), ..entry(5, "packages", Some(detail)) };
    let reason =
        |entry| -> Result<String> { Ok(words(&change_in(&events(|event| event), &[], &[entry])?).1.to_owned()) };
    assert_eq!(reason(told("off", "{}"))?, "the recording was made with --no-packages");
    assert!(reason(told("none", "{}"))?.contains("no database of a package manager"));
    assert_eq!(
        reason(told("none", "{\"not_covered\":[\"rpm (/x)\"]}"))?,
        "the host's package manager is not covered: rpm (/x)"
    );
    assert_eq!(reason(told("failed", "{\"error\":\"why\"}"))?, "the package baseline failed: why");
    assert_eq!(reason(told("failed", "not json"))?, "the package baseline failed: for no reason that is told");
    Ok(())
}

/// Somebody took rows away, or their file never came to its place.
#[test]
fn a_snapshot_that_is_not_whole_says_nothing() -> Result<()> {
    let mut one = Taken::first(&[other()]).entries();
    one[0].count = Some(2);
    let found = change_in(&events(|event| event), &[], &one)?;
    let expected = "snapshot 0 of the database has 2 row(s), and 0 are here";
    assert_eq!(words(&found), (Vec::new(), expected));
    Ok(())
}

#[test]
fn changes_are_asked_for_by_package() -> Result<()> {
    let taken = [Taken::first(&[owned("1", "ok", Some(OLD)), other()])];
    let ask = |name| ask(&events(|event| event), &taken, &[], &["changes", "--package", name, "--format", "json"]);
    let (found, output) = ask("tools")?;
    assert!(found && json_lines(&output).len() == 2, "{output}");
    let (found, output) = ask("others")?;
    assert!(!found && json_lines(&output)[0]["matching"] == 0, "{output}");
    Ok(())
}

/// Each command about paths, asked for the tool.
const QUESTIONS: [&[&str]; 8] = [
    &["changes"],
    &["who", PATH],
    &["timeline"],
    &["history", "/usr/**"],
    &["lookup", NEW],
    &["events", "--hook", "mmap_file"],
    &["rare"],
    &["diff", "--before", "2026-01-02T00:00:25Z"],
];

#[test]
fn every_command_about_paths_is_asked_for_by_package() -> Result<()> {
    let taken = [Taken::first(&[owned("1", "ok", Some(OLD)), other()])];
    let ask = |question: &[&str], taken: &[Taken], name: &str| -> Result<(usize, Value)> {
        let line = [question, &["--package", name, "--format", "json"]].concat();
        let mut rows = json_lines(&ask(&events(|event| event), taken, &[], &line)?.1);
        let summary = rows.pop().expect("a summary");
        Ok((rows.len(), summary))
    };
    for question in QUESTIONS {
        let whole = ask_plain(question, &taken)?;
        let (count, summary) = ask(question, &taken, "tools")?;
        // In a timeline the act at the path is of the package, too.
        assert_eq!((count, &summary["complete"]), (whole.0, &whole.1["complete"]), "{question:?}: {summary}");
        assert!(count > 0, "{question:?}");
        let (count, summary) = ask(question, &taken, "others")?;
        assert_eq!((count, &summary["complete"]), (0, &whole.1["complete"]), "{question:?}: {summary}");
        let (count, summary) = ask(question, &[], "tools")?;
        assert_eq!((count, &summary["complete"]), (0, &json!(false)), "{question:?}: {summary}");
        let told = [&summary["packages_unknown"], &summary["of_unknown_package"]];
        assert!(told.iter().any(|told| told.is_array() && *told != &json!([]) || **told == 1), "{summary}");
    }
    Ok(())
}

/// Without the filter.
fn ask_plain(question: &[&str], taken: &[Taken]) -> Result<(usize, Value)> {
    let mut rows = json_lines(&ask(&events(|event| event), taken, &[], &[question, &["--format", "json"]].concat())?.1);
    let summary = rows.pop().expect("a summary");
    Ok((rows.len(), summary))
}

#[test]
fn who_and_timeline_say_the_package_as_changes_does() -> Result<()> {
    let taken = [Taken::first(&[owned("1", "ok", Some(OLD)), other()])];
    let package = |line: &[&str], taken: &[Taken]| -> Result<(Value, Value)> {
        let (_, output) = ask(&events(|event| event), taken, &[], &[line, &["--format", "json"]].concat())?;
        let row = json_lines(&output).into_iter().find(|row| row["attribution"].is_string()).expect("a change");
        Ok((row["package"].clone(), row["package_unknown"].clone()))
    };
    let expected = package(&["changes"], &taken)?;
    assert_eq!(expected.0["package"], "tools");
    for line in [&["who", PATH][..], &["timeline"]] {
        assert_eq!(package(line, &taken)?, expected, "{line:?}");
        assert_eq!(package(line, &[])?, (Value::Null, json!("the recording has no package baseline")), "{line:?}");
        for format in ["table", "csv"] {
            let (_, output) =
                ask(&events(|event| event), &taken, &[], &[line, &["--full", "--format", format]].concat())?;
            assert!(output.contains("owned by tools 1: the host's dpkg database said so"), "{line:?}: {output}");
        }
    }
    Ok(())
}
