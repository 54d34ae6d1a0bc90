//! What goes to stderr: errors that do not stop the query, and notes. File names in them are escaped.

use super::progress;
use hashtrail::digest_list::Faults;
use hashtrail::escape::escape;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

/// Errors beyond these are counted: an archive can hold a million lines, and a fault in each.
const MAX_SHOWN: usize = 1_000;
/// Longer ones are cut: they quote what was read.
const MAX_TEXT_BYTES: usize = 16 << 10;

/// Errors after which the query goes on with what is left; it then ends with exit code 2.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    shown: RefCell<Vec<String>>,
    /// Hashes of all texts.
    known: RefCell<HashSet<u64>>,
    hasher: RandomState,
    unshown: Cell<usize>,
}

impl Problems {
    /// Shows an error and remembers that there was one. The same of a second reading is told once.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let text = shortened(format!("{error:#}"));
        if !self.known.borrow_mut().insert(self.hasher.hash_one(&text)) {
            return;
        }
        if self.shown.borrow().len() >= MAX_SHOWN {
            self.unshown.set(self.unshown.get() + 1);
            return;
        }
        say("error", &text);
        self.shown.borrow_mut().push(text);
    }

    /// Whether there was an error.
    pub(crate) fn any(&self) -> bool {
        !self.known.borrow().is_empty()
    }

    /// What was told.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.shown.borrow().iter().cloned().chain(self.more()).collect()
    }

    /// Tells how many errors were not shown; the last thing to do.
    pub(crate) fn finish(&self) {
        self.more().iter().for_each(|text| say("error", text));
    }

    fn more(&self) -> Option<String> {
        let count = self.unshown.get();
        (count > 0).then(|| format!("{count} more errors are counted and not shown: ask one archive at a time"))
    }
}

impl Faults for Problems {
    fn tell(&self, error: &anyhow::Error) {
        self.error(error);
    }
}

/// Shows something that the user should know beside the data.
pub(crate) fn note(text: &str) {
    say("note", text);
}

fn shortened(mut text: String) -> String {
    let length = text.len();
    if length > MAX_TEXT_BYTES {
        let end = (0..=MAX_TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text += &format!("… (cut: {length} bytes)");
    }
    text
}

fn say(label: &str, text: &str) {
    let line = format!("{label}: {}", escape(text));
    // Tests show it only where they fail.
    if cfg!(test) {
        eprintln!("{line}");
        return;
    }
    progress::clear();
    // Nobody can be told when stderr is closed.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, MAX_TEXT_BYTES, Problems};
    use anyhow::anyhow;

    #[test]
    fn the_same_error_is_told_once_and_a_flood_is_counted() {
        let problems = Problems::default();
        assert!(!problems.any());
        for number in 0..MAX_SHOWN + 5 {
            for _ in 0..2 {
                problems.error(&anyhow!("fault {number}"));
            }
        }
        let texts = problems.texts();
        assert!(problems.any());
        assert_eq!(texts.len(), MAX_SHOWN + 1);
        assert_eq!(texts[MAX_SHOWN - 1], format!("fault {}", MAX_SHOWN - 1));
        assert!(texts[MAX_SHOWN].starts_with("5 more errors "), "{}", texts[MAX_SHOWN]);
    }

    #[test]
    fn a_long_error_is_cut() {
        let problems = Problems::default();
        problems.error(&anyhow!("a{}", "ü".repeat(MAX_TEXT_BYTES)));
        let text = problems.texts().remove(0);
        assert!(text.len() < MAX_TEXT_BYTES + 40 && text.ends_with("ü… (cut: 32769 bytes)"), "{}", text.len());
    }
}
