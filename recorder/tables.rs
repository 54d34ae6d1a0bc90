//! Policies as the tables that the kernel's evaluator reads (`bpf/policy.bpf.h`).

use crate::policy::model::{Filter, Hook, HookEntry, IntegerOperator, PathFilter, PathOperator, Policy};
use crate::segment::EntryName;
use crate::wire;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, HashMap};

/// Sets of paths that all filters together can have: one bit each.
const PATH_SETS: usize = 4 * 64;
/// Hook entries that one hook can have over all policies.
const ENTRIES_PER_HOOK: usize = 16;
/// Filters that one selector can have.
const FILTERS_PER_SELECTOR: usize = 16;

/// What a path, or an affix of paths, is a member of.
pub(crate) type SetBits = [u64; 4];

/// The tables of all loaded policies.
#[derive(Default)]
pub(crate) struct Tables {
    /// Selectors, those of one hook together.
    pub(crate) selectors: Vec<wire::selector>,
    /// Where the selectors of each hook stand; hooks without entries are missing.
    pub(crate) hooks: BTreeMap<u32, wire::hook_policy>,
    /// Whole paths.
    pub(crate) paths: HashMap<Vec<u8>, SetBits>,
    /// Beginnings of paths.
    pub(crate) prefixes: HashMap<Vec<u8>, SetBits>,
    /// Ends of paths.
    pub(crate) postfixes: HashMap<Vec<u8>, SetBits>,
    /// What the numbers in records stand for.
    pub(crate) entries: Vec<EntryName>,
    path_sets: usize,
}

/// The number of a hook's program, as `bpf/event.h` has it.
pub(crate) fn hook_number(hook: Hook) -> u32 {
    match hook {
        Hook::BprmCheckSecurity => wire::hook::HOOK_BPRM_CHECK_SECURITY.0,
        Hook::BprmCommittedCreds => wire::hook::HOOK_BPRM_COMMITTED_CREDS.0,
        Hook::MmapFile => wire::hook::HOOK_MMAP_FILE.0,
        Hook::FileOpen => wire::hook::HOOK_FILE_OPEN.0,
        Hook::FilePostOpen => wire::hook::HOOK_FILE_POST_OPEN.0,
        Hook::KernelReadFile => wire::hook::HOOK_KERNEL_READ_FILE.0,
    }
}

impl Tables {
    /// Puts the policies into tables for a kernel that has `file_post_open` or not.
    ///
    /// # Errors
    /// When they ask for more than the tables hold, or for a hook that this kernel lacks.
    pub(crate) fn new(policies: &[Policy], has_post_open: bool) -> Result<Self> {
        let mut tables = Self::default();
        let mut by_hook: BTreeMap<u32, Vec<(usize, &HookEntry)>> = BTreeMap::new();
        for policy in policies {
            for entry in &policy.hooks {
                let place = || format!("{}:{}: hook `{}`", policy.source, entry.line, entry.hook.name());
                if entry.hook == Hook::FilePostOpen && !has_post_open {
                    bail!("{}: this kernel does not have it (6.8 and later do); use `file_open`", place());
                }
                by_hook
                    .entry(hook_number(serving_hook(entry, has_post_open)))
                    .or_default()
                    .push((tables.entries.len(), entry));
                tables.entries.push(entry_name(&policy.name, entry));
            }
        }
        for (hook, entries) in by_hook {
            if entries.len() > ENTRIES_PER_HOOK {
                bail!("{} entries for one hook, {ENTRIES_PER_HOOK} are possible", entries.len());
            }
            let first_selector = u32::try_from(tables.selectors.len())?;
            for (entry_of_hook, (entry, hook_entry)) in entries.into_iter().enumerate() {
                tables.add_entry(entry_of_hook, entry, hook_entry)?;
            }
            let selector_count = u32::try_from(tables.selectors.len())? - first_selector;
            tables.hooks.insert(hook, wire::hook_policy { first_selector, selector_count });
        }
        Ok(tables)
    }

    /// The sets that a path belongs to; the kernel's `find_path_sets` does the same.
    pub(crate) fn sets_of(&self, path: &[u8]) -> SetBits {
        let mut bits = self.paths.get(path).copied().unwrap_or_default();
        let affixes = self.prefixes.iter().filter(|(prefix, _)| path.starts_with(prefix));
        for (_, more) in affixes.chain(self.postfixes.iter().filter(|(postfix, _)| path.ends_with(postfix))) {
            merge(&mut bits, *more);
        }
        bits
    }

    fn add_entry(&mut self, entry_of_hook: usize, entry: usize, hook_entry: &HookEntry) -> Result<()> {
        let base = wire::selector {
            entry_of_hook: u16::try_from(entry_of_hook)?,
            entry: u16::try_from(entry)?,
            ..wire::selector::default()
        };
        if hook_entry.selectors.is_empty() {
            self.selectors.push(wire::selector { flags: flag(wire::selector_flag::SELECTOR_POST.0), ..base });
        }
        for (number, selector) in hook_entry.selectors.iter().enumerate() {
            let mut row = wire::selector { selector: u16::try_from(number)?, ..base };
            if selector.action.post {
                row.flags |= flag(wire::selector_flag::SELECTOR_POST.0);
            }
            if selector.action.ima_hash {
                row.flags |= flag(wire::selector_flag::SELECTOR_DIGEST.0);
            }
            if selector.filters.len() > FILTERS_PER_SELECTOR {
                bail!(
                    "line {}: {} filters, {FILTERS_PER_SELECTOR} are possible",
                    selector.line,
                    selector.filters.len()
                );
            }
            row.filter_count = u8::try_from(selector.filters.len())?;
            for (place, filter) in row.filter.iter_mut().zip(&selector.filters) {
                *place = self.filter(filter)?;
            }
            self.selectors.push(row);
        }
        Ok(())
    }

    fn filter(&mut self, filter: &Filter) -> Result<wire::filter> {
        let mut row = wire::filter::default();
        let kind = match filter {
            Filter::Binary(paths) | Filter::Path(paths) => {
                row.negated = u8::from(paths.negated);
                row.path_set = self.add_path_set(paths)?;
                if matches!(filter, Filter::Path(_)) {
                    wire::filter_kind::FILTER_PATH
                } else {
                    wire::filter_kind::FILTER_BINARY
                }
            }
            Filter::Integer { argument, operator, values } => {
                row.argument = *argument;
                row.negated = u8::from(*operator == IntegerOperator::NotEqual);
                row.value_count = u8::try_from(values.len())?;
                for (place, value) in row.value.iter_mut().zip(values) {
                    *place = *value;
                }
                if *operator == IntegerOperator::Mask {
                    wire::filter_kind::FILTER_INTEGER_MASK
                } else {
                    wire::filter_kind::FILTER_INTEGER_EQUAL
                }
            }
            Filter::OpenMode { modes } => {
                row.value[0] = u64::from(*modes);
                wire::filter_kind::FILTER_OPEN_MODE
            }
        };
        row.kind = flag(kind.0);
        Ok(row)
    }

    fn add_path_set(&mut self, filter: &PathFilter) -> Result<u32> {
        let set = self.path_sets;
        if set == PATH_SETS {
            bail!("more than {PATH_SETS} filters on paths over all policies");
        }
        self.path_sets += 1;
        let members = match filter.operator {
            PathOperator::Equal => &mut self.paths,
            PathOperator::Prefix => &mut self.prefixes,
            PathOperator::Postfix => &mut self.postfixes,
        };
        for value in &filter.values {
            members.entry(value.clone()).or_default()[set / 64] |= 1 << (set % 64);
        }
        u32::try_from(set).context("a set number fits")
    }
}

/// Whether it matters that the kernel has `file_post_open`.
pub(crate) fn asks_for_post_open(policies: &[Policy]) -> bool {
    let mut entries = policies.iter().flat_map(|policy| &policy.hooks);
    entries.any(|entry| serving_hook(entry, true) == Hook::FilePostOpen)
}

/// The hook whose program serves an entry: a digest cannot be taken in `file_open`, but in `file_post_open`.
fn serving_hook(entry: &HookEntry, has_post_open: bool) -> Hook {
    let wants_digest = entry.selectors.iter().any(|selector| selector.action.ima_hash);
    if entry.hook == Hook::FileOpen && wants_digest && has_post_open { Hook::FilePostOpen } else { entry.hook }
}

fn entry_name(policy: &str, entry: &HookEntry) -> EntryName {
    let label = |(number, label): (usize, Option<&String>)| label.cloned().unwrap_or_else(|| number.to_string());
    EntryName {
        policy: policy.to_owned(),
        hook: entry.hook.name().to_owned(),
        message: entry.message.clone(),
        tags: entry.tags.clone(),
        selectors: entry.selectors.iter().map(|selector| selector.label.as_ref()).enumerate().map(label).collect(),
    }
}

fn merge(bits: &mut SetBits, more: SetBits) {
    for (word, more) in bits.iter_mut().zip(more) {
        *word |= more;
    }
}

/// Flags and kinds are enumerations in C and one byte on the wire.
fn flag(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    #[test]
    fn the_default_policy_fits() -> Result<()> {
        let policies = policy::load(&[])?;
        let tables = Tables::new(&policies, true)?;
        assert_eq!(tables.entries.len(), 5);
        assert!(tables.hooks.contains_key(&wire::hook::HOOK_FILE_OPEN.0));
        Ok(())
    }

    #[test]
    fn sets_of_a_path() -> Result<()> {
        let mut tables = Tables::default();
        let filter = |operator, values: &[&str]| PathFilter {
            operator,
            negated: false,
            values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
        };
        tables.add_path_set(&filter(PathOperator::Equal, &["/bin/sh"]))?;
        tables.add_path_set(&filter(PathOperator::Prefix, &["/bin/", "/sbin/"]))?;
        tables.add_path_set(&filter(PathOperator::Postfix, &["sh"]))?;
        assert_eq!(tables.sets_of(b"/bin/sh"), [0b111, 0, 0, 0]);
        assert_eq!(tables.sets_of(b"/sbin/init"), [0b010, 0, 0, 0]);
        assert_eq!(tables.sets_of(b"/opt/x"), [0; 4]);
        Ok(())
    }
}
