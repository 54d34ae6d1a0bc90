//! Lists with a digest a line, or several: what people and `sha256sum` write.

use super::intake::Intake;
use super::names::{Found, Word, holds_digest, is_algorithm, labels_other_hash, shortened, word};
use crate::digest::Digest;
use anyhow::Result;
use std::io::{BufRead, ErrorKind, Read};

/// Longer lines are no digests.
const MAX_LINE_BYTES: usize = 64 << 10;
/// What hashdeep begins the lines of its header with.
pub(super) const HASHDEEP: &str = "%%%%";

pub(super) fn read(_head: &str, text: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    each_line(text, MAX_LINE_BYTES, |number, line| match line {
        // A carriage return alone ends a line too, and must not make what follows a comment's part.
        Some(line) => line.split('\r').try_for_each(|line| take(number, Line::parse(line), intake)),
        None => {
            intake.fault(number, "the line is too long for a list of digests");
            Ok(())
        }
    })
}

/// Hands on each line with its number; none where it is longer than that.
pub(super) fn each_line(
    text: &mut dyn BufRead,
    most_bytes: usize,
    mut each: impl FnMut(u64, Option<&str>) -> Result<()>,
) -> Result<()> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if text.take(most_bytes as u64).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let is_whole = bytes.last() == Some(&b'\n') || bytes.len() < most_bytes;
        if !is_whole {
            skip_line(text)?;
        }
        each(number, is_whole.then(|| String::from_utf8_lossy(&bytes)).as_deref())?;
    }
    Ok(())
}

/// Passes the rest of a line.
fn skip_line(text: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let held = match text.fill_buf() {
            Ok(held) => held,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = held.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(held.len(), |end| end + 1);
        text.consume(length);
        if end.is_some() || length == 0 {
            return Ok(());
        }
    }
}

/// Takes what a line has; tells what is wrong with it.
fn take(number: u64, line: Line, intake: &mut Intake<'_>) -> Result<()> {
    line.others.iter().for_each(|kind| intake.leave_out(number, kind));
    let is_no_data = line.text.is_empty() || number == 1 && (line.names_columns || says_separator(&line.text));
    if !line.found.is_empty() {
        intake.take(number, &line.found, &line.label)?;
    } else if line.fault.is_none() && line.others.is_empty() && !is_no_data {
        intake.fault(number, &format!("`{}` is no digest in hex", shortened(&line.text)));
    }
    if let Some(fault) = line.fault {
        intake.fault(number, &fault);
    }
    Ok(())
}

/// Whether a line is `sep=,`, with which a spreadsheet is told what stands between columns.
pub(super) fn says_separator(line: &str) -> bool {
    line.trim().strip_prefix("sep=").is_some_and(|separator| separator.chars().count() <= 1)
}

/// What stands in one line.
#[derive(Debug, Default)]
struct Line {
    found: Vec<Found>,
    /// The names of hashes that are none of a file's content.
    others: Vec<String>,
    /// All the rest: a file's name, other columns, a comment.
    label: String,
    /// What is wrong with a part of it.
    fault: Option<String>,
    /// All of it, but for comments.
    text: String,
    /// Whether a word of it is the name of an algorithm, as in the first line of a table.
    names_columns: bool,
}

impl Line {
    /// Reads `hex`, `hex  name` and `hex *name` as sha256sum prints them, `SHA256 (name) = hex`, `algorithm:hex`, and several
    /// digests with commas, colons, semicolons, bars or spaces between them. A word that begins with `#` begins a comment, a
    /// backslash before everything says that the name is escaped.
    fn parse(text: &str) -> Self {
        let text = text.trim();
        let mut line = Self::default();
        if text.starts_with('#') || text.starts_with(HASHDEEP) {
            return line;
        }
        line.text = text.to_owned();
        let (text, is_escaped) = text.strip_prefix('\\').map_or((text, false), |text| (text, true));
        let mut rest: Vec<&str> = Vec::new();
        let tagged = Tagged::parse(text);
        if let Some(tagged) = tagged.as_ref().filter(|tagged| labels_other_hash(tagged.algorithm)) {
            line.others.push(tagged.algorithm.to_ascii_lowercase());
            return line;
        }
        let body = tagged.as_ref().map_or(text, |tagged| tagged.digest);
        // A name may hold what it likes.
        let is_sum = text
            .split_once(' ')
            .is_some_and(|(first, name)| Digest::from_hex(first).is_some() && name.starts_with([' ', '*']));
        if tagged.as_ref().is_some_and(|tagged| tagged.name.contains(") = ") && holds_digest(tagged.name)) {
            line.fault = Some("only the last digest of the line is looked for: write each on a line of its own".into());
        }
        // The word before, and where it ends.
        let mut before = ("", 0);
        for (start, one) in words(body) {
            if one.starts_with('#') {
                rest.push(body[start..].trim_start_matches('#').trim());
                break;
            }
            let (name, end) = std::mem::replace(&mut before, (one, start + one.len()));
            let between = &body[end..start];
            let named = (is_algorithm(name) && between.ends_with([':', '=', ' '])).then_some(name);
            let read = word(one, tagged.as_ref().map(|tagged| tagged.algorithm).or(named));
            if !is_sum && labels_other_hash(name) && (between.contains([':', '=']) || read != Word::Other) {
                line.others.push(name.to_ascii_lowercase());
            } else if !line.take(read) {
                if !is_sum && line.fault.is_none() && holds_digest(one) {
                    line.fault =
                        Some(format!("the digest in `{}` is not looked for: let it stand alone", shortened(one)));
                }
                rest.push(one);
            }
            line.names_columns |= is_algorithm(one) || one == "hash" || is_algorithm(one.trim_end_matches("_hash"));
        }
        let label = tagged.map_or_else(|| line.label_of(text, &rest), |tagged| tagged.name.to_owned());
        line.label = if is_escaped { unescaped(&label) } else { label };
        line
    }

    /// Takes a word that is or was meant to be a digest; says whether it is.
    fn take(&mut self, word: Word) -> bool {
        match word {
            Word::Digest(found) if self.found.iter().any(|known| known.digest == found.digest) => {}
            Word::Digest(found) => self.found.push(found),
            Word::Fault(fault) => self.fault = self.fault.take().or(Some(fault)),
            Word::Other => return false,
        }
        true
    }

    /// The name that sha256sum prints may hold anything, so it is kept as it is; else what is no digest and no algorithm.
    fn label_of(&self, text: &str, rest: &[&str]) -> String {
        if let [found] = &self.found[..] {
            let (hex, name) = text.split_at_checked(found.digest.bytes().len() * 2).unwrap_or_default();
            let is_first = hex.eq_ignore_ascii_case(&found.digest.to_string());
            if is_first && (name.starts_with("  ") || name.starts_with(" *")) {
                return name[2..].trim_start().trim_start_matches('#').trim().to_owned();
            }
        }
        let words: Vec<&str> = rest.iter().filter(|word| !is_algorithm(word) && **word != "=").copied().collect();
        words.join(" ").trim_start_matches('*').to_owned()
    }
}

/// A line as BSD's tools and `sha256sum --tag` print it.
struct Tagged<'a> {
    algorithm: &'a str,
    name: &'a str,
    digest: &'a str,
}

impl<'a> Tagged<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (algorithm, rest) = text.split_once(" (")?;
        let (name, digest) = rest.rsplit_once(") = ")?;
        let is_name = is_algorithm(algorithm) || labels_other_hash(algorithm);
        is_name.then_some(Self { algorithm, name, digest })
    }
}

/// A name as it was before sha256sum escaped it.
fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        let escaped = if letter == '\\' { letters.next() } else { None };
        plain.push(match escaped {
            Some('n') => '\n',
            Some('r') => '\r',
            other => other.unwrap_or(letter),
        });
    }
    plain
}

/// The words of a line with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_between = |letter: char| letter.is_whitespace() || ",;:|=\"'".contains(letter);
    let mut start = 0;
    text.split(is_between).filter_map(move |word| {
        let place = start;
        start += word.len() + text[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((place, word))
    })
}
