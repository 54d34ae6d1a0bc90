//! Questions about times at which the clock was set, and readings of which nobody says when they were.

use super::*;
use anyhow::Context;

const HOUR: i64 = 3600;

/// An observation, by a clock that was set back by an hour at second 20.
fn seen(second: i64, digest: &str) -> Event {
    let shown = if second < 20 { START + second } else { START + second - HOUR };
    let seen = event(second, "mmap_file", Some(digest));
    Event { time: Micros(shown * 1_000_000), path: Some("/usr/bin/tool".into()), ..seen }
}

/// What is found of these events from this second of the first clock on.
fn found_since(second: i64, events: &[Event], verb: &[&str]) -> Result<Vec<Value>> {
    let detail = json!({"offset_before_ns": START * 1_000_000_000, "offset_ns": (START - HOUR) * 1_000_000_000});
    let clock = LedgerEntry { time: Micros((START + 20 - HOUR) * 1_000_000), ..entry(20, "clock", None) };
    let ledger = vec![entry(0, "start", None), LedgerEntry { detail: Some(detail.to_string()), ..clock }];
    let directory = tempfile::tempdir()?;
    archive_with(directory.path(), events, 100, ledger)?;
    let since = Micros((START + second) * 1_000_000).rfc3339();
    let (_, _, output) = query(directory.path(), &[verb, &["--since", &since, "--format", "json"]].concat())?;
    let mut lines = json_lines(&output);
    lines.pop();
    Ok(lines)
}

#[test]
fn what_happened_while_the_clock_was_set_is_found_by_both_times() -> Result<()> {
    let change = [seen(10, OLD), seen(30, NEW)];
    let changes = |second| -> Result<usize> { Ok(found_since(second, &change, &["changes"])?.len()) };
    assert_eq!((changes(15)?, changes(25)?), (1, 0), "it may have happened before the clock was set, at 20");
    let longer = [seen(10, OLD), seen(25, OLD), seen(30, NEW)];
    let versions = |second| -> Result<Vec<Value>> {
        let rows = found_since(second, &longer, &["history", "/usr/bin/tool"])?;
        Ok(rows.iter().map(|row| row["digest"].clone()).collect())
    };
    assert_eq!(versions(15)?, [json!(OLD)], "it was there when the first clock showed that");
    assert_eq!(versions(25)?, [Value::Null; 0], "no clock showed that");
    assert_eq!(versions(-HOUR + 27)?, [json!(OLD), json!(NEW)]);
    Ok(())
}

/// The old content is read at second 10 and seen at 30, by a clock that was set an hour ahead at 20.
#[test]
fn a_change_since_a_reading_is_found_by_the_clock_of_the_reading() -> Result<()> {
    let ahead = |event: Event| Event { time: Micros(event.time.0 + HOUR * 1_000_000), ..event };
    let offsets = [START, START + HOUR].map(|offset| offset * 1_000_000_000);
    let detail = json!({"offset_before_ns": offsets[0], "offset_ns": offsets[1]}).to_string();
    let ledger = || vec![entry(0, "start", None), entry(20, "clock", Some(&detail))];
    let changes = |read_ns: Option<i64>, until: i64| -> Result<usize> {
        let old = Event { content_read_ns: read_ns, ..event(30, "mmap_file", Some(OLD)) };
        let directory = tempfile::tempdir()?;
        archive_with(directory.path(), &[ahead(old), ahead(event(40, "mmap_file", Some(NEW)))], 100, ledger())?;
        let until = Micros((START + until) * 1_000_000).rfc3339();
        let (_, _, output) = query(directory.path(), &["changes", "--until", &until, "--format", "json"])?;
        Ok(json_lines(&output).len() - 1)
    };
    let read_ns = Some(10_000_000_000);
    assert_eq!(
        (changes(read_ns, 15)?, changes(read_ns, 9)?),
        (1, 0),
        "it may have happened at any time since the reading"
    );
    assert_eq!((changes(None, 9)?, changes(None, 0)?), (1, 0), "it may have happened at any time since boot");
    Ok(())
}

/// Events of the seconds 10 to 12 are lost. The clock is set an hour ahead at 20, and the loss is noted at 30.
#[test]
fn a_loss_is_one_at_all_times_that_the_clock_showed_in_it() -> Result<()> {
    let offsets = [START, START + HOUR].map(|offset| offset * 1_000_000_000);
    let detail = json!({"offset_before_ns": offsets[0], "offset_ns": offsets[1]}).to_string();
    let noted = LedgerEntry { time: Micros((START + HOUR + 30) * 1_000_000), ..entry(30, "loss", None) };
    let seconds = |second: i64| Some(second * 1_000_000_000);
    let loss = LedgerEntry { from_ns: seconds(10), to_ns: seconds(12), count: Some(3), ..noted };
    let directory = tempfile::tempdir()?;
    let ledger = vec![entry(0, "start", None), entry(20, "clock", Some(&detail)), loss];
    archive_with(directory.path(), &[event(5, "mmap_file", Some(OLD))], 100, ledger)?;
    let lost = |verb: &str, from: i64| -> Result<usize> {
        let [since, until] = [from, from + 1].map(|second| Micros((START + second) * 1_000_000).rfc3339());
        let line = [verb, "--since", &since, "--until", &until, "--format", "json"];
        let (_, _, output) = query(directory.path(), &line)?;
        let summary = json_lines(&output).pop().context("a summary")?;
        let gaps = summary["gaps"].as_array().context("gaps")?;
        Ok(gaps.iter().filter(|gap| gap["lost"] == 3).count())
    };
    for verb in ["changes", "gaps", "rare"] {
        let told = [8, 10, 11, 13].map(|second| lost(verb, second)).into_iter().collect::<Result<Vec<_>>>()?;
        assert_eq!(told, [0, 1, 1, 0], "{verb}");
    }
    Ok(())
}

#[test]
fn an_answer_with_a_reading_of_unknown_time_is_not_complete() -> Result<()> {
    let answer = |read_ns: Option<i64>| -> Result<Vec<Value>> {
        let directory = tempfile::tempdir()?;
        let ledger = vec![entry(5, "start", None), entry(40, "stop", None)];
        let events = [
            Event { content_read_ns: read_ns, ..event(10, "mmap_file", Some(OLD)) },
            event(30, "mmap_file", Some(NEW)),
        ];
        archive_with(directory.path(), &events, 100, ledger)?;
        let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
        Ok(json_lines(&output))
    };
    let complete = |lines: &[Value]| (lines[0]["complete"].clone(), lines[1]["complete"].clone());
    assert_eq!(complete(&answer(Some(10_000_000_000))?), (json!(true), json!(true)));
    let undated = answer(None)?;
    assert_eq!(complete(&undated), (json!(false), json!(false)), "it may have been read before the recording");
    assert_eq!(undated[1]["gaps"][0]["cause"], "not_recorded");
    Ok(())
}

#[test]
fn who_wrote_while_the_clock_was_far_ahead_is_found() -> Result<()> {
    let ahead = 10 * 24 * HOUR;
    let write = Event { open_flags: Some(1), ..event(20, "file_open", None) };
    let write = Event { time: Micros((START + 20 + ahead) * 1_000_000), ..write };
    let events = [event(10, "mmap_file", Some(OLD)), write, event(30, "mmap_file", Some(NEW))];
    let set = |second, before: i64, after: i64| {
        let detail = json!({"offset_before_ns": before * 1_000_000_000, "offset_ns": after * 1_000_000_000});
        entry(second, "clock", Some(&detail.to_string()))
    };
    let ledger = vec![entry(0, "start", None), set(15, START, START + ahead), set(25, START + ahead, START)];
    let directory = tempfile::tempdir()?;
    // Each in a file of its own, which stands under its date.
    archive_with(directory.path(), &events, 1, ledger)?;
    let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
    assert_eq!(json_lines(&output)[0]["suspects"][0]["hook"], "file_open", "{output}");
    Ok(())
}
