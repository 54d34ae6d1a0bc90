//! Running commands and reading what they print.

pub(crate) mod duckdb; // rows of an archive by another engine
pub(crate) mod guest; // boots a kernel once and runs all scenarios in it
pub(crate) mod random; // numbers that a seed decides
pub(crate) mod rows; // the events that tests make archives of
pub(crate) mod scenario; // what one scenario left: its oracle, its archive, the answers about it
pub(crate) mod verbs; // what the query tool says of itself

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The query tool.
pub(crate) fn hashtrail() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hashtrail"))
}

/// The recorder.
#[cfg(feature = "recorder")]
pub(crate) fn recorder() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hashtrail-recorder"))
}

/// Whether the full counts were asked for (`make test-full`).
#[cfg(feature = "recorder")]
pub(crate) fn full() -> bool {
    std::env::var_os("HASHTRAIL_TEST_FULL").is_some()
}

/// One of the scripts in `tests/engines/`, run by the Python that has the engines.
pub(crate) fn engine_script(name: &str) -> Command {
    let python =
        std::env::var_os("HASHTRAIL_PYTHON").map_or_else(|| repository("target/venv/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "there is no Python with the engines at `{}`: run `make venv`, or set HASHTRAIL_PYTHON to one that has \
         duckdb, flor, jsonschema, pytz, pyarrow, polars and pyspark",
        python.display()
    );
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(repository("tests/engines").join(name));
    command
}

/// Runs a command to its end; it may fail.
pub(crate) fn output_of(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

/// What a command printed on stdout; it must exit 0.
pub(crate) fn stdout_of(command: &mut Command) -> String {
    let output = output_of(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap_or_else(|error| panic!("{command:?} printed no UTF-8: {error}"))
}

/// The objects in text that has one on each line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON object: {error}: {line}")))
        .collect()
}

/// An integer field of an object.
pub(crate) fn integer(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or_else(|| panic!("no integer `{field}` in {object}"))
}

/// A text field of an object.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {object}"))
}

/// Whether a list field of an object holds a text.
pub(crate) fn lists(object: &Value, field: &str, item: &str) -> bool {
    let list = object[field].as_array().unwrap_or_else(|| panic!("no list `{field}` in {object}"));
    list.iter().any(|value| value == item)
}
