//! IMA's measurement lists: a second witness of what was run, which a TPM can vouch for.
//!
//! A list is read in either of the kernel's forms, replayed against the hashes that it states and the registers that a
//! TPM gave, and compared with the digests of an archive. Nothing here is trusted: a list that was tampered with,
//! damaged or trimmed gives findings.

mod agreement;
mod ascii;
mod bank;
mod binary;
mod bytes;
mod entry;
mod list;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod real_lists;
mod replay;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::finding::{Finding, Findings, Severity};
use agreement::{Known, Measured};
use entry::{Damage, Entry};
use hashtrail::manifest::hex;
use hashtrail::text;
use hashtrail::versions::FileVersion;
use list::List;
use replay::{Extension, Replay, Wanted};
use std::collections::BTreeMap;
use template::FileDigest;

pub(crate) use agreement::Agreement;
pub(crate) use replay::PcrValue;

/// A list and what is known about it. It should be read after the last row of the archive that it is compared with:
/// what IMA measured later is not in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// What findings call it.
    pub(crate) name: String,
    /// The list, binary or ASCII.
    pub(crate) bytes: Vec<u8>,
    /// The boot in which it was read.
    pub(crate) boot_id: Option<String>,
    /// Registers of the TPM about the time when it was read: only those that IMA extends, normally PCR 10.
    pub(crate) pcrs: Vec<PcrValue>,
}

/// A register of the TPM that the list leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MatchedPcr {
    /// Number of the register.
    pub(crate) pcr: u32,
    /// Its bank.
    pub(crate) bank: String,
    /// After which entry of the list, from 1, the register had the value; the TPM vouches for none after it. 0: no
    /// entry extends it, and the TPM says so too.
    pub(crate) entry: u64,
    /// Whether the kernel extended this bank with padded SHA-1, because it could not compute the bank's own hash.
    pub(crate) is_padded_sha1: bool,
}

/// What one list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListSummary {
    /// Name of the source.
    pub(crate) name: String,
    /// `binary` or `ascii`; empty when it is neither.
    pub(crate) form: &'static str,
    /// Bank of the template hashes that it states; empty without entries.
    pub(crate) bank: &'static str,
    /// Entries before the end or the first damage.
    pub(crate) entries: u64,
    /// Entries of files that changed while they were measured or used.
    pub(crate) violations: u64,
    /// Entries whose stated template hash is not that of their data.
    pub(crate) wrong_hashes: u64,
    /// Entries whose template is unknown here: they are replayed, and say nothing about a file.
    pub(crate) unknown_templates: u64,
    /// Entries of files of which only a name is known, so that they cannot be compared by path.
    pub(crate) bare_names: u64,
    /// Boots that it spans: kexec carries a list over, and each boot adds a `boot_aggregate`.
    pub(crate) boots: u64,
    /// Whether it begins with a boot; a list that was trimmed does not.
    pub(crate) begins_with_boot: bool,
    /// Whether it ends at damage.
    pub(crate) is_damaged: bool,
    /// What each PCR must hold after all entries, in hex, by number and bank.
    pub(crate) aggregates: BTreeMap<(u32, String), String>,
    /// The registers of the TPM that it leads to.
    pub(crate) matched_pcrs: Vec<MatchedPcr>,
}

/// What was found in all lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// `ima_list_damaged`, `ima_template_hash_wrong`, `ima_pcr_mismatch`, `ima_divergence`; as a notice
    /// `ima_violation` and `ima_pcr_unchecked`.
    pub(crate) findings: Vec<Finding>,
    /// One for each source, in order.
    pub(crate) lists: Vec<ListSummary>,
    /// How the archive compares with them.
    pub(crate) agreement: Agreement,
}

/// Reads and replays each list, and compares them with the `files` rows of an archive.
pub(crate) fn examine(sources: &[Source], versions: &[FileVersion]) -> Report {
    let mut findings = Findings::default();
    let mut lists = Vec::new();
    let mut known = Vec::new();
    for source in sources {
        let (summary, measured) = Examination::new(source, &mut findings).run();
        known.push(Known {
            name: &source.name,
            boot_id: source.boot_id.as_deref(),
            is_damaged: summary.is_damaged,
            measured,
        });
        lists.push(summary);
    }
    let agreement = agreement::compare(&known, versions, &mut findings);
    Report { findings: findings.into_list(), lists, agreement }
}

/// One list while it is read.
struct Examination<'a> {
    source: &'a Source,
    findings: &'a mut Findings,
    summary: ListSummary,
    replay: Replay,
    measured: Measured,
}

impl<'a> Examination<'a> {
    fn new(source: &'a Source, findings: &'a mut Findings) -> Self {
        let summary = ListSummary { name: source.name.clone(), ..ListSummary::default() };
        Self { source, findings, summary, replay: Replay::default(), measured: Measured::default() }
    }

    fn run(mut self) -> (ListSummary, Measured) {
        let wanted = self.source.pcrs.iter().filter_map(|value| self.wanted(value)).collect();
        self.replay = Replay::new(wanted);
        match List::open(&self.source.bytes) {
            Ok(list) => {
                self.summary.form = list.form();
                for entry in list {
                    match entry {
                        Ok(entry) => self.entry(&entry),
                        Err(damage) => self.damage(damage),
                    }
                }
            }
            Err(damage) => self.damage(damage),
        }
        self.replay.finish();
        self.compare_pcrs();
        self.summary.bare_names = self.measured.bare_names;
        for (pcr, bank, value) in self.replay.aggregates() {
            self.summary.aggregates.insert((pcr, bank.name().to_owned()), hex(value));
        }
        (self.summary, self.measured)
    }

    fn find(&mut self, kind: &'static str, severity: Severity, place: String, detail: String) {
        self.findings.push(Finding { kind, severity, file: self.source.name.clone(), place, detail });
    }

    fn wanted(&mut self, value: &PcrValue) -> Option<Wanted> {
        Wanted::new(value)
            .map_err(|reason| {
                let place = format!("PCR {} of {}", value.pcr, value.bank);
                self.find("ima_pcr_unchecked", Severity::Notice, place, reason);
            })
            .ok()
    }

    fn damage(&mut self, damage: Damage) {
        self.summary.is_damaged = true;
        let detail = format!("{}; {} entries before it were read", damage.reason, self.summary.entries);
        self.find("ima_list_damaged", Severity::Damage, damage.place.to_string(), detail);
    }

    fn entry(&mut self, entry: &Entry) {
        self.summary.entries += 1;
        if self.summary.entries == 1 {
            self.summary.bank = entry.stated_bank().map_or("", |bank| bank.name());
            self.summary.begins_with_boot = entry.is_boot();
        }
        if entry.is_boot() {
            self.summary.boots += 1;
            // Rows of one boot are compared with what that boot measured.
            if self.source.boot_id.is_some() {
                self.measured.forget();
            }
        }
        if !template::is_known(&entry.template) {
            self.summary.unknown_templates += 1;
        }
        self.judge(entry);
        self.replay.extend(entry);
        self.measured.add(entry);
    }

    /// Whether the entry is what a kernel writes.
    fn judge(&mut self, entry: &Entry) {
        let place = format!("{}, entry {}", entry.place, self.summary.entries);
        let path = shown_path(entry);
        let wrong = if entry.is_violation() {
            self.summary.violations += 1;
            // The kernel writes no digest for a violation: this hash of zeros would hide that of an entry.
            entry.contents.digest.as_ref().is_some_and(FileDigest::is_computed)
        } else {
            entry.is_stated_hash_right() == Some(false)
        };
        if wrong {
            self.summary.wrong_hashes += 1;
            let detail = format!("the template hash is not that of the entry's data, of {path}");
            self.find("ima_template_hash_wrong", Severity::Damage, place, detail);
        } else if entry.is_violation() {
            let detail = format!("{path} changed while it was measured or used");
            self.find("ima_violation", Severity::Notice, place, detail);
        }
    }

    fn compare_pcrs(&mut self) {
        for wanted in std::mem::take(&mut self.replay.wanted) {
            let Some((entry, extension)) = wanted.found else {
                let place = format!("PCR {} of {}", wanted.pcr, wanted.bank.name());
                let detail = self.mismatch(&wanted);
                self.find("ima_pcr_mismatch", Severity::Damage, place, detail);
                continue;
            };
            self.summary.matched_pcrs.push(MatchedPcr {
                pcr: wanted.pcr,
                bank: wanted.bank.name().to_owned(),
                entry,
                is_padded_sha1: extension == Extension::PaddedSha1,
            });
        }
    }

    /// Why a value of the TPM may be that of no prefix of the list.
    fn mismatch(&self, wanted: &Wanted) -> String {
        let mut detail = format!("the TPM's value is that of none of the {} entries", self.summary.entries);
        if wanted.is_reset() {
            detail.push_str("; nothing extended this register");
        } else if self.summary.is_damaged {
            detail.push_str("; the list is damaged after them");
        } else if !self.summary.begins_with_boot {
            detail.push_str("; the list does not begin with a boot: its start is missing");
        }
        if !self.replay.is_known(wanted.pcr, wanted.bank) {
            detail.push_str("; an entry does not tell its hash in this bank");
        }
        detail
    }
}

fn shown_path(entry: &Entry) -> String {
    match &entry.contents.path {
        Some(path) => format!("`{}`", text::from_bytes(path).text),
        None => format!("an entry of the template `{}`", entry.template),
    }
}
