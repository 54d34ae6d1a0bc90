//! `DuckDB`, which shares no code with hashtrail: processes of Python that each answer one question after another, because a
//! start takes longer than most answers.

use crate::support::engine_script;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

/// Those that nobody is asking. They end with this process, which closes their stdin.
static IDLE: Mutex<Vec<Engine>> = Mutex::new(Vec::new());

struct Engine {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Rows of an archive. Views: events, files, ledger, packages.
pub(crate) fn rows(archive: &Path, sql: &str) -> Vec<Value> {
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let known = idle().pop();
    let mut engine = known.unwrap_or_else(Engine::start);
    let mut answer = engine.ask(archive, sql);
    idle().push(engine);
    match answer["rows"].take() {
        Value::Array(rows) => rows,
        _ => panic!("`{sql}` about `{}`: {answer}", archive.display()),
    }
}

impl Engine {
    fn start() -> Self {
        let mut command = engine_script("rows.py");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a Python with DuckDB can be started");
        let questions = child.stdin.take().expect("stdin is a pipe");
        let answers = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Self { child, questions, answers }
    }

    fn ask(&mut self, archive: &Path, sql: &str) -> Value {
        let mut answer = String::new();
        writeln!(self.questions, "{}", json!({"archive": archive, "sql": sql})).expect("DuckDB takes a question");
        self.answers.read_line(&mut answer).expect("DuckDB answers with text");
        serde_json::from_str(&answer).unwrap_or_else(|error| {
            panic!("`{sql}` about `{}`: {error}; DuckDB ended with {:?}", archive.display(), self.child.try_wait())
        })
    }
}
