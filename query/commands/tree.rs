//! `tree`: processes below their parents, and the programs that each ran.

pub(super) mod lines;

use super::Context;
use super::answer::Tail;
use crate::archives::act_filter::ActFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::text_filter::TextFilter;
use crate::archives::{Archives, whole_digests};
use crate::arguments::digest;
use crate::investigate::tree::{self, Branch, FoundTree, TreeQuestion};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output, Row, object};
use crate::processes::family::Root;
use crate::processes::life::Program;
use crate::processes::sight::{Credentials, ProgramFile};
use crate::processes::{ParentSource, Process};
use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};

pub(super) const TABLE: [&str; 9] =
    ["host", "pid", "time", "last_seen", "uid", "container_id", "digest", "program", "argv"];
const CSV: [&str; 28] = [
    "host",
    "boot_id",
    "pid",
    "process_start_ns",
    "depth",
    "asked",
    "parent.pid",
    "parent.process_start_ns",
    "parent_source",
    "root",
    "ran_before",
    "first_seen",
    "last_seen",
    "comm",
    "exe_before",
    "time",
    "ran",
    "path",
    "algorithm",
    "digest",
    "digest_doubt",
    "argv",
    "uid",
    "euid",
    "auid",
    "session_id",
    "container_id",
    "programs_omitted",
];

/// Options of `tree`. Together they narrow what is shown.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TreeOptions {
    /// Processes that had this pid, what stands below them and their ancestors; without it, all
    #[arg(value_name = "PID")]
    pub(crate) pids: Vec<i32>,
    /// The same of processes that ran a program with this digest; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse_beginning)]
    pub(crate) digest: Vec<String>,
    /// The same of processes with this start, in nanoseconds since boot; repeatable
    #[arg(long, value_name = "NS")]
    pub(crate) process_start: Vec<i64>,
    /// The same of processes that acted as this real user; repeatable
    #[arg(long, value_name = "UID")]
    pub(crate) uid: Vec<i64>,
    /// The same of processes in this container, or in one whose id begins so; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) container: Vec<String>,
    /// The same of processes that ran this path or glob; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail tree --archive web1 --since '2 hours ago'
  hashtrail tree 4711 --archive web1
  hashtrail tree --path '/tmp/**' --archive '/mnt/evidence/*' --format json

Each process stands once, below the one that forked it; pids are used again, so it is known by host, boot, pid and start.
`last_seen` is its last row: that it ended is not recorded.";

pub(crate) fn run(options: &TreeOptions, context: Context<'_>) -> Result<bool> {
    if context.output.sort.is_some() && context.output.format == Format::Table {
        bail!("the lines of a tree mean something in their own order: leave out --sort, or take --format csv");
    }
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.path)?;
    paths.notes().for_each(|text| note(&text));
    let digests = whole_digests(&archives, &options.digest)?;
    let container = TextFilter::of_beginnings("container_id", &options.container);
    let texts = [container].into_iter().filter(|filter| !filter.is_empty()).collect();
    let acts = ActFilter { uids: options.uid.clone(), texts, ..ActFilter::default() };
    let (pids, process_starts) = (options.pids.clone(), options.process_start.clone());
    let question = TreeQuestion { scope: context.scope, pids, process_starts, acts, digests, paths };
    let format = context.output.format;
    let mut output = Output::new(context.output, Columns::new(&TABLE, &CSV), context.writer);
    let mut omitted = 0;
    let found = tree::find(&question, &archives, &mut |branch| {
        omitted += branch.life.omitted;
        let rows = match format {
            Format::Json => vec![process_row(branch)],
            Format::Csv => flat_rows(branch),
            Format::Table => lines::of(branch),
        };
        for row in rows {
            if output.row(row)?.is_break() {
                return Ok(std::ops::ControlFlow::Break(()));
            }
        }
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    tail(&found, omitted).show(output, format)?;
    Ok(found.count > 0)
}

/// A process with all that it ran.
pub(super) fn process_row(branch: &Branch<'_>) -> Row {
    let mut row = who(branch);
    row.insert("programs".into(), branch.life.programs.iter().map(|program| program_json(branch, program)).collect());
    row.insert("programs_omitted".into(), branch.life.omitted.into());
    row
}

fn who(branch: &Branch<'_>) -> Row {
    let Branch { process, boot, life, depth, is_asked, .. } = branch;
    let parent = branch.parent.map(|parent| json!({"pid": parent.key.pid, "process_start_ns": parent.key.start_ns}));
    let mut row = object(json!({
        "type": "process", "host": boot.host, "boot_id": boot.boot_id,
        "pid": process.key.pid, "process_start_ns": process.key.start_ns, "start_in_ticks": process.is_in_ticks,
        "depth": depth, "asked": is_asked, "parent": parent,
        "parent_source": parent_source(branch), "root": branch.root.map(Root::name),
        "ran_before": ran_before(process),
        "first_seen": process.seen.map(|seen| seen.first_time.rfc3339()),
        "last_seen": process.seen.map(|seen| seen.last_time.rfc3339()),
        "comm": life.comm, "parent_comm": life.parent_comm, "exe_before": life.exe_before,
    }));
    row.extend(credentials(life.credentials.as_ref()));
    row
}

/// Whether it ran when a recording began, and no fork says since when.
fn ran_before(process: &Process) -> bool {
    process.ran_before && process.parent.is_some_and(|parent| parent.source == ParentSource::Later)
}

fn parent_source(branch: &Branch<'_>) -> Option<&'static str> {
    branch.parent?;
    Some(branch.process.parent?.source.name())
}

fn credentials(credentials: Option<&Credentials>) -> Row {
    let Some(Credentials { uid, gid, euid, auid, session_id, container_id }) = credentials else { return Row::new() };
    object(json!({
        "uid": uid, "gid": gid, "euid": euid, "auid": auid, "session_id": session_id, "container_id": container_id,
    }))
}

fn program_json(branch: &Branch<'_>, program: &Program) -> Value {
    let file = program.file();
    let mut row = object(json!({
        "time": program.time.rfc3339(), "boot_ns": program.at.boot_ns, "ran": branch.ran(program),
        "was_running": program.was_running, "path": file.and_then(|file| file.path.as_deref()),
        "argv": program.argv, "argc": program.argc,
        "files": program.files.iter().map(file_json).collect::<Vec<Value>>(),
    }));
    row.extend(credentials(Some(&program.credentials)));
    row.into()
}

fn file_json(file: &ProgramFile) -> Value {
    let ProgramFile { path, path_flags, dev, ino, digest } = file;
    json!({
        "path": path, "path_flags": path_flags, "dev": dev, "ino": ino, "algorithm": digest.algorithm,
        "digest": digest.digest, "digest_status": digest.status, "digest_reason": digest.reason,
        "digest_doubt": digest.doubt,
    })
}

/// One row for each program, or for a process without one.
fn flat_rows(branch: &Branch<'_>) -> Vec<Row> {
    let with = |program: &Program| {
        let mut row = process_row(branch);
        let digest = program.file().map(|file| &file.digest);
        row.extend(object(json!({
            "time": program.time.rfc3339(), "ran": branch.ran(program),
            "path": program.file().and_then(|file| file.path.as_deref()),
            "algorithm": digest.and_then(|digest| digest.algorithm.as_deref()),
            "digest": digest.and_then(|digest| digest.digest.as_deref()), "argv": program.argv,
            "digest_doubt": digest.map(|digest| &digest.doubt),
        })));
        row.extend(credentials(Some(&program.credentials)));
        row
    };
    if branch.life.programs.is_empty() {
        vec![process_row(branch)]
    } else {
        branch.life.programs.iter().map(with).collect()
    }
}

/// What the rows do not show.
fn tail(found: &FoundTree, omitted: usize) -> Tail {
    let FoundTree { doubts, covered, completeness, .. } = found;
    let counts = [("processes", found.count), ("programs_omitted", omitted)];
    let left_out = (omitted > 0)
        .then(|| format!("not complete: {omitted} program(s) of processes that ran very many are not shown"));
    Tail::new(completeness, &[&counts[..], &doubts.counts()].concat())
        .notes(doubts.notes())
        .told(covered.fields(), covered.notes())
        .fields(found.asked_digest.fields())
        .notes(left_out)
        .complete_only_if(found.is_complete() && omitted == 0)
        .notes(completeness.notes())
}
