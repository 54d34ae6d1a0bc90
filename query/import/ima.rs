//! The kernel's measurement list: which digests were measured under which names, and in which order, but not when. The user says
//! when it was taken; that is the time of all its rows, and their digests are doubtful, so that none bounds an interval.

use super::input::{Input, first_line};
use super::record::{Place, Record, blank, set_digest, set_path, set_time};
use super::source::{Each, Given, Source};
use crate::evidence::ima::measurements::{Measurement, each_measurement, is_list};
use anyhow::{Context, Result};
use hashtrail::event::Event;
use hashtrail::manifest::hex;

const NAME: &str = "ima";
/// Larger lists are not read: it is taken apart as a whole.
const MAX_LIST_BYTES: u64 = 128 << 20;
/// In `digest_doubt`: nobody knows when the content was the one with the digest.
const UNDATED: &str = "undated";

pub(super) const SOURCE: Source = Source {
    name: NAME,
    help: "IMA's measurement list, ASCII or binary; --taken-at says when it was read, because it has no times",
    cannot_know: &["loss", "time", "file", "boot", "root", "process", "repeats", "spaces", "reading"],
    resolution_ns: 0,
    is_undated: true,
    is_mine: |head| is_list(head) || is_list(first_line(head)),
    read,
};

fn read(input: &Input, given: &Given, each: Each<'_>) -> Result<()> {
    let taken_at = given.taken_at.context("a measurement list has no times: --taken-at says when it was read")?;
    let utc_ns = taken_at.0.checked_mul(1_000).context("the time of --taken-at is none")?;
    let bytes = input.whole(MAX_LIST_BYTES)?;
    let mut number = 0;
    each_measurement(&bytes, &mut |measurement| {
        number += 1;
        each(Place { unit: "entry", number }, measurement.map_or_else(Record::Unusable, |entry| record(&entry, utc_ns)))
    })
}

fn record(entry: &Measurement, utc_ns: i64) -> Record {
    match entry {
        Measurement::Boot => Record::Skipped("the begin of a boot"),
        Measurement::Violation => Record::Skipped("a violation, which has no digest"),
        Measurement::Buffer => Record::Skipped("a measured buffer, which is no file"),
        Measurement::Unknown => Record::Skipped("an entry of a template that is unknown here"),
        Measurement::File { path, algorithm, digest } => Record::of(row(path, algorithm, digest, utc_ns)),
    }
}

fn row(path: &[u8], algorithm: &str, digest: &[u8], utc_ns: i64) -> Result<Event, String> {
    let mut row = blank(NAME, "measurement", "ima_measurement");
    set_time(&mut row, utc_ns)?;
    set_path(&mut row, path);
    set_digest(&mut row, NAME, algorithm, &hex(digest))?;
    row.digest_doubt = vec![UNDATED.to_owned()];
    Ok(row)
}
