//! What a verification found beside its findings, in words.

use super::{Anchors, State, Verification};
use crate::evidence::ima::{ListSummary, Relation};

/// What nobody should read out of a good verdict.
const LIMITS: &str = "a good verdict shows that the files are as they were sealed. It does not show that the host told the \
                      truth while it was recorded, nor who sealed them unless --key or --head come from elsewhere";

/// Of archives by their names.
pub(crate) fn notes(found: &[(String, Verification)], anchors: &Anchors) -> Vec<String> {
    let mut notes = Vec::new();
    for (archive, found) in found {
        if found.state != State::Sealed {
            notes.push(format!("`{archive}` is {}: only a stop seals an archive", found.state.name()));
        }
        notes.extend(found.measured.lists.iter().flat_map(list_notes));
        let agreement = &found.measured.agreement;
        if !found.measured.lists.is_empty() {
            notes.push(format!(
                "{} digests of the archive were also measured by the kernel, {} of them agree; {} were not measured",
                agreement.compared, agreement.agreed, agreement.not_measured
            ));
        }
    }
    if anchors.key.is_none() && anchors.head.is_none() {
        notes.push(
            "without --key or --head nobody vouches for the manifest itself: whoever can write it can make it anew, its key and \
             signature too"
                .to_owned(),
        );
    }
    notes.push(LIMITS.to_owned());
    notes
}

/// What a list is like, in words: no less than JSON has.
fn list_notes(list: &ListSummary) -> Vec<String> {
    let matched: Vec<&str> = list.matched_pcrs.iter().map(|matched| matched.bank.as_str()).collect();
    let vouched = if matched.is_empty() {
        "no TPM value to compare".to_owned()
    } else {
        format!("as PCR 10 of the TPM says ({})", matched.join(", "))
    };
    let name = &list.name;
    let mut notes = vec![format!("measurement list `{name}`: {} entries replayed, {vouched}", list.entries)];
    if let Some((stored, Relation::Continues)) = &list.related {
        notes.push(format!("measurement list `{name}`: it holds what `{stored}` holds, and goes on"));
    }
    if list.entries == 0 {
        return notes;
    }
    notes.push(match (list.begins_with_boot, list.boots) {
        (true, 1) => format!("measurement list `{name}`: it begins with its boot"),
        (true, boots) => format!("measurement list `{name}`: it begins with a boot and spans {boots}, by kexec"),
        (false, _) => format!("measurement list `{name}`: it does not begin with a boot"),
    });
    for (count, what) in [
        (list.violations, "entries of files that changed while they were measured or used"),
        (list.wrong_hashes, "entries whose hash is not that of their data"),
        (list.unknown_templates, "entries of templates that are unknown here, which say nothing of a file"),
        (list.bare_names, "entries with a bare name, without a directory, which no path is compared with"),
    ] {
        if count > 0 {
            notes.push(format!("measurement list `{name}`: {count} {what}"));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_of_a_list_what_json_has() {
        let list = ListSummary {
            name: "list".into(),
            entries: 9,
            violations: 2,
            wrong_hashes: 3,
            unknown_templates: 4,
            bare_names: 5,
            ..ListSummary::default()
        };
        let notes = list_notes(&list);
        let says = |text: &str| notes.iter().any(|note| note.contains(text));
        for text in [
            "9 entries",
            "does not begin with a boot",
            "2 entries of files",
            "3 entries whose hash",
            "5 entries with a bare",
        ] {
            assert!(says(text), "`{text}`: {notes:#?}");
        }
        assert!(says("4 entries of templates that are unknown"), "{notes:#?}");
        let notes = list_notes(&ListSummary { begins_with_boot: true, boots: 2, ..list.clone() });
        assert!(notes[1].ends_with("it begins with a boot and spans 2, by kexec"), "{notes:#?}");
        assert_eq!(list_notes(&ListSummary { entries: 0, ..list }).len(), 1);
    }
}
