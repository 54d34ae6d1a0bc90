//! One recording: its names, and the ledger entries that it makes of itself.

use crate::host::{self, Host};
use crate::record::header::Surroundings;
use crate::record::header::{EntryName, SegmentHeader};
use anyhow::Result;
use hashtrail::archive::{check_host_label, host_label};
use hashtrail::hooks;
use hashtrail::ledger::LedgerEntry;
use hashtrail::versions::VersionContext;

/// What stays the same over a recording.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Random UUID.
    pub(crate) recording_id: String,
    /// Label of the host, as in the partition.
    pub(crate) host: String,
    /// Facts about the host.
    pub(crate) facts: Host,
    /// What the numbers in records stand for.
    pub(crate) entries: Vec<EntryName>,
    /// What the files index needs.
    pub(crate) versions: VersionContext,
}

impl Session {
    /// A new recording on this host.
    ///
    /// # Errors
    /// When the kernel gives no random UUID, or no folder can be named after the host.
    pub(crate) fn new(host_name: Option<&str>, entries: Vec<EntryName>) -> Result<Self> {
        let facts = Host::read();
        let (host_root_dev, host_root_ino) = host::host_root();
        let mut versions = VersionContext { host_root_dev, host_root_ino, ..VersionContext::default() };
        note_commits(&mut versions, &entries);
        let host = host_label(host_name.unwrap_or(&facts.node));
        check_host_label(&host)?;
        Ok(Self { recording_id: host::random_uuid()?, host, facts, entries, versions })
    }

    /// Other policies from now on; the numbers of the entries before stay what they were.
    pub(crate) fn add_entries(&mut self, entries: &[EntryName]) {
        note_commits(&mut self.versions, entries);
        self.entries.extend_from_slice(entries);
    }

    /// The header of one of its segments.
    pub(crate) fn segment_header(&self, segment: u32) -> SegmentHeader {
        SegmentHeader {
            recording_id: self.recording_id.clone(),
            host: self.host.clone(),
            boot_id: self.facts.boot_id.clone(),
            segment,
            entries: self.entries.clone(),
            versions: self.versions.clone(),
        }
    }

    /// A ledger entry of this moment.
    pub(crate) fn ledger(&self, kind: &str, surroundings: &Surroundings) -> LedgerEntry {
        let boot_ns = host::clock_anchor().boot_ns;
        LedgerEntry {
            recording_id: self.recording_id.clone(),
            host: self.host.clone(),
            time: surroundings.time(boot_ns),
            boot_ns,
            kind: kind.to_owned(),
            ..LedgerEntry::default()
        }
    }
}

/// Whether execs that succeeded can be told from attempts: all, or some.
fn note_commits(versions: &mut VersionContext, entries: &[EntryName]) {
    let commits = || entries.iter().filter(|entry| entry.hook == hooks::BPRM_COMMITTED_CREDS);
    versions.commits_recorded = commits().next().is_some();
    versions.commits_in_part = !commits().any(|entry| entry.is_whole);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_some_paths_tells_some_runs() {
        let entry = |hook: &str, is_whole| EntryName { hook: hook.into(), is_whole, ..EntryName::default() };
        let noted = |entries: &[EntryName]| {
            let mut versions = VersionContext::default();
            note_commits(&mut versions, entries);
            (versions.commits_recorded, versions.commits_in_part)
        };
        let (some, all) = (entry("bprm_committed_creds", false), entry("bprm_committed_creds", true));
        assert!(!noted(&[entry("bprm_check_security", true)]).0);
        assert_eq!(noted(std::slice::from_ref(&some)), (true, true));
        assert_eq!((noted(std::slice::from_ref(&all)), noted(&[some, all])), ((true, false), (true, false)));
    }
}
