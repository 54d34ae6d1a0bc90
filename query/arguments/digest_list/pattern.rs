//! Patterns of STIX 2.1 (chapter 9 of its specification): `[file:hashes.'SHA-256' = '…' AND file:name = '…']`.
//!
//! Each digest that a file may have by a pattern is looked for. What else the pattern asks cannot be asked of an archive by a
//! digest, and is told.

use super::names::{Found, Meaning, Word, meaning, shortened, word};
use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// Brackets in brackets.
const MAX_DEPTH: usize = 64;
/// Objects of STIX that are a file with `hashes`, by their paths.
const FILES: [&str; 5] = ["file", "artifact", "file:content_ref", "process:image_ref", "process:binary_ref"];

/// What a pattern asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Files by their digests: any one of them.
    pub(super) files: Vec<Vec<Found>>,
    /// What was meant to be a digest and cannot be used.
    pub(super) faults: Vec<String>,
    /// What else it asks.
    pub(super) left_out: BTreeSet<String>,
}

impl Pattern {
    /// Reads a pattern. What is no pattern from some place on is a fault, and what stands before it is kept.
    pub(super) fn parse(text: &str) -> Self {
        let mut parser = Parser { tokens: Vec::new(), next: 0, pattern: Self::default() };
        if let Err(error) = tokens(text, &mut parser.tokens).and_then(|()| parser.observations()) {
            parser.pattern.faults.push(format!("it is no pattern of STIX 2: {error}"));
        }
        parser.pattern
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    /// A bracket, a comma, an operator.
    Sign(&'a str),
    /// A keyword, a number, or the path of an object.
    Word(&'a str),
    /// As it is meant, without quotes and escapes.
    Text(String),
}

/// Cuts a text into tokens; with an error, those before it are there.
fn tokens<'a>(text: &'a str, tokens: &mut Vec<Token<'a>>) -> Result<()> {
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => {
                let (text, length) = quoted(rest)?;
                tokens.push(Token::Text(text));
                length
            }
            '[' | ']' | '(' | ')' | ',' | '=' | '!' | '<' | '>' => {
                let length = if rest[1..].starts_with('=') && "!<>".contains(first) { 2 } else { 1 };
                tokens.push(Token::Sign(&rest[..length]));
                length
            }
            _ if first.is_alphanumeric() || "_-+.:".contains(first) => {
                let length = path_length(rest)?;
                tokens.push(Token::Word(&rest[..length]));
                length
            }
            _ => bail!("`{}` is none of its signs", shortened(rest)),
        };
        rest = rest[length..].trim_start();
    }
    Ok(())
}

/// The text that begins with a quote, and how long it is as it is written.
fn quoted(rest: &str) -> Result<(String, usize)> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\'' => return Ok((text, place + 1)),
            '\\' => text.extend(letters.next().map(|(_, letter)| letter)),
            _ => text.push(letter),
        }
    }
    bail!("a quote is not closed");
}

/// How long a word is: parts of a path may be quoted and have an index.
fn path_length(rest: &str) -> Result<usize> {
    let mut length = 0;
    loop {
        let next = &rest[length..];
        let is_in_path = |letter: char| letter.is_alphanumeric() || "_-+.:*".contains(letter);
        let plain = next.find(|letter| !is_in_path(letter)).unwrap_or(next.len());
        let after = &next[plain..];
        length += plain;
        if after.starts_with('\'') && next[..plain].ends_with('.') {
            length += quoted(after)?.1;
        } else if after.starts_with('[')
            && after[1..].starts_with(|letter: char| letter == '*' || letter.is_ascii_digit())
        {
            length += after.find(']').map_or(after.len(), |end| end + 1);
        } else {
            return Ok(length);
        }
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    pattern: Pattern,
}

impl<'a> Parser<'a> {
    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn is_next(&self, wanted: &Token<'_>) -> bool {
        self.tokens.get(self.next) == Some(wanted)
    }

    /// Whether the next word is this keyword, which is then taken.
    fn keyword(&mut self, keyword: &str) -> bool {
        let is_next =
            matches!(self.tokens.get(self.next), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(is_next);
        is_next
    }

    /// Observations and what joins them: each may be of a file of its own.
    fn observations(&mut self) -> Result<()> {
        while let Some(token) = self.take() {
            match token {
                Token::Sign("[") => {
                    let files = self.comparisons(MAX_DEPTH)?;
                    self.pattern.files.extend(files);
                    if self.take() != Some(Token::Sign("]")) {
                        bail!("a bracket is not closed");
                    }
                }
                Token::Sign("(" | ")") => {}
                Token::Word(word) if word.eq_ignore_ascii_case("or") => {}
                Token::Word(word) if ["and", "followedby"].contains(&word.to_ascii_lowercase().as_str()) => {
                    self.leave_out(format!("{} between observations", word.to_ascii_uppercase()));
                }
                Token::Word(word)
                    if ["within", "repeats", "start", "stop"].contains(&word.to_ascii_lowercase().as_str()) =>
                {
                    self.leave_out(word.to_ascii_uppercase());
                    // Its number or time; a time is `t` and a text.
                    let value = self.take();
                    if value == Some(Token::Word("t")) {
                        self.take();
                    }
                    let _ = self.keyword("seconds") || self.keyword("times");
                }
                Token::Word(word) => bail!("`{}` stands where an observation is to begin", shortened(word)),
                _ => bail!("something else stands where an observation is to begin"),
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, what: String) {
        self.pattern.left_out.insert(format!("pattern: {what}"));
    }

    /// The files that a comparison or several may mean: `OR` leaves a choice, `AND` is about one file.
    fn comparisons(&mut self, depth: usize) -> Result<Vec<Vec<Found>>> {
        let mut files = self.conjunction(depth)?;
        while self.keyword("or") {
            files.extend(self.conjunction(depth)?);
        }
        Ok(files)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Vec<Vec<Found>>> {
        let mut files = self.comparison(depth)?;
        while self.keyword("and") {
            let mut others = self.comparison(depth)?;
            match (&mut files[..], &mut others[..]) {
                // Digests of one file. Where there is a choice on a side, each of them is looked for by itself.
                ([file], [other]) => file.append(other),
                _ => files.append(&mut others),
            }
        }
        Ok(files)
    }

    fn comparison(&mut self, depth: usize) -> Result<Vec<Vec<Found>>> {
        if self.is_next(&Token::Sign("(")) {
            let Some(depth) = depth.checked_sub(1) else { bail!("its brackets are too deep") };
            self.next += 1;
            let files = self.comparisons(depth)?;
            if self.take() != Some(Token::Sign(")")) {
                bail!("a bracket is not closed");
            }
            return Ok(files);
        }
        if self.keyword("exists") {
            self.take();
            self.leave_out("EXISTS".to_owned());
            return Ok(Vec::new());
        }
        let Some(Token::Word(path)) = self.take() else { bail!("the path of an object is missing") };
        let mut is_not = self.keyword("not");
        let operator = match self.take() {
            Some(Token::Sign(sign)) => sign.to_owned(),
            Some(Token::Word(word)) => word.to_ascii_uppercase(),
            _ => bail!("an operator is missing behind `{}`", shortened(path)),
        };
        is_not |= self.keyword("not");
        let values = self.values(&operator)?;
        Ok(self.compared(path, is_not, &operator, values))
    }

    /// The constants on the right side.
    fn values(&mut self, operator: &str) -> Result<Vec<String>> {
        let is_set = operator == "IN";
        if is_set && self.take() != Some(Token::Sign("(")) {
            bail!("IN needs a set in brackets");
        }
        let mut values = Vec::new();
        loop {
            match self.take() {
                // A time, binary data, and what is no text.
                Some(Token::Word("t" | "b" | "h")) if matches!(self.tokens.get(self.next), Some(Token::Text(_))) => {
                    self.next += 1;
                    values.push(String::new());
                }
                Some(Token::Text(text)) => values.push(text),
                Some(Token::Word(word)) => values.push(word.to_owned()),
                Some(Token::Sign(")")) if is_set && values.is_empty() => return Ok(values),
                _ => bail!("a value is missing behind {}", shortened(operator)),
            }
            match is_set.then(|| self.take()) {
                None | Some(Some(Token::Sign(")"))) => return Ok(values),
                Some(Some(Token::Sign(","))) => {}
                _ => bail!("a set is not closed"),
            }
        }
    }

    /// The files that a comparison means.
    fn compared(&mut self, path: &str, is_not: bool, operator: &str, values: Vec<String>) -> Vec<Vec<Found>> {
        let plain = path.replace('\'', "").to_ascii_lowercase();
        let hashes = plain.rsplit_once(".hashes.").or_else(|| plain.rsplit_once(":hashes."));
        let Some((_, name)) = hashes.filter(|(object, _)| FILES.contains(object)) else {
            self.leave_out(path.split('\'').next().unwrap_or(path).to_owned());
            return Vec::new();
        };
        let algorithm = match meaning(name) {
            Meaning::Algorithm(algorithm) => Some(algorithm),
            Meaning::AnyDigest => None,
            Meaning::Other => {
                self.leave_out(name.to_owned());
                return Vec::new();
            }
        };
        if is_not || !["=", "IN"].contains(&operator) {
            let not = if is_not { "NOT " } else { "" };
            self.pattern.faults.push(format!(
                "`{} {not}{operator}` asks for other digests than one, which cannot be looked for",
                shortened(path)
            ));
            return Vec::new();
        }
        let mut files = Vec::new();
        for value in values {
            match word(value.trim(), algorithm.as_deref()) {
                Word::Digest(found) => files.push(vec![found]),
                Word::Fault(fault) => self.pattern.faults.push(fault),
                Word::Other => self.pattern.faults.push(format!("`{}` is no digest in hex", shortened(&value))),
            }
        }
        files
    }
}
