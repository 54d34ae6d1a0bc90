//! A process of a tree in words.

use super::Branch;
use crate::processes::ParentSource;
use crate::processes::family::Root;
use crate::processes::life::Program;
use std::collections::BTreeSet;

impl Branch<'_> {
    /// Whether an exec succeeded; `None` where the recording did not have that.
    pub(crate) fn ran(&self, program: &Program) -> Option<bool> {
        let has_run = program.is_committed || program.was_running;
        (has_run || self.covered.has_commits(program.at.rank)).then_some(has_run)
    }

    /// What is told before the first program of the process.
    pub(crate) fn mark(&self) -> &'static str {
        match self.root {
            Some(Root::Unknown) => "(parent unknown) ",
            Some(Root::Circle) => "(ancestor of itself) ",
            _ => "",
        }
    }

    /// One of its programs: a script by its interpreter, and what is not certain of it.
    pub(crate) fn program(&self, program: &Program) -> String {
        let paths = program.files.iter().map(|file| file.path.as_deref().unwrap_or("?"));
        let mut text = paths.collect::<Vec<&str>>().join(" by ");
        text.push_str(match self.ran(program) {
            Some(true) if program.was_running => " (ran already)",
            Some(true) => "",
            Some(false) => " (attempt)",
            None => " (run or attempt)",
        });
        let doubts = program.files.iter().filter(|file| file.digest.is_doubtful()).flat_map(|file| &file.digest.doubt);
        let doubts: BTreeSet<&str> = doubts.map(String::as_str).collect();
        if !doubts.is_empty() {
            text += &format!(" (digest doubtful: {})", doubts.into_iter().collect::<Vec<&str>>().join(", "));
        }
        text
    }

    /// Of a process that ran no program of its own: that of its parent goes on, or it is one of the kernel's.
    pub(crate) fn without_program(&self) -> String {
        let is_forked = self.process.parent.is_some_and(|parent| parent.source == ParentSource::Fork);
        match (&self.life.exe_before, &self.life.comm) {
            (Some(exe), _) => format!("{exe} ({})", if is_forked { "forked" } else { "ran already" }),
            (None, Some(comm)) => format!("[{comm}]"),
            (None, None) => "(no row)".to_owned(),
        }
    }
}
