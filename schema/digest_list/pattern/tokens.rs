//! The tokens that a pattern of STIX is written in.

use crate::digest_list::names::shortened;
use anyhow::{Result, bail};

/// A token of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A bracket, a comma, an operator.
    Sign(&'a str),
    /// A keyword, a number, or the path of an object.
    Word(&'a str),
    /// As it is meant, without quotes and escapes.
    Text(String),
}

/// Cuts a text into tokens; with an error, those before it are there.
pub(super) fn tokens<'a>(text: &'a str, tokens: &mut Vec<Token<'a>>) -> Result<()> {
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
