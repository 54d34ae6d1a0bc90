//! One list while it is read: each entry is judged, replayed, and taken as what it says about a file.

use super::agreement::Measured;
use super::bank::Bank;
use super::entry::{Damage, Entry};
use super::given::Given;
use super::list::List;
use super::replay::{Extension, PcrValue, Replay, Wanted};
use super::template::{self, FileDigest};
use super::{ListSummary, MatchedPcr, Source};
use crate::evidence::finding::{Finding, Findings, Severity};
use hashtrail::manifest::hex;
use hashtrail::text;
use std::collections::BTreeSet;

/// Most names of unknown templates that are told.
const TEMPLATES_NAMED_MAX: usize = 8;

/// One list while it is read.
pub(super) struct Examination<'a> {
    source: &'a Source,
    given: &'a Given<'a>,
    findings: &'a mut Findings,
    summary: ListSummary,
    replay: Replay,
    measured: Measured,
    /// Findings of entries whose stated hash is wrong, until it is known that the list states hashes that can be checked.
    wrong: Findings,
    has_right_hash: bool,
    unknown_templates: BTreeSet<String>,
}

impl<'a> Examination<'a> {
    pub(super) fn new(source: &'a Source, given: &'a Given<'a>, findings: &'a mut Findings) -> Self {
        Self {
            source,
            given,
            findings,
            summary: ListSummary { name: source.name.clone(), ..ListSummary::default() },
            replay: Replay::default(),
            measured: Measured::default(),
            wrong: Findings::default(),
            has_right_hash: false,
            unknown_templates: BTreeSet::new(),
        }
    }

    pub(super) fn run(mut self) -> (ListSummary, Measured) {
        let wanted = self.source.pcrs.iter().filter_map(|value| self.wanted(value)).collect();
        self.replay = Replay::new(wanted);
        match List::open(&self.source.bytes) {
            Ok(mut list) => {
                self.summary.form = list.form();
                for entry in list.by_ref() {
                    match entry {
                        Ok(entry) => self.entry(&entry),
                        Err(damage) => self.damage(damage),
                    }
                }
                self.note_form(list.has_crlf());
            }
            Err(damage) => self.damage(damage),
        }
        self.note_hashes();
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

    fn notice(&mut self, kind: &'static str, place: impl Into<String>, detail: impl Into<String>) {
        self.find(kind, Severity::Notice, place.into(), detail.into());
    }

    /// What the list as a whole is like.
    fn note_form(&mut self, has_crlf: bool) {
        if has_crlf {
            let detail = "its line ends are CRLF, which no kernel writes: the copy went through a conversion of text, and is \
                          read without the CR";
            self.notice("ima_list_crlf", "", detail);
        }
        if self.summary.entries == 0 && !self.summary.is_damaged {
            self.notice("ima_list_empty", "", "it has no entry: it says nothing about any file");
        }
        if self.summary.entries > 0 && !self.summary.begins_with_boot {
            let detail =
                "it does not begin with `boot_aggregate`: its start was trimmed or cut off, or it is no whole list";
            self.notice("ima_list_without_boot", "entry 1", detail);
        }
        if !self.unknown_templates.is_empty() {
            let names = Vec::from_iter(std::mem::take(&mut self.unknown_templates)).join("`, `");
            let count = self.summary.unknown_templates;
            let detail =
                format!("{count} entries have a template that is unknown here (`{names}`): they say nothing of a file");
            self.notice("ima_template_unknown", "", detail);
        }
    }

    /// Other algorithms have hashes as long as those of SHA-2, and a list names none: without one hash that is right, nothing
    /// says which it is.
    fn note_hashes(&mut self) {
        let wrong = std::mem::take(&mut self.wrong).into_list();
        if self.has_right_hash || self.summary.wrong_hashes == 0 || self.summary.bank == Bank::Sha1.name() {
            self.findings.extend(wrong);
            return;
        }
        let count = std::mem::take(&mut self.summary.wrong_hashes);
        let bank = std::mem::take(&mut self.summary.bank);
        let detail = format!(
            "the {count} template hashes are as long as those of {bank}, and none is one: of SM3 or SHA-3 perhaps. They are not \
             checked"
        );
        self.notice("ima_hash_unchecked", "", detail);
    }

    fn damage(&mut self, damage: Damage) {
        self.summary.is_damaged = true;
        if self.given.is_cut(self.source, damage.place) {
            let detail =
                format!("it ends inside of an entry; the {} entries before that were read", self.summary.entries);
            self.notice("ima_list_cut", damage.place.to_string(), detail);
            return;
        }
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
            if self.given.boot_id(self.source).is_some() {
                self.measured.forget();
            }
        }
        if !template::is_known(&entry.template) {
            self.summary.unknown_templates += 1;
            if self.unknown_templates.len() < TEMPLATES_NAMED_MAX {
                self.unknown_templates.insert(entry.template.clone());
            }
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
            let is_right = entry.is_stated_hash_right();
            self.has_right_hash |= is_right == Some(true);
            is_right == Some(false)
        };
        if wrong {
            self.summary.wrong_hashes += 1;
        }
        if self.summary.entries <= self.given.told_entries() {
            // The stored list tells it.
        } else if wrong {
            let detail = format!("the template hash is not that of the entry's data, of {path}");
            self.wrong.push(Finding::damage("ima_template_hash_wrong", &self.source.name, place, detail));
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
