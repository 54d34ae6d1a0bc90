//! What a crash left behind becomes sealed files, through the same code as in a recording, and the gap becomes a fact.
//! Each step can be cut short and done again.

use crate::host;
use crate::journal::sealer::{Retired, seal_segment};
use crate::journal::segment::{DAMAGED_SUFFIX, FinishedSegment, NEW_SUFFIX, SEGMENT_SUFFIX};
use crate::journal::segment_rows::{EarlierExecs, Sealed, SegmentRows};
use crate::record::header::{SegmentHeader, Surroundings};
use anyhow::{Context, Result};
use chrono::DateTime;
use hashtrail::archive::{Archive, remove_if_there};
use hashtrail::clock::ClockAnchor;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{Line, Manifest};
use hashtrail::packages::PackageFile;
use hashtrail::reader::discover;
use serde_json::json;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Number of the segment that holds a recovery's own ledger entries: one name, so that a recovery that is cut short and
/// done again seals it once. No recording gets so far.
const RECOVERY_SEGMENT: u32 = u32::MAX;

/// What is kept of a line that a crash cut off: a filesystem may have filled it with anything, of which each byte takes up to six.
const MOST_TORN_BYTES: usize = 64 << 10;

/// What a recovery did.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// Recordings that had no end and have one now.
    pub(crate) recordings: Vec<String>,
    /// Segments that were sealed.
    pub(crate) segments: usize,
    /// Events in them.
    pub(crate) events: usize,
    /// What was damaged, in words.
    pub(crate) damages: Vec<String>,
}

/// Seals left-over segments and ends the recordings that have no end.
///
/// # Errors
/// When the journal cannot be read or a file cannot be written; what was done until then stands.
pub(crate) fn recover(archive: &Archive, manifest: &mut Manifest) -> Result<Recovered> {
    let mut recovered = Recovered::default();
    let mut signs: HashMap<String, Sealed> = HashMap::new();
    let open: Vec<OpenRecording> = open_recordings(&manifest.lines());
    let (mut bytes, mut earlier) = (Vec::new(), EarlierExecs::default());
    if let Some(torn) = manifest.torn() {
        let shown = String::from_utf8_lossy(&torn[..torn.len().min(MOST_TORN_BYTES)]);
        manifest.append(&[("cut", json!({ "torn_line": shown, "torn_bytes": torn.len() }))])?;
    }
    for path in journal_files(archive, NEW_SUFFIX)? {
        remove_if_there(&path)?;
    }
    for path in journal_files(archive, SEGMENT_SUFFIX)? {
        let retired = FinishedSegment::open(&path)
            .and_then(|segment| seal_segment(archive, manifest, &segment, &mut bytes, &mut earlier));
        match retired.with_context(|| format!("cannot seal `{}`", path.display()))? {
            Retired::Empty => {}
            Retired::Sealed(sealed) => {
                recovered.segments += 1;
                recovered.events += sealed.events;
                recovered.damages.extend(sealed.damages.iter().cloned());
                signs.insert(sealed.header.recording_id.clone(), sealed);
            }
            Retired::Lost(error) => recovered.damages.push(format!("{error:#}")),
        }
    }
    drop(bytes);
    // Also those that were found before this recovery, which may have been cut short before it said so.
    let lost: Vec<String> = journal_files(archive, DAMAGED_SUFFIX)?.iter().map(|path| file_name(path)).collect();
    remove_unnamed(archive, manifest, &open)?;
    for recording in open {
        let sign = LastSign::of(&recording, signs.get(&recording.id));
        let mut ledger = vec![sign.gap(&recording)];
        let own = lost.iter().filter(|segment| recording.owns(segment));
        ledger.extend(own.map(|segment| sign.lost_header(&recording, segment)));
        let header = SegmentHeader {
            recording_id: recording.id.clone(),
            host: recording.host.clone(),
            segment: RECOVERY_SEGMENT,
            ..SegmentHeader::default()
        };
        SegmentRows { header, ledger, ..SegmentRows::default() }.seal(archive, manifest, &mut earlier)?;
        let end = json!({
            "recording_id": recording.id, "state": "RECOVERED", "time": sign.surroundings.time(sign.boot_ns).rfc3339(),
            "boot_ns": sign.boot_ns,
        });
        manifest.append(&[("recovered", end)])?;
        recovered.recordings.push(recording.id);
    }
    Ok(recovered)
}

/// Removes snapshots of packages that came to their place, and a crash before the line that names them.
fn remove_unnamed(archive: &Archive, manifest: &Manifest, open: &[OpenRecording]) -> Result<()> {
    for file in discover::<PackageFile>(archive, |_, _| true).0 {
        let is_named = file.path.strip_prefix(archive.root()).is_ok_and(|path| manifest.names(path));
        if !is_named && open.iter().any(|recording| recording.owns(&file_name(&file.path))) {
            remove_if_there(&file.path)?;
        }
    }
    Ok(())
}

/// Files of the journal with this suffix, those of one recording in their order.
pub(crate) fn journal_files(archive: &Archive, suffix: &str) -> Result<Vec<PathBuf>> {
    let directory = archive.journal();
    let entries = fs::read_dir(&directory).with_context(|| format!("cannot read `{}`", directory.display()))?;
    let mut segments: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == suffix))
        .collect();
    segments.sort();
    Ok(segments)
}

/// A recording that the manifest begins and does not end.
#[derive(Debug, Default)]
pub(crate) struct OpenRecording {
    id: String,
    host: String,
    boot_id: String,
    clock: ClockAnchor,
    /// Latest `time` in a sealed file, in nanoseconds since the epoch.
    last_utc_ns: Option<i64>,
}

impl OpenRecording {
    /// Whether it wrote a segment of this name.
    fn owns(&self, segment: &str) -> bool {
        self.id.get(..8).is_some_and(|begin| segment.starts_with(begin))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The recordings that these lines begin and do not end.
pub(crate) fn open_recordings(lines: &[Line]) -> Vec<OpenRecording> {
    let mut open: Vec<OpenRecording> = Vec::new();
    for line in lines {
        let Some(id) = line.text("recording_id") else { continue };
        match line.kind() {
            "start" => open.push(OpenRecording {
                id,
                host: line.text("host").unwrap_or_default(),
                boot_id: line
                    .field("facts")
                    .and_then(|facts| Some(facts.get("boot_id")?.as_str()?.to_owned()))
                    .unwrap_or_default(),
                clock: line.field("clock").and_then(|clock| serde_json::from_value(clock).ok()).unwrap_or_default(),
                last_utc_ns: None,
            }),
            "file" => {
                let to = line.text("to").and_then(|to| DateTime::parse_from_rfc3339(&to).ok()?.timestamp_nanos_opt());
                for recording in open.iter_mut().filter(|recording| recording.id == id) {
                    recording.last_utc_ns = recording.last_utc_ns.max(to);
                }
            }
            "stop" | "recovered" => open.retain(|recording| recording.id != id),
            _ => {}
        }
    }
    open
}

/// The last moment that a recording tells of.
#[derive(Debug, Clone, Copy)]
struct LastSign {
    boot_ns: i64,
    surroundings: Surroundings,
}

impl LastSign {
    /// From the last segment that was left or, where none was, from what the manifest says.
    fn of(recording: &OpenRecording, sealed: Option<&Sealed>) -> Self {
        if let Some(sealed) = sealed
            && let Some(boot_ns) = sealed.last_boot_ns
        {
            return Self { boot_ns, surroundings: sealed.surroundings };
        }
        let offset = recording.clock.offset_ns();
        let boot_ns = recording.last_utc_ns.map_or(recording.clock.boot_ns, |utc_ns| utc_ns.saturating_sub(offset));
        Self { boot_ns, surroundings: Surroundings { utc_offset_ns: offset, ima_policy: None } }
    }

    /// What stood in the rings is lost, and nobody can know how much; in the same boot the gap reaches until now.
    fn gap(&self, recording: &OpenRecording) -> LedgerEntry {
        let same_boot = host::read_line("/proc/sys/kernel/random/boot_id").is_some_and(|id| id == recording.boot_id);
        let end_ns = if same_boot { host::clock_anchor().boot_ns.max(self.boot_ns) } else { self.boot_ns };
        LedgerEntry {
            kind: "gap".into(),
            cause: Some("crash".into()),
            from_ns: Some(self.boot_ns),
            to_ns: same_boot.then_some(end_ns),
            boot_ns: end_ns,
            time: self.surroundings.time(end_ns),
            detail: Some(json!({ "same_boot": same_boot }).to_string()),
            ..self.entry(recording)
        }
    }

    fn lost_header(&self, recording: &OpenRecording, segment: &str) -> LedgerEntry {
        LedgerEntry {
            kind: "corrupt".into(),
            cause: Some("header_damaged".into()),
            detail: Some(json!({ "segment": segment }).to_string()),
            ..self.entry(recording)
        }
    }

    fn entry(&self, recording: &OpenRecording) -> LedgerEntry {
        LedgerEntry {
            recording_id: recording.id.clone(),
            host: recording.host.clone(),
            time: self.surroundings.time(self.boot_ns),
            boot_ns: self.boot_ns,
            ..LedgerEntry::default()
        }
    }
}

#[cfg(test)]
mod tests;
