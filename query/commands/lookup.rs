//! `lookup`: where known digests were seen.

use super::history::{COLUMNS, TABLE, all_versions, is_within};
use super::{Context, parse_digest, version_row};
use crate::archives::{Archives, Scan};
use crate::cli::{Format, LookupOptions};
use crate::filter::RowFilter;
use crate::output::Output;
use crate::problems::{Problems, note};
use crate::recordings::Recordings;
use crate::summary::Summary;
use crate::suppressed::Answer;
use anyhow::{Context as _, Result, anyhow, bail};
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longer lines are no digests.
const MAX_LINE_BYTES: u64 = 64 << 10;

/// Digests that are looked for, with the name that a list gives them.
type Wanted = BTreeMap<String, Option<String>>;

pub(super) fn run(options: &LookupOptions, context: Context<'_>) -> Result<bool> {
    let shared = context.shared;
    let mut wanted: Wanted = options.digests.iter().map(|digest| (digest.clone(), None)).collect();
    for path in &options.ioc {
        read_list(path, &mut wanted, context.problems)?;
    }
    if wanted.is_empty() {
        bail!("there is no digest to look for");
    }
    let archives = Archives::open(shared, context.problems)?;
    let rows: Vec<FileVersion> = archives.rows(&scan(&wanted))?;
    let recordings = Recordings::load(&archives, &rows)?;
    let versions = all_versions(rows, &recordings, None);
    let columns =
        [&["label"][..], if shared.output.format == Format::Table { &TABLE[..] } else { &COLUMNS[..] }].concat();
    let mut output = Output::new(&shared.output, &columns, context.writer);
    let found: Vec<_> = versions.iter().filter(|version| is_within(version, shared)).collect();
    for version in &found {
        let mut row = version_row("match", version);
        let label = wanted.get(&version.first().row.digest).cloned().flatten();
        row.insert("label".into(), label.into());
        if output.row(row)?.is_break() {
            break;
        }
    }
    let seen = found.iter().map(|version| &version.first().row.digest).collect::<BTreeSet<_>>().len();
    let summary = Summary {
        unsealed: archives.unsealed(),
        ..Summary::of(&recordings, Answer::Versions, shared, context.problems)
    };
    output.finish_with(&summary.to_json(&[("matches", found.len()), ("digests", wanted.len()), ("seen", seen)]))?;
    if shared.output.format != Format::Json {
        note(&format!("{seen} of {} digest(s) were seen", wanted.len()));
        summary.notes().iter().for_each(|text| note(text));
    }
    Ok(!found.is_empty())
}

fn scan(wanted: &Wanted) -> Scan {
    let prune = Prune { digests: wanted.keys().cloned().collect(), ..Prune::default() };
    let filter = RowFilter { digests: wanted.keys().cloned().collect(), ..RowFilter::default() };
    Scan { prune, predicate: filter.predicate(), ..Scan::default() }
}

/// Adds the digests of a list. A bad line is a problem; the others are still looked for.
fn read_list(path: &Path, wanted: &mut Wanted, problems: &Problems) -> Result<()> {
    if path.as_os_str() == "-" {
        return read_lines("stdin", &mut std::io::stdin().lock(), wanted, problems);
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
    read_lines(&name, &mut BufReader::new(file), wanted, problems)
}

fn read_lines(name: &str, reader: &mut dyn BufRead, wanted: &mut Wanted, problems: &Problems) -> Result<()> {
    let mut number = 0;
    loop {
        let mut line = Vec::new();
        let mut limited = reader.take(MAX_LINE_BYTES);
        if limited.read_until(b'\n', &mut line).with_context(|| format!("cannot read `{name}`"))? == 0 {
            return Ok(());
        }
        number += 1;
        if line.len() as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            bail!("{name}:{number}: the line is too long for a list of digests");
        }
        match parse_line(&String::from_utf8_lossy(&line)) {
            Ok(Some((digest, label))) => {
                wanted.entry(digest).or_insert(label);
            }
            Ok(None) => {}
            Err(error) => problems.error(&anyhow!("{name}:{number}: {error}")),
        }
    }
}

/// `hex`, `hex  name` and `hex *name` as sha256sum prints them (`\hex` where it escaped the name), `algorithm:hex`;
/// the rest of a line after `#` is a comment.
fn parse_line(line: &str) -> Result<Option<(String, Option<String>)>, String> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (digest, rest) = line.split_once([' ', '\t', ',']).unwrap_or((line, ""));
    let digest = digest.strip_prefix('\\').unwrap_or(digest);
    let digest = digest.split_once(':').map_or(digest, |(_, digest)| digest);
    let label = rest.trim_start().trim_start_matches('*').trim_start_matches('#').trim();
    Ok(Some((parse_digest(digest)?, (!label.is_empty()).then(|| label.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_people_write_them() -> Result<()> {
        let sha1 = "a".repeat(40);
        let sha256 = "B".repeat(64);
        let md5 = "c".repeat(32);
        let text = format!("# bad\n\n{sha1}\n{sha256}  /tmp/x y\r\nmd5:{md5} # worm\nnonsense\n{sha1} again");
        let mut wanted = Wanted::new();
        let problems = Problems::default();
        read_lines("list", &mut text.as_bytes(), &mut wanted, &problems)?;
        let expected =
            [(sha1, None), (sha256.to_lowercase(), Some("/tmp/x y".to_owned())), (md5, Some("worm".to_owned()))];
        assert_eq!(wanted, expected.into_iter().collect());
        assert!(problems.any(), "the line `nonsense` is a problem");
        Ok(())
    }

    #[test]
    fn an_endless_line_is_refused() {
        let text = "a".repeat(1 << 20);
        let error = read_lines("list", &mut text.as_bytes(), &mut Wanted::new(), &Problems::default());
        assert!(error.is_err());
    }
}
