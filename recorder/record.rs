//! The `record` command: from the policies to a sealed archive.

use crate::cli::{ArchiveOptions, RecordOptions};
use crate::drain::{beat, drain, report, settle};
use crate::journal::JournalOptions;
use crate::pipeline::Pipeline;
use crate::policy::model::{Filter, Policy};
use crate::preflight;
use crate::processes;
use crate::reload::Reloader;
use crate::say::say;
use crate::sensor::{self, Iterators, Sensor, SensorOptions};
use crate::session::Session;
use crate::signals::{Signal, Signals, StopCause};
use crate::status::StatusLine;
use crate::tables::{self, KernelSupport, Tables};
use crate::watch::Watch;
use crate::{host, policy, store};
use anyhow::{Context, Result};
use hashtrail::ledger::LedgerEntry;
use rustix::process::DumpableBehavior;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

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
    let ring_bytes = ring_bytes(options.store.ring_bytes);
    let sensor_options = SensorOptions {
        ring_bytes,
        max_hash_bytes: options.max_hash_bytes,
        keeps_digests: !options.no_digest_cache,
        enforce: options.enforce,
        generation: 1,
    };
    let mut tables = Tables::new(&policies, kernel_support(&policies), 0)?;
    sensor::resolve_others(&mut tables)?;
    let mut sensor = match Sensor::load(&tables, sensor_options, None) {
        Ok(sensor) => sensor,
        Err(error) => return Ok(refuse(&[preflight::refusal("sensor", &error)])),
    };

    let (lock, store) = store::open_for(&options.store)?;
    let session = Session::new(options.host.as_deref(), tables.entries.clone())?;
    let start = start_line(&session, options, &policies, &sensor, ring_bytes, store.manifest.public_key());
    let mut pipeline = Pipeline::start(store, session, journal_options(&options.store, true), &start)?;

    let mut signals = Signals::watch()?;
    let iterators = Iterators::load();
    sensor.activate(sensor_options.generation)?;
    sensor.attach_tracking()?;
    processes::note_running(&sensor);
    sensor.look_at_running();
    sensor.attach_hooks()?;
    let start = pipeline.ledger("start");
    pipeline.note(start);
    note_policies(&mut pipeline, &policies, &tables, false);
    pipeline.start_hasher(options.max_hash_bytes)?;
    processes::record_running(iterators, &mut pipeline);
    say!(
        "recording {} to `{}`, policies: {}",
        pipeline.session().recording_id,
        options.store.archive.display(),
        names(&policies)
    );

    let deadline = options.duration.map(|duration| Instant::now() + duration);
    let mut watch = Watch::start();
    let mut status = StatusLine::new();
    let mut reloader = Reloader { files: &options.policies, options: sensor_options };
    let cause = drain(&sensor.rings(), &mut pipeline, |pipeline, is_due| {
        if is_due {
            let now = pipeline.ledger("watch");
            watch.look(&sensor, &lock, &now)?.into_iter().for_each(|entry| pipeline.note(entry));
            sensor.look_at_running();
            beat(&sensor, pipeline, &mut status)?;
        }
        match signals.came() {
            Some(Signal::Reload(sender)) => reloader.reload(&mut sensor, pipeline, sender)?,
            Some(Signal::Stop(cause)) => return Ok(Some(cause)),
            None => {}
        }
        let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
        Ok(is_over.then(|| StopCause { cause: "duration".into(), sender: None }))
    })?;
    status.end();
    sensor.stop()?;
    settle(&sensor, &mut pipeline)?;
    let counters = sensor.counters()?;
    let outcome = pipeline.finish(&cause, &counters, sensor.skipped())?;
    Ok(report(&outcome, watch.was_blind()))
}

/// What matters of the kernel for these policies: each answer takes its time.
pub(crate) fn kernel_support(policies: &[Policy]) -> KernelSupport {
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

/// Names of policies, for people.
pub(crate) fn names(policies: &[Policy]) -> String {
    policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// One ledger entry for each policy. The text stands in the manifest for those of the start, here for later ones.
pub(crate) fn note_policies(pipeline: &mut Pipeline, policies: &[Policy], tables: &Tables, with_text: bool) {
    for policy in policies {
        let entries = tables.entries.iter().filter(|entry| entry.policy == policy.name);
        let hooks: BTreeSet<&str> = entries.map(|entry| entry.hook.as_str()).collect();
        let mut detail = json!({
            "hooks": hooks,
            "coverage": tables::coverage::coverage(policy),
            "suppressing": tables::coverage::suppressing(policy),
            "sha256": policy_digest(policy),
        });
        if with_text {
            detail["digests"] = digest_lists(policy);
            detail["text"] = (*policy.text).into();
        }
        let now = pipeline.ledger("policy");
        pipeline.note(LedgerEntry { policy: Some(policy.name.clone()), detail: Some(detail.to_string()), ..now });
    }
}

fn policy_digest(policy: &Policy) -> String {
    hashtrail::manifest::hex(&Sha256::digest(policy.text.as_bytes()))
}

/// The lists of `hashtrail: digests`, which can stand in files of their own: how many, and the SHA-256 over all in order.
fn digest_lists(policy: &Policy) -> serde_json::Value {
    let selectors = policy.hooks.iter().flat_map(|entry| &entry.selectors);
    let lists = selectors.flat_map(|selector| &selector.filters).filter_map(|filter| match filter {
        Filter::Digest { algorithm, digests, .. } => {
            let all: Vec<u8> = digests.concat();
            let sha256 = hashtrail::manifest::hex(&Sha256::digest(&all));
            Some(json!({ "algorithm": algorithm, "count": digests.len(), "sha256": sha256 }))
        }
        _ => None,
    });
    lists.collect()
}

/// What the manifest says of the start.
fn start_line(
    session: &Session,
    options: &RecordOptions,
    policies: &[Policy],
    sensor: &Sensor,
    ring_bytes: u64,
    public_key: Option<String>,
) -> serde_json::Value {
    let sources: Vec<_> = policies
        .iter()
        .map(|policy| {
            json!({
                "name": policy.name,
                "source": policy.source,
                "sha256": policy_digest(policy),
                "text": *policy.text,
                "digests": digest_lists(policy),
            })
        })
        .collect();
    json!({
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
        "digest_cache": !options.no_digest_cache,
        "programs": sensor.program_tags().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "ring_bytes": ring_bytes,
        "policies": sources,
    })
}
