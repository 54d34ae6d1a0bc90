//! The rows of a journal segment, and what was damaged in it.

use crate::journal::frame::{Damage, Frame, FrameKind, Piece, pieces, salt_of};
use crate::journal::segment::segment_name;
use crate::record::decode::{self, Checked, Scratch, Undecoded};
use crate::record::header::{SegmentHeader, Surroundings};
use crate::record::key::record_key;
use anyhow::{Context, Result, anyhow, bail};
use hashtrail::archive::Archive;
use hashtrail::event::tells_of_exec;
use hashtrail::execs::Execs;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{Sealing, SegmentName};
use serde_json::json;
use std::collections::BTreeMap;

/// What a segment holds.
#[derive(Debug, Default)]
pub(crate) struct SegmentRows<'a> {
    /// Its header.
    pub(crate) header: SegmentHeader,
    /// Its records that can be read, as they came from the rings.
    pub(crate) records: Vec<Record<'a>>,
    /// The execs that they tell of.
    pub(crate) execs: Execs,
    /// Its ledger entries, and one for each damage.
    pub(crate) ledger: Vec<LedgerEntry>,
    /// What was damaged, in words.
    pub(crate) damages: Vec<String>,
    /// Clock and policy of the last frame.
    pub(crate) surroundings: Surroundings,
}

/// A record that can be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    boot_ns: i64,
    cpu: i32,
    seq: i64,
    surroundings: Surroundings,
    bytes: &'a [u8],
}

/// What is left to know of a segment when its rows are sealed.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// Its header.
    pub(crate) header: SegmentHeader,
    /// How many events it held.
    pub(crate) events: usize,
    /// What was damaged, in words.
    pub(crate) damages: Vec<String>,
    /// Clock and policy of the last frame.
    pub(crate) surroundings: Surroundings,
    /// The last moment that it tells of, nanoseconds since boot.
    pub(crate) last_boot_ns: Option<i64>,
}

/// Execs of the segments before that wait for a digest of user space.
#[derive(Debug, Default)]
pub(crate) struct EarlierExecs {
    recording_id: String,
    execs: Execs,
}

impl EarlierExecs {
    fn of_recording(&self, recording_id: &str) -> Execs {
        if self.recording_id == recording_id { self.execs.clone() } else { Execs::default() }
    }
}

impl<'a> SegmentRows<'a> {
    /// Reads the bytes of the segment with this file name.
    ///
    /// # Errors
    /// When both copies of the header are damaged.
    pub(crate) fn read(bytes: &'a [u8], name: &str) -> Result<Self> {
        let header = header_of(bytes)?;
        // Headers have no salt: one that a record holds could be found behind two damaged ones.
        if !name.starts_with(&segment_name(&header.recording_id, header.segment)) {
            bail!("both copies of the header are damaged; the next one belongs to another segment");
        }
        let salt = salt_of(&header.recording_id);
        let mut segment = Self { header, ..Self::default() };
        let mut damages: Vec<(usize, Damage)> = Vec::new();
        for piece in pieces(bytes, salt) {
            match piece {
                Piece::Frame(frame) => segment.take(&frame, name),
                Piece::Damage(damage) => damages.push((segment.records.len(), damage)),
            }
        }
        for (place, damage) in damages {
            segment.report(place, &damage, name);
        }
        Ok(segment)
    }

    /// Seals the rows, one by one: only the records are held. `earlier` are the recording's execs that wait for a digest,
    /// before and after.
    ///
    /// # Errors
    /// When a file cannot be written; nothing is retired then.
    pub(crate) fn seal(
        mut self,
        archive: &Archive,
        manifest: &mut Manifest,
        earlier: &mut EarlierExecs,
    ) -> Result<Sealed> {
        let sealed = Sealed {
            events: self.records.len(),
            last_boot_ns: self.last_boot_ns(),
            header: self.header,
            damages: self.damages,
            surroundings: self.surroundings,
        };
        let header = &sealed.header;
        let name = SegmentName {
            recording_id: header.recording_id.clone(),
            host: header.host.clone(),
            segment: header.segment,
        };
        let execs = earlier.of_recording(&name.recording_id).joined(self.execs).settled();
        self.records.sort_by_key(|record| (record.boot_ns, record.cpu, record.seq));
        let mut sealing = Sealing::new(archive, manifest, &name, &header.versions, &execs);
        let mut scratch = Scratch::default();
        for record in &self.records {
            sealing.take_from(Undecoded::new(record.bytes, header, &record.surroundings, &mut scratch)?)?;
        }
        sealing.finish(self.ledger)?;
        *earlier = EarlierExecs { recording_id: name.recording_id, execs: execs.waiting() };
        Ok(sealed)
    }

    /// The last moment that it tells of, nanoseconds since boot.
    fn last_boot_ns(&self) -> Option<i64> {
        let records = self.records.iter().map(|record| record.boot_ns);
        records.chain(self.ledger.iter().map(|entry| entry.boot_ns)).max()
    }

    fn take(&mut self, frame: &Frame<'a>, name: &str) {
        self.surroundings = frame.surroundings;
        match frame.kind {
            FrameKind::Header => {}
            FrameKind::Record => {
                if let Err(error) = self.take_record(frame) {
                    self.unreadable(frame, &error, name);
                }
            }
            FrameKind::Ledger => match serde_json::from_slice(frame.payload) {
                Ok(entry) => self.ledger.push(entry),
                Err(error) => self.unreadable(frame, &anyhow!(error), name),
            },
        }
    }

    /// Its row is made when all are in order; before that only the execs must be known.
    fn take_record(&mut self, frame: &Frame<'a>) -> Result<()> {
        let (bytes, surroundings) = (frame.payload, frame.surroundings);
        let Checked { key, hook } = decode::check(bytes, &self.header)?;
        if tells_of_exec(hook) {
            self.execs.take(&decode::decode(bytes, &self.header, &surroundings, &mut Scratch::default())?);
        }
        let (cpu, seq) = (key.cpu.cast_signed(), key.seq.cast_signed());
        self.records.push(Record { boot_ns: key.boot_ns, cpu, seq, surroundings, bytes });
        Ok(())
    }

    /// A frame is whole, but what it holds is not understood.
    fn unreadable(&mut self, frame: &Frame<'_>, error: &anyhow::Error, name: &str) {
        let key = record_key(frame.payload).filter(|_| frame.kind == FrameKind::Record);
        let detail = json!({ "segment": name, "frame": frame.number, "error": format!("{error:#}") });
        let boot_ns = key.map_or_else(|| self.last_boot_ns().unwrap_or_default(), |key| key.boot_ns);
        let seq = key.map(|key| key.seq.cast_signed());
        let mut entry = self.corrupt("unreadable_frame", boot_ns, detail);
        (entry.cpu, entry.first_seq, entry.last_seq) = (key.map(|key| key.cpu.cast_signed()), seq, seq);
        entry.count = Some(1);
        self.damages.push(format!("frame {} cannot be read: {error:#}", frame.number));
        self.ledger.push(entry);
    }

    /// Puts damage before the event at `place` into the ledger: one entry for each CPU whose sequence has a hole there,
    /// or one without a CPU.
    fn report(&mut self, place: usize, damage: &Damage, name: &str) {
        let (before, after) = self.records.split_at(place);
        let from_ns = before.last().map(|record| record.boot_ns);
        let to_ns = after.first().map(|record| record.boot_ns);
        let holes = holes(before, after);
        let detail = json!({
            "segment": name, "from_byte": damage.from, "to_byte": damage.to, "frames": damage.frames,
            "reason": damage.reason,
        });
        let cause = if damage.is_torn() { "torn_end" } else { "journal_damaged" };
        let boot_ns = to_ns.or(from_ns).or_else(|| self.last_boot_ns()).unwrap_or_default();
        let entry = LedgerEntry { from_ns, to_ns, ..self.corrupt(cause, boot_ns, detail) };
        if !damage.is_torn() {
            self.damages.push(format!("bytes {} to {}: {}", damage.from, damage.to, damage.reason));
        }
        if holes.is_empty() {
            self.ledger.push(entry.clone());
        }
        self.ledger.extend(holes.into_iter().map(|(cpu, first_seq, last_seq)| LedgerEntry {
            cpu: Some(cpu),
            first_seq: Some(first_seq),
            last_seq: Some(last_seq),
            count: Some(last_seq - first_seq + 1),
            ..entry.clone()
        }));
    }

    fn corrupt(&self, cause: &str, boot_ns: i64, detail: serde_json::Value) -> LedgerEntry {
        LedgerEntry {
            recording_id: self.header.recording_id.clone(),
            host: self.header.host.clone(),
            time: self.surroundings.time(boot_ns),
            boot_ns,
            kind: "corrupt".into(),
            cause: Some(cause.into()),
            detail: Some(detail.to_string()),
            ..LedgerEntry::default()
        }
    }
}

/// Either copy of the header will do.
fn header_of(bytes: &[u8]) -> Result<SegmentHeader> {
    let headers = pieces(bytes, 0).take(3).filter_map(|piece| match piece {
        Piece::Frame(frame) if frame.kind == FrameKind::Header => Some(frame.payload),
        _ => None,
    });
    let payload = headers.into_iter().next().context("both copies of the header are damaged")?;
    serde_json::from_slice(payload).context("the header cannot be read")
}

/// For each CPU the sequence numbers that are missing between two runs of records, as first and last.
fn holes(before: &[Record<'_>], after: &[Record<'_>]) -> Vec<(i32, i64, i64)> {
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for record in before {
        let seq = last.entry(record.cpu).or_insert(record.seq);
        *seq = (*seq).max(record.seq);
    }
    let mut first: BTreeMap<i32, i64> = BTreeMap::new();
    for record in after {
        let seq = first.entry(record.cpu).or_insert(record.seq);
        *seq = (*seq).min(record.seq);
    }
    let hole = |(cpu, last): (i32, i64)| Some((cpu, last + 1, first.get(&cpu)? - 1));
    last.into_iter().filter_map(hole).filter(|(_, first, last)| first <= last).collect()
}

#[cfg(test)]
mod tests;
