//! `export`: an archive without some of what another one holds.

use super::Context;
use super::import::{lock, read_key};
use crate::archives::Scope;
use crate::evidence::verify::{Anchors, verify};
use crate::output::problems::note;
use crate::output::{Columns, Output, object};
use crate::redact::{self, Redaction, Written};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use hashtrail::archive::Archive;
use hashtrail::manifest::Manifest;
use serde_json::json;
use std::path::{Path, PathBuf};

const COLUMNS: [&str; 7] = ["archive", "parent", "kinds", "recordings", "files", "rows", "head"];

const EXAMPLES: &str = "\
Examples:
  hashtrail export --redact --paths /home --arguments --archive web1 --out web1-for-others
  hashtrail verify --archive web1-for-others --parent web1";

/// Options of `export`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportOptions {
    /// Take out what the next options name; everything else stays as it is
    #[arg(long, required = true)]
    redact: bool,
    /// Paths below this directory, wherever they stand, and the names of their files; repeatable. Paths that do not begin at a root
    /// are taken out too, and measurement lists
    #[arg(long, value_name = "DIRECTORY")]
    paths: Vec<String>,
    /// Arguments of programs
    #[arg(long)]
    arguments: bool,
    /// Users and groups, of processes and of files, and sessions
    #[arg(long)]
    users: bool,
    /// Directory of the new archive, which must be empty or not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Sign the new manifest with this secret key
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

pub(crate) fn run(options: &ExportOptions, context: Context<'_>) -> Result<bool> {
    let parent = check_scope(context.scope)?;
    let by = redaction(options)?;
    let key = options.sign_key.as_deref().map(read_key).transpose()?;
    check_parent(parent)?;
    let parent = Archive::open(parent)?;
    let archive = Archive::create(&options.out)?;
    let _lock = lock(&archive)?;
    let mut manifest = Manifest::open(&archive, key)?;
    ensure!(manifest.lines().is_empty(), "`{}` holds an archive already", options.out.display());
    let written = redact::write(&parent, &by, &archive, &mut manifest)
        .with_context(|| format!("cannot export to `{}`", options.out.display()))?;
    tell(&written, &by);
    let row = object(json!({
        "type": "export", "archive": options.out.display().to_string(), "parent": parent.root().display().to_string(),
        "kinds": by.kinds(), "recordings": written.recordings, "files": written.files, "rows": written.rows,
        "head": manifest.head(), "parent_head": written.parent_head,
    }));
    Output::new(context.output, Columns::of(&COLUMNS), context.writer).show([row])?;
    Ok(true)
}

fn check_scope(scope: &Scope) -> Result<&Path> {
    if scope.since.is_some() || scope.until.is_some() || !scope.host.is_empty() {
        bail!("an archive is exported whole: --since, --until and --host are for questions");
    }
    match &scope.archive[..] {
        [directory] => Ok(directory),
        _ => bail!("one archive is exported at a time: give --archive once"),
    }
}

fn redaction(options: &ExportOptions) -> Result<Redaction> {
    let mut prefixes = Vec::new();
    for path in &options.paths {
        ensure!(!path.split('/').any(|part| part == ".."), "--paths `{path}`: give the directory without `..`");
        // A slash at the end makes its last `.` one that leads nowhere, too.
        let prefix = String::from_utf8(redact::plain(format!("{path}/").as_bytes()))?;
        let prefix = prefix.trim_end_matches('/');
        ensure!(prefix.starts_with('/'), "--paths `{path}`: give a directory that begins with `/` and is not the root");
        prefixes.push(prefix.to_owned());
    }
    let by = Redaction { prefixes, has_arguments: options.arguments, has_users: options.users };
    ensure!(!by.kinds().is_empty(), "nothing is taken out: give --paths, --arguments or --users");
    Ok(by)
}

/// What is passed on must be as it was sealed.
fn check_parent(path: &Path) -> Result<()> {
    let found = verify(path, &Anchors::default(), |_, _| {})?;
    let name = path.display();
    ensure!(found.is_good(), "`{name}` is not sealed, or not as it was sealed: `hashtrail verify` says more");
    Ok(())
}

fn tell(written: &Written, by: &Redaction) {
    note(&format!(
        "taken out: {}; everything else is as in the parent, whose head is {}",
        by.kinds().join(", "),
        written.parent_head
    ));
    if written.left_out > 0 {
        note(&format!("{} piece(s) of measurement lists are left out, because they name files", written.left_out));
    }
    note("digests are left in: who knows a file can find it by its digest");
}
