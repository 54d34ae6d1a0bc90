//! Whether a row is one of the parent's from which something was taken out: with the same taken out of that one, both are equal.

use super::taken::{FLAG, REDACTED};
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::{FileVersion, NOT_TOLD};
use serde_json::Value;

/// A row of an archive, and the same of its parent.
pub(super) trait Veil: Sized + PartialEq {
    /// Takes out of the parent's row what is empty in the other.
    fn veil(self, other: &Self) -> Self;

    fn admits(self, other: &Self) -> bool {
        self.veil(other) == *other
    }
}

fn absent<T>(own: &mut Option<T>, other: &Option<T>) {
    if other.is_none() {
        *own = None;
    }
}

fn number(own: &mut i64, other: i64) {
    if other == NOT_TOLD {
        *own = NOT_TOLD;
    }
}

fn text(own: &mut String, other: &str) {
    if other == REDACTED {
        *own = REDACTED.to_owned();
    }
}

fn maybe_text(own: &mut Option<String>, other: &Option<String>) {
    if let Some((own, other)) = own.as_mut().zip(other.as_ref()) {
        text(own, other);
    }
}

fn texts(own: &mut [String], other: &[String]) {
    own.iter_mut().zip(other).for_each(|(own, other)| text(own, other));
}

fn flags(own: &mut Vec<String>, other: &[String]) {
    if other.last().is_some_and(|flag| flag == FLAG) {
        own.push(FLAG.to_owned());
    }
}

impl Veil for Event {
    fn veil(mut self, other: &Self) -> Self {
        absent(&mut self.path, &other.path);
        absent(&mut self.path_bytes, &other.path_bytes);
        absent(&mut self.exe, &other.exe);
        absent(&mut self.exe_bytes, &other.exe_bytes);
        absent(&mut self.target_path, &other.target_path);
        absent(&mut self.target_path_bytes, &other.target_path_bytes);
        absent(&mut self.argv, &other.argv);
        absent(&mut self.argv_bytes, &other.argv_bytes);
        absent(&mut self.auid, &other.auid);
        absent(&mut self.session_id, &other.session_id);
        absent(&mut self.owner_uid, &other.owner_uid);
        absent(&mut self.owner_gid, &other.owner_gid);
        number(&mut self.uid, other.uid);
        number(&mut self.gid, other.gid);
        number(&mut self.euid, other.euid);
        for (own, other) in [(&mut self.comm, &other.comm), (&mut self.parent_comm, &other.parent_comm)] {
            if other.is_empty() {
                own.clear();
            }
        }
        maybe_text(&mut self.policy, &other.policy);
        maybe_text(&mut self.selector, &other.selector);
        maybe_text(&mut self.message, &other.message);
        maybe_text(&mut self.container_id, &other.container_id);
        texts(&mut self.tags, &other.tags);
        texts(&mut self.attributes, &other.attributes);
        if let Some((own, other)) = self.argv.as_mut().zip(other.argv.as_ref()) {
            texts(own, other);
        }
        flags(&mut self.path_flags, &other.path_flags);
        self
    }
}

impl Veil for FileVersion {
    fn veil(mut self, other: &Self) -> Self {
        absent(&mut self.path, &other.path);
        number(&mut self.owner_uid, other.owner_uid);
        number(&mut self.owner_gid, other.owner_gid);
        flags(&mut self.path_flags, &other.path_flags);
        self
    }
}

impl Veil for PackageFile {
    fn veil(mut self, other: &Self) -> Self {
        absent(&mut self.path, &other.path);
        absent(&mut self.real_path, &other.real_path);
        text(&mut self.package, &other.package);
        self
    }
}

impl Veil for LedgerEntry {
    fn veil(mut self, other: &Self) -> Self {
        maybe_text(&mut self.policy, &other.policy);
        maybe_text(&mut self.cause, &other.cause);
        maybe_text(&mut self.detail, &other.detail);
        let parsed = |detail: &Option<String>| serde_json::from_str::<Value>(detail.as_deref()?).ok();
        if let Some((own, veiled)) = parsed(&self.detail).zip(parsed(&other.detail))
            && is_veiled(&own, &veiled)
        {
            self.detail.clone_from(&other.detail);
        }
        self
    }
}

/// Whether an object is another one in which texts, or names of members, were taken out.
fn is_veiled(own: &Value, veiled: &Value) -> bool {
    match (own, veiled) {
        (_, Value::String(text)) if text == REDACTED => true,
        (Value::Array(own), Value::Array(veiled)) => {
            own.len() == veiled.len() && own.iter().zip(veiled).all(|(own, veiled)| is_veiled(own, veiled))
        }
        (Value::Object(own), Value::Object(veiled)) => veiled.iter().all(|(name, veiled)| {
            let of_name = || own.get(name).is_some_and(|own| is_veiled(own, veiled));
            name == REDACTED && own.values().any(|own| is_veiled(own, veiled)) || of_name()
        }),
        _ => own == veiled,
    }
}
