//! The `record` command: from the policies to a sealed archive.

use crate::cli::{ArchiveOptions, RecordOptions};
use crate::journal::JournalOptions;
use crate::lock::Lock;
use crate::pipeline::{Outcome, Pipeline};
use crate::preflight;
use crate::processes;
use crate::say::say;
use crate::sensor::{self, Sensor, SensorOptions};
use crate::session::Session;
use crate::signals::{Signals, StopCause};
use crate::status::StatusLine;
use crate::tables::{self, KernelSupport, Tables};
use crate::watch::Watch;
use crate::{host, policy, store};
use anyhow::{Context, Result};
use rustix::process::DumpableBehavior;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Longest wait for records: what is below half a ring waits this long.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Between heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait, after the stop, for programs that are still inside a hash.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);

/// Records until a signal or the end of `--duration`, then seals.
///
/// # Errors
/// When the kernel, the policies or the archive do not allow it.
pub(crate) fn run(options: &RecordOptions) -> Result<ExitCode> {
    // Nobody may read the key or change the records in this process through ptrace or /proc, but root and the kernel.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).context("cannot protect this process")?;
    let policies = policy::load(&options.policies)?;
    for warning in policies.iter().flat_map(|policy| &policy.warnings) {
        say!("warning: {warning}");
    }
    let lacks = preflight::obstacles();
    if !lacks.is_empty() {
        return Ok(refuse(&lacks));
    }
    let tables = Tables::new(&policies, kernel_support(&policies), 0)?;
    let ring_bytes = ring_bytes(options.store.ring_bytes);
    let sensor_options = SensorOptions {
        ring_bytes,
        max_hash_bytes: options.max_hash_bytes,
        enforce: options.enforce,
        generation: 1,
    };
    let mut sensor = match Sensor::load(&tables, sensor_options, None) {
        Ok(sensor) => sensor,
        Err(error) => return Ok(refuse(&[preflight::refusal("sensor", &error)])),
    };

    let (lock, store) = store::open_for(&options.store)?;
    let session = Session::new(options.host.as_deref(), tables.entries.clone())?;
    let start = start_line(&session, options, &policies, &sensor, ring_bytes, store.manifest.public_key());
    let mut pipeline = Pipeline::start(store, session, journal_options(&options.store, true), &start)?;

    let mut signals = Signals::watch()?;
    sensor.attach_tracking()?;
    processes::note_running(&sensor);
    sensor.attach_hooks()?;
    sensor.activate(1)?;
    note_start(&mut pipeline, &policies, &tables);
    say!(
        "recording {} to `{}`, policies: {}",
        pipeline.session().recording_id,
        options.store.archive.display(),
        policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ")
    );

    let deadline = options.duration.map(|duration| Instant::now() + duration);
    let mut watch = Some(Watch::start());
    let cause = drain(&sensor, &mut pipeline, &lock, &mut watch, || stop_cause(&mut signals, deadline))?;
    sensor.stop()?;
    settle(&sensor, &mut pipeline)?;
    let counters = sensor.counters()?;
    let outcome = pipeline.finish(&cause, &counters, sensor.recursion_misses())?;
    let was_blind = watch.is_some_and(|watch| watch.was_blind());
    Ok(report(&outcome, was_blind))
}

/// What matters of the kernel for these policies: each answer takes its time.
fn kernel_support(policies: &[policy::model::Policy]) -> KernelSupport {
    let has_hook = |name| sensor::kernel_hooks().contains(&name);
    KernelSupport {
        has_post_open: tables::asks_for_post_open(policies) && has_hook("file_post_open"),
        has_path_truncate: tables::asks_for_path_truncate(policies) && sensor::probe_hooks(&["path_truncate"]).is_ok(),
    }
}

/// Says why this host cannot record, in the words of `doctor`.
fn refuse(lacks: &[preflight::Check]) -> ExitCode {
    eprint!("{}", preflight::to_text(lacks));
    say!("error: this host cannot record; `hashtrail-recorder doctor` looks at everything");
    ExitCode::from(2)
}

/// Rings of all CPUs together take at most 1/32 of memory.
pub(crate) fn ring_bytes(wanted: u64) -> u64 {
    let share = host::memory_bytes() / 32 / (host::online_cpus().len() as u64).max(1);
    let cap = if share.is_power_of_two() { share } else { share.next_power_of_two() / 2 };
    if wanted > cap {
        say!("warning: rings of {wanted} bytes would take more than 1/32 of memory; {cap} bytes are used");
    }
    wanted.min(cap.max(4096))
}

/// How the archive is written.
pub(crate) fn journal_options(options: &ArchiveOptions, measurements: bool) -> JournalOptions {
    JournalOptions {
        seal_interval: options.seal_interval,
        sync_interval: options.sync_interval,
        journal_bytes: options.journal_bytes,
        measurements,
    }
}

fn stop_cause(signals: &mut Signals, deadline: Option<Instant>) -> Option<StopCause> {
    let is_over = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
    signals.came().or_else(|| is_over().then(|| StopCause { cause: "duration".into(), sender: None }))
}

/// Moves records from the rings to the journal until there is a cause to stop.
pub(crate) fn drain(
    sensor: &Sensor,
    pipeline: &mut Pipeline,
    lock: &Lock,
    watch: &mut Option<Watch>,
    mut stop: impl FnMut() -> Option<StopCause>,
) -> Result<StopCause> {
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
            let mut pipeline = pipeline.borrow_mut();
            if let Some(watch) = watch {
                let now = pipeline.ledger("watch");
                watch.look(sensor, lock, &now)?.into_iter().for_each(|entry| pipeline.note(entry));
            }
            let counters = sensor.counters()?;
            pipeline.tick(&counters, sensor.recursion_misses());
            status.show(&pipeline.totals(&counters));
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

fn note_start(pipeline: &mut Pipeline, policies: &[policy::model::Policy], tables: &Tables) {
    let start = pipeline.ledger("start");
    pipeline.note(start);
    for policy in policies {
        let mut entry = pipeline.ledger("policy");
        let hooks: std::collections::BTreeSet<&str> = tables
            .entries
            .iter()
            .filter(|entry| entry.policy == policy.name)
            .map(|entry| entry.hook.as_str())
            .collect();
        entry.policy = Some(policy.name.clone());
        let detail = serde_json::json!({
            "hooks": hooks,
            "coverage": tables::coverage::coverage(policy),
            "sha256": policy_digest(policy),
        });
        entry.detail = Some(detail.to_string());
        pipeline.note(entry);
    }
}

fn policy_digest(policy: &policy::model::Policy) -> String {
    hashtrail::manifest::hex(&Sha256::digest(&policy.text))
}

/// What the manifest says of the start.
fn start_line(
    session: &Session,
    options: &RecordOptions,
    policies: &[policy::model::Policy],
    sensor: &Sensor,
    ring_bytes: u64,
    public_key: Option<String>,
) -> serde_json::Value {
    let sources: Vec<_> = policies
        .iter()
        .map(|policy| {
            serde_json::json!({
                "name": policy.name,
                "source": policy.source,
                "sha256": policy_digest(policy),
                "text": policy.text,
            })
        })
        .collect();
    serde_json::json!({
        "recording_id": session.recording_id,
        "host": session.host,
        "clock": host::clock_anchor(),
        "version": env!("CARGO_PKG_VERSION"),
        "recorder_sha256": host::own_digest(),
        "public_key": public_key,
        "case": options.case,
        "operator": options.operator,
        "facts": session.facts,
        "ima_algorithm": host::ima_algorithm(),
        "ima_violations": host::ima_violations(),
        "hash_probes": sensor.has_hash_probes(),
        "programs": sensor.program_tags().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "ring_bytes": ring_bytes,
        "policies": sources,
    })
}

/// Says what the recording amounts to. Exit 2 when something could not be sealed, 1 when the programs did not run for
/// some time.
pub(crate) fn report(outcome: &Outcome, was_blind: bool) -> ExitCode {
    let sum = |of: fn(&crate::accounting::CpuTotals) -> u64| outcome.totals.iter().map(of).sum::<u64>();
    let state = if outcome.errors.is_empty() { "sealed" } else { "NOT SEALED" };
    say!(
        "{state}: {} produced, {} stored, {} dropped, {} suppressed; head {}",
        sum(|cpu| cpu.produced),
        sum(|cpu| cpu.stored),
        sum(|cpu| cpu.dropped),
        sum(|cpu| cpu.suppressed),
        outcome.head
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
