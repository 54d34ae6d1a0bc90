//! What an examination of evidence finds.

use std::collections::BTreeMap;

/// How much a finding says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Something is damaged, was tampered with, or contradicts other evidence.
    Damage,
    /// Good to know; it happens on hosts that are in order.
    Notice,
}

impl Severity {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Damage, Self::Notice];

    /// As users see it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Damage => "damage",
            Self::Notice => "notice",
        }
    }
}

/// One thing that somebody who relies on the evidence should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What it is, from a closed set of words.
    pub(crate) kind: &'static str,
    /// How much it says.
    pub(crate) severity: Severity,
    /// The file that it was found in.
    pub(crate) file: String,
    /// Where in the file: an offset, a line, a path. Text of the kernel in it is not yet escaped.
    pub(crate) place: String,
    /// What was found there.
    pub(crate) detail: String,
}

impl Finding {
    /// Something that is not as it should be.
    pub(crate) fn damage(
        kind: &'static str,
        file: impl Into<String>,
        place: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, severity: Severity::Damage, file: file.into(), place: place.into(), detail: detail.into() }
    }

    /// Something to know.
    pub(crate) fn notice(
        kind: &'static str,
        file: impl Into<String>,
        place: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Notice, ..Self::damage(kind, file, place, detail) }
    }
}

/// Most findings of one kind in one file that are kept; a list that was rewritten has one for each of its entries.
const KEPT_MAX: u64 = 100;

/// Findings, of which only the first of each kind in each file are kept.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Finding>,
    /// All that there were, by kind and file.
    counts: BTreeMap<(&'static str, String), u64>,
}

impl Findings {
    /// Takes a finding.
    pub(crate) fn push(&mut self, finding: Finding) {
        let count = self.counts.entry((finding.kind, finding.file.clone())).or_default();
        *count += 1;
        if *count <= KEPT_MAX {
            self.kept.push(finding);
        }
    }

    /// Takes several.
    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }

    /// The findings in order; one more for each kind and file says how many were not kept.
    pub(crate) fn into_list(self) -> Vec<Finding> {
        let mut list = self.kept;
        for ((kind, file), count) in self.counts {
            let Some(more) = count.checked_sub(KEPT_MAX).filter(|more| *more > 0) else { continue };
            let severity = list.iter().find(|kept| kept.kind == kind).map_or(Severity::Damage, |kept| kept.severity);
            list.push(Finding { kind, severity, file, place: "after those".into(), detail: format!("{more} more") });
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted() {
        let mut findings = Findings::default();
        for place in 0..KEPT_MAX + 7 {
            findings.push(Finding {
                kind: "ima_violation",
                severity: Severity::Notice,
                file: "list".into(),
                place: place.to_string(),
                detail: String::new(),
            });
        }
        let list = findings.into_list();
        assert_eq!(list.len(), 101);
        assert_eq!((list[100].severity, list[100].detail.as_str()), (Severity::Notice, "7 more"));
    }
}
