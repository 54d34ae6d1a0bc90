//! Timelines in the words of other tools. A format is a file here and a line of [`FORMATS`].

mod bodyfile;
mod csv;
mod ecs;
mod hayabusa;
mod jsonl;
mod ocsf;
mod target;
mod timesketch;
mod words;

pub(crate) use csv::TARGET as CSV;
pub(crate) use jsonl::TARGET as JSONL;
pub(crate) use target::{Lines, Target};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// All formats, in the order of the help.
const FORMATS: &[Target] =
    &[timesketch::TARGET, ecs::TARGET, ocsf::TARGET, bodyfile::TARGET, hayabusa::TARGET, csv::TARGET, jsonl::TARGET];

/// Takes the name of a format.
pub(crate) fn parser() -> impl TypedValueParser<Value = Target> {
    let names = FORMATS.iter().map(|target| PossibleValue::new(target.name).help(target.help));
    PossibleValuesParser::new(names)
        .try_map(|name| FORMATS.iter().find(|target| target.name == name).copied().ok_or("no such format"))
}
