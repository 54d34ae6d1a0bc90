//! The README's table of columns is the one that the query tool prints.

use crate::support::{hashtrail, json_lines, repository, stdout_of, text};
use std::fmt::Write;

/// What stands before and behind the table.
const BOUNDS: (&str, &str) = ("<!-- columns: begin -->\n", "<!-- columns: end -->");

/// With `HASHTRAIL_BLESS` set, the README is written anew.
#[test]
fn the_table_of_columns_is_current() {
    let path = repository("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README can be read");
    let (before, rest) = readme.split_once(BOUNDS.0).expect("the table of columns has a begin");
    let (table, after) = rest.split_once(BOUNDS.1).expect("the table of columns has an end");
    let current = columns();
    if std::env::var_os("HASHTRAIL_BLESS").is_some() {
        std::fs::write(path, [before, BOUNDS.0, &current, BOUNDS.1, after].concat())
            .expect("the README can be written");
        return;
    }
    assert_eq!(table, current, "run the test again with HASHTRAIL_BLESS=1 to write the table anew");
}

fn columns() -> String {
    let mut table = String::from("| table | column | type | meaning |\n| --- | --- | --- | --- |\n");
    for column in json_lines(&stdout_of(hashtrail().args(["schema", "--format", "json"]))) {
        let [name, of, kind, meaning] = ["name", "table", "type", "meaning"].map(|field| text(&column, field));
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {of} | `{name}` | {kind} | {} |", meaning.replace('|', "\\|"));
    }
    table
}
