//! What goes to stderr: errors that do not stop the query, and notes. File names in them are escaped.

use hashtrail::escape::escape;
use std::cell::RefCell;
use std::io::Write;

/// Errors after which the query goes on with what is left; it then ends with exit code 2.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    texts: RefCell<Vec<String>>,
}

impl Problems {
    /// Shows an error and remembers that there was one. The same of a second reading is told once.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        if self.texts.borrow().contains(&text) {
            return;
        }
        say("error", &text);
        self.texts.borrow_mut().push(text);
    }

    /// Whether an error was shown.
    pub(crate) fn any(&self) -> bool {
        !self.texts.borrow().is_empty()
    }

    /// What was shown.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.texts.borrow().clone()
    }
}

/// Shows something that the user should know beside the data.
pub(crate) fn note(text: &str) {
    say("note", text);
}

fn say(label: &str, text: &str) {
    let line = format!("{label}: {}", escape(text));
    // Tests show it only where they fail.
    if cfg!(test) {
        eprintln!("{line}");
        return;
    }
    // Nobody can be told when stderr is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}
