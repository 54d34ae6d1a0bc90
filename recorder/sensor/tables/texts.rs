//! Sets of texts: whole ones, beginnings, ends and substrings. One filter is one set, and one set is one bit.

use crate::policy::model::{MAX_TEXT_FILTERS, PathFilter, PathOperator};
use crate::record::wire;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, StartKind};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;

/// States of the machine that finds substrings: their numbers have 16 bits.
const STATES: usize = 1 << 16;

/// What a text, or a part of texts, is a member of.
pub(crate) type SetBits = [u64; 4];

/// All sets of texts.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// Whole texts.
    pub(crate) whole: HashMap<Vec<u8>, SetBits>,
    /// Beginnings.
    pub(crate) prefixes: HashMap<Vec<u8>, SetBits>,
    /// Ends.
    pub(crate) postfixes: HashMap<Vec<u8>, SetBits>,
    substrings: HashMap<Vec<u8>, SetBits>,
    folded: HashMap<Vec<u8>, SetBits>,
    sets: usize,
}

/// The machines that find substrings; state 0 is none.
pub(crate) struct SubstringStates {
    /// All states.
    pub(crate) states: Vec<wire::substring_state>,
    /// Where a pass begins; 0: there is no pass.
    pub(crate) exact: u32,
    /// The same where ASCII letters have no case.
    pub(crate) folded: u32,
}

impl Texts {
    /// Adds a set; returns its number.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn add(&mut self, filter: &PathFilter) -> Result<u32> {
        let set = self.sets;
        if set == MAX_TEXT_FILTERS {
            bail!("more than {MAX_TEXT_FILTERS} filters on texts over all policies");
        }
        self.sets += 1;
        let members = match filter.operator {
            PathOperator::Equal => &mut self.whole,
            PathOperator::Prefix => &mut self.prefixes,
            PathOperator::Postfix => &mut self.postfixes,
            PathOperator::SubString => &mut self.substrings,
            PathOperator::SubStringIgnoringCase => &mut self.folded,
        };
        for value in &filter.values {
            members.entry(value.clone()).or_default()[set / 64] |= 1 << (set % 64);
        }
        u32::try_from(set).context("a set number fits")
    }

    /// The machines for all substrings.
    ///
    /// # Errors
    /// When the substrings need too many states.
    pub(crate) fn substring_states(&self) -> Result<SubstringStates> {
        let mut states = vec![wire::substring_state::default()];
        let exact = add_machine(&mut states, &self.substrings, false)?;
        let folded = add_machine(&mut states, &self.folded, true)?;
        Ok(SubstringStates { states, exact, folded })
    }
}

/// Adds the states of one machine; returns the first, or 0 where there is nothing to find.
fn add_machine(
    states: &mut Vec<wire::substring_state>,
    substrings: &HashMap<Vec<u8>, SetBits>,
    fold: bool,
) -> Result<u32> {
    if substrings.is_empty() {
        return Ok(0);
    }
    let (patterns, sets): (Vec<&Vec<u8>>, Vec<&SetBits>) = substrings.iter().unzip();
    let machine = DFA::builder().start_kind(StartKind::Unanchored).ascii_case_insensitive(fold).build(patterns)?;
    let first = states.len();
    let start = machine.start_state(Anchored::No)?;
    let mut numbers = HashMap::from([(start, first)]);
    let mut order = vec![start];
    let mut position = 0;
    while let Some(state) = order.get(position).copied() {
        position += 1;
        let mut row = wire::substring_state::default();
        for byte in 0..=u8::MAX {
            let next = machine.next_state(Anchored::No, state, byte);
            let number = *numbers.entry(next).or_insert_with(|| {
                order.push(next);
                first + order.len() - 1
            });
            row.next[usize::from(byte)] = u16::try_from(number)
                .with_context(|| format!("the substrings need more than {STATES} states; use fewer or shorter ones"))?;
        }
        let matches = if machine.is_match(state) { machine.match_len(state) } else { 0 };
        for pattern in (0..matches).map(|index| machine.match_pattern(state, index)) {
            for (word, more) in row.found.word.iter_mut().zip(sets[pattern.as_usize()]) {
                *word |= more;
            }
        }
        states.push(row);
    }
    Ok(u32::try_from(first)?)
}
