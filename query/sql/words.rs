//! Words of the templates: `@name(argument, …)` stands for what a list of words says, with its arguments in it.

use anyhow::{Context, Result, bail};
use std::collections::HashMap;

/// How deep words may stand in words: none stands in itself.
const DEEPEST: usize = 16;

/// What each word stands for.
pub(super) struct Words(HashMap<&'static str, &'static str>);

impl Words {
    /// Of lists with `name = what` on a line; lines with `#` say something to people.
    pub(super) fn of(lists: &[&'static str]) -> Result<Self> {
        let mut words = HashMap::new();
        for line in lists.iter().flat_map(|list| list.lines()).filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (name, what) = line.split_once(" = ").with_context(|| format!("`{line}` says no word"))?;
            words.insert(name, what);
        }
        Ok(Self(words))
    }

    /// The text without words.
    pub(super) fn expand(&self, text: &str) -> Result<String> {
        self.expand_to(text, DEEPEST)
    }

    fn expand_to(&self, text: &str, depth: usize) -> Result<String> {
        if depth == 0 {
            bail!("a word stands in itself: {text}");
        }
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, word)) = rest.split_once('@') {
            let (name, behind) = word.split_once('(').with_context(|| format!("a word without arguments: @{word}"))?;
            let (arguments, after) = arguments(behind).with_context(|| format!("the word `{name}` has no end"))?;
            let mut what = (*self.0.get(name).with_context(|| format!("no word `{name}`"))?).to_owned();
            for (number, argument) in arguments.iter().enumerate() {
                what = what.replace(&format!("{{{number}}}"), argument);
            }
            expanded += before;
            expanded += &self.expand_to(&what, depth - 1)?;
            rest = after;
        }
        Ok(expanded + rest)
    }
}

/// The arguments up to the bracket that ends them, and what follows it.
fn arguments(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut depth, mut begin, mut arguments) = (0_usize, 0, Vec::new());
    for (place, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' if depth == 0 => {
                arguments.push(text[begin..place].trim());
                return Some((arguments, &text[place + 1..]));
            }
            ')' | ']' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                arguments.push(text[begin..place].trim());
                begin = place + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_words_and_take_their_arguments() -> Result<()> {
        let words = Words::of(&["# none\ntwice = @both({0}, {0})", "both = ({0} + {1})\nnothing = ,\n"])?;
        assert_eq!(words.expand("1 @twice(f(a, b)) @nothing() 2")?, "1 (f(a, b) + f(a, b)) , 2");
        Ok(())
    }

    #[test]
    fn what_is_no_word_is_an_error() -> Result<()> {
        let words = Words::of(&["endless = @endless()"])?;
        for text in ["@unknown()", "@endless()", "@endless(", "@"] {
            assert!(words.expand(text).is_err(), "{text}");
        }
        assert!(Words::of(&["word"]).is_err());
        Ok(())
    }
}
