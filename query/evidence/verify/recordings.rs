//! How the recordings ended, and whether the manifest and the ledger tell the same.

use super::MANIFEST;
use super::files::Checked;
use crate::evidence::finding::{Finding, Findings};
use crate::folder::{self, Entry, Listing};
use anyhow::Result;
use hashtrail::archive::Archive;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{Line, Standing, hex};
use hashtrail::reader::{Prune, SealedTable, rows};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;

/// A recorder that runs notes a heartbeat each second.
const SILENCE_NS: i64 = 3_000_000_000;

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It was stopped, and everything was sealed.
    Sealed,
    /// It crashed, and what was left was sealed later.
    Recovered,
    /// It has no end: it still runs, or crashed, or its end was cut off.
    Open,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Sealed, Self::Recovered, Self::Open];

    /// As the manifest has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sealed => "SEALED",
            Self::Recovered => "RECOVERED",
            Self::Open => "OPEN",
        }
    }
}

/// Checks each recording; gives the state of the worst one. An archive without recordings is open.
pub(super) fn check(
    archive: &Archive,
    lines: &[Line],
    standing: &Standing,
    checked: &Checked,
    findings: &mut Findings,
) -> State {
    let mut states: HashMap<String, State> = HashMap::new();
    for line in lines {
        let id = line.text("recording_id").unwrap_or_default();
        match line.kind() {
            "start" => {
                findings.extend(check_policies(line));
                findings.extend(imported(line).into_iter().chain(redacted(line)));
                states.insert(id, State::Open);
            }
            "stop" | "recovered" => {
                let state = if line.kind() == "stop" { State::Sealed } else { State::Recovered };
                if states.insert(id, state).is_none() {
                    findings.push(outside(line, "it ends a recording that was not begun"));
                }
            }
            "file" | "ima" => {
                if states.get(&id) != Some(&State::Open) && line.kind() == "file" {
                    findings.push(outside(line, "its file belongs to no recording that is open here"));
                }
            }
            "compact" => {
                if matches!(states.get(&id), None | Some(State::Open)) {
                    findings.push(outside(line, "it merges files of a recording that has no end here"));
                }
            }
            "cut" => findings.push(Finding::notice(
                "line_cut",
                MANIFEST,
                format!("line {}", line.number),
                "a crash had cut a line off before this one, which says what was left of it",
            )),
            "signed_later" => findings.push(Finding::notice(
                "signed_later",
                MANIFEST,
                format!("line {}", line.number),
                "lines before it had no signature yet when the recorder came back and signed them: a crash leaves that, and so \
                 does somebody who adds lines",
            )),
            kind => findings.push(outside(line, &format!("its kind `{kind}` is unknown to this version"))),
        }
    }
    let is_unsealed = check_journal(archive, findings);
    findings.extend(silences(archive, lines, standing, checked));
    let worst = states.into_values().max().unwrap_or(State::Open);
    if is_unsealed { State::Open } else { worst }
}

/// Names what stands in the journal; says whether some of it is to be sealed yet.
fn check_journal(archive: &Archive, findings: &mut Findings) -> bool {
    let mut is_unsealed = false;
    let Listing { entries, errors } = folder::list(&archive.journal());
    findings
        .extend(errors.iter().map(|error| Finding::damage("folder_unreadable", ".journal", "", format!("{error:#}"))));
    for name in entries.iter().map(Entry::text) {
        let detail = if name.ends_with(".journal") {
            is_unsealed = true;
            "`hashtrail-recorder recover` seals it"
        } else if name.ends_with(".damaged") {
            "its header is lost; it is kept for people to look at"
        } else {
            continue;
        };
        findings.push(Finding::notice("not_sealed", format!(".journal/{name}"), "", detail));
    }
    is_unsealed
}

fn outside(line: &Line, detail: &str) -> Finding {
    Finding::damage("line_out_of_place", MANIFEST, format!("line {}", line.number), detail)
}

/// A recording that is the log of another program.
fn imported(line: &Line) -> Option<Finding> {
    let import = line.field("imported")?;
    let text = |name: &str| import.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let detail = format!(
        "imported from a log of {}, `{}` (SHA-256 {}): it is as it was imported, and nobody counted what is not in it",
        text("source"),
        text("file"),
        text("sha256")
    );
    Some(Finding::notice("imported", MANIFEST, format!("line {}", line.number), detail))
}

/// A recording from which something was taken out.
fn redacted(line: &Line) -> Option<Finding> {
    let redacted = line.field("redacted")?;
    let kinds = redacted.get("kinds").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let head = redacted.get("parent_head").and_then(Value::as_str).unwrap_or_default();
    let detail = format!(
        "redacted: {} were taken out of it; what was left in is that of the archive with the head {head}, as --parent shows to who \
         has both",
        kinds.collect::<Vec<_>>().join(", ")
    );
    Some(Finding::notice("redacted", MANIFEST, format!("line {}", line.number), detail))
}

/// The text of each policy has the digest that stands beside it.
fn check_policies(line: &Line) -> Vec<Finding> {
    let policies = line.field("policies");
    let policies = policies.as_ref().and_then(Value::as_array).into_iter().flatten();
    let field = |policy: &Value, name: &str| policy.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    policies
        .filter(|policy| hex(&Sha256::digest(field(policy, "text"))) != field(policy, "sha256"))
        .map(|policy| {
            let detail = format!("policy `{}` has another digest than is stated", field(policy, "name"));
            Finding::damage("policy_changed", MANIFEST, format!("line {}", line.number), detail)
        })
        .collect()
}

/// Times of more than three seconds in which a recording gave no sign of life: it was stopped, or its host was.
fn silences(archive: &Archive, lines: &[Line], standing: &Standing, checked: &Checked) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last: HashMap<String, LedgerEntry> = HashMap::new();
    let is_good_ledger = |path: &PathBuf| path.starts_with("ledger") && checked.good.contains_key(path);
    let mut ledgers: Vec<PathBuf> = lines.iter().filter_map(Line::path).filter(is_good_ledger).collect();
    ledgers.sort_by_key(|path| standing.place(path));
    for path in ledgers {
        let name = path.to_string_lossy().into_owned();
        let entries = match read(archive, &path) {
            Ok(entries) => entries,
            Err(error) => {
                findings.push(Finding::damage("rows_unreadable", name, "", format!("{error:#}")));
                continue;
            }
        };
        for entry in entries {
            if let Some(before) =
                last.get(&entry.recording_id).filter(|before| entry.boot_ns - before.boot_ns > SILENCE_NS)
            {
                let place = format!("from {} to {}", before.time.rfc3339(), entry.time.rfc3339());
                let detail = "the recorder gave no sign of life; what was lost meanwhile is counted";
                findings.push(Finding::notice("silence", name.clone(), place, detail));
            }
            last.insert(entry.recording_id.clone(), entry);
        }
    }
    findings
}

/// The ledger entries of one file that are signs of life.
fn read(archive: &Archive, path: &std::path::Path) -> Result<Vec<LedgerEntry>> {
    let table = SealedTable::<LedgerEntry>::open(&archive.root().join(path))?;
    let mut entries = Vec::new();
    for batch in table.batches(&Prune::default(), &[], None)? {
        for entry in rows::<LedgerEntry>(&batch?) {
            entries.push(entry?);
        }
    }
    entries.retain(|entry| entry.kind == "heartbeat" || entry.kind == "stop" || entry.kind == "start");
    Ok(entries)
}
