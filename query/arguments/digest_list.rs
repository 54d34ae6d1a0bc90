//! Lists of digests as people and feeds write them. Every digest of a line is looked for, under every name that a list gives
//! it; a line that cannot be used is told with its number.

use crate::arguments::digest::{name_of_length, plain_name};
use crate::output::problems::Problems;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longer lines are no digests.
const MAX_LINE_BYTES: u64 = 64 << 10;
/// Lines that cannot be used and are told one by one, for each list.
const TOLD_MAX: usize = 10;
/// A word of at least so many hex digits was meant to be a digest.
const MEANT_DIGITS: usize = 32;

/// The digests that are looked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) digests: BTreeMap<String, Listed>,
    /// Lines that could not be used, wholly or in part.
    pub(crate) unusable_lines: usize,
}

/// What the lists say of one digest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its names, in the order in which they were read.
    pub(crate) labels: Vec<String>,
    /// The algorithm that it is of, as it is written before it. Empty: what its length says.
    pub(crate) algorithms: BTreeSet<String>,
    /// For each place where it stands alone or with digests of the same file: those others.
    pub(crate) others: Vec<Vec<String>>,
}

impl Wanted {
    /// Takes a digest that stands for itself.
    pub(crate) fn add(&mut self, digest: &str) {
        self.digests.entry(digest.to_owned()).or_default().others.push(Vec::new());
    }

    /// Adds the digests of a list; `-` is stdin. Lines that cannot be used are problems, and the others are still looked for.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub(crate) fn read(&mut self, path: &Path, problems: &Problems) -> Result<()> {
        if path.as_os_str() == "-" {
            return self.read_lines("stdin", &mut std::io::stdin().lock(), problems);
        }
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
        self.read_lines(&name, &mut BufReader::new(file), problems)
    }

    fn read_lines(&mut self, name: &str, reader: &mut dyn BufRead, problems: &Problems) -> Result<()> {
        let mut number = 0;
        let mut more = Vec::new();
        loop {
            let mut bytes = Vec::new();
            let mut limited = reader.take(MAX_LINE_BYTES);
            if limited.read_until(b'\n', &mut bytes).with_context(|| format!("cannot read `{name}`"))? == 0 {
                break;
            }
            number += 1;
            if bytes.len() as u64 == MAX_LINE_BYTES && bytes.last() != Some(&b'\n') {
                bail!("{name}:{number}: the line is too long for a list of digests");
            }
            if number == 1 && (bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")) {
                bail!("`{name}` is text in UTF-16: `iconv -f UTF-16 -t UTF-8` makes it a list that can be read");
            }
            let line = Line::parse(&String::from_utf8_lossy(&bytes));
            let Some(fault) = self.take(line, number) else { continue };
            self.unusable_lines += 1;
            if more.len() < TOLD_MAX {
                problems.error(&anyhow!("{name}:{number}: {fault}"));
            }
            more.push(number);
        }
        if let Some(more) = more.get(TOLD_MAX..).filter(|more| !more.is_empty()) {
            problems.error(&anyhow!("{name}: {} more line(s) cannot be used: {}", more.len(), spans(more)));
        }
        Ok(())
    }

    /// Takes what a line has; gives what is wrong with it.
    fn take(&mut self, line: Line, number: usize) -> Option<String> {
        if line.digests.is_empty() && line.fault.is_none() {
            let is_used = line.text.is_empty() || number == 1 && line.names_columns;
            return (!is_used).then(|| format!("`{}` is no digest in hex", shortened(&line.text)));
        }
        // Digests of different algorithms stand for one file, several of one algorithm for several files.
        let lengths: BTreeSet<usize> = line.digests.iter().map(|(_, digest)| digest.len()).collect();
        let is_of_one_file = lengths.len() == line.digests.len();
        for (algorithm, digest) in &line.digests {
            let listed = self.digests.entry(digest.clone()).or_default();
            if !line.label.is_empty() && !listed.labels.contains(&line.label) {
                listed.labels.push(line.label.clone());
            }
            listed.algorithms.extend(algorithm.clone());
            let others = line.digests.iter().map(|(_, other)| other).filter(|other| is_of_one_file && *other != digest);
            listed.others.push(others.cloned().collect());
        }
        line.fault
    }
}

/// What stands in one line.
#[derive(Debug, Default)]
struct Line {
    /// Each with the algorithm that is named before it.
    digests: Vec<(Option<String>, String)>,
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
    /// Reads `hex`, `hex  name` and `hex *name` as sha256sum prints them (`\hex` where it escaped the name), `SHA256 (name) =
    /// hex`, `algorithm:hex`, and several digests with commas, colons, semicolons, bars or spaces between them. A word that
    /// begins with `#` begins a comment.
    fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim();
        let mut line = Self::default();
        if text.starts_with('#') {
            return line;
        }
        line.text = text.to_owned();
        let mut rest: Vec<&str> = Vec::new();
        // The word before, if it is the name of an algorithm, and where it ends.
        let mut before: Option<(&str, usize)> = None;
        for (start, word) in words(text) {
            if word.starts_with('#') {
                rest.push(text[start..].trim_start_matches('#').trim());
                break;
            }
            let named = before.filter(|(_, end)| text[*end..start].ends_with([':', '=', ' '])).map(|(name, _)| name);
            match digest_in(word.strip_prefix('\\').filter(|_| start == 0).unwrap_or(word), named) {
                Word::Digest(digest) if line.digests.iter().any(|(_, known)| *known == digest) => {}
                Word::Digest(digest) => line.digests.push((named.map(plain_name), digest)),
                Word::Fault(fault) => line.fault = line.fault.or(Some(fault)),
                Word::Other => rest.push(word),
            }
            before = is_algorithm(word).then_some((word, start + word.len()));
            line.names_columns |= before.is_some() || word == "hash" || is_algorithm(word.trim_end_matches("_hash"));
        }
        line.label = line.label_of(text, &rest);
        line
    }

    /// The name that sha256sum prints may hold anything, so it is kept as it is; else what is no digest and no algorithm.
    fn label_of(&self, text: &str, rest: &[&str]) -> String {
        let after = text.strip_prefix('\\').unwrap_or(text).get(self.digests.first().map_or(0, |(_, hex)| hex.len())..);
        let is_first = |hex: &String| {
            text.trim_start_matches('\\').get(..hex.len()).is_some_and(|start| start.eq_ignore_ascii_case(hex))
        };
        if let ([(_, hex)], Some(name)) = (&self.digests[..], after)
            && is_first(hex)
            && (name.starts_with("  ") || name.starts_with(" *"))
        {
            return name[2..].trim_start().trim_start_matches('#').trim().to_owned();
        }
        let words: Vec<&str> = rest.iter().filter(|word| !is_algorithm(word) && **word != "=").copied().collect();
        let label = words.join(" ");
        let inner = label.strip_prefix('(').and_then(|label| label.strip_suffix(')'));
        inner.filter(|_| !self.digests.is_empty()).unwrap_or(&label).trim_start_matches('*').to_owned()
    }
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

/// What a word of a line is.
enum Word {
    Digest(String),
    /// It was meant to be a digest and is none.
    Fault(String),
    Other,
}

fn digest_in(word: &str, algorithm: Option<&str>) -> Word {
    if !word.bytes().all(|byte| byte.is_ascii_hexdigit()) || word.len() < MEANT_DIGITS {
        return Word::Other;
    }
    let shown = shortened(word);
    let Some(by_length) = name_of_length(word.len()) else {
        return Word::Fault(format!("`{shown}` has {} hex digits, which no digest has", word.len()));
    };
    let is_known = |name: &&str| (32..=128).any(|length| name_of_length(length) == Some(&plain_name(name)));
    match algorithm.filter(is_known) {
        Some(named) if plain_name(named) != by_length => {
            Word::Fault(format!("`{shown}` is said to be {named}, and has the length of {by_length}"))
        }
        _ => Word::Digest(word.to_ascii_lowercase()),
    }
}

/// Whether a word is the name of a hash algorithm.
fn is_algorithm(word: &str) -> bool {
    const BEGINNINGS: [&str; 9] = ["md5", "sha", "sm3", "rmd", "ripemd", "blake", "streebog", "wp", "tgr"];
    let name = plain_name(word);
    let is_beginning = |beginning: &&str| {
        let rest = name.strip_prefix(*beginning);
        rest.is_some_and(|rest| {
            rest.len() < 8 && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b's' || byte == b'b')
        })
    };
    BEGINNINGS.iter().any(is_beginning)
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Numbers in their order, neighbours as one span.
fn spans(numbers: &[usize]) -> String {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => spans.push((*number, *number)),
        }
    }
    let text =
        |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    spans.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
