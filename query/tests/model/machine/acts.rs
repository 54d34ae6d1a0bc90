//! What processes do.

use super::{MILLISECOND, Machine, Process, What};
use crate::tests::model::files::{INTERPRETER, tree_of};
use crate::tests::model::recorded::Covered;
use crate::tests::model::story::{Act, Digest, Step};
use hashtrail::event::Event;

const O_WRONLY: i32 = 1;

impl Machine {
    /// A check for each file of the exec, and a row when it succeeded.
    pub(super) fn exec(&mut self, step: Step, who: &Process, path: &str, file: usize) {
        self.execs += 1;
        let tree = tree_of(who.view, path);
        let row = Event { exec_id: Some(self.execs), ..self.row(who, "bprm_check_security") };
        let is_denied = step.act == Act::DenyRun;
        self.put_digest(denied_if(row, is_denied), (file, tree, path), step.digest, false);
        let shell_tree = tree_of(who.view, INTERPRETER);
        let interpreter = self.files.at(shell_tree, INTERPRETER).filter(|_| step.act == Act::RunScript);
        let (runs, its_tree, its_path) = interpreter.map_or((file, tree, path), |file| (file, shell_tree, INTERPRETER));
        if interpreter.is_some() {
            self.now_ns += 2 * MILLISECOND;
            let row = Event { exec_id: Some(self.execs), ..self.row(who, "bprm_check_security") };
            self.put_digest(row, (runs, its_tree, its_path), step.digest, false);
        }
        if step.is_late {
            self.now_ns += MILLISECOND;
            self.cut();
        }
        if !matches!(step.act, Act::Run | Act::RunScript) {
            return;
        }
        self.now_ns += 2 * MILLISECOND;
        let at = self.living.iter().position(|process| process.pid == who.pid).expect("it lives");
        let process = &mut self.living[at];
        process.exe = its_path.into();
        process.own = Some((runs, its_tree));
        let process = process.clone();
        self.files.used = self.living.iter().filter_map(|process| Some(process.own?.0)).collect();
        let commit = Event { exec_id: Some(self.execs), ..self.row(&process, "bprm_committed_creds") };
        let is_recorded = self.is_recording && self.recorded().settings.commits.has(its_path);
        if is_recorded {
            let digest = if step.content.is_multiple_of(2) { kept(step.digest) } else { Digest::NotAsked };
            self.put_digest(commit, (runs, its_tree, its_path), digest, false);
        }
    }

    pub(super) fn run_memfd(&mut self, step: Step, who: &Process) {
        self.execs += 1;
        let file = self.files.new_memfd(step.content);
        for hook in ["bprm_check_security", "bprm_committed_creds"] {
            let is_recorded =
                hook == "bprm_check_security" || self.is_recording && self.recorded().settings.commits == Covered::All;
            if is_recorded {
                let row = Event { exec_id: Some(self.execs), ..self.row(who, hook) };
                self.put_digest(row, (file, 0, "/memfd:x"), step.digest, false);
            }
            self.now_ns += 2 * MILLISECOND;
        }
        let process = self.living.iter_mut().find(|process| process.pid == who.pid).expect("it lives");
        (process.exe, process.own) = ("/memfd:x".into(), Some((file, 0)));
    }

    pub(super) fn see(&mut self, step: Step, who: &Process, hook: &str, at: (usize, usize, &str)) {
        let row = denied_if(self.row(who, hook), step.act == Act::DenyMap);
        let row = Event { open_flags: (hook == "file_open").then_some(0), ..row };
        self.put_digest(row, at, step.digest, step.is_late);
    }

    pub(super) fn rewrite(&mut self, who: &Process, (file, tree, path): (usize, usize, &str), content: usize) {
        let open = Event { open_flags: Some(O_WRONLY), ..self.row(who, "file_open") };
        let open = self.with_file(open, (file, tree, path));
        let row = if self.records(|settings| settings.writes.has(path)) { self.put(open, tree, false) } else { None };
        self.now_ns += MILLISECOND;
        self.files.write(file, content);
        self.note(What::Content(file), row, false);
    }

    /// Writes a new file and gives it the name.
    pub(super) fn replace(&mut self, who: &Process, (tree, path): (usize, &str), content: usize) {
        let new = self.files.create(path, content);
        let scratch = format!("{path}.new");
        let open = Event { open_flags: Some(0o101), ..self.row(who, "file_open") };
        let open = self.with_file(open, (new, tree, &scratch));
        if self.records(|settings| settings.writes.has(path)) {
            self.put(open, tree, false);
        }
        self.now_ns += 4 * MILLISECOND;
        self.change_names(who, "inode_rename", (new, tree, &scratch), Some(path));
        self.files.set(tree, path, Some(new));
    }

    pub(super) fn name(&mut self, act: Act, who: &Process, from: &str, to: &str) {
        let (tree, file) = (tree_of(who.view, from), self.files.at(tree_of(who.view, from), from));
        let there = self.files.at(tree_of(who.view, to), to);
        let (Some(file), true) = (file, self.files.are_together(who.view, from, to)) else { return };
        match act {
            Act::Rename if there != Some(file) => {
                self.change_names(who, "inode_rename", (file, tree, from), Some(to));
                self.files.set(tree, from, None);
                self.files.set(tree, to, Some(file));
            }
            Act::Exchange if there.is_some() => {
                self.change_names(who, "inode_rename", (file, tree, from), Some(to));
                self.files.set(tree, from, there);
                self.files.set(tree, to, Some(file));
            }
            Act::Link if there.is_none() => {
                self.change_names(who, "inode_link", (file, tree, from), Some(to));
                self.files.set(tree, to, Some(file));
            }
            _ => {}
        }
    }

    pub(super) fn unlink(&mut self, who: &Process, (file, tree, path): (usize, usize, &str)) {
        self.change_names(who, "inode_unlink", (file, tree, path), None);
        self.files.set(tree, path, None);
    }

    /// The row of an act on names, which says where they stand on the host.
    pub(super) fn change_names(
        &mut self,
        who: &Process,
        hook: &str,
        (file, tree, path): (usize, usize, &str),
        target: Option<&str>,
    ) {
        let on_host = |path: &str| format!("{}{path}", ["", "/containers/1", "/private"][tree]);
        let target_ino = target.and_then(|target| self.files.at(tree, target)).map(|there| self.files.list[there].ino);
        let event = self.with_file(self.row(who, hook), (file, tree, path));
        let event = Event { path: Some(on_host(path)), target_path: target.map(on_host), target_ino, ..event };
        // A filter on the path leaves undecided what it does not know.
        let reaches = |path: &str| tree != 0 || path.starts_with("/usr/");
        let is_recorded = self.records(|settings| match settings.writes {
            Covered::All => true,
            Covered::Below => reaches(path) || target.is_some_and(reaches),
            Covered::None => false,
        });
        let row = if is_recorded { self.put(event, tree, false) } else { None };
        for name in target.into_iter().chain((hook != "inode_link").then_some(path)) {
            self.note(What::Name(tree, name.to_owned()), row, false);
        }
    }

    pub(super) fn fork(&mut self, who: &Process, step: Step) {
        let Some(pid) = (2..9).find(|pid| self.living.iter().all(|process| process.pid != *pid)) else { return };
        let view = if step.content.is_multiple_of(3) { step.place % 3 } else { who.view };
        let parent = (who.pid, who.start_ns);
        let child = Process { pid, start_ns: self.now_ns - 10, parent, view, ..who.clone() };
        let row = self.row(&child, "sched_process_fork");
        self.put(row, 0, false);
        self.living.push(child);
    }

    pub(super) fn exit(&mut self, who: &Process) {
        if who.pid != 1 {
            let init = (self.living[0].pid, self.living[0].start_ns);
            self.living.retain(|process| process.pid != who.pid);
            let orphans = self.living.iter_mut().filter(|process| process.parent == (who.pid, who.start_ns));
            orphans.for_each(|orphan| orphan.parent = init);
        }
        let used = self.living.iter().filter_map(|process| Some(process.own?.0)).collect();
        self.files.used = used;
    }
}

/// The second hook of an exec uses the digest of the first.
fn kept(digest: Digest) -> Digest {
    match digest {
        Digest::Certain | Digest::Kept => Digest::Kept,
        Digest::ByUser => Digest::NotAsked,
        other => other,
    }
}

fn denied_if(event: Event, is_denied: bool) -> Event {
    if is_denied { Event { action: "deny".into(), enforced: true, result: Some(1), ..event } } else { event }
}
