//! Completions for shells and pages for `man`, from the definition of a command line. Both programs compile this file: neither
//! imports the other, and `schema/` knows no command line.

use anyhow::{Context, Result};
use clap::Command;
use clap::builder::Resettable;
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::fs::{create_dir_all, write};
use std::io;
use std::iter::once;
use std::path::{Path, PathBuf};

/// Writes `completions/`, and `man/` with a page for the program and one for each of its commands.
///
/// # Errors
/// Names the directory or file that could not be written.
pub(crate) fn generate(mut program: Command, directory: &Path) -> Result<()> {
    let completions = folder(directory, "completions")?;
    let name = program.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let path = completions.join(shell.file_name(&name));
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut program.clone(), &name, &mut script);
        // clap_complete 4.6 writes the `-` in the name of a program for bash in two ways, and then finds no command's options.
        let script =
            String::from_utf8_lossy(&script).replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
        write(&path, script).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let pages = folder(directory, "man")?;
    program = program.disable_help_subcommand(true);
    program.build();
    let source = format!("{name} {}", program.get_version().unwrap_or_default());
    for command in once(&program).chain(program.get_subcommands()) {
        let without_notes = command.clone().after_help(Resettable::Reset);
        // An empty date would vanish from the title, and the source would stand in its place.
        let page = Man::new(without_notes).date(" ").source(&source);
        let path = pages.join(page.get_filename());
        let text = text(&page, command).with_context(|| format!("cannot render `{}`", path.display()))?;
        write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

fn folder(directory: &Path, name: &str) -> Result<PathBuf> {
    let folder = directory.join(name);
    create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    Ok(folder)
}

fn text(page: &Man, command: &Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render(&mut text)?;
    if let Some(notes) = command.get_after_help() {
        section(&notes.to_string()).to_writer(&mut text)?;
    }
    Ok(text)
}

/// What stands below the help. Left to itself, `man` would break and stretch the lines of examples like prose.
fn section(notes: &str) -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["NOTES"]);
    for paragraph in notes.split("\n\n") {
        let has_examples = paragraph.contains("\n  ");
        section.control("PP", []);
        if has_examples {
            section.control("nf", []);
        }
        for line in paragraph.lines() {
            section.text([roman(line)]);
        }
        if has_examples {
            section.control("fi", []);
        }
    }
    section
}

/// The arguments of each example that the help of a command shows, up to where its output goes.
///
/// # Panics
/// When a command shows none.
#[cfg(test)]
pub(crate) fn examples(program: &Command) -> Vec<Vec<String>> {
    let mut examples = Vec::new();
    for command in program.get_subcommands().chain([program]) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let prompt = format!("  {} ", program.get_name());
        let before = examples.len();
        examples.extend(help.lines().filter(|line| line.starts_with(&prompt)).map(arguments));
        let is_program = command.get_name() == program.get_name();
        assert!(examples.len() > before || is_program, "`{}` shows no example", command.get_name());
    }
    examples
}

#[cfg(test)]
fn arguments(line: &str) -> Vec<String> {
    let line = line.split([';', '>', '|']).next().unwrap_or(line);
    // What stands between two quotes is one argument; the rest is split at spaces.
    let mut arguments = vec![String::new()];
    for (number, part) in line.trim().split('\'').enumerate() {
        for (place, text) in part.split(if number % 2 == 0 { ' ' } else { '\0' }).enumerate() {
            if place > 0 {
                arguments.push(String::new());
            }
            if let Some(last) = arguments.last_mut() {
                last.push_str(text);
            }
        }
    }
    // A digest that is shown cut stands for a whole one.
    arguments.iter_mut().filter(|text| text.ends_with('…')).for_each(|text| *text = "0".repeat(64));
    arguments
}
