//! `hashtrail: digests`: sets of digests, written out or in a file.

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

/// Reads the filter. `None` means that the report says why.
pub(super) fn filter(node: &Node, hook: &Hook, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "`digests`", report)?;
    fields.check(&["operator", "algorithm", "values", "file"], &[], report);
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
    let digests = match (fields.get("values"), fields.get("file")) {
        (Some(values), None) => written_out(values, size, report)?,
        (None, Some(file)) => in_file(file, size, report)?,
        _ => {
            report.refuse(node.at, "`digests` needs either `values` or `file`; write one of them");
            return None;
        }
    };
    let algorithm = algorithm.text("`algorithm`", report)?.to_owned();
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
