//! The forms of lists: what a file is says its beginning, not its name.

use super::list::List;
use super::recorded::{LISTS_MAX, Recorded};
use super::{bloom, database, plain};
use crate::output::problems::Problems;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Read;
use std::path::Path;

/// Asks the list for all that was recorded, as the list of this number.
///
/// # Errors
/// When it cannot be read.
pub(super) fn ask(path: &Path, number: usize, recorded: &mut Recorded, problems: &Problems) -> Result<List> {
    if number >= LISTS_MAX {
        bail!("--known-good takes {LISTS_MAX} lists at most");
    }
    let (name, bit) = (path.display().to_string(), 1 << number);
    let list = match Form::of(path).with_context(|| format!("cannot read `{name}`"))? {
        Form::Plain => plain::ask(path, bit, recorded, problems),
        Form::Database => database::ask(path, bit, recorded),
        Form::Filter => bloom::ask(path, bit, recorded),
    };
    Ok(List { name: name.clone(), bit, ..list.with_context(|| format!("cannot use `{name}` as --known-good"))? })
}

/// What a list is, by its beginning.
enum Form {
    Plain,
    Database,
    Filter,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        // What a pipe gives can be read once.
        if path.as_os_str() == "-" || !fs::metadata(path)?.is_file() {
            return Ok(Self::Plain);
        }
        let mut head = Vec::new();
        bloom::opened(path)?.take(bloom::HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok(match &head[..] {
            head if head.starts_with(hashtrail::sqlite::MAGIC) => Self::Database,
            head if bloom::Head::parse(head).is_some() => Self::Filter,
            _ => Self::Plain,
        })
    }
}
