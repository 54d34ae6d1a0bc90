//! The command line.

use crate::archives::Scope;
use crate::commands::{
    Context, changes, diff, events, export, gaps, history, import, info, lookup, rare, report, schema, timeline, tree,
    verify, who,
};
use crate::manual;
use crate::output::OutputOptions;
use crate::output::problems::Problems;
use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
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
    Info,
    /// When the recorder was blind, what was lost and what its policies suppressed
    Gaps,
    /// Whether an archive is as it was sealed
    Verify(verify::VerifyOptions),
    /// Every column of every table: type and meaning
    Schema,
    /// Write completions for bash, fish and zsh, and pages for man
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
            Command::Schema => schema::run(context),
            Command::Generate { directory } => manual::generate(Self::command(), directory).map(|()| true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shared_options_stand_before_or_after_the_command() {
        for line in ["hashtrail --archive a --limit 3 info", "hashtrail info --archive a --limit 3"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!((cli.scope.archive.len(), cli.output.limit), (1, Some(3)));
        }
    }
}
