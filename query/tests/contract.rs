//! The contract holds: each answer in JSON that any test asks for is what it says, and it says nothing that never is.

use super::*;
use crate::contract::shape::{Field, Object, Shape};
use crate::contract::{answer, json_schema, verbs};
use chrono::DateTime;
use serde_json::Map;
use std::cell::RefCell;

thread_local! {
    /// What answers had in this test: objects and their fields.
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Holds the output of a command line against the contract.
pub(super) fn check(line: &[&str], output: &str) {
    let has = |option: &str| line.iter().any(|word| word.split('=').next() == Some(option));
    let is_json = line.windows(2).any(|words| words == ["--format", "json"]);
    // Other tools have words of their own, and whoever chooses columns knows which.
    if !is_json || has("--to") || has("--columns") || has("--json-schema") {
        return;
    }
    let answer = line.iter().find_map(|word| answer(word)).expect("a command");
    for one in json_lines(output) {
        let of_type = |row: &&Object| match row.fields.first().map(|field| (field.name, &field.shape)) {
            Some(("type", Shape::Words(words))) => words.iter().any(|word| one["type"] == *word),
            _ => one.get("type").is_none_or(|_| answer.verb == "schema"),
        };
        let row = answer.rows.iter().find(of_type).unwrap_or_else(|| panic!("{line:?} has no such object: {one}"));
        is_object(&one, row).unwrap_or_else(|error| panic!("{line:?}: {error}: {one}"));
    }
}

fn see(what: String) {
    SEEN.with_borrow_mut(|seen| seen.insert(what));
}

fn is_object(value: &Value, object: &Object) -> Result<(), String> {
    let members = value.as_object().ok_or_else(|| format!("no object `{}`", object.name))?;
    let is_named = |name: &&String| object.is_open || object.fields.iter().any(|field| field.name == **name);
    if let Some(name) = members.keys().find(|name| !is_named(name)) {
        return Err(format!("`{}` has `{name}`, which is not described", object.name));
    }
    see(object.name.to_owned());
    object.fields.iter().try_for_each(|field| is_field(members, object, field))
}

fn is_field(members: &Map<String, Value>, object: &Object, field: &Field) -> Result<(), String> {
    let name = format!("{}.{}", object.name, field.name);
    match members.get(field.name) {
        None if field.optional => Ok(()),
        None => Err(format!("`{name}` is missing")),
        Some(value) => {
            see(name.clone());
            if value.is_null() && field.nullable { Ok(()) } else { is(value, &field.shape, &name) }
        }
    }
}

fn is(value: &Value, shape: &Shape, name: &str) -> Result<(), String> {
    let is_so = match shape {
        Shape::Text => value.is_string(),
        Shape::Time => value.as_str().is_some_and(is_time),
        Shape::Integer => value.is_i64() || value.is_u64(),
        Shape::Count => value.is_u64(),
        Shape::Flag => value.is_boolean(),
        Shape::Words(words) => words.iter().any(|word| value == *word),
        Shape::List(of) => return value.as_array().ok_or(name)?.iter().try_for_each(|item| is(item, of, name)),
        Shape::Map(of) => return value.as_object().ok_or(name)?.values().try_for_each(|item| is(item, of, name)),
        Shape::Object(object) => return is_object(value, object),
        Shape::Any => true,
    };
    if is_so { Ok(()) } else { Err(format!("`{name}` is no {shape:?}")) }
}

/// Whether it is a time in RFC 3339, which knows years of four digits, or another one: a clock can be anywhere.
fn is_time(text: &str) -> bool {
    if let Some(micros) = text.strip_prefix('@').and_then(|text| text.strip_suffix("us")) {
        return micros.parse::<i64>().is_ok();
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let Some((year, rest)) = unsigned.split_once('-') else { return false };
    year.len() >= 4 && year.parse::<u32>().is_ok() && DateTime::parse_from_rfc3339(&format!("2000-{rest}")).is_ok()
}

/// All objects of an answer, those in others too.
fn objects_of(verb: &str) -> Vec<Object> {
    fn add(object: &Object, found: &mut Vec<Object>) {
        found.push(object.clone());
        object.fields.iter().for_each(|field| match &field.shape {
            Shape::Object(object) => add(object, found),
            Shape::List(of) | Shape::Map(of) => {
                if let Shape::Object(object) = &**of {
                    add(object, found);
                }
            }
            _ => {}
        });
    }
    let mut found = Vec::new();
    answer(verb).expect("an answer").rows.iter().for_each(|row| add(row, &mut found));
    found
}

#[test]
fn a_name_is_one_object_in_each_answer() {
    for verb in verbs() {
        let mut named: BTreeMap<&str, Object> = BTreeMap::new();
        for object in objects_of(verb) {
            let names: BTreeSet<&str> = object.fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), object.fields.len(), "{verb}: `{}` has a field twice", object.name);
            let known = named.entry(object.name).or_insert_with(|| object.clone());
            assert_eq!(*known, object, "{verb}: `{}` is two objects", object.name);
        }
        let schema = json_schema::of(&answer(verb).expect("an answer"));
        assert_eq!(schema["$defs"].as_object().map(Map::len), Some(named.len()), "{verb}");
    }
}

/// What only a TPM leads to, and `tests/measured.rs` sees.
const ELSEWHERE: [&str; 3] = ["matched_register.pcr", "matched_register.bank", "matched_register.entry"];

#[test]
fn what_is_described_is_answered() -> Result<()> {
    ask_all()?;
    let seen = SEEN.take();
    let all = verbs().flat_map(objects_of).flat_map(|object| {
        let Object { name, fields, .. } = object;
        fields.into_iter().map(move |field| format!("{name}.{}", field.name))
    });
    let unseen: BTreeSet<String> = all.filter(|name| !seen.contains(name) && !ELSEWHERE.contains(&&**name)).collect();
    assert!(unseen.is_empty(), "no answer has {unseen:#?}");
    Ok(())
}

/// Asks for all that there is: of the sample, and of stories of other tests that have what it has not.
fn ask_all() -> Result<()> {
    const IMPLANT: &str = "4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04";
    const AGENT: &str = "/usr/sbin/backup-agent";
    let directory = tempfile::tempdir()?;
    let list = directory.path().join("list.csv");
    std::fs::write(&list, format!("sha256,imphash\n{IMPLANT},aa\n{NEW},bb\n"))?;
    let list = list.to_str().expect("a path");
    let md5 = "a".repeat(32);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/incident/archive");
    for line in [
        &["changes", "--first-seen"][..],
        &["changes", "--pid", "1", "--package", "none", "--digest", IMPLANT, "--limit", "1"],
        &["changes", "--known-good", list],
        &["history", "/nonexistent", "--package", "none"],
        &["history", "--digest", IMPLANT, "--known-good", list],
        &["lookup", &md5, "--ioc", list, "--package", "none"],
        &["lookup", IMPLANT, "--known-good", list, "--path", "/nonexistent"],
        &["lookup", IMPLANT, "--known-good", list],
        &["diff", "--before", "2026-11-24T16:20:51Z", "--package", "none"],
        &["diff", "--before", "2026-11-24T16:20:51Z"],
        &["rare", "--known-good", list],
        &["rare", "--package", "none", "--limit", "1"],
        &["events", "--digest", IMPLANT, "--package", "none"],
        &["events", "--path", AGENT, "--exe", "/nonexistent", "--limit", "1"],
        &["timeline", "--since", "2026-11-24T16:20:00Z", "--exe", "/bin/*"],
        &["timeline", "--digest", IMPLANT, "--package", "none", "--limit", "1"],
        &["who", AGENT],
        &["who", AGENT, "--pid", "1", "--digest", IMPLANT, "--limit", "1"],
        &["tree"],
        &["tree", "--digest", IMPLANT, "--limit", "1"],
        &["info"],
        &["verify"],
        &["schema"],
    ] {
        query(&sample, &[line, &["--format", "json"]].concat())?;
    }
    an_incident_is_two_changes_however_it_was_sealed()?;
    what_the_kernel_skipped_is_told_and_leaves_answers_complete()?;
    nothing::a_file_that_did_not_change_is_told_with_its_digest()?;
    nothing::a_name_that_nobody_saw_is_told_with_those_near_it()?;
    nothing::a_file_that_is_mounted_over_another_is_told_with_who_mounted_it()?;
    nothing::time_that_nobody_recorded_is_asked_about()?;
    mapped::it_is_told_though_the_digest_never_changed()?;
    packages::a_path_that_no_package_lists_is_nobodys()?;
    packages::a_new_version_of_a_package_is_told_with_who_brought_it()?;
    imports::imported("tetragon.jsonl", &[])?;
    let passed_on = redacted::exported(&redacted::ALL)?;
    query(&passed_on.path().join("out"), &["changes", "/nothing", "--format", "json"])?;
    of_another_root_and_from_memory()
}

/// A tool that changes on a tmpfs and runs, and once under another root.
fn of_another_root_and_from_memory() -> Result<()> {
    let runs = |second, digest| {
        [event(second, "bprm_check_security", Some(digest)), event(second + 1, "bprm_committed_creds", None)]
    };
    let contained = Event { root_ino: 99, ..event(25, "mmap_file", Some(NEW)) };
    let events = [&runs(10, OLD)[..], &runs(20, NEW), &[contained]].concat();
    let on_tmpfs = events.into_iter().map(|event| Event { fs_type: Some("tmpfs".into()), ..event });
    let directory = tempfile::tempdir()?;
    archive(directory.path(), &on_tmpfs.collect::<Vec<_>>(), 100)?;
    query(directory.path(), &["changes", "--format", "json"])?;
    query(directory.path(), &["diff", "--before", "2026-01-02T00:00:24Z", "--format", "json"]).map(drop)
}
