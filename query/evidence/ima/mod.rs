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
mod examination;
mod given;
mod list;
pub(crate) mod measurements;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod real_lists;
mod relation;
mod replay;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::evidence::finding::{Finding, Findings};
use agreement::Known;
use examination::Examination;
use given::Given;
use hashtrail::versions::FileVersion;
use std::collections::BTreeMap;

pub(crate) use agreement::Agreement;
pub(crate) use relation::Relation;
pub(crate) use replay::PcrValue;

/// A list and what is known about it. It should be read after the last row of the archive that it is compared with:
/// what IMA measured later is not in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// What findings call it.
    pub(crate) name: String,
    /// The list, binary or ASCII.
    pub(crate) bytes: Vec<u8>,
    /// The boot in which it was read; `None` of a list from elsewhere.
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
    /// Of a list from elsewhere: the stored one that it has most in common with, and how it relates to that.
    pub(crate) related: Option<(String, Relation)>,
    /// Bank of the template hashes that it states; empty without entries, and where their length alone does not tell it.
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
    /// `ima_violation`, `ima_pcr_unchecked`, `ima_hash_unchecked`, `ima_template_unknown`, `ima_list_empty`,
    /// `ima_list_without_boot`, `ima_list_crlf`, `ima_list_cut`, and how a list from elsewhere relates to a stored one:
    /// `ima_list_stored`, `ima_list_earlier`, `ima_list_differs`, `ima_list_unplaced`, `ima_list_other_boot`.
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
    let given = Given::place(sources);
    for (source, given) in sources.iter().zip(&given) {
        findings.extend(given.finding(source));
        let (mut summary, measured) = Examination::new(source, given, &mut findings).run();
        summary.related = given.related();
        if given.is_witness() {
            known.push(Known {
                name: &source.name,
                boot_id: given.boot_id(source),
                is_stored: source.boot_id.is_some(),
                limit: given.limit(source),
                is_damaged: summary.is_damaged,
                measured,
            });
        }
        lists.push(summary);
    }
    let agreement = agreement::compare(&known, versions, &mut findings);
    Report { findings: findings.into_list(), lists, agreement }
}
