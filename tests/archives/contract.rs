//! Another engine holds what commands answer against the JSON Schemas that the tool prints: that these say what the declarations
//! mean, and take nothing that they do not describe.

use crate::support::{engine_script, hashtrail, json_lines, output_of, repository, stdout_of};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// A question of each command that answers in JSON, about the sample.
const QUESTIONS: [&[&str]; 18] = [
    &["changes", "--first-seen"],
    &["changes", "--package", "openssl", "--pid", "1"],
    &["history", "/usr/sbin/backup-agent"],
    &["lookup", "4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04"],
    &["diff", "--before", "2026-11-24T16:20:51Z"],
    &["rare"],
    &["events"],
    &["events", "--path", "/nonexistent", "--hook", "security_mmap_file"],
    &["timeline"],
    &["who", "/usr/sbin/backup-agent"],
    &["tree"],
    &["tree", "--digest", "4365e2cc78ac"],
    &["info"],
    &["gaps", "--since", "2026-11-24T16:20:00Z"],
    &["verify"],
    &["schema"],
    &["export", "--redact", "--users", "--out", "passed-on"],
    &["import", "tetragon.jsonl"],
];
/// Objects whose members somebody else names: the columns of a row, causes of the kernel, and what a recorder wrote of its start.
const OPEN: [&str; 7] = ["clock", "columns", "facts", "policies", "programs", "recording", "skipped"];

/// What the engine says of lines.
fn held(schema: &Path, lines: &[u8]) -> Value {
    let mut command = engine_script("contract.py");
    let mut child =
        command.arg(schema).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python with jsonschema");
    child.stdin.take().expect("a pipe").write_all(lines).expect("the lines are read");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "it needs the Python package jsonschema");
    json_lines(&String::from_utf8_lossy(&output.stdout)).remove(0)
}

#[test]
fn every_answer_is_what_its_schema_says_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = "tetragon.jsonl";
    std::fs::copy(repository("tests/fixtures/imports").join(log), directory.path().join(log)).expect("a copy");
    let (mut asked, mut open) = (BTreeSet::new(), BTreeSet::new());
    for question in QUESTIONS {
        let schema = directory.path().join(question[0]);
        let text = stdout_of(hashtrail().args(["schema", "--json-schema", question[0]]));
        std::fs::write(&schema, &text).expect("the schema");
        let archive = match question[0] {
            "import" => directory.path().join("imported"),
            _ => repository("samples/incident/archive"),
        };
        let mut command = hashtrail();
        command.current_dir(directory.path()).args(question).args(["--format", "json", "--archive"]).arg(archive);
        let lines = output_of(&mut command).stdout;
        let told = held(&schema, &lines);
        assert_eq!(told["wrong"], json!([]), "{question:?}: {told}");
        assert!(told["rows"].as_u64() > Some(0), "{question:?}: {told}");
        let names = told["open"].as_array().expect("a list").iter();
        open.extend(names.filter_map(Value::as_str).map(str::to_owned));
        // Where a field is missing, or has another type, it is not what it was.
        for (from, to) in
            [("\"type\":", "\"kind_of\":"), ("\"complete\":", "\"complete_\":"), ("\"host\":\"guest\"", "\"host\":7")]
        {
            let broken = String::from_utf8_lossy(&lines).replace(from, to);
            if broken.as_bytes() != lines {
                assert_ne!(held(&schema, broken.as_bytes())["wrong"], json!([]), "{question:?} {to}");
            }
        }
        asked.insert(question[0]);
    }
    assert_eq!(open.iter().collect::<Vec<_>>(), OPEN, "only these take what is not described");
    let said = output_of(hashtrail().args(["schema", "--json-schema", "report"]));
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(asked.iter().all(|verb| said.contains(verb)), "no command is left out: {said}");
}
