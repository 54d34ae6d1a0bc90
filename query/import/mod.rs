//! Logs of other programs as recordings: what they tell becomes rows, what they cannot tell is said to be not known, and nothing is
//! made up. A source is a file here and a line of [`SOURCES`].

mod audit;
mod ima;
mod input;
mod json;
mod osquery;
mod pedro;
mod record;
mod source;
mod survey;
#[cfg(test)]
mod tests;
mod tetragon;
mod write;

pub(crate) use input::Input;
pub(crate) use source::{Given, Source};
pub(crate) use survey::Survey;
pub(crate) use write::{Imported, write};

use anyhow::{Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// All sources, in the order of the help.
const SOURCES: &[Source] =
    &[tetragon::SOURCE, ima::SOURCE, audit::AUDIT, audit::LAUREL, pedro::SOURCE, osquery::SOURCE];

/// The names of all sources.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name)
}

/// Takes the name of a source.
pub(crate) fn parser() -> impl TypedValueParser<Value = Source> {
    let names = SOURCES.iter().map(|source| PossibleValue::new(source.name).help(source.help));
    PossibleValuesParser::new(names)
        .try_map(|name| SOURCES.iter().find(|source| source.name == name).copied().ok_or("no such source"))
}

/// The source that made an input, by how that begins.
///
/// # Errors
/// When it is none of these.
pub(crate) fn recognised(input: &Input) -> Result<Source> {
    let head = input.head()?;
    match SOURCES.iter().find(|source| (source.is_mine)(&head)) {
        Some(source) => Ok(*source),
        None if head.is_empty() => bail!("it is empty"),
        None => {
            let names: Vec<&str> = names().collect();
            bail!("it begins like none of the logs that are read ({}); --from says which it is", names.join(", "))
        }
    }
}
