//! All that happened on some machines, as a reader of their archives may know it.

use super::machine::Machine;
use super::recorded::{Covered, Recorded, Stored, write};
use super::story::{Archives, Story};
use anyhow::Result;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use std::collections::BTreeSet;
use std::path::Path;

/// Reasons for which there is nothing that could have a digest.
const NO_CONTENT: &str = "not_executable_mapping";

/// What happened.
pub(super) struct History {
    pub(super) machines: Vec<Machine>,
    archives: Archives,
}

/// A row with what stands around it.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) machine: &'a Machine,
    /// Number of the recording on its machine.
    pub(super) recording: usize,
    pub(super) stored: &'a Stored,
}

/// What can be followed: a path as it is seen from a root, or, where no path leads to it, an inode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) path: Option<String>,
    /// The boot whose container it is; the host's own root is one for all boots.
    pub(super) root: Option<String>,
    pub(super) tree: usize,
    inode: Option<(String, Option<i64>, Option<i64>)>,
}

impl History {
    pub(super) fn of(story: &Story) -> Self {
        let numbers: BTreeSet<usize> = story.steps.iter().map(|step| step.machine).collect();
        let machines = numbers.into_iter().map(|number| {
            let mut machine = Machine::new(number, story);
            story.steps.iter().filter(|step| step.machine == number).for_each(|step| machine.perform(*step));
            machine.stop();
            machine
        });
        Self { machines: machines.collect(), archives: story.archives }
    }

    /// Gives its machines and recordings names that those of no other story have.
    pub(super) fn set_apart(&mut self, seed: u64) {
        for machine in &mut self.machines {
            machine.host = format!("{}-{seed}", machine.host).leak();
            for recorded in &mut machine.recordings {
                recorded.host = machine.host;
                // The files of a recording are named by the beginning of its id.
                recorded.id = format!("{:04x}{}-{seed}", seed % 0x1_0000, &recorded.id[4..]);
                for row in &mut recorded.rows {
                    row.event.host = machine.host.to_owned();
                    row.event.recording_id.clone_from(&recorded.id);
                }
            }
        }
    }

    /// Writes an archive for each machine, or two.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        self.machines.iter().try_for_each(|machine| {
            for (name, recordings) in self.archives_of(machine) {
                write(&recordings, machine.machine_id, &directory.join(name))?;
            }
            Ok(())
        })
    }

    /// The archives of a machine: their names, and what stands in them.
    fn archives_of<'m>(&self, machine: &'m Machine) -> Vec<(String, Vec<&'m Recorded>)> {
        let (first, second) = (machine.number.to_string(), format!("{}-more", machine.number));
        let every = |rest: usize| machine.recordings.iter().skip(rest).step_by(2).collect::<Vec<_>>();
        let all = || machine.recordings.iter().collect::<Vec<_>>();
        match self.archives {
            Archives::Copied => vec![(first, all()), (second, all())],
            Archives::Split if machine.recordings.len() > 1 && !machine.has_steps() => {
                vec![(first, every(0)), (second, every(1))]
            }
            _ => vec![(first, all())],
        }
    }

    /// A pattern for the archives of these machines.
    pub(super) fn pattern<'m>(&self, directory: &Path, machines: impl Iterator<Item = &'m Machine>) -> String {
        let names: Vec<String> = machines.flat_map(|machine| self.archives_of(machine)).map(|(name, _)| name).collect();
        directory.join(format!("{{{}}}", names.join(","))).display().to_string()
    }

    /// What an answer calls a machine.
    pub(super) fn host(&self, machine: &Machine) -> String {
        let is_twin = |other: &&Machine| other.host == machine.host && other.number != machine.number;
        match self.machines.iter().find(is_twin) {
            Some(_) => format!("{} (machine {})", machine.host, &machine.machine_id[..8]),
            None => machine.host.to_owned(),
        }
    }

    /// All rows, those of a machine in the order in which it all happened.
    pub(super) fn sights(&self) -> Vec<Sight<'_>> {
        let mut sights = Vec::new();
        for machine in &self.machines {
            for (recording, recorded) in machine.recordings.iter().enumerate() {
                sights.extend(recorded.rows.iter().map(|stored| Sight { machine, recording, stored }));
            }
        }
        sights
    }

    pub(super) fn place(&self, sight: &Sight<'_>) -> Place {
        let event = sight.event();
        let is_named = event.path_flags.is_empty();
        Place {
            host: self.host(sight.machine),
            path: event.path.clone(),
            root: (event.root_ino != 2).then(|| event.boot_id.clone()),
            tree: if is_named { sight.stored.tree } else { 0 },
            inode: (!is_named).then(|| (event.boot_id.clone(), event.ino, event.ino_generation)),
        }
    }
}

impl<'a> Sight<'a> {
    pub(super) fn event(&self) -> &'a Event {
        &self.stored.event
    }

    pub(super) fn recorded(&self) -> &'a Recorded {
        &self.machine.recordings[self.recording]
    }

    pub(super) fn has_digest(&self) -> bool {
        self.event().digest.is_some()
    }

    pub(super) fn is_certain(&self) -> bool {
        self.has_digest() && self.event().digest_doubt.is_empty()
    }

    /// Algorithm and digest.
    pub(super) fn content(&self) -> (String, String) {
        let event = self.event();
        (event.digest_algorithm.clone().unwrap_or_default(), event.digest.clone().unwrap_or_default())
    }

    /// The row that the digest is for: another one where user space took it.
    pub(super) fn subject(&self) -> &'a Event {
        let event = self.event();
        let key = (event.ref_cpu, event.ref_seq);
        let of_recording = self.recorded().rows.iter().map(|row| &row.event);
        let is_it = |other: &&Event| event.hook == "user_digest" && key == (Some(other.cpu), Some(other.seq));
        of_recording.clone().find(is_it).unwrap_or(event)
    }

    /// The exec that it is a part of, with its file.
    pub(super) fn exec(&self) -> Option<(usize, usize, i64, Option<i64>)> {
        let subject = self.subject();
        let exec_id = subject.exec_id.filter(|_| subject.hook.starts_with("bprm_"))?;
        Some((self.machine.number, self.recording, exec_id, subject.ino))
    }

    /// Whether the exec that it is a part of succeeded, as far as the rows say.
    pub(super) fn has_run(&self) -> bool {
        let exec_id = self.exec().map(|(_, _, exec_id, _)| exec_id);
        let is_commit = |row: &Stored| row.event.hook == "bprm_committed_creds" && row.event.exec_id == exec_id;
        exec_id.is_some() && self.recorded().rows.iter().any(is_commit)
    }

    /// Whether it is known if the exec that it is a part of succeeded. Of a script it is the interpreter's row that says so, so that no
    /// filter on the path says which have one.
    pub(super) fn tells_runs(&self) -> bool {
        match self.recorded().settings.commits {
            Covered::All => true,
            Covered::Below => self.exec().is_none() || self.has_run(),
            Covered::None => false,
        }
    }

    /// Whether the row of versions that counts its exec was made before it was known what came of that.
    pub(super) fn is_open(&self) -> bool {
        self.exec().is_some_and(|(_, _, exec_id, _)| self.recorded().is_open(exec_id, self.stored))
    }

    /// Whether all execs of its recording have.
    pub(super) fn tells_all_runs(&self) -> bool {
        self.recorded().settings.commits == Covered::All
    }

    /// Whether a policy asked for a digest, and nobody took one.
    pub(super) fn is_lacking(&self) -> bool {
        let event = self.event();
        let is_answered = |other: &Stored| {
            other.event.hook == "user_digest"
                && (other.event.ref_cpu, other.event.ref_seq) == (Some(event.cpu), Some(event.seq))
        };
        event.digest_status == "unavailable"
            && event.digest_reason.as_deref() != Some(NO_CONTENT)
            && !self.recorded().rows.iter().any(is_answered)
    }

    /// Whether the other one saw the same inode; what devices are called says nothing after a reboot.
    pub(super) fn is_file_of(&self, other: &Self) -> bool {
        let (this, that) = (self.event(), other.event());
        (this.ino, this.ino_generation) == (that.ino, that.ino_generation)
            && (this.boot_id != that.boot_id || this.dev == that.dev)
    }

    /// Where it stands among all of its machine.
    pub(super) fn order(&self) -> (usize, i64, i32, i64) {
        let Event { boot_ns, cpu, seq, .. } = self.event();
        (self.recording, *boot_ns, *cpu, *seq)
    }

    pub(super) fn time(&self) -> Micros {
        self.event().time
    }
}
