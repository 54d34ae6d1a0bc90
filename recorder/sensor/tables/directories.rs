//! Which first names of paths a hook's filters can match: a call of a file elsewhere is refused before its path is built.

use crate::policy::model::{Filter, HookEntry, PathFilter, PathOperator, Selector, Text};
use crate::record::wire::{self, directories};

/// The hooks whose programs ask.
const ASKING: [wire::hook; 3] =
    [wire::hook::HOOK_FILE_OPEN, wire::hook::HOOK_FILE_POST_OPEN, wire::hook::HOOK_FILE_LOCK];

/// One of these bits must be a path's, where every selector asks for beginnings of paths; else none is asked for.
pub(super) fn asked_for<'a>(hook: u32, entries: impl Iterator<Item = &'a HookEntry>) -> directories {
    if !ASKING.contains(&wire::hook(hook)) {
        return directories::default();
    }
    let of_entry = |entry: &HookEntry| match entry.selectors.as_slice() {
        [] => None,
        selectors => selectors.iter().map(of_selector).try_fold(directories::default(), either),
    };
    entries.map(of_entry).try_fold(directories::default(), either).unwrap_or_default()
}

fn either(one: directories, other: Option<directories>) -> Option<directories> {
    other.map(|other| directories {
        first: one.first | other.first,
        looked_into: one.looked_into | other.looked_into,
        second: one.second | other.second,
    })
}

fn of_selector(selector: &Selector) -> Option<directories> {
    selector.filters.iter().find_map(|filter| match filter {
        Filter::Text { text: Text::Path, paths } => of_paths(paths),
        _ => None,
    })
}

fn of_paths(paths: &PathFilter) -> Option<directories> {
    if paths.negated {
        return None;
    }
    paths.values.iter().map(|value| of_value(paths.operator, value)).try_fold(directories::default(), either)
}

/// `None` where the value leaves the first name open.
fn of_value(operator: PathOperator, value: &[u8]) -> Option<directories> {
    let mut names: Vec<&[u8]> = value.strip_prefix(b"/")?.split(|byte| *byte == b'/').collect();
    match operator {
        PathOperator::Equal => {}
        // The last name may go on.
        PathOperator::Prefix => names.truncate(names.len() - 1),
        PathOperator::Postfix | PathOperator::SubString | PathOperator::SubStringIgnoringCase => return None,
    }
    let first = hash(0, names.first()?);
    Some(match names.get(1) {
        None => directories { first: bit(first), ..directories::default() },
        Some(second) => directories { looked_into: bit(first), second: bit(hash(first, second)), first: 0 },
    })
}

/// As `mix_name` in `bpf/directory.bpf.h`.
fn hash(before: u64, name: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    (before ^ u64::from_le_bytes(word).wrapping_add(name.len() as u64)).wrapping_mul(wire::SIEVE_FACTOR)
}

fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}
