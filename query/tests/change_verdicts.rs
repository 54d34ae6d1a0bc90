//! What a change looks like: each verdict as a claim, as a doubt, and where it must not be given though nearly all is the same.

use super::attribution::{act, covering_ledger};
use super::*;
use std::slice::from_ref;

mod places;
mod runs;

const PATH: &str = "/usr/bin/tool";
const THIRD: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

/// What one recording holds.
#[derive(Clone)]
struct Recorded {
    host: &'static str,
    events: Vec<Event>,
    ledger: Vec<LedgerEntry>,
    /// Whether `bprm_committed_creds` was recorded.
    commits: bool,
}

impl Recorded {
    /// Without losses.
    fn of(events: &[Event]) -> Self {
        Self { host: "web", events: events.to_vec(), ledger: covering_ledger(90), commits: true }
    }

    /// With this in its ledger.
    fn and(mut self, entry: LedgerEntry) -> Self {
        self.ledger.insert(1, entry);
        self
    }

    fn seal(self, directory: &Path, id: &str) -> Result<()> {
        let Self { host, mut events, mut ledger, commits } = self;
        events.iter_mut().for_each(|event| (event.recording_id, event.host) = (id.into(), host.into()));
        ledger.iter_mut().for_each(|entry| (entry.recording_id, entry.host) = (id.into(), host.into()));
        events.sort_by_key(|event| event.boot_ns);
        let archive = Archive::create(directory)?;
        let mut manifest = Manifest::open(&archive, None)?;
        manifest.append(&[("start", json!({"recording_id": id, "host": host, "time": "2026-01-02T00:00:00Z"}))])?;
        let context = VersionContext {
            host_root_dev: "8:1".into(),
            host_root_ino: 2,
            commits_recorded: commits,
            ..VersionContext::default()
        };
        let name = SegmentName { recording_id: id.into(), host: host.into(), segment: 0 };
        let counts = counts(&events);
        seal(&archive, &mut manifest, &name, &context, events, ledger)?;
        manifest.append(&[("stop", json!({"recording_id": id, "state": "SEALED", "counts": counts}))])
    }
}

/// Time that was lost between the two observations.
fn lost() -> LedgerEntry {
    let (from_ns, to_ns) = (Some(22_000_000_000), Some(23_000_000_000));
    LedgerEntry { cause: Some("ring_full".into()), count: Some(3), from_ns, to_ns, ..entry(24, "loss", None) }
}

/// An observation of the file, whose times are of its own second.
fn seen(second: i64, ino: i64, digest: &str) -> Event {
    let mtime = Some(Micros((START + second) * 1_000_000));
    let at_path = Event {
        path: Some(PATH.into()),
        parent_ino: Some(50),
        mtime,
        ctime: mtime,
        ..event(second, "mmap_file", Some(digest))
    };
    Event { ino: Some(ino), ..at_path }
}

/// The same as an exec that succeeds a second later.
fn ran(observation: Event) -> [Event; 2] {
    let second = observation.seq;
    let checked = Event { hook: "bprm_check_security".into(), exec_id: Some(second), ..observation };
    let digest = None;
    let committed = Event {
        hook: "bprm_committed_creds".into(),
        seq: second + 1,
        boot_ns: (second + 1) * 1_000_000_000,
        time: Micros((START + second + 1) * 1_000_000),
        digest: digest.clone(),
        digest_algorithm: digest,
        digest_status: "not_requested".into(),
        ..checked.clone()
    };
    [checked, committed]
}

fn doubtful(observation: Event) -> Event {
    Event { digest_doubt: vec!["old".into()], ..observation }
}

/// The verdicts on the last change of these archives of one or more hosts.
fn verdicts(recorded: &[Recorded]) -> Result<Vec<Value>> {
    let directory = tempfile::tempdir()?;
    for (number, one) in recorded.iter().enumerate() {
        let id = format!("{number}1111111-0000-4000-8000-000000000000");
        one.clone().seal(&directory.path().join(number.to_string()), &id)?;
    }
    let (_, problem, output) = query(&directory.path().join("*"), &["changes", PATH, "--format", "json"])?;
    assert!(!problem, "{output}");
    let mut changes = json_lines(&output).into_iter().filter(|line| line["type"] == "change");
    let change = changes.next_back().unwrap_or_default();
    Ok(change["verdicts"].as_array().cloned().unwrap_or_default())
}

/// Their words; doubts end with a question mark and say why.
fn words(recorded: &Recorded) -> Result<Vec<String>> {
    Ok(verdicts(from_ref(recorded))?.iter().map(short).collect())
}

fn short(verdict: &Value) -> String {
    let is_doubt = verdict["doubts"].as_array().is_some_and(|doubts| !doubts.is_empty());
    let says = verdict["says"].as_str().expect("a sentence");
    assert_eq!(is_doubt, says.contains(" may "), "a doubt speaks as one: {verdict}");
    assert!(verdict["evidence"].as_array().is_some_and(|rows| !rows.is_empty()), "{verdict}");
    format!("{}{}", verdict["verdict"].as_str().expect("a word"), if is_doubt { "?" } else { "" })
}

/// The words on a change without losses.
fn on(events: &[Event]) -> Result<Vec<String>> {
    words(&Recorded::of(events))
}

/// The sequence numbers of a verdict's evidence, and a column of each of its rows.
fn rows_of(verdicts: &[Value], word: &str, column: &str) -> Vec<(i64, Value)> {
    let verdict = verdicts.iter().find(|verdict| verdict["verdict"] == word).unwrap_or_else(|| panic!("no {word}"));
    let rows = verdict["evidence"].as_array().expect("a list").iter();
    rows.map(|row| (row["seq"].as_i64().expect("a number"), row["columns"][column].clone())).collect()
}

#[test]
fn another_content_in_the_same_inode_was_changed_in_place() -> Result<()> {
    let change = [seen(10, 12, OLD), seen(20, 12, OLD), seen(30, 12, NEW)];
    assert_eq!(on(&change)?, ["changed_in_place"]);
    let rows = rows_of(&verdicts(&[Recorded::of(&change)])?, "changed_in_place", "digest");
    assert_eq!(
        rows,
        [(20, json!(OLD)), (30, json!(NEW))],
        "the last sight of the old one and the first of the new one"
    );
    assert_eq!(words(&Recorded::of(&change).and(lost()))?, ["changed_in_place?"]);
    let between = [change.to_vec(), vec![doubtful(seen(25, 12, THIRD))]].concat();
    assert_eq!(on(&between)?, ["changed_in_place?"], "nobody knows what stood there then");
    let unnumbered = change.clone().map(|event| Event { ino_generation: Some(0), ..event });
    assert_eq!(on(&unnumbered)?, ["changed_in_place?"], "the inode number may have been given again");
    let [first, second, third] = change;
    let next_boot = Event { boot_id: "boot2".into(), ..third };
    assert_eq!(on(&[first, second, next_boot])?, ["changed_in_place?"], "the number may mean another file");
    Ok(())
}

#[test]
fn another_inode_at_the_path_replaced_it() -> Result<()> {
    let change = [seen(20, 12, OLD), seen(30, 13, NEW)];
    assert_eq!(on(&change)?, ["replaced"]);
    let rows = rows_of(&verdicts(&[Recorded::of(&change)])?, "replaced", "ino");
    assert_eq!(rows, [(20, json!(12)), (30, json!(13))]);
    let says = |new: Event| -> Result<String> {
        let told = verdicts(&[Recorded::of(&[seen(20, 12, OLD), new])])?;
        Ok(told[0]["says"].as_str().unwrap_or_default().to_owned())
    };
    let stands = "inode 13 stands at the path, where inode 12 stood";
    assert!(says(seen(30, 13, NEW))?.ends_with(stands));
    let again = Event { ino_generation: Some(2), ..seen(30, 12, NEW) };
    let stands = "inode 12 (generation 2) stands at the path, where inode 12 (generation 1) stood";
    assert!(says(again.clone())?.ends_with(stands), "{}", says(again)?);
    let elsewhere = Event { dev: Some("8:99".into()), ..seen(30, 12, NEW) };
    assert!(
        says(elsewhere)?.ends_with("inode 12 of device 8:99 stands at the path, where inode 12 of device 8:1 stood")
    );
    assert_eq!(words(&Recorded::of(&change).and(lost()))?, ["replaced?"]);
    let over_one = change.clone().map(|event| Event { real_dev: Some("8:2".into()), real_ino: Some(70), ..event });
    assert_eq!(on(&over_one)?, ["replaced?"], "an overlay may number its files anew");
    let another = Event { digest_algorithm: Some("sha1".into()), ..seen(30, 13, NEW) };
    assert!(on(&[seen(20, 12, OLD), another])?.is_empty(), "digests that cannot be compared");
    assert!(on(&[seen(20, 12, OLD), seen(30, 13, OLD)])?.is_empty(), "no change at all");
    Ok(())
}

#[test]
fn an_mtime_from_before_the_old_content_was_read_was_set_back() -> Result<()> {
    let with = |ino, mtime: i64| {
        let mtime = Some(Micros((START + mtime) * 1_000_000));
        [seen(20, 12, OLD), Event { mtime, ..seen(30, ino, NEW) }]
    };
    let change = with(12, 5);
    assert_eq!(on(&change)?, ["changed_in_place", "mtime_set_back"]);
    let rows = rows_of(&verdicts(&[Recorded::of(&change)])?, "mtime_set_back", "mtime");
    assert_eq!(rows[1], (30, json!("2026-01-02T00:00:05.000000Z")));
    assert_eq!(words(&Recorded::of(&change).and(lost()))?, ["changed_in_place?", "mtime_set_back?"]);
    let step = |second| Recorded::of(&change).and(entry(second, "clock", Some("{\"step_ns\":-60000000000}")));
    assert_eq!(words(&step(31))?, ["changed_in_place", "mtime_set_back?"], "it is noted a second later");
    assert_eq!(words(&step(9))?, ["changed_in_place", "mtime_set_back"]);
    let of_other_clock = change.clone().map(|event| Event { ctime: event.mtime, ..event });
    assert_eq!(on(&of_other_clock)?, ["changed_in_place", "mtime_set_back?"], "the ctime says the same");
    let on_server = |fs_type: &str| change.clone().map(|event| Event { fs_type: Some(fs_type.into()), ..event });
    for fs_type in ["nfs4", "cifs", "fuse", "ocfs2"] {
        let said = on(&on_server(fs_type))?;
        assert_eq!(said, ["changed_in_place", "mtime_set_back?"], "{fs_type} has the clock of another host");
    }
    assert_eq!(on(&on_server("xfs"))?, ["changed_in_place", "mtime_set_back"]);
    assert_eq!(on(&with(12, 25))?, ["changed_in_place"]);
    assert_eq!(on(&with(12, 19))?, ["changed_in_place"], "clocks are no better than that");
    assert_eq!(on(&with(13, 5))?, ["replaced"], "a file that is moved there keeps its mtime");
    Ok(())
}

#[test]
fn a_bit_that_only_the_new_version_has_was_gained() -> Result<()> {
    let with = |old: i32, new: i32| {
        let mode = |event: Event, mode: i32| Event { mode: Some(0o100_000 | mode), ..event };
        [mode(seen(20, 12, OLD), old), mode(seen(30, 12, NEW), new)]
    };
    let gained = |old, new| -> Result<Vec<String>> { Ok(on(&with(old, new))?.split_off(1)) };
    assert_eq!(gained(0o755, 0o4755)?, ["setuid_gained"]);
    assert_eq!(gained(0o755, 0o2755)?, ["setgid_gained"]);
    assert_eq!(gained(0o755, 0o6755)?, ["setuid_gained", "setgid_gained"]);
    let none: [String; 0] = [];
    assert_eq!(gained(0o4755, 0o4755)?, none, "it had it before");
    assert_eq!(gained(0o4755, 0o755)?, none, "it lost it");
    assert_eq!(gained(0o755, 0o2745)?, none, "no setgid where the group may not execute");
    let rows = rows_of(&verdicts(&[Recorded::of(&with(0o755, 0o4755))])?, "setuid_gained", "mode");
    assert_eq!(rows, [(20, json!(0o100_755)), (30, json!(0o104_755))]);
    let doubts = words(&Recorded::of(&with(0o755, 0o6755)).and(lost()))?;
    assert_eq!(doubts, ["changed_in_place?", "setuid_gained?", "setgid_gained?"]);
    Ok(())
}

#[test]
fn capabilities_were_set_where_the_attribute_was_on_the_file() -> Result<()> {
    let set = |ino, name: &str| {
        let set = Event { attributes: vec![name.into()], ..act(25, "inode_setxattr", ino, PATH) };
        [seen(20, 12, OLD), set, seen(30, 12, NEW)]
    };
    let change = set(12, "security.capability");
    assert_eq!(on(&change)?, ["changed_in_place", "capability_set"]);
    let rows = rows_of(&verdicts(&[Recorded::of(&change)])?, "capability_set", "attributes");
    assert_eq!(rows, [(25, json!(["security.capability"]))]);
    assert_eq!(words(&Recorded::of(&change).and(lost()))?, ["changed_in_place?", "capability_set?"]);
    assert_eq!(on(&set(12, "security.selinux"))?, ["changed_in_place"]);
    assert_eq!(on(&set(99, "security.capability"))?, ["changed_in_place"], "of another file at the path");
    let earlier = set(12, "security.capability").map(|event| match event.seq {
        25 => Event { ino_generation: Some(99), ..event },
        _ => event,
    });
    assert_eq!(on(&earlier)?, ["changed_in_place"], "of the file that had the inode number before");
    Ok(())
}

#[test]
fn a_filesystem_that_was_mounted_anew_may_have_replaced_nothing() -> Result<()> {
    let anew = Event { dev: Some("8:99".into()), ..seen(30, 12, NEW) };
    assert_eq!(on(&[seen(20, 12, OLD), anew])?, ["replaced?"]);
    Ok(())
}

#[test]
fn a_write_of_the_mapped_file_changed_it_while_it_was_mapped() -> Result<()> {
    let written = |ino, mapped, new_ino| {
        let written = Event { mapped_executable: mapped, ..act(25, "file_open", ino, PATH) };
        [seen(20, 12, OLD), written, seen(30, new_ino, NEW)]
    };
    let change = written(12, Some(true), 12);
    assert_eq!(on(&change)?, ["changed_in_place", "changed_while_mapped"]);
    let rows = rows_of(&verdicts(&[Recorded::of(&change)])?, "changed_while_mapped", "mapped_executable");
    assert_eq!(rows, [(25, json!(true))]);
    assert_eq!(words(&Recorded::of(&change).and(lost()))?, ["changed_in_place?", "changed_while_mapped?"]);
    assert_eq!(on(&written(12, Some(false), 12))?, ["changed_in_place"]);
    assert_eq!(on(&written(12, None, 12))?, ["changed_in_place"], "an older recorder did not look");
    assert_eq!(on(&written(99, Some(true), 12))?, ["changed_in_place"], "another file by the path");
    assert_eq!(on(&written(12, Some(true), 13))?, ["replaced"], "the new content came with another file");
    assert_eq!(on(&written(13, Some(true), 13))?, ["replaced"], "it may have run elsewhere, before it came here");
    Ok(())
}

#[test]
fn table_and_csv_have_the_words_and_one_can_be_asked_for() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let other =
        |event: Event| Event { path: Some("/usr/bin/other".into()), ino: event.ino.map(|ino| ino + 50), ..event };
    let replaced = [other(seen(20, 12, OLD)), other(seen(31, 13, THIRD))];
    let back = Event { mtime: Some(Micros(0)), ..seen(30, 12, NEW) };
    Recorded::of(&[vec![seen(20, 12, OLD), back], replaced.to_vec()].concat())
        .and(lost())
        .seal(directory.path(), ID)?;
    let (_, _, table) = query(directory.path(), &["changes", PATH])?;
    assert!(table.contains("  VERDICTS") && table.contains("  changed_in_place?, mtime_set_back?"), "{table}");
    let (_, _, csv) = query(directory.path(), &["changes", PATH, "--format", "csv"])?;
    assert!(csv.lines().next().is_some_and(|line| line.ends_with(",doubts,verdicts")), "{csv}");
    assert!(csv.trim_end().ends_with(",\"changed_in_place?;mtime_set_back?\""), "{csv}");

    let asked = |line: &[&str]| -> Result<(bool, Vec<Value>)> {
        let (found, _, output) = query(directory.path(), &[&["changes", "--format", "json"], line].concat())?;
        Ok((found, json_lines(&output)))
    };
    let (found, lines) = asked(&["--verdict", "replaced", "--limit", "1"])?;
    assert!(found && lines[0]["path"] == "/usr/bin/other", "{lines:?}");
    assert_eq!((&lines[1]["changes"], &lines[1]["matching"]), (&json!(2), &json!(1)));
    let (found, lines) = asked(&["--verdict", "replaced", "--verdict", "mtime_set_back"])?;
    assert!(found && lines.len() == 3, "{lines:?}");
    let (found, lines) = asked(&["--verdict", "setuid_gained"])?;
    assert!(!found && lines.len() == 1 && lines[0]["matching"] == 0, "{lines:?}");
    let error = asked(&["--verdict", "evil"]).expect_err("no such word").to_string();
    assert!(error.contains("possible values: changed_in_place, "), "{error}");
    Ok(())
}
