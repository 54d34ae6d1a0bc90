//! Processes below their parents, a program a line.

use super::html::Html;
use crate::investigate::tree::Branch;
use crate::processes::life::Program;
use hashtrail::cell::Micros;

/// Levels that are indented; deeper ones say how deep they are.
const INDENTED: u32 = 12;

/// Arguments of one program that are shown.
const ARGUMENTS_MAX: usize = 24;

/// One line of a tree.
pub(super) struct ProcessLine {
    host: String,
    pid: i32,
    depth: u32,
    /// Whether the process was asked for, or stands below one that was.
    is_asked: bool,
    /// Whether it is the first of its process.
    is_first: bool,
    time: Option<Micros>,
    uid: Option<i64>,
    container: Option<String>,
    program: String,
    argv: Option<Vec<String>>,
    digest: Option<String>,
}

impl ProcessLine {
    /// A process: a line for each of so many of its programs, or one that tells why there is none.
    pub(super) fn of(branch: &Branch<'_>, most: usize) -> Vec<Self> {
        let programs = &branch.life.programs;
        let mut lines: Vec<Self> = programs.iter().take(most).map(|program| Self::ran(branch, program)).collect();
        if lines.is_empty() {
            let credentials = branch.life.credentials.as_ref();
            lines.push(Self {
                time: branch.process.seen.map(|seen| seen.first_time),
                uid: credentials.map(|of| of.uid),
                container: credentials.and_then(|of| of.container_id.clone()),
                ..Self::new(branch, branch.without_program())
            });
        }
        let more = programs.len().saturating_sub(most) + branch.life.omitted;
        if more > 0 {
            lines.push(Self::new(branch, format!("{more} more program(s) of this process")));
        }
        for (number, line) in lines.iter_mut().enumerate() {
            line.is_first = number == 0;
            let mark = if line.is_first { branch.mark() } else { "then " };
            line.program.insert_str(0, mark);
        }
        lines
    }

    fn new(branch: &Branch<'_>, program: String) -> Self {
        Self {
            host: branch.boot.host.clone(),
            pid: branch.process.key.pid,
            depth: branch.depth,
            is_asked: branch.is_asked,
            is_first: false,
            time: None,
            uid: None,
            container: None,
            program,
            argv: None,
            digest: None,
        }
    }

    fn ran(branch: &Branch<'_>, program: &Program) -> Self {
        Self {
            time: Some(program.time),
            uid: Some(program.credentials.uid),
            container: program.credentials.container_id.clone(),
            argv: program.argv.clone(),
            digest: program.file().and_then(|file| file.digest.digest.clone()),
            ..Self::new(branch, branch.program(program))
        }
    }
}

/// Writes lines, those of each host below its name where there are several; `top` is the depth that is not indented.
pub(super) fn show(lines: &[ProcessLine], top: u32, html: &mut Html) {
    html.tag("ul", &[("class", "tree")], |html| {
        for (number, line) in lines.iter().enumerate() {
            if number == 0 || lines[number - 1].host != line.host {
                html.tag("li", &[("class", "host")], |html| html.name(&line.host));
            }
            line.show(top, html);
        }
    });
}

impl ProcessLine {
    fn show(&self, top: u32, html: &mut Html) {
        let depth = self.depth.saturating_sub(top);
        let class = format!("d{}{}", depth.min(INDENTED), if self.is_asked { " asked" } else { "" });
        html.tag("li", &[("class", &class)], |html| {
            if depth > INDENTED && self.is_first {
                html.line("span", &[("class", "soft")], &format!("+{} ", depth - INDENTED));
            }
            if self.is_first {
                html.line("b", &[], &format!("pid {} ", self.pid));
            }
            html.name(&self.program);
            if let Some(argv) = &self.argv {
                html.tag("span", &[("class", "argv")], |html| {
                    for argument in argv.iter().take(ARGUMENTS_MAX) {
                        html.text(" ");
                        html.name(argument);
                    }
                    if argv.len() > ARGUMENTS_MAX {
                        html.text(&format!(" and {} more argument(s)", argv.len() - ARGUMENTS_MAX));
                    }
                });
            }
            html.tag("span", &[("class", "soft")], |html| {
                let time = self.time.map(|time| format!(" at {}", time.rfc3339())).unwrap_or_default();
                let uid = self.uid.map(|uid| format!(", uid {uid}")).unwrap_or_default();
                html.text(&format!("{time}{uid}"));
                if let Some(container) = &self.container {
                    html.text(", container ");
                    html.name(container);
                }
                if let Some(digest) = &self.digest {
                    html.text(", ");
                    html.short_digest(digest);
                }
            });
        });
    }
}
