//! Hooks without a program of their own, in the order in which policies name them.

use super::Tables;
use crate::btf::Start;
use crate::policy::model::{Filter, HookEntry, NamedFile, Number, Text};
use crate::record::programs;
use crate::record::wire;
use anyhow::{Result, bail};
use std::sync::Arc;

/// A hook without a program of its own.
#[derive(Debug, Clone)]
pub(crate) struct OtherHook {
    /// Its name.
    pub(crate) name: String,
    /// Where a policy names it first.
    pub(crate) place: String,
    /// What its first argument is, once the kernel was asked; or the argument that a policy lists as a file.
    pub(crate) kind: wire::other_kind,
    /// That argument.
    pub(crate) file: Option<Arc<NamedFile>>,
    /// Where a filter rests on its first argument being a file or a program.
    pub(crate) needs_file: Option<String>,
    /// Where a selector denies.
    pub(crate) denies: Option<String>,
}

impl Tables {
    /// The number of an entry's hook.
    ///
    /// # Errors
    /// When two entries of a hook list two arguments as its file.
    pub(super) fn number_of(&mut self, entry: &HookEntry, place: impl Fn() -> String) -> Result<u32> {
        if let Some(number) = programs::number_of(entry.hook.name()) {
            return Ok(number);
        }
        let known = self.others.iter().position(|other| other.name == entry.hook.name());
        let number = known.unwrap_or_else(|| {
            self.others.push(OtherHook {
                name: entry.hook.name().to_owned(),
                place: place(),
                kind: wire::other_kind::OTHER_PLAIN,
                file: None,
                needs_file: None,
                denies: None,
            });
            self.others.len() - 1
        });
        if let Some(file) = &entry.file {
            self.name_file(number, file)?;
        }
        if entry.selectors.iter().flat_map(|selector| &selector.filters).any(is_about_file) {
            self.others[number].needs_file.get_or_insert_with(&place);
        }
        if entry.selectors.iter().any(|selector| selector.action.error.is_some()) {
            self.others[number].denies.get_or_insert_with(&place);
        }
        Ok(wire::hook::HOOK_OTHER_0.0.saturating_add(u32::try_from(number)?))
    }

    /// A hook's rows have one file.
    fn name_file(&mut self, number: usize, file: &Arc<NamedFile>) -> Result<()> {
        let other = &mut self.others[number];
        let first = other.file.get_or_insert_with(|| Arc::clone(file));
        if first.index != file.index {
            bail!(
                "{}: argument {} of `{}` is listed as its file, and argument {} in {}: its rows have one; list the same",
                file.place,
                file.index,
                other.name,
                first.index,
                first.place
            );
        }
        Ok(())
    }
}

fn is_about_file(filter: &Filter) -> bool {
    matches!(filter, Filter::Text { text: Text::Path, .. } | Filter::Number { number: Number::FileType, .. })
}

/// Whether values are asked for that begin at an argument of the hook.
pub(super) fn asks_for_arguments(entry: &HookEntry) -> bool {
    entry.values.iter().any(|value| matches!(value.start, Start::Argument(_)))
}
