//! A redacted archive beside its parent: whether each of its rows is the parent's, with nothing in it but what was left in.

use super::veil::Veil;
use crate::evidence::finding::Finding;
use anyhow::{Context, Result, bail, ensure};
use hashtrail::archive::Archive;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{self, Content, Line, Parsed};
use hashtrail::packages::PackageFile;
use hashtrail::reader::{Prune, SealedTable, rows};
use hashtrail::versions::FileVersion;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

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
    let by_digest: HashMap<&str, &Line> = of_parent.iter().map(|line| (line.digest.as_str(), line)).collect();
    let head = of_parent.last().map(|line| line.digest.as_str()).unwrap_or_default();
    let mut compared = Compared::default();
    for line in &own {
        match check(line, &by_digest, head, archive, parent) {
            Ok(rows) => compared.rows += rows,
            Err(error) => compared.findings.push(Finding::damage(
                "not_the_parents",
                "manifest.jsonl",
                format!("line {}", line.number),
                format!("{error:#}"),
            )),
        }
    }
    Ok(compared)
}

/// How many rows of a line's file are the parent's.
fn check(line: &Line, lines: &HashMap<&str, &Line>, head: &str, archive: &Archive, parent: &Archive) -> Result<u64> {
    if line.kind() != "file" {
        let stated = line.text("parent_line").context("it names no line of the parent")?;
        let of_parent = lines.get(stated.as_str()).context("the parent has no line with the digest that it names")?;
        ensure!(of_parent.kind() == line.kind(), "the parent's line is of another kind");
        let is_of_head = line.field("redacted").is_none_or(|redacted| redacted["parent_head"].as_str() == Some(head));
        ensure!(is_of_head, "the parent had another head: it is another archive, or has grown since");
        return Ok(0);
    }
    let path = line.path().context("it names no file")?;
    let Some(stated) = line.field("parent") else {
        return check_gap(&archive.root().join(path)).context("its file has no parent").map(|()| 0);
    };
    let of_parent = stated["line"].as_str().and_then(|digest| lines.get(digest));
    let of_parent = of_parent.context("the parent has no line with the digest that it names")?;
    ensure!(of_parent.path().as_ref() == Some(&path), "the parent's line names another file");
    let (own, other) = (archive.root().join(&path), parent.root().join(&path));
    let content = Content::of(File::open(&other).with_context(|| format!("cannot read `{}`", other.display()))?)?;
    let is_sealed = of_parent.text("sha256").as_ref() == Some(&content.sha256);
    ensure!(is_sealed, "`{}` of the parent is not as it was sealed", path.display());
    match path.iter().next().and_then(|folder| folder.to_str()) {
        Some(Event::TABLE) => admitted::<Event>(&own, &other),
        Some(FileVersion::TABLE) => admitted::<FileVersion>(&own, &other),
        Some(PackageFile::TABLE) => admitted::<PackageFile>(&own, &other),
        Some(LedgerEntry::TABLE) => admitted::<LedgerEntry>(&own, &other),
        _ => bail!("its file is of no table"),
    }
}

/// The one file that a recording has besides: it says that the recording is not complete.
fn check_gap(path: &Path) -> Result<()> {
    for entry in all::<LedgerEntry>(path)? {
        let entry = entry?;
        let is_gap = entry.kind == "gap" && entry.cause.as_deref() == Some("redacted");
        ensure!(is_gap, "its ledger has an entry of the kind `{}`", entry.kind);
    }
    Ok(())
}

fn all<R: Row>(path: &Path) -> Result<impl Iterator<Item = Result<R>>> {
    let batches = SealedTable::<R>::open(path)?.batches(&Prune::default(), &[], None)?;
    Ok(batches.flat_map(|batch| match batch {
        Ok(batch) => rows::<R>(&batch).collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    }))
}

fn admitted<R: Row + Veil>(own: &Path, parent: &Path) -> Result<u64> {
    let (mut own, mut others) = (all::<R>(own)?, all::<R>(parent)?);
    for number in 0.. {
        match (own.next().transpose()?, others.next().transpose()?) {
            (None, None) => return Ok(number),
            (Some(row), Some(other)) => {
                ensure!(other.admits(&row), "row {} is not the parent's with columns taken out", number + 1);
            }
            _ => bail!("it has another number of rows than the parent's file"),
        }
    }
    Ok(0)
}
