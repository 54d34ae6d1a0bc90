//! Lists of known files beside the answers about the sample archive, and filters of the publisher's own writer.

use crate::support::{engine_script, hashtrail, json_lines, output_of, repository};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

const ARCHIVE: &str = "samples/incident/archive";
const IMPLANT: &str = "4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04";
const BUSYBOX: &str = "3d9f2889d6782537";

/// Lets `tests/engines/known.py` write a list from these lines.
fn write(kind: &str, path: &Path, lines: &str) {
    let mut child = engine_script("known.py").arg(kind).arg(path).stdin(Stdio::piped()).spawn().expect("python");
    child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{kind}");
}

/// Asks the sample with lists; exit code, stdout and stderr.
fn ask(question: &[&str], lists: &[&Path]) -> (Option<i32>, String, String) {
    let mut command = hashtrail();
    command.args(question).arg("--archive").arg(repository(ARCHIVE));
    lists.iter().for_each(|list| {
        command.arg("--known-good").arg(list);
    });
    let output = output_of(&mut command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A list with the implant, after NIST's schema.
fn rds(directory: &Path) -> std::path::PathBuf {
    let path = directory.join("rds.db");
    write("rds", &path, &format!("{IMPLANT} {} {}\n", "a".repeat(40), "b".repeat(32)));
    path
}

#[test]
fn filters_are_laid_out_as_flor_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let [ours, theirs] = ["ours", "theirs"].map(|name| directory.path().join(name));
    let entries: String = (0..500).map(|number| format!("{:040X}\n", number * 7919)).collect();
    write("bloom", &ours, &entries);
    write("flor", &theirs, &entries);
    assert!(fs::read(ours).expect("a filter") == fs::read(theirs).expect("a filter"));
}

#[test]
fn each_command_marks_what_a_list_has() {
    let directory = tempfile::tempdir().expect("a directory");
    let list = rds(directory.path());
    for question in [&["changes"][..], &["rare"], &["history", "/usr/sbin/backup-agent"], &["lookup", IMPLANT]] {
        let (code, found, said) = ask(&[question, &["--format", "json"]].concat(), &[&list]);
        assert_eq!(code, Some(0), "{question:?}: {said}");
        let lines = json_lines(&found);
        let summary = lines.last().expect("a summary");
        assert_eq!(summary["known_good"][0]["recorded"][0]["found"], 1, "{summary}");
        let mut states = Vec::new();
        for row in &lines[..lines.len() - 1] {
            let sides = if question[0] == "changes" { vec![&row["from"], &row["to"]] } else { vec![row] };
            for side in sides.into_iter().filter(|side| side["digest"].is_string()) {
                let expected = if side["digest"] == IMPLANT { "known" } else { "unlisted" };
                assert_eq!(side["known"]["state"], expected, "{question:?}: {side}");
                states.push(expected);
            }
        }
        assert!(states.contains(&"known"), "{question:?}");
        let (_, table, said) = ask(question, &[&list]);
        assert!(table.to_lowercase().contains("known") && said.contains("not that the file is harmless"), "{table}");
        let (_, plain, _) = ask(question, &[]);
        assert!(!plain.to_lowercase().contains("known"), "only where it is asked: {plain}");
    }
    let (_, csv, _) = ask(&["lookup", IMPLANT, "--format", "csv"], &[&list]);
    assert!(csv.contains(&format!("known ({})", list.display())), "{csv}");
}

#[test]
fn a_filter_of_other_digests_leaves_all_undecided() {
    let directory = tempfile::tempdir().expect("a directory");
    let (filter, list) = (directory.path().join("full.bloom"), rds(directory.path()));
    write("flor", &filter, &format!("{}\n", "A".repeat(40)));
    let (code, found, said) = ask(&["changes", "--format", "json"], &[&filter]);
    let lines = json_lines(&found);
    assert_eq!(code, Some(0), "{said}");
    assert!(lines.iter().filter(|row| row["type"] == "change").all(|row| row["to"]["known"]["state"] == "undecided"));
    let expected = json!([{"algorithm": "sha256", "digests": summary_digests(&lines), "compared": false, "found": 0}]);
    assert_eq!(lines.last().expect("a summary")["known_good"][0]["recorded"], expected);
    let (_, _, said) = ask(&["changes"], &[&filter]);
    assert!(said.contains("recorded digest(s) of sha256 are neither known nor unknown to it"), "{said}");
    let (_, found, _) = ask(&["history", "/bin/busybox", "--format", "csv"], &[&filter, &list]);
    let unlisted = format!("unlisted ({} not compared)", filter.display());
    assert!(found.contains(BUSYBOX) && found.contains(&unlisted), "{found}");
}

fn summary_digests(lines: &[Value]) -> &Value {
    &lines[lines.len() - 1]["known_good"][0]["recorded"][0]["digests"]
}

#[test]
fn a_list_that_cannot_be_read_ends_the_question() {
    let (code, found, said) = ask(&["changes"], &[Path::new("/nonexistent")]);
    assert!(code == Some(2) && found.is_empty() && said.contains("cannot read `/nonexistent`"), "{said}");
    let (code, _, said) = ask(&["lookup"], &[Path::new("/nonexistent")]);
    assert!(code == Some(2) && said.contains("required"), "a list of known files asks for nothing: {said}");
}
