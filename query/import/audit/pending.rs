//! auditd's log, line by line: the records of an event mostly follow each other, and those of others can stand between them.

use super::super::input::{Input, Line as Text};
use super::super::record::{Place, Record};
use super::super::source::{Each, Given};
use super::group::{Group, Id};
use super::line;
use anyhow::Result;
use std::collections::VecDeque;

const NAME: &str = "audit";
/// So many events can be open at a time. The oldest is then taken for whole.
const OPEN_MAX: usize = 256;
/// An event of more records is none.
const RECORDS_MAX: usize = 4_096;
/// What all open events may take, and some more for one that is longer.
const OPEN_BYTES_MAX: usize = 32 << 20;

/// An event of which further records may come.
struct Open {
    group: Group,
    /// The line that it begins with.
    number: u64,
    bytes: usize,
}

pub(super) fn read(input: &Input, _: &Given, each: Each<'_>) -> Result<()> {
    let mut open: VecDeque<Open> = VecDeque::new();
    input.each_line(|Text { number, bytes, is_cut }| {
        let place = Place { unit: "line", number };
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        if is_cut {
            return each(place, Record::Unusable("it is longer than what is read of a line".into()));
        }
        let line::Line { id, kind, fields } = match line::parse(bytes) {
            Ok(line) => line,
            Err(reason) => return each(place, Record::Unusable(reason)),
        };
        if kind == "EOE" {
            return close(&mut open, &id, &mut *each);
        }
        let known = open.iter_mut().rev().find(|open| open.group.id == id);
        match known {
            Some(open) if open.group.records.len() >= RECORDS_MAX => {
                return each(place, Record::Unusable("its event has more records than any".into()));
            }
            Some(open) => {
                open.group.records.push((kind, fields));
                open.bytes += bytes.len();
            }
            None => {
                let group = Group { id, records: vec![(kind, fields)] };
                open.push_back(Open { group, number, bytes: bytes.len() });
            }
        }
        while open.len() > OPEN_MAX
            || open.len() > 1 && open.iter().map(|open| open.bytes).sum::<usize>() > OPEN_BYTES_MAX
        {
            let Some(oldest) = open.pop_front() else { break };
            hand_on(&oldest, &mut *each)?;
        }
        Ok(())
    })?;
    open.iter().try_for_each(|open| hand_on(open, &mut *each))
}

/// The end of an event is told.
fn close(open: &mut VecDeque<Open>, id: &Id, each: Each<'_>) -> Result<()> {
    let place = open.iter().position(|open| open.group.id == *id);
    match place.and_then(|place| open.remove(place)) {
        Some(ended) => hand_on(&ended, each),
        None => Ok(()),
    }
}

fn hand_on(open: &Open, each: Each<'_>) -> Result<()> {
    let place = || Place { unit: "line", number: open.number };
    open.group.rows(NAME).into_iter().try_for_each(|record| each(place(), record))
}
