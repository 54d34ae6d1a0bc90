//! Policies: Tetragon's `TracingPolicy` YAML, its `lsmhooks` part, read into a checked model.
//!
//! A policy written for Tetragon loads unchanged. What is not supported is refused by name, with
//! file and line, never ignored: a recording must not silently lack what was asked for.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

mod action;
mod argument;
mod data;
mod describe;
mod digest;
mod document;
mod extension;
mod fields;
mod filter;
mod hook;
mod list;
mod macros;
pub(crate) mod model;
mod number;
mod parse;
mod refusals;
mod report;
mod resolve;
mod selector;
mod subject;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use describe::describe;

use crate::host::say::Lines;
use crate::lists::Lists;
use model::Policy;
use parse::NamedPolicy;
use report::{Position, Report, Totals, escaped, quoted};

/// Largest policy file; real ones have a few KiB.
const MAX_FILE_SIZE: usize = 1 << 20;

/// The policy that is used where none is given.
const DEFAULT_POLICY: &str = include_str!("../../samples/policies/default.yaml");

/// Source of the built-in policy.
const BUILT_IN: &str = "built-in";

/// Reads policy files; without any, the built-in policy.
///
/// The error lists everything that is wrong in all files, one finding a line.
#[cfg(test)]
pub(crate) fn load(files: &[PathBuf]) -> anyhow::Result<Vec<Policy>> {
    load_with(files, &Rc::default())
}

/// As `load`, with the lists that `digests: {ioc: true}` takes its digests from.
pub(crate) fn load_with(files: &[PathBuf], lists: &Rc<Lists>) -> anyhow::Result<Vec<Policy>> {
    let mut loader = Loader { totals: Totals::with(Rc::clone(lists)), ..Loader::default() };
    if files.is_empty() {
        loader.add(Path::new(BUILT_IN), DEFAULT_POLICY.as_bytes());
    }
    for path in files {
        match read(path) {
            Ok(bytes) => loader.add(path, &bytes),
            Err(error) => {
                let path = escaped(&path.to_string_lossy());
                loader.faults.push(format!("{path}: cannot read the policy: {error}"));
            }
        }
    }
    if loader.faults.is_empty() {
        return Ok(loader.policies);
    }
    Err(Lines(loader.faults).into())
}

/// One byte more than allowed is read, so that the file is known to be too large.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_FILE_SIZE).unwrap_or(u64::MAX);
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The policies and faults of all files so far.
#[derive(Default)]
struct Loader {
    policies: Vec<Policy>,
    faults: Vec<String>,
    /// Where each policy's name was given.
    names: HashMap<String, String>,
    totals: Totals,
}

impl Loader {
    fn add(&mut self, path: &Path, bytes: &[u8]) {
        let mut report = Report::new(path, std::mem::take(&mut self.totals));
        let source = path.to_string_lossy();
        for NamedPolicy { policy, named_at } in policies(&source, bytes, &mut report) {
            let place = format!("{}:{}", escaped(&source), named_at.line);
            if let Some(other) = self.names.insert(policy.name.clone(), place) {
                let name = quoted(&policy.name);
                report
                    .refuse(named_at, format_args!("a policy {name} was already given in {other}; rename one of them"));
            }
            self.policies.push(policy);
        }
        let (faults, totals) = report.finish();
        self.faults.extend(faults);
        self.totals = totals;
    }
}

/// All policies of one file that have no fault.
fn policies(source: &str, bytes: &[u8], report: &mut Report) -> Vec<NamedPolicy> {
    if bytes.len() > MAX_FILE_SIZE {
        let limit = MAX_FILE_SIZE >> 20;
        report.refuse(Position::START, format_args!("a policy file may have at most {limit} MiB; split it"));
        return Vec::new();
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = end_of(&bytes[..error.valid_up_to()]);
            report.refuse(at, "not UTF-8; save the file as UTF-8 text");
            return Vec::new();
        }
    };
    let faults_before = report.fault_count();
    let mut documents = document::read(text, report);
    // An empty document is what a `---` at the beginning or the end of a file leaves.
    documents.retain(|document| !document.is_null());
    if documents.is_empty() && report.fault_count() == faults_before {
        report.refuse(Position::START, "the file holds no policy; begin with `apiVersion: cilium.io/v1alpha1`");
    }
    let text: Arc<str> = text.into();
    documents.iter().flat_map(|document| parse::policies(document, source, &text, report)).collect()
}

/// The place after some text.
fn end_of(bytes: &[u8]) -> Position {
    let text = String::from_utf8_lossy(bytes);
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    Position { line: text.matches('\n').count() + 1, column: last_line.chars().count() + 1 }
}
