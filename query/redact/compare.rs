//! A redacted archive beside its parent: whether each of its rows is the parent's, with nothing in it but what was left in.

use super::veil::{Kinds, Veil, is_veiled};
use super::write::OF_MANIFEST;
use crate::evidence::finding::Finding;
use anyhow::{Context, Result, bail, ensure};
use hashtrail::archive::Archive;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{self, Content, Line, Parsed, Standing};
use hashtrail::packages::PackageFile;
use hashtrail::reader::{Prune, SealedTable, rows};
use hashtrail::versions::FileVersion;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What is compared of two archives.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) rows: u64,
    pub(crate) findings: Vec<Finding>,
}

/// Compares them line by line and row by row.
///
/// # Errors
/// When a manifest cannot be read.
pub(crate) fn compare(archive: &Archive, parent: &Archive) -> Result<Compared> {
    let lines = |archive: &Archive| -> Result<Vec<Line>> {
        let Parsed { lines, damages } = manifest::parse(&manifest::read(&archive.manifest())?);
        ensure!(damages.is_empty(), "the manifest of `{}` is damaged", archive.root().display());
        Ok(lines)
    };
    let (own, of_parent) = (lines(archive)?, lines(parent)?);
    let mut pair = Pair {
        archive,
        parent,
        by_digest: of_parent.iter().map(|line| (line.digest.as_str(), line)).collect(),
        head: of_parent.last().map(|line| line.digest.as_str()).unwrap_or_default(),
        kinds: own.iter().filter_map(|line| Some((recording_of(line), kinds_of(&line.field("redacted")?)))).collect(),
        last_ns: HashMap::new(),
        gaps: HashMap::new(),
    };
    let mut compared = Compared::default();
    let mut problem = |place: String, detail: String| {
        compared.findings.push(Finding::damage("not_the_parents", "manifest.jsonl", place, detail));
    };
    for line in &own {
        match pair.check(line) {
            Ok(rows) => compared.rows += rows,
            Err(error) => problem(format!("line {}", line.number), format!("{error:#}")),
        }
    }
    let standing = Standing::in_tree(parent, &of_parent);
    for detail in left_out(&own, &of_parent, &standing).into_iter().chain(pair.without_gap(&own)) {
        problem(String::new(), detail);
    }
    Ok(compared)
}

fn recording_of(line: &Line) -> String {
    line.text("recording_id").unwrap_or_default()
}

fn kinds_of(redacted: &Value) -> Kinds {
    let has = |kind: &str| redacted["kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
    Kinds { paths: has("paths"), arguments: has("arguments"), users: has("users") }
}

/// What the parent has and the archive does not: all that it left out would look as if it had never been.
fn left_out(own: &[Line], of_parent: &[Line], standing: &Standing) -> Vec<String> {
    let parent_of =
        |line: &Line| line.text("parent_line").or_else(|| Some(line.field("parent")?["line"].as_str()?.to_owned()));
    let mut named: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, digest) in own.iter().filter_map(parent_of).enumerate() {
        named.entry(digest).or_default().push(place);
    }
    let by_path: HashMap<PathBuf, &Line> = of_parent.iter().filter_map(|line| Some((line.path()?, line))).collect();
    let files = standing.files();
    let files: HashSet<&str> = files.iter().filter_map(|file| Some(by_path.get(&file.path)?.digest.as_str())).collect();
    let mut problems = Vec::new();
    let mut last_start = None;
    for line in of_parent {
        let is_needed = ["start", "stop", "recovered"].contains(&line.kind()) || files.contains(line.digest.as_str());
        let places = named.get(&line.digest).map(Vec::as_slice).unwrap_or_default();
        let what = format!("line {} of the parent (`{}`)", line.number, line.kind());
        match *places {
            [] if is_needed => problems.push(format!("{what} has none here: what it holds was left out")),
            [place] if line.kind() == "start" => {
                if last_start.is_some_and(|last| last > place) {
                    problems.push(format!("{what} has its own before that of an earlier recording"));
                }
                last_start = Some(place);
            }
            [] | [_] => {}
            _ => problems.push(format!("{what} has {} here", places.len())),
        }
    }
    problems
}

/// An archive and its parent.
struct Pair<'a> {
    archive: &'a Archive,
    parent: &'a Archive,
    by_digest: HashMap<&'a str, &'a Line>,
    head: &'a str,
    /// What was taken out of a recording.
    kinds: HashMap<String, Kinds>,
    /// The last moment of a recording, and the one up to which it is said to have a gap.
    last_ns: HashMap<String, i64>,
    gaps: HashMap<String, i64>,
}

impl Pair<'_> {
    /// How many rows of a line's file are the parent's.
    fn check(&mut self, line: &Line) -> Result<u64> {
        if line.kind() != "file" {
            return self.check_line(line).map(|()| 0);
        }
        let path = line.path().context("it names no file")?;
        let Some(stated) = line.field("parent") else {
            let to_ns = gap_of(&self.archive.root().join(path)).context("its file has no parent")?;
            self.gaps.insert(recording_of(line), to_ns);
            return Ok(0);
        };
        let of_parent = stated["line"].as_str().and_then(|digest| self.by_digest.get(digest));
        let of_parent = of_parent.context("the parent has no line with the digest that it names")?;
        ensure!(of_parent.path().as_ref() == Some(&path), "the parent's line names another file");
        let (own, other) = (self.archive.root().join(&path), self.parent.root().join(&path));
        let content = Content::of(File::open(&other).with_context(|| format!("cannot read `{}`", other.display()))?)?;
        let is_sealed = of_parent.text("sha256").as_ref() == Some(&content.sha256);
        ensure!(is_sealed, "`{}` of the parent is not as it was sealed", path.display());
        let kinds = self.kinds.get(&recording_of(line)).copied().unwrap_or_default();
        let (rows, last_ns) = match path.iter().next().and_then(|folder| folder.to_str()) {
            Some(Event::TABLE) => admitted::<Event>(&own, &other, kinds),
            Some(FileVersion::TABLE) => admitted::<FileVersion>(&own, &other, kinds),
            Some(PackageFile::TABLE) => admitted::<PackageFile>(&own, &other, kinds),
            Some(LedgerEntry::TABLE) => admitted::<LedgerEntry>(&own, &other, kinds),
            _ => bail!("its file is of no table"),
        }?;
        let last = self.last_ns.entry(recording_of(line)).or_insert(last_ns);
        *last = last_ns.max(*last);
        Ok(rows)
    }

    /// Recordings that are not said to have a gap over all of them.
    fn without_gap(&self, own: &[Line]) -> Vec<String> {
        let recordings = own.iter().filter(|line| line.kind() == "start").map(recording_of);
        let has_gap = |id: &String| self.gaps.get(id) >= self.last_ns.get(id).or(Some(&0));
        let without = recordings.filter(|id| !has_gap(id));
        without.map(|id| format!("recording {id} has no gap over all of it: it looks complete")).collect()
    }

    /// Whether a line that names no file says what the parent's says.
    fn check_line(&self, line: &Line) -> Result<()> {
        let stated = line.text("parent_line").context("it names no line of the parent")?;
        let of_parent = self.by_digest.get(stated.as_str());
        let of_parent = of_parent.context("the parent has no line with the digest that it names")?;
        ensure!(of_parent.kind() == line.kind(), "the parent's line is of another kind");
        if line.kind() == "start" {
            let redacted = line.field("redacted").context("it does not say that something was taken out")?;
            let is_of_head = redacted["parent_head"].as_str() == Some(self.head);
            ensure!(is_of_head, "the parent had another head: it is another archive, or has grown since");
            let is_key = redacted["parent_public_key"] == of_parent.field("public_key").unwrap_or_default();
            ensure!(is_key, "it says that the parent was signed with another key");
            let all = |value: Option<Value>| value.and_then(|value| value.as_array().cloned()).unwrap_or_default();
            let (here, there) = (all(line.field("policies")), all(of_parent.field("policies")));
            let out = all(Some(redacted["policies_left_out"].clone()));
            let is_told = |policy: &Value| {
                here.contains(policy) || out.iter().any(|left_out| left_out["sha256"] == policy["sha256"])
            };
            ensure!(
                here.iter().all(|policy| there.contains(policy)) && there.iter().all(is_told),
                "its policies are others"
            );
        }
        ensure!(is_veiled(&said(of_parent), &said(line)), "it says something else than the parent's line");
        Ok(())
    }
}

/// What a line says that only its archive can know is left out.
fn said(line: &Line) -> Value {
    const OF_REDACTION: [&str; 4] = ["parent_line", "redacted", "public_key", "policies"];
    let mut fields = line.fields();
    OF_MANIFEST.iter().chain(&OF_REDACTION).for_each(|name| drop(fields.shift_remove(*name)));
    Value::Object(fields)
}

/// Up to where the one file that a recording has besides says that it is not complete.
fn gap_of(path: &Path) -> Result<i64> {
    let entries: Vec<LedgerEntry> = all::<LedgerEntry>(path)?.collect::<Result<_>>()?;
    match &entries[..] {
        [gap] if gap.kind == "gap" && gap.cause.as_deref() == Some("redacted") && gap.from_ns == Some(0) => {
            gap.to_ns.context("its gap has no end")
        }
        _ => bail!("its ledger has something else than a gap over all of it"),
    }
}

fn all<R: Row>(path: &Path) -> Result<impl Iterator<Item = Result<R>>> {
    let batches = SealedTable::<R>::open(path)?.batches(&Prune::default(), &[], None)?;
    Ok(batches.flat_map(|batch| match batch {
        Ok(batch) => rows::<R>(&batch).collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    }))
}

/// How many rows there are, and when the last one was.
fn admitted<R: Row + Veil>(own: &Path, parent: &Path, kinds: Kinds) -> Result<(u64, i64)> {
    let (mut own, mut others) = (all::<R>(own)?, all::<R>(parent)?);
    let (mut number, mut last_ns) = (0, 0);
    loop {
        match (own.next().transpose()?, others.next().transpose()?) {
            (None, None) => return Ok((number, last_ns)),
            (Some(row), Some(other)) => {
                number += 1;
                last_ns = other.boot_ns().max(last_ns);
                ensure!(other.admits(&row, kinds), "row {number} is not the parent's with columns taken out");
            }
            _ => bail!("it has another number of rows than the parent's file"),
        }
    }
}
