//! The `loadtest` command: synthetic kernel events through the real rings, journal and writer.

use crate::accounting::CpuTotals;
use crate::cli::LoadtestOptions;
use crate::lock::Lock;
use crate::pipeline::Pipeline;
use crate::record::{drain, journal_options, report, ring_bytes, settle};
use crate::say::say;
use crate::sensor::{Sensor, SensorOptions};
use crate::session::Session;
use crate::signals::{Signals, StopCause};
use crate::store;
use anyhow::{Context, Result};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Events of one run of the producer: small enough to spread over the time, large enough to fill a ring.
const BATCH: u64 = 64;

/// Produces events on each online CPU, records them, and prints what became of them as one JSON object.
///
/// # Errors
/// When the kernel refuses the producer, or the archive cannot be written.
pub(crate) fn run(options: &LoadtestOptions) -> Result<ExitCode> {
    let ring_bytes = ring_bytes(options.store.ring_bytes);
    let sensor =
        Sensor::load_producer(SensorOptions { ring_bytes, max_hash_bytes: 0 }).context("cannot load the producer")?;
    let (lock, store) = store::open_for(&options.store)?;
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
    let mut pipeline = Pipeline::start(store, session, journal_options(&options.store, false), &start)?;
    let start = pipeline.ledger("start");
    pipeline.note(start);
    say!("recording {} to `{}`", pipeline.session().recording_id, options.store.archive.display());
    let began = Instant::now();
    let produced = Produced::default();
    let cause = produce_and_drain(&sensor, &mut pipeline, &lock, options, &produced)?;
    settle(&sensor, &mut pipeline)?;
    let seconds = began.elapsed().as_secs_f64();
    let outcome = pipeline.finish(&cause, &sensor.counters()?, 0)?;
    print_result(&produced, seconds, &outcome.totals)?;
    Ok(report(&outcome, false))
}

/// The producers' own counts.
#[derive(Default)]
struct Produced {
    all: AtomicU64,
    execs: AtomicU64,
    stopped: AtomicBool,
}

/// Runs one producer thread for each CPU beside the drain, until the time is over or a signal comes.
fn produce_and_drain(
    sensor: &Sensor,
    pipeline: &mut Pipeline,
    lock: &Lock,
    options: &LoadtestOptions,
    produced: &Produced,
) -> Result<StopCause> {
    let cpus = crate::host::online_cpus();
    let running = AtomicUsize::new(cpus.len());
    let mut signals = Signals::watch()?;
    std::thread::scope(|scope| {
        let producers: Vec<_> = cpus
            .iter()
            .map(|cpu| {
                let running = &running;
                let share = options.rate.map(|rate| rate / cpus.len() as u64);
                scope.spawn(move || {
                    let result = produce(sensor, *cpu, share, options, produced);
                    running.fetch_sub(1, Ordering::Release);
                    result
                })
            })
            .collect();
        let is_over = || running.load(Ordering::Acquire) == 0;
        let over = || is_over().then(|| StopCause { cause: "duration".into(), sender: None });
        let cause = drain(sensor, pipeline, lock, &mut None, || signals.came().or_else(over))?;
        produced.stopped.store(true, Ordering::Relaxed);
        for producer in producers {
            producer.join().map_err(|_| anyhow::anyhow!("a producer has panicked"))??;
        }
        Ok(cause)
    })
}

/// Produces on one CPU; `rate` in events per second, none: as fast as it goes.
fn produce(sensor: &Sensor, cpu: u32, rate: Option<u64>, options: &LoadtestOptions, produced: &Produced) -> Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu as usize);
    rustix::thread::sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))?;
    let began = Instant::now();
    let due = |rate: u64, done: u64| done as f64 <= rate as f64 * began.elapsed().as_secs_f64();
    let (mut all, mut execs) = (0, 0);
    while began.elapsed() < options.duration && !produced.stopped.load(Ordering::Relaxed) {
        if options.exec_rate.is_some_and(|rate| due(rate, execs)) {
            let count = sensor.produce(all, 1, false)?;
            (all, execs) = (all + count, execs + count);
            produced.all.fetch_add(count, Ordering::Relaxed);
            produced.execs.fetch_add(count, Ordering::Relaxed);
        }
        if rate.is_some_and(|rate| !due(rate, all)) {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let count = sensor.produce(all, BATCH, options.exec_rate.is_some())?;
        all += count;
        produced.all.fetch_add(count, Ordering::Relaxed);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result is the command's data")]
fn print_result(produced: &Produced, seconds: f64, totals: &[CpuTotals]) -> Result<()> {
    let sum = |of: fn(&CpuTotals) -> u64| totals.iter().map(of).sum::<u64>();
    let result = serde_json::json!({
        "produced": produced.all.load(Ordering::Relaxed),
        "produced_execs": produced.execs.load(Ordering::Relaxed),
        "stored": sum(|cpu| cpu.stored),
        "dropped": sum(|cpu| cpu.dropped),
        "seconds": seconds,
        "cpus": totals,
    });
    println!("{}", serde_json::to_string(&result)?);
    Ok(())
}
