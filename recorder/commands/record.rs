//! The `record` command: from the policies to a sealed archive.

use crate::commands::archive_options::ArchiveOptions;
use crate::host::say::say;
use crate::host::units::{parse_duration, parse_size};
use crate::lists::Lists;
use crate::packages::{BaselineOptions, Begin};
use crate::policy::model::Policy;
use crate::record::session::Session;
use crate::recording::drain::{beat, drain, settle};
use crate::recording::pipeline::Pipeline;
use crate::recording::policies::{Reloader, digest_lists, kernel_support, names, note_policies, policy_digest};
use crate::recording::processes;
use crate::recording::signals::{Signal, Signals, StopCause};
use crate::recording::status::StatusLine;
use crate::recording::watch::Watch;
use crate::sensor::preflight;
use crate::sensor::tables::Tables;
use crate::sensor::{self, Iterators, Sensor, SensorOptions};
use crate::{host, policy};
use anyhow::{Context, Result};
use clap::Args;
use rustix::process::DumpableBehavior;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Options of `record`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hashtrail-recorder record --archive /mnt/evidence/web-1 --case 2026-117 --operator mk
  hashtrail-recorder record --archive ./archive --policy samples/policies/one-binary.yaml --duration 10m

Exit codes: 0 recorded and sealed, 1 sealed, but the programs did not run for some time or something was not merged, 2 error.")]
pub(crate) struct RecordOptions {
    #[command(flatten)]
    pub(crate) store: ArchiveOptions,
    /// Tetragon TracingPolicy file; repeats. Without one the built-in policy records execs, executable mappings and
    /// module reads with digests, and opens for writing
    #[arg(long = "policy", value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,
    /// List of digests, in any form that `hashtrail lookup --ioc` reads; repeats. A row with one of them is said at once and
    /// noted in the ledger. It denies nothing: that does a policy with `digests: {ioc: true}` and --enforce
    #[arg(long, value_name = "FILE")]
    pub(crate) ioc: Vec<PathBuf>,
    /// Stop after this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) duration: Option<Duration>,
    /// Do not hash files above this size
    #[arg(long = "max-hash-size", value_name = "SIZE", default_value = "4GiB", value_parser = parse_size)]
    pub(crate) max_hash_bytes: u64,
    /// Hash a file at every event that asks for its digest. Without it, the digest of a file that the kernel's change
    /// counter shows unchanged, and that is wholly in memory, is used for up to ten seconds
    #[arg(long)]
    pub(crate) no_digest_cache: bool,
    /// Carry out what policies ask for beside recording: denials (Override) and signals (Signal, Sigkill). Without it the
    /// recorder changes nothing on the host and notes what it would have done
    #[arg(long)]
    pub(crate) enforce: bool,
    /// How long the files of the host's packages are read, at the start and after each change of the package manager's
    /// database, to know the digests that belong to them; 0 reads none
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_budget)]
    pub(crate) package_budget: Duration,
    /// Do not store which files the host's package manager owns
    #[arg(long, conflicts_with = "package_budget")]
    pub(crate) no_packages: bool,
    /// Case that the recording belongs to; kept in the manifest
    #[arg(long, value_name = "TEXT")]
    pub(crate) case: Option<String>,
    /// Who records; kept in the manifest
    #[arg(long, value_name = "TEXT")]
    pub(crate) operator: Option<String>,
    /// Host name in the archive, in place of the node name
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
}

/// Records until a signal or the end of `--duration`, then seals.
///
/// # Errors
/// When the kernel, the policies or the archive do not allow it.
pub(crate) fn run(options: &RecordOptions) -> Result<ExitCode> {
    // Nobody may read the key or change the records in this process through ptrace or /proc, but root and the kernel.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).context("cannot protect this process")?;
    let lists = Rc::new(Lists::read(&options.ioc)?);
    let policies = policy::load_with(&options.policies, &lists)?;
    for warning in policies.iter().flat_map(|policy| &policy.warnings) {
        say!("warning: {warning}");
    }
    let lacks = preflight::obstacles();
    if !lacks.is_empty() {
        return Ok(refuse(&lacks));
    }
    let ring_bytes = options.store.capped_ring_bytes();
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

    let (lock, store) = options.store.open()?;
    let session = Session::new(options.host.as_deref(), tables.entries.clone())?;
    let mut start = start_line(&session, options, &policies, &sensor, ring_bytes, store.manifest.public_key());
    if !lists.is_empty() {
        start["ioc"] = lists.to_json();
    }
    let baseline = BaselineOptions {
        archive: store.archive.clone(),
        recording_id: session.recording_id.clone(),
        host: session.host.clone(),
        budget: options.package_budget,
        max_hash_bytes: options.max_hash_bytes,
    };
    let mut pipeline = Pipeline::start(store, session, options.store.journal(true), &start)?;
    pipeline.compare_with(Rc::clone(&lists));

    let mut signals = Signals::watch()?;
    let iterators = Iterators::load();
    let begin = (!options.no_packages).then(Begin::look);
    sensor.activate(sensor_options.generation)?;
    sensor.attach_tracking()?;
    processes::note_running(&sensor);
    sensor.look_at_running();
    sensor.attach_hooks()?;
    let start = pipeline.ledger("start");
    pipeline.note(start);
    note_policies(&mut pipeline, &policies, &tables, false);
    pipeline.start_hasher(options.max_hash_bytes)?;
    pipeline.start_baseline(begin, baseline)?;
    if processes::record_running(iterators, &mut pipeline) {
        sensor.note_no_raw_writer()?;
    }
    say!(
        "recording {} to `{}`, policies: {}",
        pipeline.session().recording_id,
        options.store.archive.display(),
        names(&policies)
    );

    let deadline = options.duration.map(|duration| Instant::now() + duration);
    let mut watch = Watch::start();
    let mut status = StatusLine::new();
    let mut reloader = Reloader { files: &options.policies, lists: &lists, options: sensor_options };
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
    options.store.end(pipeline.finish(&cause, &counters, sensor.skipped())?, watch.was_blind())
}

/// A time, or 0.
fn parse_budget(text: &str) -> Result<Duration> {
    if text == "0" { Ok(Duration::ZERO) } else { parse_duration(text) }
}

/// Says why this host cannot record, in the words of `doctor`.
fn refuse(lacks: &[preflight::Check]) -> ExitCode {
    eprint!("{}", preflight::to_text(lacks));
    say!("error: this host cannot record; `hashtrail-recorder doctor` looks at everything");
    ExitCode::from(2)
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
