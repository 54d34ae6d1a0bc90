//! The `loadtest` command: synthetic kernel events through the real rings, journal and writer.

use crate::accounting::CpuTotals;
use crate::cli::LoadtestOptions;
use crate::pipeline::{Pipeline, PipelineOptions};
use crate::record::{drain, lock, report, ring_bytes, settle};
use crate::sensor::{Sensor, SensorOptions};
use crate::session::Session;
use anyhow::{Context, Result};
use hashtrail::archive::Archive;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Events of one run of the producer: small enough to spread over the time, large enough to fill a ring.
const BATCH: u64 = 64;

/// Produces events on each online CPU, records them, and prints what became of them as one JSON object.
///
/// # Errors
/// When the kernel refuses the producer, or the archive cannot be written.
pub(crate) fn run(options: &LoadtestOptions) -> Result<ExitCode> {
    let ring_bytes = ring_bytes(options.ring_bytes);
    let sensor =
        Sensor::load_producer(SensorOptions { ring_bytes, max_hash_bytes: 0 }).context("cannot load the producer")?;
    let archive = Archive::create(&options.archive)?;
    let _lock = lock(&archive)?;
    let session = Session::new(None, Vec::new())?;
    let start = serde_json::json!({
        "recording_id": session.recording_id,
        "host": session.host,
        "version": env!("CARGO_PKG_VERSION"),
        "loadtest": true,
        "ring_bytes": ring_bytes,
    });
    let pipeline_options = PipelineOptions {
        seal_interval: options.seal_interval,
        sync_interval: Duration::from_millis(250),
        journal_bytes: options.journal_bytes,
    };
    let mut pipeline = Pipeline::start(archive, session, pipeline_options, &start)?;
    let began = Instant::now();
    let produced = produce_and_drain(&sensor, &mut pipeline, options)?;
    settle(&sensor, &mut pipeline)?;
    let seconds = began.elapsed().as_secs_f64();
    let outcome = pipeline.finish("loadtest", &sensor.counters()?, 0)?;
    print_result(produced, seconds, &outcome.totals)?;
    Ok(report(&outcome))
}

/// Runs one producer thread for each CPU beside the drain; returns the producers' own count.
fn produce_and_drain(sensor: &Sensor, pipeline: &mut Pipeline, options: &LoadtestOptions) -> Result<u64> {
    let cpus = crate::host::online_cpus();
    let (produced, running) = (AtomicU64::new(0), AtomicUsize::new(cpus.len()));
    std::thread::scope(|scope| {
        let producers: Vec<_> = cpus
            .iter()
            .map(|cpu| {
                let (produced, running) = (&produced, &running);
                let share = options.rate.map(|rate| rate / cpus.len() as u64);
                scope.spawn(move || {
                    let result = produce(sensor, *cpu, share, options.duration, produced);
                    running.fetch_sub(1, Ordering::Release);
                    result
                })
            })
            .collect();
        drain(sensor, pipeline, || (running.load(Ordering::Acquire) == 0).then(String::new))?;
        for producer in producers {
            producer.join().map_err(|_| anyhow::anyhow!("a producer has panicked"))??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(produced.into_inner())
}

/// Produces on one CPU until the time is over; `rate` in events per second, none: as fast as it goes.
fn produce(sensor: &Sensor, cpu: u32, rate: Option<u64>, duration: Duration, produced: &AtomicU64) -> Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu as usize);
    rustix::thread::sched_setaffinity(None, &set).with_context(|| format!("cannot run on CPU {cpu}"))?;
    let began = Instant::now();
    let mut own = 0;
    while began.elapsed() < duration {
        if rate.is_some_and(|rate| own as f64 > rate as f64 * began.elapsed().as_secs_f64()) {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let count = sensor.produce(own, BATCH)?;
        own += count;
        produced.fetch_add(count, Ordering::Relaxed);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result is the command's data")]
fn print_result(produced: u64, seconds: f64, totals: &[CpuTotals]) -> Result<()> {
    let sum = |of: fn(&CpuTotals) -> u64| totals.iter().map(of).sum::<u64>();
    let result = serde_json::json!({
        "produced": produced,
        "stored": sum(|cpu| cpu.stored),
        "dropped": sum(|cpu| cpu.dropped),
        "seconds": seconds,
        "cpus": totals,
    });
    println!("{}", serde_json::to_string(&result)?);
    Ok(())
}
