//! What the query tool says of itself: its verbs, and the values of their options.

use super::{hashtrail, output_of, stdout_of};

/// Options that choose what an answer is written in.
pub(crate) const FORMATS: [&str; 3] = ["--format", "--to", "--engine"];

/// The verbs that the help lists.
pub(crate) fn verbs() -> Vec<String> {
    let help = stdout_of(hashtrail().arg("--help"));
    let (_, rest) = help.split_once("\nCommands:\n").expect("the help lists commands");
    let lines = rest.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = lines.filter_map(|line| line.split(' ').next()).filter(|name| !["", "help"].contains(name));
    names.map(str::to_owned).collect()
}

/// The values that an option of a verb can have; none where it has no such option.
pub(crate) fn values(verb: &str, option: &str) -> Vec<String> {
    let said = output_of(hashtrail().args([verb, option, "?"])).stderr;
    let said = String::from_utf8_lossy(&said);
    let listed = said.split_once("[possible values: ").and_then(|(_, rest)| rest.split_once(']'));
    listed.map_or_else(Vec::new, |(names, _)| names.split(", ").map(str::to_owned).collect())
}
