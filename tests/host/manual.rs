//! Completions are asked of real shells, and groff renders the pages. What must be in them is what `--help` says.

use crate::support::{hashtrail, output_of, recorder, repository, stdout_of};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const PROGRAMS: [&str; 2] = ["hashtrail", "hashtrail-recorder"];

/// Asks what bash would offer for the last of these words.
const BASH: &str = r#"
source "$1" && shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
[[ $(complete -p "$1") =~ -F\ ([^ ]+) ]]
"${BASH_REMATCH[1]}" "$1" "${@: -1}" "${@: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn shells_complete_commands_options_and_values() {
    let made = generated();
    for program in PROGRAMS {
        for verb in verbs(program) {
            let begun = &verb[..verb.len() - 1];
            for offered in [bash(&made, &[program, begun]), fish(&made, &[program, begun])] {
                assert!(offered.contains(&verb), "`{program} {begun}`: {offered:?}");
            }
        }
    }
    for ask in [bash, fish] {
        assert_eq!(ask(&made, &["hashtrail", "cha"]), ["changes"]);
        assert_eq!(ask(&made, &["hashtrail", "changes", "--verd"]), ["--verdict"]);
        let mut formats = ask(&made, &["hashtrail", "info", "--format", ""]);
        formats.sort_unstable();
        assert_eq!(formats, ["csv", "json", "table"]);
        assert_eq!(ask(&made, &["hashtrail-recorder", "record", "--max-hash"]), ["--max-hash-size"]);
    }
}

#[test]
fn completions_are_valid_in_each_shell() {
    let made = generated();
    for program in PROGRAMS {
        for (shell, flag, file) in [("bash", "-n", ".bash"), ("fish", "--no-execute", ".fish"), ("zsh", "-n", "")] {
            let prefix = if shell == "zsh" { "_" } else { "" };
            let file = made.path().join(format!("completions/{prefix}{program}{file}"));
            let output = output_of(Command::new(shell).arg(flag).arg(&file).env("HOME", made.path()));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.is_empty(), "{shell} about {}: {said}", file.display());
        }
    }
}

#[test]
fn pages_say_what_the_help_says_with_examples_as_they_are_typed() {
    let made = generated();
    let mut expected = Vec::new();
    for program in PROGRAMS {
        let overview = rendered(&made.path().join(format!("man/{program}.1")));
        expected.push(format!("{program}.1"));
        assert_covers(&overview, &help(run(program).arg("--help")));
        for verb in verbs(program) {
            assert!(overview.contains(&format!("{program}-{verb}(1)")), "{verb} is not in {overview}");
            let page = rendered(&made.path().join(format!("man/{program}-{verb}.1")));
            expected.push(format!("{program}-{verb}.1"));
            let words: Vec<&str> = page.split_whitespace().collect();
            assert!(words.join(" ").contains(&format!("NAME {program}-{verb} - ")), "{page}");
            assert_covers(&page, &help(run(program).args([&verb, "--help"])));
        }
    }
    expected.sort_unstable();
    let found: Vec<String> =
        files(&made).into_keys().filter_map(|name| Some(name.strip_prefix("man/")?.into())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_written_is_the_same_everywhere() {
    let (one, other) = (generated(), generated());
    let files = files(&one);
    assert_eq!(files, self::files(&other));
    for (name, text) in files {
        for place in [repository(""), one.path().to_owned()] {
            assert!(!text.contains(&place.display().to_string()), "{name} names {}", place.display());
        }
    }
}

fn run(program: &str) -> Command {
    if program == "hashtrail" { hashtrail() } else { recorder() }
}

/// A directory into which both programs wrote.
fn generated() -> TempDir {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    for program in PROGRAMS {
        stdout_of(run(program).arg("generate").arg(directory.path()));
    }
    directory
}

/// Each file below the directory, by its path there.
fn files(made: &TempDir) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for folder in ["completions", "man"] {
        for file in fs::read_dir(made.path().join(folder)).expect(folder) {
            let file = file.expect(folder);
            let name = format!("{folder}/{}", file.file_name().display());
            files.insert(name, fs::read_to_string(file.path()).expect("it is text"));
        }
    }
    files
}

/// The help in lines as long as they like.
fn help(command: &mut Command) -> String {
    stdout_of(command.env("COLUMNS", "1000"))
}

/// The commands that the help names, but for `help` itself.
fn verbs(program: &str) -> Vec<String> {
    let help = help(run(program).arg("--help"));
    let (_, rest) = help.split_once("\nCommands:\n").expect("the help lists commands");
    // What goes on from the line before stands further in.
    let lines = rest.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = lines.filter_map(|line| line.split(' ').next());
    let names: Vec<String> = names.filter(|name| !["", "help"].contains(name)).map(str::to_owned).collect();
    assert!(names.len() > 5, "{names:?}");
    names
}

/// The page as a terminal of 80 columns shows it, without its fonts; groff has no complaint.
fn rendered(page: &Path) -> String {
    let mut groff = Command::new("groff");
    groff.args(["-K", "utf8", "-T", "utf8", "-m", "man", "-r", "LL=80n", "-P", "-cbou"]).arg(page);
    let output = output_of(&mut groff);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "groff about {}: {said}", page.display());
    String::from_utf8(output.stdout).expect("groff writes UTF-8")
}

/// A page has the examples and options of the help.
fn assert_covers(page: &str, help: &str) {
    for line in help.lines().map(str::trim) {
        let is_example = line.starts_with("hashtrail") && !line.starts_with("hashtrail:");
        assert!(!is_example || page.contains(line), "`{line}` is not in {page}");
        let options = line.split([' ', ',']).filter(|word| word.starts_with("--") && line.starts_with('-'));
        for option in options {
            assert!(page.contains(option), "`{option}` is not in {page}");
        }
    }
}

fn bash(made: &TempDir, words: &[&str]) -> Vec<String> {
    let file = made.path().join(format!("completions/{}.bash", words[0]));
    let mut bash = Command::new("bash");
    stdout_of(bash.args(["--norc", "-c", BASH, "bash"]).arg(file).args(words)).lines().map(str::to_owned).collect()
}

fn fish(made: &TempDir, words: &[&str]) -> Vec<String> {
    let file = made.path().join(format!("completions/{}.fish", words[0]));
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", "source $argv[1]; complete --do-complete=$argv[2]"]).arg(file).arg(words.join(" "));
    let offered = stdout_of(fish.env("HOME", made.path()));
    offered.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}
