//! `report`: one page for people, to be read offline and on paper.

use super::Context;
use super::anchors::AnchorOptions;
use super::verify::verify_all;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scope};
use crate::investigate::people::People;
use crate::investigate::verdicts;
use crate::output::problems::{Problems, note};
use crate::output::zone::Zone;
use crate::report::{Findings, KnownBad, ReportQuestion, Verified, page};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;
use hashtrail::cell::Micros;
use hashtrail::digest_list::{Lists, Wanted};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Options of `report`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportOptions {
    /// Paths or globs ('*' stops at '/', '**' does not); without them, all files
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Where the page is written; '-' is stdout
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// List of known-bad digests, as `lookup` reads it; repeatable
    #[arg(long, value_name = "FILE")]
    ioc: Vec<PathBuf>,
    /// Only changes with this verdict, whether it is a claim or a doubt; repeated, with any of them
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(verdicts::words()))]
    verdict: Vec<String>,
    /// Do not check whether the archives are as they were sealed: the page says so
    #[arg(long, conflicts_with_all = ["key", "head", "ima_log"])]
    without_verify: bool,
    #[command(flatten)]
    anchors: AnchorOptions,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail report --out report.html --archive web1 --key case.pub --head 3b1f…
  hashtrail report --out report.html --archive '/mnt/evidence/*' --since '2 days ago' --ioc known-bad.txt
  hashtrail report '/usr/sbin/*' --out - --archive web1 > report.html

The page is one file that asks for nothing from elsewhere. It shows the changes that say most, as many as --limit allows (500
without it) and a page can hold, and says how many it left out. It is readable by its owner alone.
Exit code: 0 something was found and the archives are as they were sealed, 1 otherwise, 2 an error occurred.";

pub(crate) fn run(options: &ReportOptions, context: Context<'_>) -> Result<bool> {
    let output = context.output;
    let is_plain = output.sort.is_none() && output.shows_tables() && output.zone == Zone::Utc;
    if !is_plain {
        bail!("a report is a page in the order of time, in UTC: leave out --sort, --format, --columns and --zone");
    }
    let to_file = options.out.as_os_str() != "-";
    if to_file {
        check_free(&options.out, options.force)?;
    }
    PathPatterns::new(&options.paths)?.notes().for_each(|text| note(&text));
    let wanted = wanted(options, context.problems)?;
    let verified = verified(options, context.scope, context.problems)?;
    let archives = Archives::open(context.scope, context.problems)?;
    if to_file {
        check_outside(&options.out, &archives)?;
    }
    let question = ReportQuestion {
        scope: context.scope,
        paths: &options.paths,
        verdicts: &options.verdict,
        known_bad: wanted.map(|wanted| KnownBad { files: &options.ioc, wanted }),
        verified,
        most: output.limit,
    };
    let people = People::read(&archives)?;
    let findings = Findings::gather(&question, &archives, &people)?;
    let text = page(&question, &findings, Micros(chrono::Utc::now().timestamp_micros()));
    if to_file {
        write_file(&options.out, &text, options.force)?;
    } else {
        context.writer.write_all(text.as_bytes())?;
    }
    Ok(findings.is_something() && question.verified.as_ref().is_none_or(Verified::is_good))
}

fn wanted(options: &ReportOptions, problems: &Problems) -> Result<Option<Wanted>> {
    if options.ioc.is_empty() {
        return Ok(None);
    }
    let mut lists = Lists::default();
    options.ioc.iter().try_for_each(|path| lists.read(path, problems))?;
    let wanted = lists.finish();
    if wanted.is_empty() {
        bail!("there is no digest in the lists of --ioc");
    }
    Ok(Some(wanted))
}

fn verified<'a>(options: &'a ReportOptions, scope: &Scope, problems: &Problems) -> Result<Option<Verified<'a>>> {
    if options.without_verify {
        return Ok(None);
    }
    let anchors = options.anchors.read()?;
    let found = verify_all(scope, &anchors, problems)?;
    Ok(Some(Verified { found, anchors, key: options.anchors.key.as_deref(), lists: &options.anchors.ima_log }))
}

/// Refuses to take what is there away, before anything is read.
fn check_free(path: &Path, may_replace: bool) -> Result<()> {
    let name = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot look at `{name}`")),
        Ok(found) if !found.is_file() => bail!("`{name}` is there and no regular file: write the page elsewhere"),
        Ok(_) if !may_replace => bail!("`{name}` is there already: name another file, or replace it with --force"),
        Ok(_) => Ok(()),
    }
}

/// Refuses to write into evidence.
fn check_outside(path: &Path, archives: &Archives<'_>) -> Result<()> {
    let folder = folder_of(path);
    let whole = fs::canonicalize(folder).with_context(|| format!("cannot write into `{}`", folder.display()))?;
    for archive in &archives.list {
        let root = archive.archive.root();
        if fs::canonicalize(root).is_ok_and(|root| whole.starts_with(root)) {
            bail!("`{}` would lie in the archive `{}`: write it elsewhere", path.display(), root.display());
        }
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes beside the name and then renames, so that the page is there as a whole or not at all.
fn write_file(path: &Path, text: &str, may_replace: bool) -> Result<()> {
    let named = || format!("cannot write `{}`", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path)).with_context(named)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).with_context(named)?;
    let persisted = if may_replace { file.persist(path) } else { file.persist_noclobber(path) };
    persisted.map_err(|error| error.error).with_context(named)?;
    Ok(())
}
