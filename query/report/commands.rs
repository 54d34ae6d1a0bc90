//! The commands that show again what the page says. They are to be run where the report was made: paths stand as they were given.

use super::ReportQuestion;
use super::command_line::CommandLine;
use super::html::Html;
use crate::investigate::who::Case;

/// Commands about one question.
#[derive(Clone, Copy)]
pub(super) struct Commands<'a> {
    question: &'a ReportQuestion<'a>,
    is_json: bool,
}

impl<'a> Commands<'a> {
    pub(super) fn of(question: &'a ReportQuestion<'a>) -> Self {
        Self { question, is_json: false }
    }

    /// The same that print JSON.
    pub(super) fn in_json(self) -> Self {
        Self { is_json: true, ..self }
    }

    fn verb(&self, verb: &str) -> CommandLine {
        let line = CommandLine::new(verb);
        if self.is_json { line.option("--format", "json") } else { line }
    }

    fn about(&self, verb: &str) -> CommandLine {
        self.verb(verb).scope(self.question.scope)
    }

    pub(super) fn info(&self) -> CommandLine {
        self.about("info")
    }

    pub(super) fn gaps(&self) -> CommandLine {
        self.about("gaps")
    }

    /// All changes that were asked for.
    pub(super) fn changes(&self) -> CommandLine {
        self.changes_with(self.question.verdicts)
    }

    /// Those with one of these verdicts.
    pub(super) fn changes_with(&self, verdicts: &[String]) -> CommandLine {
        let line = verdicts.iter().fold(self.about("changes"), |line, word| line.option("--verdict", word));
        line.paths(self.question.paths)
    }

    pub(super) fn who(&self, case: &Case) -> Option<CommandLine> {
        let path = case.change.key.path.clone()?;
        Some(self.about("who").paths(&[path]))
    }

    pub(super) fn history(&self, path: &str) -> CommandLine {
        self.about("history").paths(&[path.to_owned()])
    }

    pub(super) fn tree(&self, digests: &[String]) -> CommandLine {
        digests.iter().fold(self.about("tree"), |line, digest| line.option("--digest", digest))
    }

    pub(super) fn rare(&self) -> CommandLine {
        self.about("rare").option("--at-most", "1").paths(self.question.paths)
    }

    pub(super) fn lookup(&self) -> CommandLine {
        let files = self.question.known_bad.iter().flat_map(|known_bad| known_bad.files);
        self.about("lookup").files("--ioc", files.map(AsRef::as_ref))
    }

    pub(super) fn verify(&self) -> CommandLine {
        let archives = self.question.scope.archive.iter().map(AsRef::as_ref);
        self.anchored(self.verb("verify").files("--archive", archives))
    }

    /// This report.
    pub(super) fn report(&self) -> CommandLine {
        let ReportQuestion { known_bad, verified, verdicts, paths, most, .. } = self.question;
        let line = self.about("report");
        let line = if verified.is_some() { self.anchored(line) } else { line.flag("--without-verify") };
        let files = known_bad.iter().flat_map(|known_bad| known_bad.files);
        let line = line.files("--ioc", files.map(AsRef::as_ref));
        let line = verdicts.iter().fold(line, |line, word| line.option("--verdict", word));
        let line = most.iter().fold(line, |line, most| line.option("--limit", most.to_string()));
        line.option("--out", "report.html").paths(paths)
    }

    fn anchored(&self, line: CommandLine) -> CommandLine {
        let Some(verified) = &self.question.verified else { return line };
        let line = verified.key.iter().fold(line, |line, key| line.option("--key", key));
        let line = verified.anchors.head.iter().fold(line, |line, head| line.option("--head", head));
        line.files("--ima-log", verified.lists.iter().map(AsRef::as_ref))
    }
}

/// Writes a command line below what it shows.
pub(super) fn show(what: &str, line: &CommandLine, html: &mut Html) {
    html.tag("p", &[("class", "command")], |html| {
        html.line("span", &[("class", "soft")], &format!("{what} "));
        html.line("code", &[], line.text());
    });
}
