//! What each verb prints in each format about the sample, kept as files, so that whoever changes an answer sees it and shows it.
//! Verbs and formats are those that the program itself lists. With `HASHTRAIL_BLESS` set the files are written anew.

use crate::support::verbs::{FORMATS, values, verbs};
use crate::support::{hashtrail, output_of, repository};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ARCHIVE: &str = "samples/incident/archive";
const IMPLANT: &str = "4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04";

/// Verbs whose answers other tests hold: scripts of a thousand lines, which engines run, a page, which a browser opens, and files for
/// shells and man.
const ELSEWHERE: [&str; 3] = ["sql", "report", "generate"];

/// What a verb is asked; `OUT` is a directory that is not there yet.
fn question(verb: &str) -> String {
    match verb {
        "changes" | "history" | "who" => format!("{verb} /usr/sbin/backup-agent --archive {ARCHIVE}"),
        "lookup" => format!("lookup {IMPLANT} --archive {ARCHIVE}"),
        "diff" => format!("diff --before 2026-11-24T16:20:52Z --path /usr/sbin/* --archive {ARCHIVE}"),
        "events" => format!("events --digest {IMPLANT} --limit 2 --archive {ARCHIVE}"),
        "timeline" => format!("timeline --digest {IMPLANT} --limit 2 --archive {ARCHIVE}"),
        "tree" => format!("tree 277 --archive {ARCHIVE}"),
        "verify" => format!("verify --key samples/incident/key.pub --archive {ARCHIVE}"),
        "import" => "import tests/fixtures/imports/audit.log --host web --archive OUT".into(),
        "export" => format!("export --redact --paths /usr/sbin --out OUT --archive {ARCHIVE}"),
        _ => format!("{verb} --limit 4 --archive {ARCHIVE}"),
    }
}

/// The command line, what it prints on stdout and on stderr, and its exit code.
fn asked(line: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("out").display().to_string();
    let words = line.split(' ').map(|word| if word == "OUT" { &out } else { word });
    let output = output_of(hashtrail().args(words).current_dir(repository("")));
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).replace(&out, "OUT"));
    let code = output.status.code().filter(|code| *code < 2);
    let code = code.unwrap_or_else(|| panic!("`{line}` is no question: {stderr}"));
    format!("$ hashtrail {line}\n{stdout}{stderr}exit {code}\n")
}

#[test]
fn each_verb_answers_in_each_format_as_it_did() {
    let folder = repository("tests/archives/snapshots");
    let mut current = BTreeSet::new();
    let mut changed = Vec::new();
    for verb in verbs().into_iter().filter(|verb| !ELSEWHERE.contains(&verb.as_str())) {
        for option in FORMATS {
            for format in values(&verb, option) {
                let name = format!("{verb}.{format}{}", if option == "--to" { "-lines" } else { "" });
                let answer = asked(&format!("{} {option} {format}", question(&verb)));
                if !is_current(&folder.join(&name), &answer) {
                    changed.push(name.clone());
                }
                current.insert(name);
            }
        }
    }
    assert!(
        changed.is_empty(),
        "{changed:?} are not current: run this test with HASHTRAIL_BLESS=1 and look at the difference"
    );
    let found = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let found: BTreeSet<String> = found.filter_map(|name| name.into_string().ok()).collect();
    assert_eq!(found, current, "a file for each verb in each format");
}

fn is_current(path: &Path, answer: &str) -> bool {
    if std::env::var_os("HASHTRAIL_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, answer).expect("the file");
    }
    fs::read_to_string(path).is_ok_and(|found| found == answer)
}
