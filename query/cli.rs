//! The command line.

use crate::archives::Scope;
use crate::commands::{
    Context, changes, diff, events, export, gaps, history, import, info, lookup, rare, report, schema, sql, timeline,
    tree, verify, who,
};
use crate::manual;
use crate::output::OutputOptions;
use crate::output::problems::Problems;
use anyhow::Result;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Error, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;

/// Answers from hashtrail archives: when a file's digest changed, where a digest was seen, who did what.
#[derive(Debug, Parser)]
#[command(name = "hashtrail", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) scope: Scope,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail changes --archive /mnt/evidence/web1
  hashtrail changes '/usr/bin/*' --archive '/mnt/evidence/*' --since '2 days ago' --format json
  hashtrail history /usr/bin/sudo --archive web1
  hashtrail lookup --ioc known-bad.txt --archive web1 --archive db1
  hashtrail diff /mnt/evidence/web1 /mnt/evidence/web2
  hashtrail rare --at-most 2 --archive '/mnt/evidence/*'
  hashtrail verify --archive web1 --key case.pub --head 3b1f…
  hashtrail who /usr/bin/sudo --archive web1
  hashtrail tree 4711 --archive web1
  hashtrail events --hook bprm_committed_creds --uid 33 --archive web1 --format csv
  hashtrail timeline --to timesketch --archive web1 > case.jsonl
  hashtrail report --out report.html --archive web1 --key case.pub
  hashtrail import audit.log --host web1 --archive web1-audit

Data goes to stdout, everything else to stderr.
Exit code: 0 something was found, 1 nothing was found, 2 an error occurred.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Each change of a file's digest, and the interval in which it happened
    Changes(changes::ChangesOptions),
    /// Every version of one file, or every place of one digest
    History(history::HistoryOptions),
    /// Where known digests were seen
    Lookup(lookup::LookupOptions),
    /// What one host or capture has that the other has not
    Diff(diff::DiffOptions),
    /// Digests that ran or were loaded on few hosts
    Rare(rare::RareOptions),
    /// Recorded events, filtered
    Events(events::EventsOptions),
    /// Events, changes and gaps in the order of time, also for other tools
    Timeline(timeline::TimelineOptions),
    /// Who can have made each change of a file, and where they came from
    Who(who::WhoOptions),
    /// Processes below their parents, and the programs that each ran
    Tree(tree::TreeOptions),
    /// One page with all of it, to be read offline and on paper
    Report(report::ReportOptions),
    /// Logs of other programs as an archive that all other commands read
    Import(import::ImportOptions),
    /// An archive without some of what another one holds, to be passed on
    Export(export::ExportOptions),
    /// What was recorded, when, and what was lost
    #[command(after_help = "Example:\n  hashtrail info --archive '/mnt/evidence/*'")]
    Info,
    /// When the recorder was blind, what was lost and what its policies suppressed
    #[command(after_help = "Example:\n  hashtrail gaps --archive web1 --since yesterday")]
    Gaps,
    /// Whether an archive is as it was sealed
    Verify(verify::VerifyOptions),
    /// The change analysis in SQL for DuckDB, Spark or Polars
    Sql(sql::SqlOptions),
    /// Every column of every table, the dataset as a whole, or what a command answers in JSON: types and meanings
    Schema(schema::SchemaOptions),
    /// Write completions for bash, fish and zsh, and pages for man
    #[command(after_help = "Example:\n  hashtrail generate /tmp/hashtrail")]
    Generate {
        /// Where `completions/` and `man/` are made
        directory: PathBuf,
    },
}

impl Cli {
    /// Runs the command; says whether it found something.
    ///
    /// # Errors
    /// Those of the command.
    pub(crate) fn run(&self, problems: &Problems, writer: &mut dyn Write) -> Result<bool> {
        self.scope.check()?;
        let context = Context { scope: &self.scope, output: &self.output, problems, writer };
        match &self.command {
            Command::Changes(options) => changes::run(options, context),
            Command::History(options) => history::run(options, context),
            Command::Lookup(options) => lookup::run(options, context),
            Command::Diff(options) => diff::run(options, context),
            Command::Rare(options) => rare::run(options, context),
            Command::Events(options) => events::run(options, context),
            Command::Timeline(options) => timeline::run(options, context),
            Command::Who(options) => who::run(options, context),
            Command::Tree(options) => tree::run(options, context),
            Command::Report(options) => report::run(options, context),
            Command::Import(options) => import::run(options, context),
            Command::Export(options) => export::run(options, context),
            Command::Info => info::run(context),
            Command::Gaps => gaps::run(context),
            Command::Verify(options) => verify::run(options, context),
            Command::Sql(options) => sql::run(options, context),
            Command::Schema(options) => schema::run(options, context),
            Command::Generate { directory } => manual::generate(Self::command(), directory).map(|()| true),
        }
    }
}

/// Filters that a command has not, and why. A test holds each command against the list of all filters.
const LACKING: [(&[&str], &[&str], &str); 10] = [
    (
        &["changes", "who"],
        &["--action"],
        "what was denied changed nothing, and of other acts the action says nothing; `hashtrail events` has it",
    ),
    (
        &["history", "lookup", "diff", "rare"],
        &["--hook", "--pid", "--process-start", "--uid", "--container", "--action"],
        "a version of a file was observed by many acts of many processes; `hashtrail events --digest` has each of them",
    ),
    (&["diff", "rare"], &["--digest"], "it compares all contents; `hashtrail lookup` has the places of a digest"),
    (&["tree"], &["--hook", "--action"], "a process stands with all that it ran; `hashtrail events` has single acts"),
    (&["tree"], &["--package"], "what a process ran is known by its digest and its path: ask by --path or --digest"),
    (
        &["report"],
        &["--hook", "--digest", "--pid", "--process-start", "--uid", "--container", "--package", "--action"],
        "a page is about paths, hosts and times, with --verdict; `hashtrail changes` has the other filters",
    ),
    (
        &["import"],
        &["--hook", "--path", "--digest", "--pid", "--process-start", "--uid", "--container", "--package", "--action"],
        "a log is imported whole, and narrowed by those who ask the archive",
    ),
    (
        &["export"],
        &["--hook", "--digest", "--pid", "--process-start", "--uid", "--container", "--package", "--action"],
        "whole recordings are passed on, without what --paths, --arguments and --users name",
    ),
    (
        &["sql"],
        &["--hook", "--path", "--digest", "--pid", "--process-start", "--uid", "--container", "--package", "--action"],
        "it prints views over all that there is: what is wanted of them is said in SQL",
    ),
    (
        &["info", "gaps", "verify", "schema", "generate"],
        &["--hook", "--path", "--digest", "--pid", "--process-start", "--uid", "--container", "--package", "--action"],
        "it tells of whole recordings or archives: what they lack, they lack of every file and process",
    ),
];

/// Why a command has no such filter.
pub(crate) fn why_lacking(command: &str, option: &str) -> Option<&'static str> {
    let of =
        |(commands, options, _): &&(&[&str], &[&str], &str)| commands.contains(&command) && options.contains(&option);
    LACKING.iter().find(of).map(|(_, _, why)| *why)
}

/// The same of an error about the words of a command line.
pub(crate) fn why_refused(error: &Error, words: &[String]) -> Option<&'static str> {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return None };
    let option = option.split('=').next().unwrap_or_default();
    words.iter().find_map(|word| why_lacking(word, option))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What can be asked for beside times and hosts, which all commands share.
    const FILTERS: [&str; 9] =
        ["hook", "path", "digest", "pid", "process-start", "uid", "container", "package", "action"];

    #[test]
    fn each_command_has_each_filter_or_says_why_not() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let has: BTreeSet<&str> = command.get_arguments().map(|argument| argument.get_id().as_str()).collect();
            for filter in FILTERS {
                let id = filter.replace('-', "_");
                // What stands without an option has the name of several.
                let is_there = has.contains(id.as_str()) || has.contains(format!("{id}s").as_str());
                let why = why_lacking(name, &format!("--{filter}"));
                assert_eq!(is_there, why.is_none(), "{name} --{filter}: {why:?}");
            }
        }
    }

    #[test]
    fn a_filter_that_a_command_has_not_is_refused_with_a_reason() {
        for line in ["hashtrail verify --pid 3", "hashtrail --archive a verify --pid=3"] {
            let error = Cli::try_parse_from(line.split(' ')).expect_err(line);
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert!(why_refused(&error, &words).is_some_and(|why| why.contains("whole recordings")), "{line}");
        }
        let error = Cli::try_parse_from(["hashtrail", "verify", "--nothing"]).expect_err("no option");
        assert_eq!(why_refused(&error, &["verify".into()]), None);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_command_shows_examples_that_it_takes() {
        for example in manual::examples(&Cli::command()) {
            Cli::try_parse_from(&example).unwrap_or_else(|error| panic!("{example:?}: {error}"));
        }
    }

    #[test]
    fn shared_options_stand_before_or_after_the_command() {
        for line in ["hashtrail --archive a --limit 3 info", "hashtrail info --archive a --limit 3"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!((cli.scope.archive.len(), cli.output.limit), (1, Some(3)));
        }
    }
}
