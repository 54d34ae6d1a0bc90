//! Whether a row is one of the parent's from which something was taken out: with the same taken out of that one, both are equal.

use super::taken::{FLAG, REDACTED};
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::{FileVersion, NOT_TOLD};
use serde_json::Value;

/// What was taken out, as the archive says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds {
    pub(super) paths: bool,
    pub(super) arguments: bool,
    pub(super) users: bool,
}

/// A row of an archive, and the same of its parent.
pub(super) trait Veil: Sized + PartialEq {
    /// Takes out of the parent's row what is empty in the other, where it is of the kinds that were taken out.
    fn veil(self, other: &Self, kinds: Kinds) -> Self;

    /// When it is of, where its table has that.
    fn boot_ns(&self) -> i64 {
        0
    }

    fn admits(self, other: &Self, kinds: Kinds) -> bool {
        self.veil(other, kinds) == *other
    }
}

/// Whether it was taken out.
fn absent<T>(own: &mut Option<T>, other: &Option<T>) -> bool {
    other.is_none() && own.take().is_some()
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

impl Veil for Event {
    fn boot_ns(&self) -> i64 {
        self.boot_ns
    }

    fn veil(mut self, other: &Self, kinds: Kinds) -> Self {
        if kinds.paths {
            veil_paths(&mut self, other);
        }
        if kinds.arguments {
            absent(&mut self.argv, &other.argv);
            absent(&mut self.argv_bytes, &other.argv_bytes);
        }
        if kinds.users {
            absent(&mut self.auid, &other.auid);
            absent(&mut self.session_id, &other.session_id);
            absent(&mut self.owner_uid, &other.owner_uid);
            absent(&mut self.owner_gid, &other.owner_gid);
            number(&mut self.uid, other.uid);
            number(&mut self.gid, other.gid);
            number(&mut self.euid, other.euid);
        }
        self
    }
}

fn veil_paths(own: &mut Event, other: &Event) {
    absent(&mut own.exe, &other.exe);
    absent(&mut own.exe_bytes, &other.exe_bytes);
    absent(&mut own.path_bytes, &other.path_bytes);
    absent(&mut own.target_path_bytes, &other.target_path_bytes);
    let taken = [absent(&mut own.path, &other.path), absent(&mut own.target_path, &other.target_path)];
    if taken.contains(&true) {
        own.path_flags.push(FLAG.to_owned());
    }
    for (own, other) in [(&mut own.comm, &other.comm), (&mut own.parent_comm, &other.parent_comm)] {
        if other.is_empty() {
            own.clear();
        }
    }
    maybe_text(&mut own.policy, &other.policy);
    maybe_text(&mut own.selector, &other.selector);
    maybe_text(&mut own.message, &other.message);
    maybe_text(&mut own.container_id, &other.container_id);
    texts(&mut own.tags, &other.tags);
    texts(&mut own.attributes, &other.attributes);
    absent(&mut own.argv_bytes, &other.argv_bytes);
    if let Some((own, other)) = own.argv.as_mut().zip(other.argv.as_ref()) {
        texts(own, other);
    }
}

impl Veil for FileVersion {
    fn veil(mut self, other: &Self, kinds: Kinds) -> Self {
        if kinds.paths && absent(&mut self.path, &other.path) {
            self.path_flags.push(FLAG.to_owned());
        }
        if kinds.users {
            number(&mut self.owner_uid, other.owner_uid);
            number(&mut self.owner_gid, other.owner_gid);
        }
        self
    }
}

impl Veil for PackageFile {
    fn veil(mut self, other: &Self, kinds: Kinds) -> Self {
        if kinds.paths {
            absent(&mut self.path, &other.path);
            absent(&mut self.real_path, &other.real_path);
            text(&mut self.package, &other.package);
        }
        self
    }
}

impl Veil for LedgerEntry {
    fn boot_ns(&self) -> i64 {
        self.boot_ns
    }

    fn veil(mut self, other: &Self, kinds: Kinds) -> Self {
        if kinds.paths {
            maybe_text(&mut self.policy, &other.policy);
            maybe_text(&mut self.cause, &other.cause);
            maybe_text(&mut self.detail, &other.detail);
        }
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
pub(super) fn is_veiled(own: &Value, veiled: &Value) -> bool {
    match (own, veiled) {
        (_, Value::String(text)) if text == REDACTED => true,
        (Value::Array(own), Value::Array(veiled)) => {
            own.len() == veiled.len() && own.iter().zip(veiled).all(|(own, veiled)| is_veiled(own, veiled))
        }
        (Value::Object(own), Value::Object(veiled)) => {
            // Names that were taken out are one name.
            let is_there = |name: &String| veiled.contains_key(name) || veiled.contains_key(REDACTED);
            own.keys().all(is_there)
                && veiled.iter().all(|(name, veiled)| {
                    let of_name = || own.get(name).is_some_and(|own| is_veiled(own, veiled));
                    name == REDACTED && own.values().any(|own| is_veiled(own, veiled)) || of_name()
                })
        }
        _ => own == veiled,
    }
}
