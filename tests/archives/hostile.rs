//! Names that want to be more than names, through the real writer, in the answer of every verb in every format, on a terminal and
//! elsewhere. Verbs and formats are those that the program itself lists: a new one is asked too. Judge is Python.

use crate::archives::report::{assert_quiet, browse};
use crate::support::verbs::{FORMATS, values, verbs};
use crate::support::{engine_script, hashtrail, output_of, stdout_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use world::{World, names, path_of};

mod world;

/// What tells the path of each file. Of the others, those that tell any have to give each back too, in all but tables; `verify` tells
/// those that are wrong.
const TELLS_PATHS: [&str; 9] = ["changes", "diff", "events", "history", "lookup", "rare", "timeline", "tree", "who"];

/// One command line, and how it says what it wants.
struct Question {
    verb: String,
    format: String,
    line: Vec<OsString>,
}

/// Ways to ask with which a verb has something to say. Of another verb, those that any can be asked by.
fn lines(verb: &str, world: &World) -> Vec<Vec<OsString>> {
    let [web, db, _] = &world.archives;
    let line = |words: &[&OsStr]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<OsString>>();
    let word = OsStr::new;
    let all = || vec![line(&[]), line(&[word("/**")])];
    match verb {
        "changes" => {
            vec![line(&[]), line(&[word("--first-seen")]), line(&[word("--package"), word("\u{1b}[2J\u{202e}")])]
        }
        "diff" => vec![line(&[web.as_os_str(), db.as_os_str(), word("--same")])],
        "lookup" => vec![line(&[word("--ioc"), world.list.as_os_str()])],
        "rare" => vec![line(&[word("--at-most"), word("9")])],
        "verify" => vec![line(&[word("--ima-log"), world.measured.as_os_str()])],
        "report" => vec![line(&[
            word("--force"),
            word("--out"),
            page(world).as_os_str(),
            word("--ioc"),
            world.list.as_os_str(),
        ])],
        "generate" => vec![line(&[world.directory.path().join("made\u{1b}\u{202e}").as_os_str()])],
        "history" | "who" => vec![line(&[word("/**")]), line(&[word("/no\u{1b}\u{202e}where")])],
        _ => all(),
    }
}

fn page(world: &World) -> PathBuf {
    world.directory.path().join("page\u{202e}.html")
}

/// Every verb in every format that it has, of these archives.
fn questions(world: &World, archives: &[PathBuf]) -> Vec<Question> {
    let mut questions = Vec::new();
    for verb in verbs() {
        let formats =
            FORMATS.iter().flat_map(|option| values(&verb, option).into_iter().map(move |value| (*option, value)));
        for (option, value) in formats {
            for line in lines(&verb, world) {
                let takes_archives = !line.iter().any(|word| *word == *world.archives[0].as_os_str());
                let archives = archives.iter().filter(|_| takes_archives);
                let scope = archives.flat_map(|path| [OsStr::new("--archive"), path.as_os_str()]);
                let words =
                    [verb.as_ref(), option.as_ref(), value.as_ref()].into_iter().chain(scope).map(OsStr::to_owned);
                let format = format!("{option} {value}");
                questions.push(Question { verb: verb.clone(), format, line: words.chain(line).collect() });
            }
        }
    }
    questions
}

/// What Python makes of the answers.
fn judged(directory: &Path, answers: &[Output]) -> Vec<Value> {
    let mut told = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        let [out, err] = ["out", "err"].map(|name| directory.join(format!("answer-{number}.{name}")));
        std::fs::write(&out, &answer.stdout).expect("a file");
        std::fs::write(&err, &answer.stderr).expect("a file");
        told.push(json!({"out": out, "err": err}));
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let names: Vec<Vec<String>> = names().iter().map(|name| vec![hex(&path_of(name)), hex(name)]).collect();
    let mut judge = engine_script("hostile.py");
    let told = stdout_of(judge.args([json!(told).to_string(), json!(names).to_string()]));
    serde_json::from_str(&told).expect("a list of judgements")
}

/// Asks all, and has all judged; gives each question with its answer and what is said of it.
fn asked(world: &World, archives: &[PathBuf]) -> Vec<(Question, Output, Value)> {
    let questions = questions(world, archives);
    let answers: Vec<Output> = questions.iter().map(|question| output_of(hashtrail().args(&question.line))).collect();
    let judged = judged(world.directory.path(), &answers);
    questions
        .into_iter()
        .zip(answers)
        .zip(judged)
        .map(|((question, answer), judged)| (question, answer, judged))
        .collect()
}

fn faults(all: &[(Question, Output, Value)]) -> Vec<String> {
    let wrong = all.iter().filter(|(.., judged)| judged["faults"] != json!([]));
    wrong.map(|(question, _, judged)| format!("{} {}: {}", question.verb, question.format, judged["faults"])).collect()
}

#[test]
fn every_verb_in_every_format_tells_names_as_names_and_gives_them_back() {
    let world = World::new();
    let all = asked(&world, &world.archives[..2]);
    let wrong = faults(&all);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for verb in verbs() {
        let of_verb = || all.iter().filter(|(question, ..)| question.verb == verb);
        let is_answered = |answer: &Output| answer.status.code().is_some_and(|code| code < 3);
        assert!(of_verb().count() > 2 && of_verb().all(|(_, answer, _)| is_answered(answer)), "`{verb}`");
    }
    let lacking = lacking(&all);
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// Which verb in which format gives some names back and not all.
fn lacking(all: &[(Question, Output, Value)]) -> Vec<String> {
    let mut found: BTreeMap<(&str, &str), (bool, BTreeSet<u64>)> = BTreeMap::new();
    for (question, _, judged) in all.iter().filter(|(.., judged)| judged["shape"] != "text") {
        let (tells, names) = found.entry((question.verb.as_str(), question.format.as_str())).or_default();
        *tells |= judged["paths"] == true || TELLS_PATHS.contains(&question.verb.as_str());
        names.extend(judged["names"].as_array().into_iter().flatten().filter_map(Value::as_u64));
    }
    let is_lacking = |found: &(bool, BTreeSet<u64>)| found.0 && found.1.len() < world::names().len();
    let wrong = found.iter().filter(|((verb, _), found)| *verb != "verify" && is_lacking(found));
    wrong.map(|((verb, format), (_, names))| format!("{verb} {format}: only {names:?}")).collect()
}

#[test]
fn an_archive_that_somebody_made_up_drives_nothing() {
    let world = World::new();
    let all = asked(&world, &world.archives[2..]);
    let wrong = faults(&all);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.iter().filter(|(_, answer, _)| answer.stdout.len() > 10_000).count() > 10);
}

/// Words for bash, whatever bytes they have.
fn shell(words: &[OsString]) -> Vec<u8> {
    let octal = |byte: &u8| format!("\\{byte:03o}").into_bytes();
    let word =
        |word: &OsString| [&b"$'"[..], &word.as_bytes().iter().flat_map(octal).collect::<Vec<u8>>(), b"' "].concat();
    words.iter().flat_map(word).collect()
}

#[test]
fn on_a_terminal_too_no_name_drives_it() {
    let world = World::new();
    let program = hashtrail().get_program().to_owned();
    let mut script = b"stty cols 100 rows 50; export PAGER=cat\n".to_vec();
    for archives in [&world.archives[..2], &world.archives[2..]] {
        for question in questions(&world, archives) {
            script.extend(shell(&[std::slice::from_ref(&program), &question.line[..]].concat()));
            script.push(b'\n');
        }
    }
    let path = world.directory.path().join("all.sh");
    std::fs::write(&path, script).expect("a script");
    let output = output_of(Command::new("script").args(["-qc", &format!("bash {}", path.display()), "/dev/null"]));
    assert!(output.stdout.len() > 1 << 20, "{}", String::from_utf8_lossy(&output.stdout));
    // The line that tells how far a reading is, where this machine is slow, and what the terminal makes of line ends.
    let shown = String::from_utf8(output.stdout).expect("UTF-8").replace("\r\u{1b}[K", "").replace("\r\n", "\n");
    let answer = Output { stdout: shown.into_bytes(), ..output };
    assert_eq!(judged(world.directory.path(), &[answer])[0]["faults"], json!([]));
}

#[test]
fn a_page_of_such_names_runs_nothing() {
    let world = World::new();
    for archives in [&world.archives[..2], &world.archives[2..]] {
        let page = world.directory.path().join("page.html");
        let mut command = hashtrail();
        command.args(["report", "--force", "--out"]).arg(&page).arg("--ioc").arg(&world.list);
        output_of(command.args(archives.iter().flat_map(|path| [OsStr::new("--archive"), path.as_os_str()])));
        let page = page.display().to_string();
        let told = browse(
            &page,
            &[
                json!({"evaluate": "[document.title, document.scripts.length, document.querySelectorAll('img, iframe').length]"}),
                json!({"evaluate": "document.documentElement.textContent"}),
                json!({"told": true}),
            ],
        );
        assert_eq!(told[0], json!(["hashtrail report", 1, 0]));
        let text = told[1].as_str().expect("text");
        let answer = Output {
            stdout: text.into(),
            stderr: std::fs::read(&page).expect("the page"),
            ..output_of(&mut Command::new("true"))
        };
        assert_eq!(judged(world.directory.path(), &[answer])[0]["faults"], json!([]));
        assert!(text.contains("<img src=x onerror="), "names are told");
        assert_quiet(&told[2], &page);
    }
}
