//! Lists with a pattern of STIX a line.

use super::intake::Intake;
use super::lines::each_line;
use super::pattern::Pattern;
use anyhow::Result;
use std::io::BufRead;

/// Longer lines are no patterns.
const MAX_LINE_BYTES: usize = 1 << 20;

/// A pattern begins with a bracket and the path of an object, which no JSON does.
pub(super) fn fits(head: &str) -> bool {
    let first = head.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    let inner = first.trim_start_matches(['(', '[', ' ']);
    let object = inner.find(|letter: char| !letter.is_ascii_lowercase() && !letter.is_ascii_digit() && letter != '-');
    let is_path = object.is_some_and(|end| end > 0 && inner[end..].starts_with(':'));
    first.starts_with(['[', '(']) && is_path
}

pub(super) fn read(_head: &str, text: &mut dyn BufRead, intake: &mut Intake<'_>) -> Result<()> {
    each_line(text, MAX_LINE_BYTES, |number, line| match line.map(str::trim) {
        Some(line) if line.is_empty() || line.starts_with('#') => Ok(()),
        Some(line) => {
            if let Some(fault) = take(number, line, "", intake)? {
                intake.fault(number, &fault);
            }
            Ok(())
        }
        None => {
            intake.fault(number, "the line is too long for a pattern");
            Ok(())
        }
    })
}

/// Takes what a pattern asks for; gives what of it cannot be used.
pub(super) fn take(line: u64, text: &str, label: &str, intake: &mut Intake<'_>) -> Result<Option<String>> {
    let pattern = Pattern::parse(text);
    for file in &pattern.files {
        intake.take(line, file, label)?;
    }
    pattern.left_out.iter().for_each(|kind| intake.leave_out(line, kind));
    Ok(pattern.fault_text())
}
