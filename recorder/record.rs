//! The `record` command: from the policies to a sealed archive.

use crate::cli::RecordOptions;
use crate::pipeline::{Outcome, Pipeline, PipelineOptions};
use crate::preflight;
use crate::processes;
use crate::sensor::{self, Sensor, SensorOptions};
use crate::session::Session;
use crate::status::StatusLine;
use crate::tables::{self, Tables};
use crate::{host, policy};
use anyhow::{Context, Result};
use hashtrail::archive::Archive;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fs::File;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for records: what is below half a ring waits this long.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Between heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait, after the stop, for programs that are still inside a hash.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);

/// Records until a signal or the end of `--duration`, then seals.
///
/// # Errors
/// When the kernel, the policies or the archive do not allow it.
pub(crate) fn run(options: &RecordOptions) -> Result<ExitCode> {
    let policies = policy::load(&options.policies)?;
    for warning in policies.iter().flat_map(|policy| &policy.warnings) {
        eprintln!("warning: {warning}");
    }
    let lacks = preflight::obstacles();
    if !lacks.is_empty() {
        return Ok(refuse(&lacks));
    }
    // Reading the kernel's BTF takes its time, so it is asked only where the answer matters.
    let has_post_open = tables::asks_for_post_open(&policies) && sensor::kernel_hooks().contains(&"file_post_open");
    let tables = Tables::new(&policies, has_post_open)?;
    let ring_bytes = ring_bytes(options.ring_bytes);
    let sensor_options = SensorOptions { ring_bytes, max_hash_bytes: options.max_hash_bytes };
    let mut sensor = match Sensor::load(&tables, sensor_options) {
        Ok(sensor) => sensor,
        Err(error) => return Ok(refuse(&[preflight::refusal("sensor", &error)])),
    };

    let archive = Archive::create(&options.archive)?;
    let _lock = lock(&archive)?;
    let session = Session::new(options.host.as_deref(), tables.entries.clone())?;
    let start = start_line(&session, options, &policies, &sensor, ring_bytes);
    let mut pipeline = Pipeline::start(archive, session, pipeline_options(options), &start)?;

    let signal = watch_signals()?;
    sensor.attach_tracking()?;
    processes::note_running(&sensor, &tables);
    sensor.attach_hooks()?;
    note_start(&mut pipeline, &tables);
    eprintln!(
        "recording {} to `{}`, policies: {}",
        pipeline.session().recording_id,
        options.archive.display(),
        policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ")
    );

    let deadline = options.duration.map(|duration| Instant::now() + duration);
    let cause = drain(&sensor, &mut pipeline, || stop_cause(&signal, deadline))?;
    sensor.stop();
    settle(&sensor, &mut pipeline)?;
    let counters = sensor.counters()?;
    let outcome = pipeline.finish(&cause, &counters, sensor.recursion_misses())?;
    Ok(report(&outcome))
}

/// Says why this host cannot record, in the words of `doctor`.
fn refuse(lacks: &[preflight::Check]) -> ExitCode {
    eprint!("{}", preflight::to_text(lacks));
    eprintln!("error: this host cannot record; `hashtrail-recorder doctor` looks at everything");
    ExitCode::from(2)
}

/// Rings of all CPUs together take at most 1/32 of memory.
pub(crate) fn ring_bytes(wanted: u64) -> u64 {
    let share = host::memory_bytes() / 32 / (host::online_cpus().len() as u64).max(1);
    let cap = if share.is_power_of_two() { share } else { share.next_power_of_two() / 2 };
    if wanted > cap {
        eprintln!("warning: rings of {wanted} bytes would take more than 1/32 of memory; {cap} bytes are used");
    }
    wanted.min(cap.max(4096))
}

/// Refuses a second recorder on the same archive.
pub(crate) fn lock(archive: &Archive) -> Result<File> {
    let path = archive.journal().join("lock");
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .with_context(|| format!("another recorder writes to `{}`", archive.root().display()))?;
    Ok(file)
}

fn pipeline_options(options: &RecordOptions) -> PipelineOptions {
    PipelineOptions {
        seal_interval: options.seal_interval,
        sync_interval: options.sync_interval,
        journal_bytes: options.journal_bytes,
    }
}

/// The number of the signal that came, or 0.
fn watch_signals() -> Result<Arc<AtomicUsize>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let came = Arc::new(AtomicUsize::new(0));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let number = usize::try_from(signal).context("signal numbers are positive")?;
        signal_hook::flag::register_usize(signal, Arc::clone(&came), number).context("cannot watch signals")?;
    }
    Ok(came)
}

fn stop_cause(signal: &AtomicUsize, deadline: Option<Instant>) -> Option<String> {
    use signal_hook::low_level::signal_name;
    match signal.load(Ordering::Relaxed) {
        0 => deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| "duration".into()),
        number => Some(i32::try_from(number).ok().and_then(signal_name).unwrap_or("signal").into()),
    }
}

/// Moves records from the rings to the journal until there is a cause to stop.
pub(crate) fn drain(sensor: &Sensor, pipeline: &mut Pipeline, stop: impl Fn() -> Option<String>) -> Result<String> {
    let mut status = StatusLine::new();
    let mut heartbeat = Instant::now();
    let pipeline = RefCell::new(pipeline);
    let rings = sensor.ring_buffer(|record| pipeline.borrow_mut().record(record))?;
    loop {
        // A signal ends the wait early; both ways the rings are looked at.
        let _ = rings.poll(POLL_INTERVAL);
        rings.consume().context("cannot read the rings")?;
        if heartbeat.elapsed() >= HEARTBEAT_INTERVAL {
            heartbeat = Instant::now();
            let counters = sensor.counters()?;
            pipeline.borrow_mut().tick(&counters, sensor.recursion_misses());
            status.show(&pipeline.borrow().totals(&counters));
        }
        if let Some(cause) = stop() {
            status.end();
            return Ok(cause);
        }
    }
}

/// Takes what is still on its way after the programs were stopped.
pub(crate) fn settle(sensor: &Sensor, pipeline: &mut Pipeline) -> Result<()> {
    let limit = Instant::now() + SETTLE_LIMIT;
    let pipeline = RefCell::new(pipeline);
    let rings = sensor.ring_buffer(|record| pipeline.borrow_mut().record(record))?;
    let mut settled = 0;
    // Twice in a row: between taking a number and sending the record there is a short way.
    while settled < 2 && Instant::now() < limit {
        rings.consume().context("cannot read the rings")?;
        settled = if pipeline.borrow().is_settled(&sensor.counters()?) { settled + 1 } else { 0 };
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn note_start(pipeline: &mut Pipeline, tables: &Tables) {
    let start = pipeline.ledger("start");
    pipeline.note(&start);
    let mut names: Vec<&str> = tables.entries.iter().map(|entry| entry.policy.as_str()).collect();
    names.dedup();
    for name in names {
        let mut entry = pipeline.ledger("policy");
        let hooks: std::collections::BTreeSet<&str> =
            tables.entries.iter().filter(|entry| entry.policy == name).map(|entry| entry.hook.as_str()).collect();
        entry.policy = Some(name.to_owned());
        entry.detail = Some(serde_json::json!({ "hooks": hooks }).to_string());
        pipeline.note(&entry);
    }
}

/// What the manifest says of the start.
fn start_line(
    session: &Session,
    options: &RecordOptions,
    policies: &[policy::model::Policy],
    sensor: &Sensor,
    ring_bytes: u64,
) -> serde_json::Value {
    let sources: Vec<_> = policies
        .iter()
        .map(|policy| {
            serde_json::json!({
                "name": policy.name,
                "source": policy.source,
                "sha256": hashtrail::manifest::hex(&Sha256::digest(&policy.text)),
                "text": policy.text,
            })
        })
        .collect();
    serde_json::json!({
        "recording_id": session.recording_id,
        "host": session.host,
        "clock": host::clock_anchor(),
        "version": env!("CARGO_PKG_VERSION"),
        "case": options.case,
        "operator": options.operator,
        "facts": session.facts,
        "ima_algorithm": host::ima_algorithm(),
        "hash_probes": sensor.has_hash_probes(),
        "ring_bytes": ring_bytes,
        "policies": sources,
    })
}

/// Says what the recording amounts to. Exit 2 when something could not be sealed.
pub(crate) fn report(outcome: &Outcome) -> ExitCode {
    let sum = |of: fn(&crate::accounting::CpuTotals) -> u64| outcome.totals.iter().map(of).sum::<u64>();
    eprintln!(
        "sealed: {} produced, {} stored, {} dropped, {} suppressed; head {}",
        sum(|cpu| cpu.produced),
        sum(|cpu| cpu.stored),
        sum(|cpu| cpu.dropped),
        sum(|cpu| cpu.suppressed),
        outcome.head
    );
    for error in &outcome.errors {
        eprintln!("error: {error}");
    }
    if outcome.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
