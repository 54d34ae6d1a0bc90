//! The stages of the analysis, as the templates have them.

use super::dialect::Dialect;
use super::words::Words;
use anyhow::{Context, Result};

/// In their order.
const TEMPLATES: [&str; 5] = [
    include_str!("recordings.sql"),
    include_str!("series.sql"),
    include_str!("versions.sql"),
    include_str!("changes.sql"),
    include_str!("suspects.sql"),
];

/// A round joins trees that share a namespace, a directory or a file with one of the round before.
const ROUND: &str = include_str!("round.sql");

/// How many there are: each takes three steps on a way from tree to tree, and one mostly takes two.
const ROUNDS: usize = 5;

/// A stage: a query whose rows stand under a name.
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) query: String,
    pub(super) comments: Vec<String>,
}

/// All of them, in the words of an engine.
pub(super) fn stages(dialect: &dyn Dialect) -> Result<Vec<Stage>> {
    let words = Words::of(&[include_str!("shared.words"), dialect.words()])?;
    let round = |number: usize| {
        let round = ROUND.replace("{this}", &format!("trees_{}", number + 1));
        round.replace("{before}", &format!("trees_{number}"))
    };
    let rounds: String = (0..ROUNDS).map(round).collect();
    let text = TEMPLATES.concat().replace("@rounds()\n", &rounds).replace("@last_trees()", &format!("trees_{ROUNDS}"));
    let stages = text.split(";\n").filter(|stage| !stage.trim().is_empty());
    stages.map(|stage| Stage::of(stage, &words)).collect()
}

impl Stage {
    fn of(text: &str, words: &Words) -> Result<Self> {
        let lines = || text.lines().filter(|line| !line.is_empty());
        let comments = lines().filter_map(|line| Some(line.strip_prefix("-- ")?.to_owned())).collect();
        let query: Vec<&str> = lines().filter(|line| !line.starts_with("--")).collect();
        let (first, query) = query.split_first().context("a stage without a query")?;
        let name = first.strip_prefix("@keep(").and_then(|rest| rest.strip_suffix(')'));
        let name = name.with_context(|| format!("a stage without a name: {first}"))?;
        Ok(Self { name: name.to_owned(), query: words.expand(&query.join("\n"))?, comments })
    }
}
