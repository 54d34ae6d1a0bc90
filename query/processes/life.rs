//! What was recorded of one process: who it was when it began, and the programs that it ran.

use super::sight::{Credentials, ProgramFile, Sight};
use crate::recordings::Position;
use crate::sorter::Sorted;
use anyhow::Result;
use hashtrail::cell::Micros;
use hashtrail::hooks;
use std::collections::HashMap;
use std::iter::Peekable;

/// Programs of one process that are kept; more are counted.
const PROGRAMS_MAX: usize = 1000;
/// Files of one program, of which a script has two or a few more.
const FILES_MAX: usize = 64;
/// Rows of one process that user space can have taken a digest for.
const ROWS_MAX: usize = 1 << 16;

/// What rows say of a process.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Name of its thread in its last row.
    pub(crate) comm: Option<String>,
    /// Name of its parent in its first row.
    pub(crate) parent_comm: Option<String>,
    /// As of its first row.
    pub(crate) credentials: Option<Credentials>,
    /// What it ran before the first of `programs`: what its parent ran when it forked.
    pub(crate) exe_before: Option<String>,
    /// In order.
    pub(crate) programs: Vec<Program>,
    /// How many more there were, and rows of programs that were too many.
    pub(crate) omitted: usize,
}

/// A program that a process ran, or tried to.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) at: Position,
    pub(crate) time: Micros,
    /// Whether it ran already when the recording began.
    pub(crate) was_running: bool,
    /// Whether a row says that the exec succeeded.
    pub(crate) is_committed: bool,
    /// A script and its interpreter, in the order in which they were looked at.
    pub(crate) files: Vec<ProgramFile>,
    /// The one of these that the last row is about.
    last_file: usize,
    pub(crate) argv: Option<Vec<String>>,
    pub(crate) argc: Option<i32>,
    pub(crate) credentials: Credentials,
}

impl Life {
    /// For whom it acted as far as is known last.
    pub(crate) fn latest(&self) -> Option<&Credentials> {
        self.programs.last().map(|program| &program.credentials).or(self.credentials.as_ref())
    }
}

impl Program {
    /// What runs in the end.
    pub(crate) fn file(&self) -> Option<&ProgramFile> {
        self.files.get(self.last_file)
    }
}

/// The lives of processes in their order.
pub(super) struct Lives(Peekable<Sorted<Sight>>);

impl Lives {
    pub(super) fn new(sights: Sorted<Sight>) -> Self {
        Self(sights.peekable())
    }

    /// Of the process at a place; those before it are passed over.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(super) fn of_place(&mut self, place: u32) -> Result<Life> {
        let mut draft = Draft::default();
        let is_due = |sight: &Result<Sight>| sight.as_ref().map_or(true, |sight| sight.place <= place);
        while let Some(sight) = self.0.next_if(is_due) {
            let sight = sight?;
            if sight.place == place {
                draft.take(sight);
            }
        }
        Ok(draft.life)
    }
}

/// A life as far as it was read.
#[derive(Default)]
struct Draft {
    life: Life,
    /// The program of each exec of a recording.
    execs: HashMap<(usize, i64), usize>,
    /// The program and file of each row of a recording.
    rows: HashMap<(usize, i32, i64), (usize, usize)>,
    last_omitted: Option<(usize, i64)>,
    last: Option<Position>,
}

impl Draft {
    fn take(&mut self, sight: Sight) {
        // An event can stand in two copies of an archive.
        if self.last.replace(sight.at) == Some(sight.at) {
            return;
        }
        if let Some((cpu, seq)) = sight.answers {
            let file = self.rows.get(&(sight.at.rank, cpu, seq)).copied();
            let file = file.and_then(|(program, file)| self.life.programs.get_mut(program)?.files.get_mut(file));
            if let Some(file) = file {
                file.digest.improve(sight.file.digest);
            }
            return;
        }
        let is_exec = hooks::is_exec(&sight.hook);
        let tells = is_exec || sight.hook == hooks::PROCESS_FORK || sight.hook == hooks::RUNNING_PROCESS;
        let has_old_exe = sight.hook != hooks::RUNNING_PROCESS && sight.hook != hooks::BPRM_COMMITTED_CREDS;
        if sight.hook == hooks::USER_DIGEST || !tells && self.life.comm.is_some() {
            return;
        }
        let life = &mut self.life;
        if life.comm.is_none() {
            life.parent_comm = Some(sight.parent_comm.clone());
            life.credentials = Some(sight.credentials.clone());
            life.exe_before = sight.exe.clone().filter(|_| has_old_exe);
        }
        life.comm = Some(sight.comm.clone());
        if is_exec {
            self.take_exec(sight);
        } else if sight.hook == hooks::RUNNING_PROCESS && sight.file.ino.is_some() && !self.is_running(&sight) {
            self.add_program(sight);
        }
    }

    /// Whether a look found what is known to run.
    fn is_running(&self, sight: &Sight) -> bool {
        let ran = self.life.programs.iter().rev().find(|program| program.is_committed || program.was_running);
        let file = &sight.file;
        match ran.and_then(Program::file) {
            Some(known) => {
                known.path == file.path && (known.dev.is_none() || (&known.dev, known.ino) == (&file.dev, file.ino))
            }
            None => false,
        }
    }

    fn take_exec(&mut self, sight: Sight) {
        let exec = sight.exec_id.map(|exec_id| (sight.at.rank, exec_id));
        let known = exec.and_then(|exec| self.execs.get(&exec).copied());
        let Some(number) = known else {
            let is_new = exec.is_none() || self.last_omitted != exec;
            if is_new && self.add_program(sight) {
                self.execs.extend(exec.map(|exec| (exec, self.life.programs.len() - 1)));
            } else {
                self.last_omitted = exec;
            }
            return;
        };
        let Sight { at, hook, credentials, file, argv, argc, .. } = sight;
        let Some(program) = self.life.programs.get_mut(number) else { return };
        program.is_committed |= hook == hooks::BPRM_COMMITTED_CREDS;
        program.argv = argv.or(program.argv.take());
        program.argc = argc.or(program.argc);
        program.credentials = credentials;
        let is_same = |known: &ProgramFile| (&known.path, &known.dev, known.ino) == (&file.path, &file.dev, file.ino);
        let place = program.files.iter().position(is_same).unwrap_or(program.files.len());
        if let Some(known) = program.files.get_mut(place) {
            known.digest.improve(file.digest);
        } else if place < FILES_MAX {
            program.files.push(file);
        } else {
            self.life.omitted += 1;
            return;
        }
        program.last_file = place;
        self.note_row(at, (number, place));
    }

    fn note_row(&mut self, at: Position, of: (usize, usize)) {
        if self.rows.len() < ROWS_MAX {
            self.rows.insert((at.rank, at.cpu, at.seq), of);
        } else {
            self.life.omitted += 1;
        }
    }

    /// Whether there was room for it.
    fn add_program(&mut self, sight: Sight) -> bool {
        if self.life.programs.len() >= PROGRAMS_MAX {
            self.life.omitted += 1;
            return false;
        }
        let Sight { at, time, hook, mut file, argv, argc, credentials, exe, .. } = sight;
        let was_running = hook == hooks::RUNNING_PROCESS;
        if was_running && file.path.is_none() {
            file.path = exe;
        }
        self.note_row(at, (self.life.programs.len(), 0));
        let is_committed = hook == hooks::BPRM_COMMITTED_CREDS;
        self.life.programs.push(Program {
            at,
            time,
            was_running,
            is_committed,
            files: vec![file],
            last_file: 0,
            argv,
            argc,
            credentials,
        });
        true
    }
}
