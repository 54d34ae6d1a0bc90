//! Whether the counts that the recorder stated at its stop are whole, add up, and are those of the events in the files.

use super::MANIFEST;
use super::sequences::Stored;
use crate::evidence::finding::Finding;
use hashtrail::manifest::Line;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a stop has counted since the first version, for each CPU; `cpu` is its name.
const REQUIRED: [&str; 4] = ["produced", "stored", "dropped", "suppressed"];
/// What some recorders count besides. Another name is one that was changed, or of a newer recorder.
const OTHER: [&str; 21] = [
    "suppressed_rate_limit",
    "suppressed_dedupe",
    "missed",
    "missed_nested",
    "missed_interrupt",
    "missed_no_memory",
    "dropped_ring_full",
    "dropped_no_ring",
    "dropped_journal_full",
    "dropped_disk_full",
    "filtered",
    "dropped_by_digest",
    "acts_without_row",
    "own_calls",
    "no_scratch",
    "undecided",
    "digests",
    "digests_reused",
    "hashed_files",
    "hashed_bytes",
    "cpu",
];
/// What is counted for all CPUs together.
const OF_ALL: [&str; 7] = [
    "cpus",
    "skipped",
    "recursion_misses",
    "unreadable",
    "user_digests",
    "user_digests_remembered",
    "user_digests_dropped",
];

/// Checks each stop.
pub(super) fn check(lines: &[Line], stored: &Stored) -> Vec<Finding> {
    lines.iter().filter(|line| line.kind() == "stop").flat_map(|line| check_stop(line, stored)).collect()
}

fn check_stop(line: &Line, stored: &Stored) -> Vec<Finding> {
    let place = format!("line {}", line.number);
    let counts = line.field("counts");
    let counts = counts.as_ref().and_then(Value::as_object);
    let Some((counts, cpus)) = counts.and_then(|counts| Some((counts, counts.get("cpus")?.as_array()?))) else {
        return vec![Finding::damage("line_wrong", MANIFEST, place, "it has no counts of the CPUs")];
    };
    let mut findings = unknown(counts, &OF_ALL, &place);
    let of_recording = stored.get(&line.text("recording_id").unwrap_or_default());
    let mut counted = BTreeSet::new();
    for counts in cpus {
        let cpu = counts.get("cpu").and_then(Value::as_i64).and_then(|cpu| i32::try_from(cpu).ok());
        let (Some(cpu), Some(counts)) = (cpu, counts.as_object()) else {
            findings.push(Finding::damage("line_wrong", MANIFEST, place.clone(), "its counts name no CPU"));
            continue;
        };
        counted.insert(cpu);
        let place = format!("{place}, CPU {cpu}");
        findings.extend(unknown(counts, &[&REQUIRED[..], &OTHER].concat(), &place));
        let found = of_recording.and_then(|cpus| cpus.get(&cpu).copied()).unwrap_or_default();
        findings.extend(check_cpu(counts, found, &place));
    }
    let uncounted = of_recording.into_iter().flatten().filter(|(cpu, _)| !counted.contains(cpu));
    findings.extend(uncounted.map(|(cpu, found)| {
        let detail = format!("{found} events are in the files of this CPU, which is not counted");
        Finding::damage("counts_disagree", MANIFEST, format!("{place}, CPU {cpu}"), detail)
    }));
    findings
}

/// The counts must add up for each CPU, and as many events must be there as were stored.
fn check_cpu(counts: &Map<String, Value>, found: u64, place: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let stated = REQUIRED.map(|name| counts.get(name).and_then(Value::as_u64));
    for (name, _) in REQUIRED.iter().zip(stated).filter(|(_, count)| count.is_none()) {
        let detail = format!("its count `{name}` is missing or no number");
        findings.push(Finding::damage("line_wrong", MANIFEST, place, detail));
    }
    let [Some(produced), Some(stored), Some(dropped), Some(suppressed)] = stated else { return findings };
    let accounted = stored.saturating_add(dropped).saturating_add(suppressed);
    if produced != accounted {
        let detail = format!("{produced} events were produced, {accounted} are stored or counted as lost");
        findings.push(Finding::damage("counts_disagree", MANIFEST, place, detail));
    }
    if found != stored {
        let detail = format!("{stored} events were stored, {found} are in files that are as they were sealed");
        findings.push(Finding::damage("events_missing", MANIFEST, place, detail));
    }
    findings
}

/// Counts under names that no recorder writes, and counts that are none.
fn unknown(counts: &Map<String, Value>, names: &[&str], place: &str) -> Vec<Finding> {
    let is_known = |name: &String| names.contains(&name.as_str());
    let finding = |name: &String| {
        let detail = format!("its count `{name}` is unknown: it was changed, or a newer recorder wrote it");
        Finding::damage("line_wrong", MANIFEST, place, detail)
    };
    counts.keys().filter(|name| !is_known(name)).map(finding).collect()
}
