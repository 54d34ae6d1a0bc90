//! `who`: who can have made each change of a file, up to the login, the container or the service that they came from.

use super::Context;
use super::answer::Tail;
use super::changes::ChangeFilters;
use super::tree::{self, lines};
use crate::archives::Archives;
use crate::archives::patterns::PathPatterns;
use crate::caveats::asked_digest::AskedDigest;
use crate::investigate::changes::ChangesQuestion;
use crate::investigate::who::{self, Case, Chain, FoundWho};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output, Row, object};
use crate::recordings::gaps::Gap;
use crate::suspects::Suspect;
use crate::suspects::attribution::Attribution;
use anyhow::{Result, bail};
use clap::Args;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::ops::ControlFlow;

const CSV: [&str; 20] = [
    "path",
    "host",
    "kind",
    "from.digest",
    "to.digest",
    "changed_after",
    "changed_before",
    "attribution",
    "package.says",
    "complete",
    "writer",
    "origin",
    "origin_certain",
    "depth",
    "pid",
    "process_start_ns",
    "comm",
    "uid",
    "session_id",
    "container_id",
];

/// Options of `who`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WhoOptions {
    /// Paths or globs of files that changed
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) narrow: ChangeFilters,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail who /usr/bin/sudo --archive web1
  hashtrail who '/usr/bin/*' --archive web1 --since yesterday --format json
  hashtrail who '/usr/**' --archive web1 --package openssl

Whoever is named can have made the change; where nobody is, the answer is `nobody seen`, `not covered` or `unknown: gap`, as
that of `hashtrail changes`. Options about acts leave changes that such an act can have made.";

pub(crate) fn run(options: &WhoOptions, context: Context<'_>) -> Result<bool> {
    if context.output.sort.is_some() && context.output.format == Format::Table {
        bail!("the lines of a tree mean something in their own order: leave out --sort, or take --format csv");
    }
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().for_each(|text| note(&text));
    let wanted = options.narrow.wanted(&[], &archives)?;
    let asked_digest = AskedDigest::check(&wanted.digests, &archives, context.scope)?;
    let (first_seen, most) = (false, None);
    let question = ChangesQuestion { scope: context.scope, paths, first_seen, most, wanted: &wanted, verdicts: false };
    let format = context.output.format;
    let mut output = Output::new(context.output, Columns::new(&tree::TABLE, &CSV), context.writer);
    let mut omitted = 0;
    let found = who::find(&question, &archives, &mut |case, chains| {
        omitted += case.omitted;
        let rows = match format {
            Format::Json => vec![case_row(case, chains)],
            Format::Csv => flat_rows(case, chains),
            Format::Table => table_rows(case, chains),
        };
        for row in rows {
            if output.row(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    tail(&found, omitted, &asked_digest).show(output, format)?;
    Ok(if wanted.is_empty() { found.changes.count > 0 } else { found.changes.narrowed.count > 0 })
}

/// A change with the chains of all that can have made it.
fn case_row(case: &Case, chains: &[Chain<'_>]) -> Row {
    let mut row = change(case);
    row.insert("writers".into(), chains.iter().map(chain_json).collect());
    row.insert("omitted".into(), case.omitted.into());
    row
}

fn change(case: &Case) -> Row {
    let change = &case.change;
    let to = &change.to.first().row;
    let from = change.from.as_ref().map(|from| &from.first().row);
    let mut row = object(json!({
        "type": "who", "path": change.key.path, "host": change.key.host, "kind": change.kind.name(),
        "from": from.map(|from| json!({"algorithm": from.digest_algorithm, "digest": from.digest})),
        "to": {"algorithm": to.digest_algorithm, "digest": to.digest},
        "changed_after": change.told_after().map(Micros::rfc3339), "changed_before": change.before_time().rfc3339(),
        "attribution": case.attribution.map(Attribution::name), "unnamed_acts": case.has_unnamed,
        "complete": case.gaps.is_empty(), "gaps": case.gaps.iter().map(Gap::to_json).collect::<Vec<Value>>(),
        "coverage": case.coverage, "doubts": change.doubts,
    }));
    row.extend(case.package.clone());
    row
}

fn chain_json(chain: &Chain<'_>) -> Value {
    json!({
        "acts": chain.acts.iter().map(Suspect::to_json).collect::<Vec<Value>>(),
        "origin": origin_json(chain), "not_shown_above": chain.above,
        "chain": chain.links.iter().map(tree::process_row).collect::<Vec<Row>>(),
    })
}

fn origin_json(chain: &Chain<'_>) -> Value {
    let (kind, link) = chain.origin();
    let latest = link.and_then(|link| link.life.latest());
    json!({
        "kind": kind, "certain": chain.is_origin_certain, "pid": link.map(|link| link.process.key.pid),
        "process_start_ns": link.map(|link| link.process.key.start_ns),
        "auid": latest.and_then(|latest| latest.auid), "session_id": latest.and_then(|latest| latest.session_id),
        "container_id": latest.and_then(|latest| latest.container_id.as_deref()),
    })
}

/// One row for each process of each chain, or for a change that nobody is known for.
fn flat_rows(case: &Case, chains: &[Chain<'_>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for chain in chains {
        let writer = chain.links.last().map(|link| link.process.key.pid);
        for link in &chain.links {
            let mut row = tree::process_row(link);
            row.extend(change(case));
            row.extend(object(json!({
                "writer": writer, "origin": chain.origin().0, "origin_certain": chain.is_origin_certain,
            })));
            rows.push(row);
        }
    }
    if rows.is_empty() { vec![change(case)] } else { rows }
}

/// The change, and below it each chain with the acts at its end.
fn table_rows(case: &Case, chains: &[Chain<'_>]) -> Vec<Row> {
    let change = &case.change;
    let path = change.key.path.as_deref().unwrap_or("?");
    let who = case.attribution.map_or("", Attribution::name);
    let mut rows = vec![object(json!({
        "host": change.key.host, "time": change.told_after().map(Micros::rfc3339),
        "last_seen": change.before_time().rfc3339(), "digest": change.to.first().row.digest,
        "program": format!("{path} {}: {who}", change.kind.name()),
    }))];
    let says = case.package.get("package").and_then(|package| package.get("says"));
    rows.extend(says.map(|says| object(json!({"host": change.key.host, "program": says}))));
    for chain in chains {
        let (kind, link) = chain.origin();
        let of = link.map_or(String::new(), |link| format!(" (pid {})", link.process.key.pid));
        let doubt = if link.is_some() && !chain.is_origin_certain { ", unless it was adopted" } else { "" };
        rows.push(object(json!({"host": change.key.host, "program": format!("from {kind}{of}{doubt}:")})));
        rows.extend(chain.links.iter().flat_map(lines::of));
        rows.extend(chain.acts.iter().map(|act| {
            let of = &act.seen;
            object(json!({"host": of.host, "time": of.time.rfc3339(), "program": format!("=> {}", act.text())}))
        }));
    }
    rows
}

/// What the rows do not show.
fn tail(found: &FoundWho, omitted: usize, asked_digest: &AskedDigest) -> Tail {
    let FoundWho { changes, omitted: changes_omitted, doubts, covered } = found;
    let counts = [("changes_omitted", *changes_omitted), ("omitted", omitted)];
    let counts = counts.into_iter().chain(doubts.counts());
    let left_out = (omitted + changes_omitted > 0)
        .then(|| format!("not complete: {omitted} act(s) of writers and {changes_omitted} change(s) are not shown"));
    Tail::of_changes(changes)
        .told(counts.map(|(name, count)| (name.to_owned(), count.into())).collect(), doubts.notes())
        .told(covered.fields(), covered.notes())
        .fields(asked_digest.comparison())
        .notes(left_out)
        .complete_only_if(found.is_complete() && omitted + changes_omitted == 0 && !asked_digest.is_without())
}
