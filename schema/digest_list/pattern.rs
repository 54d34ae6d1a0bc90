//! Patterns of STIX 2.1 (chapter 9 of its specification): `[file:hashes.'SHA-256' = '…' AND file:name = '…']`.
//!
//! Each digest that a file may have by a pattern is looked for. What else the pattern asks cannot be asked of an archive by a
//! digest, and is told.

mod tokens;

use super::names::{Found, Meaning, Word, meaning, shortened, word};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use tokens::{Token, tokens};

/// Brackets in brackets.
const MAX_DEPTH: usize = 64;
/// Faults that are told one by one.
const FAULTS_MAX: usize = 10;
/// Objects of STIX that are a file with `hashes`, by their paths.
const FILES: [&str; 5] = ["file", "artifact", "file:content_ref", "process:image_ref", "process:binary_ref"];

/// What a pattern asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Files by their digests: any one of them.
    pub(super) files: Vec<Vec<Found>>,
    /// What was meant to be a digest and cannot be used, the first of it.
    pub(super) faults: Vec<String>,
    /// How many more there are.
    more_faults: usize,
    /// What else it asks.
    pub(super) left_out: BTreeSet<String>,
}

/// What comparisons joined by `AND` ask of one object.
struct Asked {
    /// Its path, as far as that is told: objects of different ones are different files.
    object: &'static str,
    digests: Vec<Found>,
}

impl Pattern {
    /// Reads a pattern. What is no pattern from some place on is a fault, and what stands before it is kept.
    pub(super) fn parse(text: &str) -> Self {
        let mut parser = Parser { tokens: Vec::new(), next: 0, pattern: Self::default() };
        if let Err(error) = tokens(text, &mut parser.tokens).and_then(|()| parser.observations()) {
            // It is told however many there are.
            if parser.pattern.faults.len() == FAULTS_MAX {
                parser.pattern.faults.pop();
                parser.pattern.more_faults += 1;
            }
            parser.pattern.fault(format!("it is no pattern of STIX 2: {error}"));
        }
        parser.pattern
    }

    /// All that cannot be used, in words.
    pub(super) fn fault_text(&self) -> Option<String> {
        let more = (self.more_faults > 0).then(|| format!("and {} more", self.more_faults));
        let texts: Vec<String> = self.faults.iter().cloned().chain(more).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX { self.faults.push(fault) } else { self.more_faults += 1 }
    }
}

impl Asked {
    /// Takes further digests of the same object; says whether one object can have them all.
    fn join(&mut self, others: &mut Vec<Found>) -> bool {
        others.retain(|other| self.digests.iter().all(|known| known.digest != other.digest));
        let is_other_content = |other: &Found| self.digests.iter().any(|known| known.algorithm() == other.algorithm());
        let is_possible = !others.iter().any(is_other_content);
        self.digests.append(others);
        is_possible
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
                    self.pattern.files.extend(files.into_iter().map(|file| file.digests));
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
    fn comparisons(&mut self, depth: usize) -> Result<Vec<Asked>> {
        let mut files = self.conjunction(depth)?;
        while self.keyword("or") {
            files.extend(self.conjunction(depth)?);
        }
        Ok(files)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Vec<Asked>> {
        let mut files = self.comparison(depth)?;
        let mut is_of_none = false;
        while self.keyword("and") {
            let mut others = self.comparison(depth)?;
            match (&mut files[..], &mut others[..]) {
                // Digests of one file. Where there is a choice on a side, each of them is looked for by itself.
                ([file], [other]) if file.object == other.object => is_of_none |= !file.join(&mut other.digests),
                ([file], [other]) => {
                    self.leave_out(format!("AND between {} and {}", file.object, other.object));
                    files.append(&mut others);
                }
                _ => files.append(&mut others),
            }
        }
        if is_of_none {
            self.pattern.fault("it asks for two digests of one algorithm in one file, which no file has".into());
            files.clear();
        }
        Ok(files)
    }

    fn comparison(&mut self, depth: usize) -> Result<Vec<Asked>> {
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
    fn compared(&mut self, path: &str, is_not: bool, operator: &str, values: Vec<String>) -> Vec<Asked> {
        let plain = path.replace('\'', "").to_ascii_lowercase();
        let hashes = plain.rsplit_once(".hashes.").or_else(|| plain.rsplit_once(":hashes."));
        let file =
            hashes.and_then(|(object, name)| FILES.iter().find(|file| **file == object).map(|file| (*file, name)));
        let Some((object, name)) = file else {
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
            self.pattern.fault(format!(
                "`{} {not}{operator}` asks for other digests than one, which cannot be looked for",
                shortened(path)
            ));
            return Vec::new();
        }
        let mut files = Vec::new();
        for value in values {
            match word(value.trim(), algorithm.as_deref()) {
                Word::Digest(found) => files.push(Asked { object, digests: vec![found] }),
                Word::Fault(fault) => self.pattern.fault(fault),
                Word::Other => self.pattern.fault(format!("`{}` is no digest in hex", shortened(&value))),
            }
        }
        files
    }
}
