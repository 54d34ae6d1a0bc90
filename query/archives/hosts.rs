//! Which machine a host name means. Names repeat, in containers and clones of an image above all; then the machine id that the
//! recorder noted tells two apart, and where it noted none, the asker is told.

use super::open::OpenArchive;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row that belongs to a host.
pub(crate) trait Hosted {
    fn recording_id(&self) -> &str;
    fn host(&mut self) -> &mut String;
}

macro_rules! hosted {
    ($($row:ty),+) => {
        $(impl Hosted for $row {
            fn recording_id(&self) -> &str {
                &self.recording_id
            }

            fn host(&mut self) -> &mut String {
                &mut self.host
            }
        })+
    };
}

hosted!(Event, FileVersion, LedgerEntry, PackageFile);

/// The machines whose names are not enough.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    /// Names by recording, of machines that share theirs with another.
    names: HashMap<String, String>,
    /// Names that several archives have, one of them without a machine id.
    unclear: Vec<(String, Vec<String>)>,
}

/// The recordings of a machine, and the archives that they stand in.
#[derive(Default)]
struct Machine {
    recordings: Vec<String>,
    archives: BTreeSet<String>,
}

impl Hosts {
    /// Reads who recorded from the manifests.
    pub(crate) fn of(archives: &[OpenArchive]) -> Self {
        let starts = archives.iter().flat_map(|archive| {
            let root = archive.archive.root().display().to_string();
            archive.starts().map(move |line| (root.clone(), line.fields()))
        });
        Self::of_starts(starts)
    }

    fn of_starts(starts: impl Iterator<Item = (String, Map<String, Value>)>) -> Self {
        let mut machines: BTreeMap<String, BTreeMap<Option<String>, Machine>> = BTreeMap::new();
        for (archive, line) in starts {
            let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
            let (Some(host), Some(recording_id)) = (text(line.get("host")), text(line.get("recording_id"))) else {
                continue;
            };
            let id = text(line.get("facts").and_then(|facts| facts.get("machine_id")));
            let machine = machines.entry(host).or_default().entry(id).or_default();
            machine.recordings.push(recording_id);
            machine.archives.insert(archive);
        }
        let mut hosts = Self::default();
        for (host, machines) in machines {
            hosts.take(&host, machines);
        }
        hosts
    }

    fn take(&mut self, host: &str, mut machines: BTreeMap<Option<String>, Machine>) {
        let archives: BTreeSet<&String> = machines.values().flat_map(|machine| &machine.archives).collect();
        if machines.contains_key(&None) && archives.len() > 1 {
            self.unclear.push((host.to_owned(), archives.into_iter().cloned().collect()));
        }
        machines.remove(&None);
        if machines.len() < 2 {
            return;
        }
        for (id, machine) in machines {
            let id = id.unwrap_or_default();
            let name = format!("{host} (machine {})", id.get(..8).unwrap_or(&id));
            self.names.extend(machine.recordings.into_iter().map(|recording| (recording, name.clone())));
        }
    }

    /// The row with the name that its machine has here.
    pub(crate) fn named<R: Hosted>(&self, mut row: R) -> R {
        if let Some(name) = self.names.get(row.recording_id()) {
            row.host().clone_from(name);
        }
        row
    }

    /// The name of the machine of a recording, where its host name is not enough.
    pub(crate) fn name_of(&self, recording_id: &str) -> Option<&str> {
        self.names.get(recording_id).map(String::as_str)
    }

    /// Whether all host names are enough.
    pub(crate) fn are_clear(&self) -> bool {
        self.names.is_empty()
    }

    /// What the asker should know.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let several: BTreeSet<&String> = self.names.values().collect();
        let several = (!several.is_empty()).then(|| {
            let names: Vec<&str> = several.into_iter().map(String::as_str).collect();
            format!(
                "several machines have one host name, and are told apart by their machine ids: {}",
                names.join(", ")
            )
        });
        let unclear = self.unclear.iter().map(|(host, archives)| {
            format!(
                "{} are all of host `{host}`, and not each says which machine that was: they are taken for one, and where \
                 they are not, changes are told that never were",
                archives.join(", ")
            )
        });
        several.into_iter().chain(unclear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Archives of the host `web`: recording and machine id of each.
    fn hosts(machines: &[(&str, Option<&str>)]) -> Hosts {
        Hosts::of_starts(machines.iter().map(|(id, machine)| {
            let start = json!({"host": "web", "recording_id": id, "facts": {"machine_id": machine}});
            (format!("/of-{id}"), crate::output::object(start))
        }))
    }

    fn name(hosts: &Hosts, recording_id: &str) -> String {
        let row = FileVersion { recording_id: recording_id.into(), host: "web".into(), ..FileVersion::default() };
        hosts.named(row).host
    }

    #[test]
    fn two_machines_with_one_name_are_two_hosts() {
        let two = hosts(&[("r1", Some("0123456789abcdef")), ("r2", Some("fedcba9876543210")), ("r3", None)]);
        assert_eq!(
            (name(&two, "r1"), name(&two, "r2")),
            ("web (machine 01234567)".into(), "web (machine fedcba98)".into())
        );
        assert_eq!(name(&two, "r3"), "web");
        let notes: Vec<String> = two.notes().collect();
        assert!(notes[0].contains("web (machine 01234567), web (machine fedcba98)"), "{notes:?}");
        assert!(notes[1].starts_with("/of-r1, /of-r2, /of-r3 are all of host `web`"), "{notes:?}");
    }

    #[test]
    fn one_machine_keeps_its_name() {
        let one = hosts(&[("r1", Some("0123")), ("r2", Some("0123"))]);
        assert_eq!((name(&one, "r2"), one.notes().count(), one.are_clear()), ("web".into(), 0, true));
        assert_eq!(hosts(&[("r1", None)]).notes().count(), 0);
    }
}
