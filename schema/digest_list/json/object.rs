//! What one object of JSON says: an attribute of MISP, an indicator or a file of STIX, or a file by its digests.

use super::{FILE_MAX, Left};
use crate::digest_list::fields::{Typed, context_only, digest, label, typed};
use crate::digest_list::intake::Intake;
use crate::digest_list::labels::MAX_CHARACTERS;
use crate::digest_list::names::{Found, Meaning, Word, is_none, is_other_hash, meaning, shortened, word};
use crate::digest_list::patterns;
use anyhow::Result;
use std::collections::BTreeMap;

/// The members that are held, with the names that they go by here.
const MEMBERS: [(&str, &str); 22] = [
    ("type", "type"),
    ("ioc_type", "type"),
    ("value", "value"),
    ("ioc_value", "value"),
    ("ioc", "value"),
    ("indicator", "value"),
    ("to_ids", "to_ids"),
    ("deleted", "deleted"),
    ("revoked", "revoked"),
    ("pattern", "pattern"),
    ("pattern_type", "pattern_type"),
    ("uuid", "id"),
    ("id", "id"),
    ("filename", "file"),
    ("file_name", "file"),
    ("name", "name"),
    ("signature", "signature"),
    ("malware_printable", "signature"),
    ("malware", "signature"),
    ("comment", "comment"),
    ("source", "source"),
    ("meta-category", "meta-category"),
];

/// Members of which all is read that the parser gives: a pattern, or a value that may be one.
const LONG_MEMBERS: [&str; 2] = ["pattern", "value"];
/// Other members are cut.
const MEMBER_MAX: usize = 4 << 10;
/// Faults that are told one by one.
const FAULTS_MAX: usize = 10;

/// A name, as far as it is ever shown: many may be held.
fn cut(name: &str) -> String {
    name.chars().take(MAX_CHARACTERS).collect()
}

fn is_digest(text: &str) -> bool {
    matches!(word(text.trim(), None), Word::Digest(_))
}

/// Members whose digests are of parts of files, or of what is written about them.
pub(super) fn is_left_out(key: &str) -> bool {
    ["extensions", "external_references"].contains(&key)
}

/// Members that sort an entry into what is known of attackers, and are none.
pub(super) fn is_context(key: &str) -> bool {
    ["Galaxy", "GalaxyCluster", "Tag"].contains(&key)
}

/// Where an object stands: its name in the object above, and the name of that one.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) above: String,
}

impl Place {
    /// Whether it is one of the attributes that make up an object of MISP.
    fn is_of_object(&self) -> bool {
        self.key == "Attribute" && self.above == "Object"
    }
}

/// What is held of an object.
#[derive(Debug, Default)]
pub(super) struct Object {
    members: BTreeMap<&'static str, String>,
    digests: Vec<Found>,
    names: Vec<String>,
    /// What cannot be used, the first of it.
    faults: Vec<String>,
    more_faults: usize,
}

impl Object {
    /// Takes a member.
    ///
    /// # Errors
    /// When no more can be taken.
    pub(super) fn add(&mut self, key: &str, left: Left, line: u64, intake: &mut Intake<'_>) -> Result<()> {
        let text = match left {
            Left::Nothing => return Ok(()),
            Left::Text(text) => text,
            Left::Digests(digests, names) => {
                self.names.extend(names);
                self.names.truncate(FILE_MAX);
                return self.hold(digests, line, intake);
            }
        };
        let algorithm = match meaning(key) {
            Meaning::Algorithm(algorithm) => Some(algorithm),
            Meaning::AnyDigest => None,
            Meaning::Other => {
                self.add_other(key, text, line, intake);
                return Ok(());
            }
        };
        if !is_none(&text) {
            match digest(&text, algorithm.as_deref(), "") {
                Typed::Digest(found, _) => return self.hold(vec![found], line, intake),
                Typed::Fault(fault) if self.faults.len() < FAULTS_MAX => self.faults.push(fault),
                Typed::Fault(_) => self.more_faults += 1,
                Typed::Other => {}
            }
        }
        Ok(())
    }

    /// Holds digests of the file that this is about. So many are of several files.
    fn hold(&mut self, digests: Vec<Found>, line: u64, intake: &mut Intake<'_>) -> Result<()> {
        self.digests.extend(digests);
        if self.digests.len() <= FILE_MAX {
            return Ok(());
        }
        let label = self.label("");
        self.digests.drain(..).try_for_each(|one| intake.take(line, &[one], &label))
    }

    /// Takes a member that is no digest of the file.
    fn add_other(&mut self, key: &str, text: String, line: u64, intake: &mut Intake<'_>) {
        if let Some((_, name)) = MEMBERS.iter().find(|(member, _)| *member == key) {
            let is_long = !LONG_MEMBERS.contains(name) && text.len() > MEMBER_MAX;
            let text = if is_long { shortened(&text) } else { text };
            // Two members may go by one name.
            let before = self.members.insert(name, text);
            if before.is_some_and(|before| is_digest(&before)) {
                intake.leave_out(line, &format!("one of two values in `{name}`"));
            }
        } else if is_other_hash(key) && !is_none(&text) || is_digest(&text) {
            intake.leave_out(line, key);
        }
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(String::as_str)
    }

    fn is_on(&self, name: &str) -> bool {
        matches!(self.member(name), Some("true" | "1"))
    }

    /// Takes what the object says, and gives what it leaves to the one above. Nothing is left where that one is cut.
    pub(super) fn finish(mut self, place: &Place, is_cut: bool, line: u64, intake: &mut Intake<'_>) -> Result<Left> {
        self.digests.dedup();
        self.leave_out_members(line, intake);
        let mut left = Left::Nothing;
        if let Some(pattern) = self.member("pattern") {
            self.take_pattern(pattern, line, intake)?;
        } else if let Some(value) = self.member("value").filter(|value| self.digests.is_empty() || is_digest(value)) {
            left = self.take_value(value, place, is_cut, line, intake)?;
        }
        if !self.digests.is_empty() {
            if self.member("type") == Some("x509-certificate") {
                intake.leave_out(line, "hashes of x509-certificate");
            } else if place.key == "hashes" && !is_cut {
                left = Left::Digests(std::mem::take(&mut self.digests), Vec::new());
            } else {
                intake.take(line, &self.digests, &self.label(""))?;
            }
        }
        if !self.faults.is_empty() {
            let more = (self.more_faults > 0).then(|| format!("and {} more", self.more_faults));
            let faults: Vec<String> = self.faults.iter().cloned().chain(more).collect();
            self.fault(&faults.join("; "), line, intake);
        }
        Ok(left)
    }

    /// Tells digests that stand as something else, where the file has others.
    fn leave_out_members(&self, line: u64, intake: &mut Intake<'_>) {
        for (name, text) in self.members.iter().filter(|(name, _)| **name != "value") {
            if let Word::Digest(found) = word(text.trim(), None)
                && !self.digests.iter().any(|known| known.digest == found.digest)
            {
                intake.leave_out(line, name);
            }
        }
    }

    /// An indicator of STIX.
    fn take_pattern(&self, pattern: &str, line: u64, intake: &mut Intake<'_>) -> Result<()> {
        match self.member("pattern_type") {
            _ if self.is_on("revoked") => intake.leave_out(line, "indicator that its publisher revoked"),
            None | Some("stix") => self.take_stix(pattern, line, intake)?,
            Some(other) => intake.leave_out(line, &format!("pattern of {other}")),
        }
        Ok(())
    }

    fn take_stix(&self, pattern: &str, line: u64, intake: &mut Intake<'_>) -> Result<()> {
        if let Some(fault) = patterns::take(line, pattern, &self.label(""), intake)? {
            self.fault(&fault, line, intake);
        }
        Ok(())
    }

    /// An attribute of MISP, or what others write like it.
    fn take_value(&self, value: &str, place: &Place, is_cut: bool, line: u64, intake: &mut Intake<'_>) -> Result<Left> {
        let kind = self.member("type").map_or_else(|| "hash".to_owned(), str::to_ascii_lowercase);
        if self.is_on("deleted") {
            intake.leave_out(line, "deleted attribute");
            return Ok(Left::Nothing);
        }
        match typed(&kind, value) {
            Typed::Digest(found, name) if place.is_of_object() && !is_cut => {
                return Ok(Left::Digests(vec![found], vec![cut(&self.label(&name))]));
            }
            Typed::Digest(found, name) => intake.take(line, &[found], &self.label(&name))?,
            Typed::Fault(_) if self.member("type").is_none() => intake.leave_out(line, "value without a type"),
            Typed::Fault(fault) => self.fault(&fault, line, intake),
            Typed::Other if kind == "stix2-pattern" => self.take_stix(value, line, intake)?,
            Typed::Other if kind == "filename" && place.is_of_object() => {
                return Ok(Left::Digests(Vec::new(), vec![cut(value)]));
            }
            Typed::Other => intake.leave_out(line, &kind),
        }
        Ok(Left::Nothing)
    }

    fn fault(&self, fault: &str, line: u64, intake: &mut Intake<'_>) {
        // A document may be one line, so it is named too.
        let id = self.member("id").map(|id| format!("`{id}`: ")).unwrap_or_default();
        intake.fault(line, &format!("{id}{fault}"));
    }

    /// What is known of its digests.
    fn label(&self, name: &str) -> String {
        // An object of MISP is named by its template.
        let own = self.member("name").filter(|_| !self.members.contains_key("meta-category"));
        let members = ["file", "signature", "comment", "source"].iter().filter_map(|member| self.member(member));
        let names = self.names.iter().map(String::as_str);
        let context = context_only(self.member("to_ids"));
        let parts = [name].into_iter().chain(own).chain(names).chain(members).chain([context]);
        // A digest names no file.
        label(parts.filter(|part| !is_digest(part)))
    }
}
