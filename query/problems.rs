//! What goes to stderr: errors that do not stop the query, and notes. File names in them are escaped.

use crate::output::escape::escape;
use std::cell::Cell;
use std::io::Write;

/// Errors after which the query goes on with what is left; it then ends with exit code 2.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    count: Cell<usize>,
}

impl Problems {
    /// Shows an error and remembers that there was one.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.count.set(self.count.get() + 1);
        say("error", &format!("{error:#}"));
    }

    /// Whether an error was shown.
    pub(crate) fn any(&self) -> bool {
        self.count.get() > 0
    }
}

/// Shows something that the user should know beside the data.
pub(crate) fn note(text: &str) {
    say("note", text);
}

fn say(label: &str, text: &str) {
    // Nobody can be told when stderr is closed.
    let _ = writeln!(std::io::stderr(), "{label}: {}", escape(text));
}
