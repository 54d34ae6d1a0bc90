//! `hashtrail: digests`: sets of digests, written out, in a file, or those of `record --ioc`.

use std::io::Read;
use std::path::Path;

use super::document::Node;
use super::fields::Fields;
use super::filter::membership;
use super::model::{Filter, Hook};
use super::report::{Position, Report, escaped, quoted};

/// Algorithms as the kernel names them, and the bytes of their digests.
const ALGORITHMS: [(&str, usize); 6] =
    [("md5", 16), ("sha1", 20), ("sha224", 28), ("sha256", 32), ("sha384", 48), ("sha512", 64)];

/// Largest file of digests: about a million.
const MAX_FILE_SIZE: u64 = 64 << 20;

/// Digests of lists that fit into the kernel's memory, at about 100 bytes each.
const MAX_LISTED: usize = 1 << 20;

/// Reads the filter. `None` means that the report says why.
pub(super) fn filter(node: &Node, hook: &Hook, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "`digests`", report)?;
    fields.check(&["operator", "algorithm", "values", "file", "ioc"], &[], report);
    if hook.has_possible_name() && !hook.has_digest() {
        let hook = hook.name();
        report.refuse(node.at, format_args!("`digests` needs a digest, and none is possible at `{hook}`; remove it"));
        return None;
    }
    let negated = membership(node, &fields, report);
    let Some(algorithm) = fields.get("algorithm") else {
        report.refuse(node.at, "`algorithm` is missing; add the one that IMA uses here, such as `algorithm: sha256`");
        return None;
    };
    let size = algorithm.choice("`algorithm`", &ALGORITHMS, report)?;
    let name = algorithm.text("`algorithm`", report)?.to_owned();
    let digests = match (fields.get("values"), fields.get("file"), fields.get("ioc")) {
        (Some(values), None, None) => written_out(values, size, report)?,
        (None, Some(file), None) => in_file(file, size, report)?,
        (None, None, Some(ioc)) => listed(ioc, &name, report)?,
        _ => {
            report.refuse(node.at, "`digests` needs either `values` or `file`, or `ioc: true`; write one of them");
            return None;
        }
    };
    let algorithm = name;
    let negated = negated?;
    (!digests.is_empty()).then_some(Filter::Digest { algorithm, negated, digests })
}

fn written_out(values: &Node, size: usize, report: &mut Report) -> Option<Vec<Vec<u8>>> {
    let mut digests = Vec::new();
    for item in values.filled_items("`values`", usize::MAX, report) {
        let text = item.text("a digest", report)?;
        match parse(text, size) {
            Some(digest) => digests.push(digest),
            None => report.refuse(item.at, bad_digest(text, size)),
        }
    }
    Some(digests)
}

/// A file next to the policy, one digest a line, as `sha256sum` writes them.
fn in_file(node: &Node, size: usize, report: &mut Report) -> Option<Vec<Vec<u8>>> {
    let name = node.text("`file`", report)?;
    let path = report.beside(name);
    let text = match read(&path) {
        Ok(text) => text,
        Err(reason) => {
            let path = escaped(&path.to_string_lossy());
            report.refuse(
                node.at,
                format_args!("cannot read the digests in {path}: {reason}; correct the path or the file"),
            );
            return None;
        }
    };
    let mut digests = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        let Some(word) = content.split_whitespace().next() else {
            continue;
        };
        if let Some(digest) = parse(word, size) {
            digests.push(digest);
        } else {
            let column = line.chars().take_while(|character| character.is_whitespace()).count() + 1;
            let there = Position { line: number + 1, column };
            report.refuse_in(node.at, &path, there, bad_digest(word, size));
        }
    }
    if digests.is_empty() {
        report.refuse_in(node.at, &path, Position::START, "the file holds no digest; add one a line");
    }
    Some(digests)
}

/// Those of the lists that the recording was given.
fn listed(node: &Node, algorithm: &str, report: &mut Report) -> Option<Vec<Vec<u8>>> {
    if !node.boolean("`ioc`", report)? {
        report.refuse(node.at, "`ioc` can only be `true`; write `values` or `file` where other digests are meant");
        return None;
    }
    if report.totals.lists.is_empty() {
        report.refuse(node.at, "`ioc: true` takes the digests of lists, and there is none; give `--ioc FILE`");
        return None;
    }
    let digests = report.totals.lists.of_algorithm(algorithm);
    if digests.is_empty() {
        report.refuse(node.at, format_args!("the lists of --ioc have no digest of {algorithm}; give one that has"));
    } else if digests.len() > MAX_LISTED {
        let count = digests.len();
        report.refuse(
            node.at,
            format_args!("the lists of --ioc have {count} digests of {algorithm}, of which {MAX_LISTED} fit into the kernel; leave `ioc` out, and rows are still compared with all"),
        );
    }
    (1..=MAX_LISTED).contains(&digests.len()).then_some(digests)
}

/// Anything but a plain file could block the start.
fn read(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a plain file".to_owned());
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_FILE_SIZE + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > MAX_FILE_SIZE {
        return Err(format!("larger than {} MiB", MAX_FILE_SIZE >> 20));
    }
    Ok(text)
}

fn parse(text: &str, size: usize) -> Option<Vec<u8>> {
    if text.len() != 2 * size || !text.is_ascii() {
        return None;
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
    text.as_bytes().chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

fn bad_digest(text: &str, size: usize) -> String {
    format!("{} is not a digest of this algorithm; write {} hexadecimal digits", quoted(text), 2 * size)
}
