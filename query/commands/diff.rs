//! `diff`: what one host or capture has that the other has not.

use super::answer::Tail;
use super::files::PackageOptions;
use super::{Context, without_digests};
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scope};
use crate::arguments::time;
use crate::investigate::diff::{self, Asked, DiffQuestion, Difference, FoundDifferences, Kind, Tally, Told};
use crate::output::problems::note;
use crate::output::{Columns, Output, Row, object};
use crate::versions::series::Root;
use crate::versions::sighting::Subject;
use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::path::PathBuf;

const PATH_TABLE: [&str; 10] = [
    "kind",
    "path",
    "left.digests",
    "left.last_seen",
    "left.runs",
    "left.hosts",
    "right.digests",
    "right.last_seen",
    "right.runs",
    "right.hosts",
];
const DIGEST_TABLE: [&str; 10] = [
    "kind",
    "digest",
    "left.first_paths",
    "left.last_seen",
    "left.runs",
    "left.hosts",
    "right.first_paths",
    "right.last_seen",
    "right.runs",
    "right.hosts",
];
const PLACE_CSV: [&str; 8] =
    ["kind", "path", "root.boot_id", "root.dev", "root.ino", "algorithm", "digest", "execs_recorded"];
/// Of each side.
const SIDE_CSV: [&str; 10] = [
    "digests",
    "only",
    "doubtful_digests",
    "without_digest",
    "paths",
    "first_paths",
    "first_seen",
    "last_seen",
    "runs",
    "hosts",
];

/// Options of `diff`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffOptions {
    /// Archives to compare: a directory or a glob for each side, as in '/mnt/{web1,web2}'. With --before one, or none and
    /// --archive
    #[arg(value_name = "LEFT RIGHT")]
    pub(crate) sides: Vec<PathBuf>,
    /// Compare what was observed before this time (left) with what was observed from then on (right)
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub(crate) before: Option<Micros>,
    /// What is compared: the digests of each path in its root, or the places of each digest
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: By,
    /// Only these paths or globs; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    #[command(flatten)]
    pub(crate) packages: PackageOptions,
    /// Also show what is the same on both sides
    #[arg(long)]
    pub(crate) same: bool,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail diff /mnt/evidence/web1 /mnt/evidence/web2
  hashtrail diff '/mnt/evidence/{web1,web2}' /mnt/evidence/golden --path '/usr/**' --by digest
  hashtrail diff --before 2026-11-24T16:20:51Z --archive /mnt/evidence/web1

only_left and only_right say what was observed, not what was there: a file that nobody ran, mapped or opened as the policies
ask leaves no observation. The last object of json, and the notes, say what each side may have missed.";

/// What stands in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    #[default]
    Path,
    Digest,
}

pub(crate) fn run(options: &DiffOptions, context: Context<'_>) -> Result<bool> {
    let [left_scope, right_scope] = scopes(options, context.scope)?;
    let left = Archives::open(&left_scope, context.problems)?;
    // One archive at two times is read as one.
    let other = if options.before.is_none() { Some(Archives::open(&right_scope, context.problems)?) } else { None };
    let right = other.as_ref().unwrap_or(&left);
    let paths = PathPatterns::new(&options.path)?;
    paths.notes().for_each(|text| note(&text));
    let (_, owned) = options.packages.narrow(paths.clone(), &left, &left_scope)?;
    let owned = owned.and(options.packages.narrow(paths.clone(), right, &right_scope)?.1);
    let paths = owned.narrow(paths);
    let subject = match options.by {
        By::Path => Subject::Path,
        By::Digest => Subject::Digest,
    };
    let question = DiffQuestion {
        left: Asked { archives: &left, scope: left_scope },
        right: Asked { archives: right, scope: right_scope },
        subject,
        paths,
    };
    let mut output = Output::new(context.output, columns(subject), context.writer);
    let found = diff::find(&question, |difference| {
        let is_shown = options.same || difference.kind != Kind::Same;
        if is_shown { output.offer(|| difference_row(difference)) } else { Ok(()) }
    })?;
    let mut notes = notes(&found, options.before);
    notes.extend(owned.notes());
    Tail::new(&found.left.completeness, &[])
        .fields(summary(&found))
        .told(owned.fields(), notes)
        .complete_only_if(owned.is_whole())
        .show(output, context.output.format)?;
    Ok(found.differences() > 0 || options.same && found.count(Kind::Same) > 0)
}

/// What each side is about.
fn scopes(options: &DiffOptions, scope: &Scope) -> Result<[Scope; 2]> {
    let of = |archive: &[PathBuf]| Scope { archive: archive.to_vec(), ..scope.clone() };
    match (options.before, &options.sides[..]) {
        (Some(before), sides @ ([] | [_])) => {
            if !sides.is_empty() && !scope.archive.is_empty() {
                bail!("with --before the archive is named by --archive, or without it, not both");
            }
            let both = if sides.is_empty() { scope.clone() } else { of(sides) };
            let left = Scope { until: Some(before), ..both.clone() };
            let right = Scope { since: Some(before), ..both };
            let nothing = || format!("--before {} leaves one side without a time", before.rfc3339());
            left.check().and(right.check()).with_context(nothing)?;
            Ok([left, right])
        }
        (None, [left, right]) if scope.archive.is_empty() => {
            Ok([left, right].map(|side| of(std::slice::from_ref(side))))
        }
        (None, [_, _]) => bail!("the archives of `diff` are LEFT and RIGHT; --archive is for --before"),
        (Some(_), _) => bail!("--before compares one archive with itself: name one, or several by a glob"),
        (None, [] | [_]) => bail!("what is compared? Name LEFT and RIGHT, or give --before TIME and one archive"),
        (None, more) => bail!(
            "{} archives are no LEFT and RIGHT: write those of a side as one glob in quotes, as in '/mnt/{{web1,web2}}'",
            more.len()
        ),
    }
}

fn columns(subject: Subject) -> Columns {
    let table = if subject == Subject::Path { &PATH_TABLE } else { &DIGEST_TABLE };
    let of_side = |side: &'static str| SIDE_CSV.iter().map(move |column| format!("{side}.{column}"));
    let place = PLACE_CSV.iter().map(|column| (*column).to_owned());
    Columns::new(table, &place.chain(of_side("left")).chain(of_side("right")).collect::<Vec<_>>())
}

fn difference_row(difference: &Difference) -> Row {
    let Difference { kind, place, algorithm, digest, left, right, execs_recorded } = difference;
    let root = place.as_ref().and_then(|(_, root)| root_json(root));
    let mut row = object(json!({
        "type": "difference", "kind": kind.name(), "path": place.as_ref().map(|(path, _)| path), "root": root,
        "algorithm": algorithm, "digest": digest, "left": null, "right": null, "execs_recorded": execs_recorded,
    }));
    // The macro would copy them.
    row.insert("left".into(), left.as_ref().map(|tally| tally_json(tally, right.as_ref())).into());
    row.insert("right".into(), right.as_ref().map(|tally| tally_json(tally, left.as_ref())).into());
    row
}

/// None is the host's.
fn root_json(root: &Root) -> Option<Value> {
    match root {
        Root::Host => None,
        Root::Other { boot_id, dev, ino } => Some(json!({"boot_id": boot_id, "dev": dev, "ino": ino})),
    }
}

fn tally_json(tally: &Tally, other: Option<&Tally>) -> Value {
    let is_other = |digest: &&String| other.is_none_or(|other| !other.digests.contains(*digest));
    let only: Vec<&String> = tally.digests.iter().filter(is_other).collect();
    json!({
        "digests": tally.digests, "only": only, "doubtful_digests": tally.doubtful,
        "without_digest": tally.without_digest, "paths": tally.paths, "first_paths": tally.first_paths,
        "first_seen": tally.times.map(|(first, _)| first.rfc3339()),
        "last_seen": tally.times.map(|(_, last)| last.rfc3339()),
        "runs": tally.runs(), "hosts": tally.hosts,
    })
}

/// The end of the answer: whether it is complete, and what each side cannot know.
fn summary(found: &FoundDifferences) -> Row {
    let counts: Vec<(&str, usize)> = Kind::ALL.map(|kind| (kind.name(), found.count(kind))).to_vec();
    let mut last = found.left.completeness.to_json(&counts);
    let (left, right) = (told_json(&found.left), told_json(&found.right));
    let gaps = |side: &str, told: &Row| {
        let mut gaps = told.get("gaps").and_then(Value::as_array).cloned().unwrap_or_default();
        gaps.iter_mut().for_each(|gap| gap["side"] = side.into());
        gaps
    };
    let gaps = [gaps("left", &left), gaps("right", &right)].concat();
    last.insert("complete".into(), found.is_complete().into());
    last.insert("gaps".into(), gaps.into());
    last.insert("unrecorded_execs".into(), found.unrecorded_execs.into());
    last.insert("other_roots".into(), found.other_roots.into());
    last.insert("left".into(), left.into());
    last.insert("right".into(), right.into());
    last
}

fn told_json(told: &Told) -> Row {
    let Told { completeness, hosts, hosts_without_digests, algorithms, hooks, missing_hooks, unnamed } = told;
    let counts = [
        ("doubtful", completeness.doubtful),
        ("without_digest", completeness.without_digest),
        ("written_while_mapped", completeness.written_while_mapped),
        ("unsealed", completeness.unsealed),
        ("unnamed", *unnamed),
    ];
    let mut fields = completeness.to_json(&counts);
    // What could not be read is told of both.
    fields.retain(|name, _| !["type", "problems"].contains(&name.as_str()));
    fields.extend(object(json!({
        "hosts": hosts, "hosts_without_digests": hosts_without_digests, "algorithms": algorithms, "coverage": hooks, "missing_hooks": missing_hooks,
    })));
    fields
}

const NOT_OBSERVED: &str =
    "not observed is not absent: a file that nobody ran, mapped or opened as the policies ask leaves no observation";

/// What table and csv cannot hold.
fn notes(found: &FoundDifferences, before: Option<Micros>) -> Vec<String> {
    let before = before
        .map(|before| format!("left is what was observed before {}, right what was from then on", before.rfc3339()));
    let counts: Vec<String> =
        Kind::ALL.iter().map(|kind| format!("{} {}", found.count(*kind), kind.name().replace('_', " "))).collect();
    let compared = format!("compared: {}", counts.join(", "));
    let is_one_sided = found.count(Kind::OnlyLeft) + found.count(Kind::OnlyRight) > 0;
    let not_observed = is_one_sided.then(|| NOT_OBSERVED.to_owned());
    let unrecorded = (found.unrecorded_execs > 0).then(|| {
        let count = found.unrecorded_execs;
        format!("of {count} file(s) that only one side observed, the other did not have each exec recorded")
    });
    let other_roots = (found.other_roots > 0).then(|| {
        format!(
            "{} file(s) that only one side observed stand under a root of their own, as in a container, which no other \
             host and no other boot has: `--by digest` compares their contents",
            found.other_roots
        )
    });
    let mut notes: Vec<String> = before.into_iter().chain([compared]).chain(not_observed).collect();
    notes.extend(unrecorded.into_iter().chain(other_roots));
    notes.extend(notes_of_side("left", &found.left, "right"));
    notes.extend(notes_of_side("right", &found.right, "left"));
    notes
}

fn notes_of_side(name: &str, told: &Told, other: &str) -> Vec<String> {
    let mut notes = told.completeness.notes();
    if !told.missing_hooks.is_empty() {
        let hooks: Vec<&str> = told.missing_hooks.iter().map(String::as_str).collect();
        notes.push(format!(
            "not complete: {} not recorded all of the time, as the {other} side has it: what was observed there by it may \
             have gone unobserved here",
            hooks.join(", ")
        ));
    }
    notes.extend(without_digests(&told.hosts_without_digests, &told.hosts));
    if told.unnamed > 0 {
        notes.push(format!(
            "{} observation(s) of files that no path names, or that were mounted over one, are not compared: `--by digest` \
             does",
            told.unnamed
        ));
    }
    notes.iter().map(|text| format!("{name}: {text}")).collect()
}
