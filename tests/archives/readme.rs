//! The pages show what the tools really print: each `$ hashtrail …` in them is run, and the table of columns is the one
//! that the query tool knows. With `HASHTRAIL_BLESS` set, they are written anew.

use crate::support::{hashtrail, json_lines, repository, stdout_of, text};
use std::fmt::Write;

/// The page of all columns.
const COLUMNS: &str = "docs/columns.md";
/// What stands before and behind its table.
const BOUNDS: (&str, &str) = ("<!-- columns: begin -->\n", "<!-- columns: end -->");
const PROMPT: &str = "$ hashtrail ";
const FENCE: &str = "```";

#[test]
fn the_table_of_columns_is_current() {
    let page = read(COLUMNS);
    let (before, rest) = page.split_once(BOUNDS.0).expect("the table of columns has a begin");
    let (_, after) = rest.split_once(BOUNDS.1).expect("the table of columns has an end");
    assert_is(COLUMNS, &page, &[before, BOUNDS.0, &columns(), BOUNDS.1, after].concat());
}

#[test]
fn the_pages_show_real_output() {
    for page in ["README.md", "docs/answers.md", "docs/evidence.md"] {
        assert_shows_real_output(page, "");
    }
}

#[test]
fn the_sample_answers_as_its_readme_says() {
    assert_shows_real_output("samples/incident/README.md", "samples/incident");
}

/// Runs each command of a README in a directory; what it prints must stand below it.
fn assert_shows_real_output(name: &str, directory: &str) {
    let readme = read(name);
    let mut current = String::new();
    let mut in_output = false;
    for line in readme.lines() {
        if let Some(arguments) = line.strip_prefix(PROMPT) {
            let mut command = hashtrail();
            command.args(arguments.split_whitespace()).current_dir(repository(directory));
            let _ = write!(current, "{line}\n{}", stdout_of(&mut command));
            in_output = true;
        } else if !in_output || line.starts_with(FENCE) {
            let _ = writeln!(current, "{line}");
            in_output = false;
        }
    }
    assert!(current.contains(PROMPT), "{name} shows at least one command");
    assert_is(name, &readme, &current);
}

fn read(name: &str) -> String {
    std::fs::read_to_string(repository(name)).expect("the README can be read")
}

fn assert_is(name: &str, found: &str, current: &str) {
    if std::env::var_os("HASHTRAIL_BLESS").is_some() {
        std::fs::write(repository(name), current).expect("the README can be written");
        return;
    }
    assert!(found == current, "{name} is not current: run this test with HASHTRAIL_BLESS=1 and look at the difference");
}

fn columns() -> String {
    let mut table = String::from("| table | column | type | meaning |\n| --- | --- | --- | --- |\n");
    for column in json_lines(&stdout_of(hashtrail().args(["schema", "--format", "json"]))) {
        let [name, of, kind, meaning] = ["name", "table", "type", "meaning"].map(|field| text(&column, field));
        let _ = writeln!(table, "| {of} | `{name}` | {kind} | {} |", meaning.replace('|', "\\|"));
    }
    table
}
