//! Objects of the Open Cybersecurity Schema Framework, against a table of what that demands.

use super::{ARCHIVE, made};
use crate::support::{hashtrail, json_lines, repository, stdout_of};
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the schema says of an attribute.
struct Attribute {
    is_required: bool,
    kind: String,
    numbers: Vec<i64>,
}

#[derive(Default)]
struct Owner {
    attributes: BTreeMap<String, Attribute>,
    /// At least one of them must be there.
    at_least_one: Vec<String>,
}

/// Classes by their numbers, and objects.
pub(crate) struct Schema(BTreeMap<String, Owner>);

impl Schema {
    pub(crate) fn read() -> Self {
        let table = std::fs::read_to_string(repository("tests/fixtures/ocsf/attributes.tsv")).expect("the table");
        let mut owners: BTreeMap<String, Owner> = BTreeMap::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let owner = owners.entry(cells[0].to_owned()).or_default();
            if cells[1].is_empty() {
                assert_eq!(cells[2], "at_least_one", "{line}");
                owner.at_least_one = cells[3].split(',').map(str::to_owned).collect();
                continue;
            }
            let numbers =
                cells.get(4).map(|numbers| numbers.split(',').map(|number| number.parse().expect("a number")));
            let attribute = Attribute {
                is_required: cells[2] == "required",
                kind: cells[3].to_owned(),
                numbers: numbers.into_iter().flatten().collect(),
            };
            owner.attributes.insert(cells[1].to_owned(), attribute);
        }
        Self(owners)
    }

    /// What is wrong with an event.
    pub(crate) fn faults(&self, event: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let (class, activity, kind) = (&event["class_uid"], &event["activity_id"], &event["type_uid"]);
        match (class.as_i64(), activity.as_i64(), kind.as_i64()) {
            (Some(class), Some(activity), Some(kind)) if kind == class * 100 + activity => {}
            _ => faults.push(format!("type_uid {kind} of {class} and {activity}")),
        }
        if event["metadata"]["version"] != "1.8.0" {
            faults.push(format!("version {}", event["metadata"]["version"]));
        }
        self.check(&class.to_string(), "", event, &mut faults);
        faults
    }

    fn check(&self, owner: &str, place: &str, value: &Value, faults: &mut Vec<String>) {
        let (Some(members), Some(owner)) = (value.as_object(), self.0.get(owner)) else {
            return faults.push(format!("{place}: no `{owner}`: {value}"));
        };
        for (name, value) in members {
            match owner.attributes.get(name) {
                Some(attribute) => self.check_value(attribute, &format!("{place}.{name}"), value, faults),
                None => faults.push(format!("{place}.{name} is unknown")),
            }
        }
        let lacks = |(name, attribute): &(&String, &Attribute)| attribute.is_required && !members.contains_key(*name);
        faults.extend(owner.attributes.iter().filter(lacks).map(|(name, _)| format!("{place}.{name} is missing")));
        if !owner.at_least_one.is_empty() && !owner.at_least_one.iter().any(|name| members.contains_key(name)) {
            faults.push(format!("{place} has none of {:?}", owner.at_least_one));
        }
        faults.extend(whole_times(place, members));
    }

    fn check_value(&self, attribute: &Attribute, place: &str, value: &Value, faults: &mut Vec<String>) {
        if let Some(kind) = attribute.kind.strip_suffix("[]") {
            let one = Attribute { kind: kind.to_owned(), numbers: attribute.numbers.clone(), is_required: false };
            match value.as_array() {
                Some(values) => values.iter().for_each(|value| self.check_value(&one, place, value, faults)),
                None => faults.push(format!("{place} is no array: {value}")),
            }
            return;
        }
        let is_right = match attribute.kind.as_str() {
            "integer_t" | "long_t" | "timestamp_t" => value.is_i64(),
            "boolean_t" => value.is_boolean(),
            "object" => value.is_object(),
            "datetime_t" => value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
            kind if kind.ends_with("_t") => value.is_string(),
            object => return self.check(object, place, value, faults),
        };
        let is_listed =
            attribute.numbers.is_empty() || value.as_i64().is_some_and(|number| attribute.numbers.contains(&number));
        if !is_right || !is_listed {
            faults.push(format!("{place} is no {} of {:?}: {value}", attribute.kind, attribute.numbers));
        }
    }
}

/// A time in milliseconds is the whole time without the rest.
fn whole_times(place: &str, members: &Map<String, Value>) -> Vec<String> {
    let whole = members.iter().filter_map(|(name, value)| Some((name.strip_suffix("_dt")?, value.as_str()?)));
    let wrong = whole.filter(|(name, text)| {
        let time = chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_millis());
        members.get(*name).and_then(Value::as_i64) != time.ok()
    });
    wrong.map(|(name, text)| format!("{place}.{name} is not {text}")).collect()
}

#[test]
fn each_object_is_one_of_the_open_cybersecurity_schema() {
    let schema = Schema::read();
    let mut command = hashtrail();
    command.args(["timeline", "--to", "ocsf", "--first-seen", "--archive"]).arg(repository(ARCHIVE));
    let mut kinds: BTreeMap<i64, usize> = BTreeMap::new();
    for line in json_lines(&stdout_of(&mut command)) {
        assert_eq!(schema.faults(&line), [""; 0], "{line}");
        *kinds.entry(line["type_uid"].as_i64().expect("a type")).or_default() += 1;
    }
    let of = |kind: i64| kinds.get(&kind).copied().unwrap_or_default();
    // 28 execs and 70 forks; as many checks, and 69 processes that ran before; mappings; opens; a truncation and a rewrite.
    assert_eq!([100_701, 100_799, 100_501, 100_114, 100_103, 100_105].map(of), [98, 97, 28, 11, 2, 1], "{kinds:?}");
}

#[test]
fn what_the_schema_demands_is_seen_when_it_is_missing() {
    let schema = Schema::read();
    let mut command = hashtrail();
    command.args(["timeline", "--to", "ocsf", "--hook", "bprm_committed_creds", "--archive"]).arg(repository(ARCHIVE));
    let lines = json_lines(&stdout_of(&mut command));
    let event = lines.iter().find(|line| line["class_uid"] == 1007).expect("an exec");
    let wrong = |place: &str, value: Value| {
        let mut event = event.clone();
        *event.pointer_mut(place).expect("a place of the event") = value;
        schema.faults(&event).len()
    };
    for (place, value) in [
        ("/time", Value::from("2026-11-24T16:20:49.235370Z")),
        ("/time", Value::from(1)),
        ("/actor", Value::Object(Map::new())),
        ("/activity_id", Value::from(1007)),
        ("/process/file/hashes/0/algorithm_id", Value::from(1000)),
        ("/process/file/hashes/0", Value::from("sha256")),
        ("/metadata/version", Value::from("1.9.0")),
        ("/device", Value::Null),
    ] {
        assert_ne!(wrong(place, value.clone()), 0, "{place} as {value}");
    }
    let mut more = event.clone();
    more["process"]["hash"] = Value::from("x");
    assert_eq!(schema.faults(&more), [".process.hash is unknown"]);
}

/// What the recorder and the kernel can give for a file, and hooks that are about none.
const HOOKS: [&str; 24] = [
    "bprm_check_security",
    "bprm_committed_creds",
    "capable",
    "file_mprotect",
    "file_open",
    "file_post_open",
    "inode_create",
    "inode_link",
    "inode_mkdir",
    "inode_rename",
    "inode_rmdir",
    "inode_setattr",
    "inode_setxattr",
    "inode_symlink",
    "inode_unlink",
    "kernel_load_data",
    "kernel_read_file",
    "mmap_file",
    "open_descriptor",
    "path_truncate",
    "running_process",
    "sched_process_fork",
    "socket_connect",
    "user_digest",
];

#[test]
fn each_hook_is_an_object_of_the_schema_whatever_it_tells() {
    let schema = Schema::read();
    let mut events = Vec::new();
    for hook in HOOKS {
        let whole = || Event { hook: hook.into(), mmap_prot: Some(5), ..made::event(0) };
        let nothing = Event { path: None, exe: None, mode: None, dev: None, ino: None, size_bytes: None, ..whole() };
        let root = Event { path: Some("/".into()), mode: Some(0o040_755), ..whole() };
        let denied = Event { result: Some(-1), container_id: Some("c0ffee".into()), auid: Some(1000), ..whole() };
        let renamed = Event { target_path: Some("/b\n|\u{202e}".into()), tags: vec!["tag".into()], ..whole() };
        let odd = Event {
            ino: Some(-1),
            mtime: Some(Micros(-1)),
            process_start_ns: i64::MAX,
            attributes: vec!["size".into()],
            argv: Some(vec![String::new(), "\u{1b}[2J".into()]),
            digest_algorithm: Some("sm3-256".into()),
            ..whole()
        };
        events.extend([whole(), nothing, root, denied, renamed, odd]);
    }
    let directory = made::archive(events);
    let mut command = hashtrail();
    command.args(["timeline", "--to", "ocsf", "--first-seen", "--archive"]).arg(directory.path());
    let lines = json_lines(&stdout_of(&mut command));
    let faults: Vec<_> =
        lines.iter().map(|line| (schema.faults(line), line)).filter(|(faults, _)| !faults.is_empty()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let events = lines.iter().filter(|line| !line["metadata"]["event_code"].is_null()).count();
    assert_eq!(events, 6 * HOOKS.len());
}

#[test]
fn nothing_is_said_of_who_changed_a_file_or_of_what_was_only_asked_for() {
    let run = |second, letter: &str| Event { digest: Some(letter.repeat(64)), ..made::event(second) };
    let write = Event { hook: "file_open".into(), open_flags: Some(1), digest: None, ..made::event(15) };
    let module =
        |second, path: &str| Event { hook: "kernel_read_file".into(), path: Some(path.into()), ..made::event(second) };
    let doubted = Event { digest_doubt: vec!["writer_open".into()], ..run(40, "d") };
    let (firmware, known) = (module(26, "/lib/firmware/a.bin"), module(25, "/lib/modules/a.ko.zst"));
    let directory = made::archive(vec![run(10, "a"), write, run(20, "b"), known, firmware, doubted]);
    let mut command = hashtrail();
    command.args(["timeline", "--to", "ocsf", "--archive"]).arg(directory.path());
    let lines = json_lines(&stdout_of(&mut command));
    let all = |kind: i64| lines.iter().filter(|line| line["type_uid"] == kind).collect::<Vec<_>>();
    let [change] = all(100_103)[..] else { panic!("one rewrite: {lines:#?}") };
    assert_eq!((&change["actor"], &change["status_id"]), (&serde_json::json!({"app_name": "Unknown"}), &Value::Null));
    assert_eq!(change["unmapped"]["suspects"][0]["act"], "write_open", "{change}");
    assert_eq!(change["file"]["hashes"][0]["value"], "b".repeat(64));
    assert_eq!(change["start_time_dt"], "2026-01-02T00:00:10.000000Z");
    // Whether a hook led to anything is known of a run alone.
    assert_eq!(all(100_201)[0]["status_id"], 0);
    assert_eq!((all(100_201).len(), all(100_102).len(), all(100_114).len()), (1, 1, 1), "{lines:#?}");
    let launched = all(100_701);
    assert!(launched.len() == 3 && launched.iter().all(|line| line["status_id"] == 1), "{launched:#?}");
    let text = launched[2].to_string();
    assert_eq!(text.matches(&"d".repeat(64)).count(), 1, "only in the message: {text}");
}
