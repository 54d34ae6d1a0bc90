//! The `loadtest` command: synthetic kernel events through the real rings, journal and writer.

use crate::commands::archive_options::ArchiveOptions;
use crate::host::say::say;
use crate::host::units::parse_duration;
use crate::record::session::Session;
use crate::recording::accounting::CpuTotals;
use crate::recording::drain::{beat, drain, settle};
use crate::recording::pipeline::Pipeline;
use crate::recording::signals::{Signal, Signals, StopCause};
use crate::recording::status::StatusLine;
use crate::sensor::{Sensor, SensorOptions};
use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

/// Options of `loadtest`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hashtrail-recorder loadtest --archive /mnt/evidence/loadtest --rate 100000 --duration 10s"
)]
pub(crate) struct LoadtestOptions {
    #[command(flatten)]
    pub(crate) store: ArchiveOptions,
    /// Events per second over all CPUs; without it as many as the kernel can produce
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u64>,
    /// How long to produce
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub(crate) duration: Duration,
    /// Beside the flood, this many events per second on each CPU that rank as execs do, while the flood ranks as opens
    #[arg(long, value_name = "N")]
    pub(crate) exec_rate: Option<u64>,
}

/// Events of one run of the producer: small enough to spread over the time, large enough to fill a ring.
const BATCH: u64 = 64;

/// Produces events on each online CPU, records them, and prints what became of them as one JSON object.
///
/// # Errors
/// When the kernel refuses the producer, or the archive cannot be written.
pub(crate) fn run(options: &LoadtestOptions) -> Result<ExitCode> {
    let ring_bytes = options.store.capped_ring_bytes();
    let sensor =
        Sensor::load_producer(SensorOptions::without_policies(ring_bytes)).context("cannot load the producer")?;
    let (_lock, store) = options.store.open()?;
    let session = Session::new(None, Vec::new())?;
    let start = serde_json::json!({
        "recording_id": session.recording_id,
        "host": session.host,
        "clock": crate::host::clock_anchor(),
        "version": env!("CARGO_PKG_VERSION"),
        "facts": session.facts,
        "public_key": store.manifest.public_key(),
        "loadtest": true,
        "ring_bytes": ring_bytes,
    });
    let mut pipeline = Pipeline::start(store, session, options.store.journal(false), &start)?;
    let start = pipeline.ledger("start");
    pipeline.note(start);
    say!("recording {} to `{}`", pipeline.session().recording_id, options.store.archive.display());
    let began = Instant::now();
    let (cause, produced) = produce_and_drain(&sensor, &mut pipeline, options)?;
    settle(&sensor, &mut pipeline)?;
    let seconds = began.elapsed().as_secs_f64();
    let outcome = pipeline.finish(&cause, &sensor.counters()?, sensor.skipped())?;
    print_result(&produced, seconds, &outcome.totals)?;
    options.store.end(outcome, false)
}

/// A producer's own count.
#[derive(Debug, Clone, Copy, Serialize)]
struct Produced {
    cpu: u32,
    produced: u64,
    /// Part of `produced`: those that rank as execs.
    execs: u64,
}

/// Runs one producer thread for each CPU beside the drain, until the time is over or a signal comes.
fn produce_and_drain(
    sensor: &Sensor,
    pipeline: &mut Pipeline,
    options: &LoadtestOptions,
) -> Result<(StopCause, Vec<Produced>)> {
    let cpus = crate::host::online_cpus();
    let (running, stopped) = (AtomicUsize::new(cpus.len()), AtomicBool::new(false));
    let mut signals = Signals::watch()?;
    std::thread::scope(|scope| {
        let producers: Vec<_> = cpus
            .iter()
            .map(|cpu| {
                let (running, stopped) = (&running, &stopped);
                let share = options.rate.map(|rate| rate / cpus.len() as u64);
                scope.spawn(move || {
                    let result = produce(sensor, *cpu, share, options, stopped);
                    running.fetch_sub(1, Ordering::Release);
                    result
                })
            })
            .collect();
        let is_over = || running.load(Ordering::Acquire) == 0;
        let mut status = StatusLine::new();
        let cause = drain(&sensor.rings(), pipeline, |pipeline, is_due| {
            if is_due {
                beat(sensor, pipeline, &mut status)?;
            }
            if let Some(Signal::Stop(cause)) = signals.came() {
                return Ok(Some(cause));
            }
            Ok(is_over().then(|| StopCause { cause: "duration".into(), sender: None }))
        })?;
        status.end();
        stopped.store(true, Ordering::Relaxed);
        let join = |producer: ScopedJoinHandle<'_, Result<Produced>>| {
            producer.join().map_err(|_| anyhow::anyhow!("a producer has panicked"))?
        };
        Ok((cause, producers.into_iter().map(join).collect::<Result<_>>()?))
    })
}

/// Produces on one CPU; `rate` in events per second, none: as fast as it goes.
fn produce(
    sensor: &Sensor,
    cpu: u32,
    rate: Option<u64>,
    options: &LoadtestOptions,
    stopped: &AtomicBool,
) -> Result<Produced> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu as usize);
    rustix::thread::sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))?;
    let began = Instant::now();
    let due = |rate: u64, done: u64| done as f64 <= rate as f64 * began.elapsed().as_secs_f64();
    let mut own = Produced { cpu, produced: 0, execs: 0 };
    while began.elapsed() < options.duration && !stopped.load(Ordering::Relaxed) {
        if options.exec_rate.is_some_and(|rate| due(rate, own.execs)) {
            let count = sensor.produce(own.produced, 1, false)?;
            own.produced += count;
            own.execs += count;
        }
        if rate.is_some_and(|rate| !due(rate, own.produced)) {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        own.produced += sensor.produce(own.produced, BATCH, options.exec_rate.is_some())?;
    }
    Ok(own)
}

#[expect(clippy::print_stdout, reason = "the result is the command's data")]
fn print_result(producers: &[Produced], seconds: f64, totals: &[CpuTotals]) -> Result<()> {
    let sum = |of: fn(&CpuTotals) -> u64| totals.iter().map(of).sum::<u64>();
    let result = serde_json::json!({
        "produced": producers.iter().map(|own| own.produced).sum::<u64>(),
        "produced_execs": producers.iter().map(|own| own.execs).sum::<u64>(),
        "stored": sum(|cpu| cpu.stored),
        "dropped": sum(|cpu| cpu.dropped),
        "seconds": seconds,
        "producers": producers,
        "cpus": totals,
    });
    println!("{}", serde_json::to_string(&result)?);
    Ok(())
}
