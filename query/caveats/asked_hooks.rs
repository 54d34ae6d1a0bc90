//! Hooks that a question names: where they were not recorded, that no row has them says nothing.

use crate::archives::Scope;
use crate::output::{Row, object};
use crate::recordings::{Recording, Recordings};
use anyhow::{Result, bail};
use hashtrail::hooks;
use serde_json::json;
use std::collections::BTreeSet;

/// How people and kernels write hooks in other places.
const PREFIXES: [&str; 4] = ["security_", "bpf_lsm_", "lsm/", "lsm."];
/// How many letters a near name may differ in.
const NEAR_LETTERS: usize = 3;

/// The hooks that were asked for and are not recorded, all of the time or everywhere.
#[derive(Debug, Default)]
pub(crate) struct AskedHooks {
    /// Those that no policy of a recording asked for, with names that are near.
    unrecorded: Vec<(String, Vec<String>)>,
    /// Those that some recordings had, with what others are.
    in_part: Vec<(String, Vec<String>)>,
    /// All that were recorded.
    recorded: BTreeSet<String>,
}

impl AskedHooks {
    /// Looks for them in the policies.
    ///
    /// # Errors
    /// When one is the name of no hook at all.
    pub(crate) fn check(asked: &[String], recordings: &Recordings, scope: &Scope) -> Result<Self> {
        let of_policies = || recordings.list.iter().flat_map(|recording| recording.coverage.hooks());
        let always = hooks::UNASKED.iter().map(|hook| (*hook).to_owned());
        let mut found = Self { recorded: of_policies().chain(always).collect(), ..Self::default() };
        for hook in asked.iter().filter(|hook| !hooks::UNASKED.contains(&hook.as_str())) {
            if !found.recorded.contains(hook) {
                let near = found.near(hook);
                if !is_name(hook) && near.is_empty() {
                    bail!("`{hook}` is the name of no hook; the recordings have {}", found.list());
                }
                found.unrecorded.push((hook.clone(), near));
                continue;
            }
            let lacks = |recording: &&Recording| {
                recording.is_asked(scope)
                    && !recording.coverage.hooks_between(i64::MIN, i64::MAX).contains(hook.as_str())
            };
            let without: Vec<String> = recordings.list.iter().filter(lacks).map(Recording::in_words).collect();
            if !without.is_empty() {
                found.in_part.push((hook.clone(), without));
            }
        }
        Ok(found)
    }

    /// Whether all of them were recorded all of the time.
    pub(crate) fn are_recorded(&self) -> bool {
        self.unrecorded.is_empty() && self.in_part.is_empty()
    }

    /// Fields of the summary.
    pub(crate) fn fields(&self) -> Row {
        let names: Vec<&String> = self.unrecorded.iter().map(|(hook, _)| hook).collect();
        let near: Row = self.unrecorded.iter().map(|(hook, near)| (hook.clone(), json!(near))).collect();
        let in_part: Row = self.in_part.iter().map(|(hook, without)| (hook.clone(), json!(without))).collect();
        object(json!({"unrecorded_hooks": names, "near_hooks": near, "hooks_recorded_in_part": in_part}))
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let unrecorded = self.unrecorded.iter().map(|(hook, near)| {
            let what = format!("not complete: no policy of a recording asked for `{hook}`");
            match &near[..] {
                [] => format!("{what}; the recordings have {}", self.list()),
                near => format!("{what}; near it: {}", near.join(", ")),
            }
        });
        let in_part = self.in_part.iter().map(|(hook, without)| {
            format!("not complete: `{hook}` was not recorded all of the time on {}", without.join(", "))
        });
        unrecorded.chain(in_part).collect()
    }

    fn near(&self, hook: &str) -> Vec<String> {
        let bare = PREFIXES.iter().find_map(|prefix| hook.strip_prefix(prefix)).unwrap_or(hook);
        let distance = |name: &String| match strsim::levenshtein(name, bare) {
            letters if letters <= NEAR_LETTERS && letters < bare.len() => Some(letters),
            _ => (bare.len() > NEAR_LETTERS && name.contains(bare)).then_some(NEAR_LETTERS),
        };
        let mut near: Vec<(usize, &String)> =
            self.recorded.iter().filter_map(|name| Some((distance(name)?, name))).collect();
        near.sort();
        near.into_iter().map(|(_, name)| name.clone()).collect()
    }

    fn list(&self) -> String {
        self.recorded.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

fn is_name(hook: &str) -> bool {
    let is_letter = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !hook.is_empty() && hook.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{asked, recordings};
    use hashtrail::ledger::LedgerEntry;

    fn check(of_each: &[&[&str]], hooks: &[&str]) -> Result<AskedHooks> {
        let ids: Vec<String> = (0..of_each.len()).map(|number| number.to_string()).collect();
        let mut recordings = recordings(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        for (recording, hooks) in recordings.list.iter_mut().zip(of_each) {
            recording.coverage.add(&LedgerEntry {
                kind: "policy".into(),
                detail: Some(json!({ "hooks": hooks }).to_string()),
                ..LedgerEntry::default()
            });
        }
        let hooks: Vec<String> = hooks.iter().map(|hook| (*hook).to_owned()).collect();
        AskedHooks::check(&hooks, &recordings, &asked(None, None))
    }

    #[test]
    fn names_near_one_that_was_not_recorded_are_told() -> Result<()> {
        let recorded: &[&[&str]] = &[&["file_open", "mmap_file", "bprm_check_security"]];
        let near = |hook| check(recorded, &[hook]).map(|found| found.unrecorded[0].1.clone());
        assert_eq!(near("file_opne")?, ["file_open"]);
        assert_eq!(near("security_mmap_file")?, ["mmap_file"]);
        assert_eq!(near("lsm/file_open")?, ["file_open"]);
        assert_eq!(near("bprm_check")?, ["bprm_check_security"]);
        assert_eq!(near("socket_connect")?, [""; 0]);
        let notes = check(recorded, &["socket_connect"])?.notes();
        assert!(notes[0].contains("the recordings have bprm_check_security, file_open, mmap_file"), "{notes:?}");
        assert!(check(recorded, &["no hook"]).is_err());
        Ok(())
    }

    #[test]
    fn a_hook_that_one_recording_lacks_is_told() -> Result<()> {
        let found = check(&[&["file_open"], &["file_open", "mmap_file"]], &["file_open", "mmap_file", "user_digest"])?;
        assert!(!found.are_recorded() && found.unrecorded.is_empty());
        assert!(found.notes()[0].starts_with("not complete: `mmap_file` was not recorded all of the time on web from"));
        assert!(check(&[&["file_open"]], &["file_open"])?.are_recorded());
        Ok(())
    }
}
