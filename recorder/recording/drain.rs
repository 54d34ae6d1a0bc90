//! From the rings to the journal, as long as a recording runs, and what it amounts to.

use crate::host::say::say;
use crate::recording::pipeline::{Outcome, Pipeline};
use crate::recording::signals::StopCause;
use crate::recording::status::StatusLine;
use crate::sensor::{Rings, Sensor};
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Longest wait for records: what is below half a ring waits this long.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Between heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait, after the stop, for programs that are still inside a hash.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);

/// Moves records from the rings to the journal until `turn` gives a cause to stop. `turn` is called after each look at
/// the rings, and told whether a heartbeat is due.
pub(crate) fn drain(
    rings: &Rings,
    pipeline: &mut Pipeline,
    mut turn: impl FnMut(&mut Pipeline, bool) -> Result<Option<StopCause>>,
) -> Result<StopCause> {
    let mut heartbeat = Instant::now();
    let pipeline = RefCell::new(pipeline);
    let consumer = rings.consumer(|record| pipeline.borrow_mut().record(record))?;
    loop {
        // A signal ends the wait early; both ways the rings are looked at.
        let _ = consumer.poll(POLL_INTERVAL);
        consumer.consume().context("cannot read the rings")?;
        let is_due = heartbeat.elapsed() >= HEARTBEAT_INTERVAL;
        if is_due {
            heartbeat = Instant::now();
        }
        pipeline.borrow_mut().take_user_digests();
        if let Some(cause) = turn(&mut pipeline.borrow_mut(), is_due)? {
            return Ok(cause);
        }
    }
}

/// One heartbeat: the counters into the ledger, and onto the terminal.
pub(crate) fn beat(sensor: &Sensor, pipeline: &mut Pipeline, status: &mut StatusLine) -> Result<()> {
    let counters = sensor.counters()?;
    pipeline.tick(&counters, sensor.skipped());
    status.show(&pipeline.totals(&counters));
    Ok(())
}

/// Takes what is still on its way after the programs were stopped.
pub(crate) fn settle(sensor: &Sensor, pipeline: &mut Pipeline) -> Result<()> {
    let limit = Instant::now() + SETTLE_LIMIT;
    let rings = sensor.rings();
    let pipeline = RefCell::new(pipeline);
    let consumer = rings.consumer(|record| pipeline.borrow_mut().record(record))?;
    let mut settled = 0;
    // Twice in a row: between taking a number and sending the record there is a short way.
    while settled < 2 && Instant::now() < limit {
        consumer.consume().context("cannot read the rings")?;
        settled = if pipeline.borrow().is_settled(&sensor.counters()?) { settled + 1 } else { 0 };
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Says what the recording amounts to. Exit 2 when something could not be sealed, 1 when the programs did not run for
/// some time.
pub(crate) fn report(outcome: &Outcome, was_blind: bool) -> ExitCode {
    let sum = |of: fn(&crate::recording::accounting::CpuTotals) -> u64| outcome.totals.iter().map(of).sum::<u64>();
    let state = if outcome.errors.is_empty() { "sealed" } else { "NOT SEALED" };
    say!(
        "{state}: {} produced, {} stored, {} dropped, {} suppressed; head {}",
        sum(|cpu| cpu.produced),
        sum(|cpu| cpu.stored),
        sum(|cpu| cpu.dropped),
        sum(|cpu| cpu.suppressed),
        outcome.manifest.head()
    );
    for error in &outcome.errors {
        say!("error: {error}");
    }
    if !outcome.errors.is_empty() {
        say!("hint: make space, then run `hashtrail-recorder recover`: the journal holds what is not sealed");
        return ExitCode::from(2);
    }
    if was_blind { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
