//! Policies as the tables that the kernel's evaluator reads (`bpf/policy.bpf.h`).

use crate::policy::model::{
    Action, Filter, Hook, HookEntry, LimitScope, MAX_ENTRIES_OF_HOOK, Number, Policy, Selector,
};
use crate::record::header::EntryName;
use crate::record::wire;
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) mod coverage;
mod directories;
mod others;
mod steps;
mod texts;
mod values;

pub(crate) use others::OtherHook;
pub(crate) use steps::{DigestKey, Family};
pub(crate) use texts::{SetBits, Texts};
use values::HookValues;

/// What the running kernel makes possible.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KernelSupport {
    /// `file_post_open` exists.
    pub(crate) has_post_open: bool,
    /// Programs may sleep at `path_truncate`.
    pub(crate) has_path_truncate: bool,
}

/// The tables of all loaded policies.
#[derive(Default)]
pub(crate) struct Tables {
    /// Filters, those of one hook together.
    pub(crate) steps: Vec<wire::step>,
    /// What selectors ask for.
    pub(crate) selectors: Vec<wire::selector>,
    /// Where the steps of each hook stand; hooks without entries are missing.
    pub(crate) hooks: BTreeMap<u32, wire::hook_policy>,
    /// What each call of a hook must have that any selector can match.
    pub(crate) gates: BTreeMap<u32, wire::gate>,
    /// Ranges of numbers, those of one filter in order.
    pub(crate) ranges: Vec<wire::range>,
    /// Families of processes.
    pub(crate) families: Vec<Family>,
    /// Members of the sets of digests.
    pub(crate) digests: BTreeSet<DigestKey>,
    /// Sets of texts.
    pub(crate) texts: Texts,
    /// What the numbers in records stand for.
    pub(crate) entries: Vec<EntryName>,
    /// Hooks without a program of their own, in the order of their programs.
    pub(crate) others: Vec<OtherHook>,
    /// Whether a selector has a rate limit.
    pub(crate) has_limits: bool,
    /// Whether a selector merges rows.
    pub(crate) has_merges: bool,
    /// How values are read, those of one hook together.
    pub(crate) values: Vec<wire::value>,
    /// Networks, those of one filter together.
    pub(crate) networks: Vec<wire::network>,
    hook_values: HookValues,
    digest_sets: u32,
}

impl Tables {
    /// Puts the policies into tables for this kernel. Records carry the numbers of entries from `first_entry` on.
    ///
    /// # Errors
    /// When they ask for more than the tables hold, or for a hook that this kernel lacks.
    pub(crate) fn new(policies: &[Policy], kernel: KernelSupport, first_entry: usize) -> Result<Self> {
        let mut tables = Self::default();
        let mut by_hook: BTreeMap<u32, Vec<(usize, bool, HookEntry)>> = BTreeMap::new();
        for policy in policies {
            for entry in &policy.hooks {
                let place = || format!("{}:{}: hook `{}`", policy.source, entry.line, entry.hook.name());
                if entry.hook == Hook::FilePostOpen && !kernel.has_post_open {
                    bail!("{}: this kernel does not have it (6.8 and later do); use `file_open`", place());
                }
                let served = served(entry, kernel);
                if entry.hook != served.hook && served.hook == Hook::InodeSetattr && others::asks_for_arguments(entry) {
                    bail!(
                        "{}: this kernel lets no program sleep at it, so its arguments are not known; use `inode_setattr`",
                        place()
                    );
                }
                let number = tables.number_of(&served, place)?;
                let entries = by_hook.entry(number).or_default();
                entries.push((first_entry + tables.entries.len(), policy.monitor, served));
                if entries.len() > MAX_ENTRIES_OF_HOOK {
                    bail!("{}: more than {MAX_ENTRIES_OF_HOOK} entries of all policies for one hook", place());
                }
                tables.entries.push(entry_name(&policy.name, entry));
            }
        }
        for (hook, entries) in by_hook {
            tables.add_hook(hook, &entries)?;
        }
        Ok(tables)
    }

    /// The hooks whose programs serve the policies.
    pub(crate) fn has_hook(&self, hook: wire::hook) -> bool {
        self.hooks.contains_key(&hook.0)
    }

    /// Whether a selector asks for a digest, or decides by one.
    pub(crate) fn asks_for_digests(&self) -> bool {
        let asks = |selector: &wire::selector| u32::from(selector.flags) & wire::selector_flag::SELECTOR_DIGEST.0 != 0;
        self.selectors.iter().any(asks) || !self.digests.is_empty()
    }

    /// Whether calls of a hook can be refused by the binary alone.
    pub(crate) fn asks_for_binaries(&self) -> bool {
        self.gates.values().any(|gate| gate.binaries.word.iter().any(|word| *word != 0))
    }

    fn add_hook(&mut self, hook: u32, entries: &[(usize, bool, HookEntry)]) -> Result<()> {
        self.hook_values = HookValues::default();
        let first_step = u32::try_from(self.steps.len())?;
        let first_selector = self.selectors.len();
        for (entry_of_hook, (entry, monitor, hook_entry)) in entries.iter().enumerate() {
            let base = wire::selector {
                entry_of_hook: u16::try_from(entry_of_hook)?,
                entry: u16::try_from(*entry)?,
                flags: if *monitor { flag(wire::selector_flag::SELECTOR_MONITOR.0) } else { 0 },
                ..wire::selector::default()
            };
            self.add_entry(base, hook_entry)?;
        }
        let steps = &self.steps[first_step as usize..];
        let mut policy =
            wire::hook_policy { first_step, step_count: u32::try_from(steps.len())?, ..wire::hook_policy::default() };
        let binaries = wire::path_sets { word: steps::binaries(hook, steps) };
        let directories = directories::asked_for(hook, entries.iter().map(|(_, _, entry)| entry));
        let has_values = u64::from(!self.hook_values.rows.is_empty());
        let repeats = steps::repeats(hook, steps, &self.selectors[first_selector..]);
        self.gates
            .insert(hook, wire::gate { mask: steps::gate(hook, steps), binaries, directories, has_values, repeats });
        policy.first_value = u32::try_from(self.values.len())?;
        policy.value_count = u32::try_from(self.hook_values.rows.len())?;
        policy.has_value_texts = u32::from(self.hook_values.have_texts());
        self.values.append(&mut self.hook_values.rows);
        policy.has_early_filters = u32::from(entries.iter().all(|(_, _, entry)| entry.can_be_refused_early()));
        let numbers = steps::needed(steps, &mut policy.needed_texts);
        policy.number_count = u32::try_from(numbers.len())?;
        for (place, number) in policy.number.iter_mut().zip(numbers) {
            *place = number;
        }
        self.hooks.insert(hook, policy);
        Ok(())
    }

    fn add_entry(&mut self, base: wire::selector, hook_entry: &HookEntry) -> Result<()> {
        let post = Action { post: true, ..Action::default() };
        let every_call = [Selector { line: hook_entry.line, label: None, filters: Vec::new(), action: post }];
        let selectors = if hook_entry.selectors.is_empty() { &every_call[..] } else { &hook_entry.selectors };
        // A rate limit compares what is listed, also what no filter is about.
        if selectors.iter().any(|selector| selector.action.rate_limit.is_some()) {
            for value in &hook_entry.values {
                self.hook_values.place_of(value)?;
            }
        }
        for (number, selector) in selectors.iter().enumerate() {
            // Two bytes in the memory of a thread.
            let Ok(row) = u16::try_from(self.selectors.len()).map(u32::from) else {
                bail!("more than {} selectors over all policies; load fewer", u16::MAX);
            };
            let mut wanted = wire::selector { selector: u16::try_from(number)?, ..base };
            self.fill_action(&mut wanted, &selector.action);
            self.selectors.push(wanted);
            self.add_steps(row, &selector.filters)?;
        }
        Ok(())
    }

    fn fill_action(&mut self, row: &mut wire::selector, action: &Action) {
        let mut set = |flag_of: wire::selector_flag, is_set: bool| {
            if is_set {
                row.flags |= flag(flag_of.0);
            }
        };
        set(wire::selector_flag::SELECTOR_POST, action.post);
        set(wire::selector_flag::SELECTOR_DIGEST, action.ima_hash);
        set(wire::selector_flag::SELECTOR_HAS_ERROR, action.error.is_some());
        set(wire::selector_flag::SELECTOR_LIMITED, action.rate_limit.is_some());
        set(wire::selector_flag::SELECTOR_DEDUPE, action.dedupe.is_some());
        let by_process = action.dedupe.is_some_and(|dedupe| dedupe.by_process);
        set(wire::selector_flag::SELECTOR_DEDUPE_PROCESS, by_process);
        row.error = action.error.unwrap_or_default();
        row.signal = action.signal.unwrap_or_default();
        if let Some(limit) = action.rate_limit {
            self.has_limits = true;
            row.limit_ns = limit.window_ns;
            row.limit_scope = byte(match limit.scope {
                LimitScope::Thread => wire::limit_scope::LIMIT_THREAD.0,
                LimitScope::Process => wire::limit_scope::LIMIT_PROCESS.0,
                LimitScope::Global => wire::limit_scope::LIMIT_GLOBAL.0,
            });
        }
        if let Some(dedupe) = action.dedupe {
            self.has_merges = true;
            row.dedupe_ns = dedupe.window_ns;
        }
    }
}

/// Whether it matters that the kernel has `file_post_open`.
pub(crate) fn asks_for_post_open(policies: &[Policy]) -> bool {
    let kernel = KernelSupport { has_post_open: true, ..KernelSupport::default() };
    let mut entries = policies.iter().flat_map(|policy| &policy.hooks);
    entries.any(|entry| served(entry, kernel).hook == Hook::FilePostOpen)
}

/// Whether it matters that programs may sleep at `path_truncate`.
pub(crate) fn asks_for_path_truncate(policies: &[Policy]) -> bool {
    policies.iter().flat_map(|policy| &policy.hooks).any(|entry| entry.hook == Hook::PathTruncate)
}

/// The entry with the hook whose program serves it: a digest cannot be taken in `file_open`, but in `file_post_open`;
/// a truncation is also a change of attributes.
fn served(entry: &HookEntry, kernel: KernelSupport) -> HookEntry {
    /// `ATTR_SIZE`
    const SIZE: u64 = 8;
    let mut served = entry.clone();
    let wants_digest = entry.selectors.iter().any(Selector::needs_digest);
    if entry.hook == Hook::FileOpen && wants_digest && kernel.has_post_open {
        served.hook = Hook::FilePostOpen;
    }
    if entry.hook == Hook::PathTruncate && !kernel.has_path_truncate {
        served.hook = Hook::InodeSetattr;
        if served.selectors.is_empty() {
            let action = Action { post: true, ..Action::default() };
            served.selectors.push(Selector { line: entry.line, label: None, filters: Vec::new(), action });
        }
        for selector in &mut served.selectors {
            selector.filters.insert(0, Filter::Mask { number: Number::Attributes, negated: false, mask: SIZE });
        }
    }
    served
}

fn entry_name(policy: &str, entry: &HookEntry) -> EntryName {
    let label = |(number, label): (usize, Option<&String>)| label.cloned().unwrap_or_else(|| number.to_string());
    EntryName {
        policy: policy.to_owned(),
        hook: entry.hook.name().to_owned(),
        message: entry.message.clone(),
        tags: entry.tags.clone(),
        selectors: entry.selectors.iter().map(|selector| selector.label.as_ref()).enumerate().map(label).collect(),
        is_whole: coverage::prefixes_of(entry).iter().any(String::is_empty),
    }
}

/// Flags are enumerations in C and two bytes on the wire.
fn flag(value: u32) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Kinds are enumerations in C and one byte on the wire.
fn byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests;
