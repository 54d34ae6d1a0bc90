//! The arguments of an exec: a long one stands in pieces, and they can stand over several records.

use super::super::record;
use super::fields::{Fields, text_of};
use hashtrail::event::Event;
use std::collections::HashMap;

/// Sets them as far as the records EXECVE of one exec tell them whole.
pub(super) fn set_arguments<'a>(row: &mut Event, execves: impl Iterator<Item = &'a Fields> + Clone) {
    let count = execves.clone().find_map(|execve| execve.small("argc")).filter(|count| *count >= 0);
    let Some(count) = count else { return };
    let values: HashMap<&str, (&[u8], bool)> = execves.flat_map(Fields::iter).collect();
    let arguments: Vec<Vec<u8>> = (0..count).map_while(|number| argument(&values, number)).collect();
    row.argc = Some(count);
    row.argv_truncated = Some(i32::try_from(arguments.len()).ok() != Some(count));
    record::set_arguments(row, &arguments);
}

fn argument(values: &HashMap<&str, (&[u8], bool)>, number: i32) -> Option<Vec<u8>> {
    let value = |name: String| values.get(name.as_str()).copied();
    if let Some((value, is_text)) = value(format!("a{number}")) {
        return text_of(value, is_text);
    }
    let pieces: Vec<(&[u8], bool)> = (0..).map_while(|piece| value(format!("a{number}[{piece}]"))).collect();
    let (stated, _) = value(format!("a{number}_len"))?;
    // It counts what stands there: digits, where the pieces are hex.
    let found: usize = pieces.iter().map(|(value, _)| value.len()).sum();
    let is_whole = !pieces.is_empty() && stated == found.to_string().as_bytes();
    is_whole.then(|| pieces.into_iter().filter_map(|(value, is_text)| text_of(value, is_text)).flatten().collect())
}
