//! What those who can have made a change did beside it.

use super::evidence::Evidence;
use super::{Case, Verdict, file, was};
use crate::suspects::Suspect;
use crate::versions::change::ChangeKind;
use serde_json::json;

pub(super) const CAPABILITY_SET: &str = "capability_set";
pub(super) const CHANGED_WHILE_MAPPED: &str = "changed_while_mapped";

/// The attribute that holds capabilities.
const CAPABILITY: &str = "security.capability";
/// Acts that are shown of many.
const SHOWN: usize = 4;

/// Somebody set capabilities on the file that has the new content.
pub(super) fn capability_set(case: &Case<'_>) -> Option<Verdict> {
    let sets = |suspect: &&Suspect| suspect.sets_attribute(CAPABILITY) && is_on_new_file(case, suspect);
    let evidence = shown(case, sets, |suspect| json!({ "attributes": suspect.seen.attributes }))?;
    let doubts = case.doubts.clone();
    let says = format!("capabilities {} set on the file in the interval; which ones is not recorded", was(&doubts));
    Some(Verdict { word: CAPABILITY_SET, says, doubts, evidence })
}

/// The file, which is still the same, was opened for writing or truncated while its old content was mapped executable.
pub(super) fn changed_while_mapped(case: &Case<'_>) -> Option<Verdict> {
    if case.change.kind != ChangeKind::Rewritten {
        return None;
    }
    let writes = |suspect: &&Suspect| suspect.writes_mapped() && is_on_new_file(case, suspect);
    let evidence = shown(case, writes, |suspect| json!({ "mapped_executable": suspect.seen.mapped_executable }))?;
    let mut doubts = case.doubts.clone();
    doubts.extend(file::doubt_of_inode(case.change.to.first()));
    let says = format!("the content {} changed by a write of a file that was mapped executable", was(&doubts));
    Some(Verdict { word: CHANGED_WHILE_MAPPED, says, doubts, evidence })
}

/// Whether it was the very file, and not only the path or what lies beneath.
fn is_on_new_file(case: &Case<'_>, suspect: &Suspect) -> bool {
    suspect.is_of_file(&case.change.to.first().row)
}

/// The first of these acts; `None` where there is none.
fn shown(
    case: &Case<'_>,
    is_meant: impl Fn(&&Suspect) -> bool,
    columns: impl Fn(&Suspect) -> serde_json::Value,
) -> Option<Vec<Evidence>> {
    let acts = case.suspects.list.iter().filter(is_meant).take(SHOWN);
    let acts: Vec<Evidence> = acts.map(|suspect| Evidence::of_act(suspect, columns(suspect))).collect();
    (!acts.is_empty()).then_some(acts)
}
