//! The tables of the policies into the maps of the programs.

use super::Sensor;
use crate::record::wire::{self, Wire};
use crate::sensor::tables::{SetBits, Tables, Texts};
use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags};
use std::collections::{BTreeSet, HashMap};

/// `SIEVE_SHIFT` of bpf/tables.h.
const SIEVE_SHIFT: u32 = 49;

impl Sensor {
    pub(super) fn fill_tables(&mut self, tables: &Tables) -> Result<()> {
        let maps = &self.skeleton.maps;
        fill_array(&maps.steps, &tables.steps)?;
        fill_array(&maps.selectors, &tables.selectors)?;
        fill_array(&maps.ranges, &tables.ranges)?;
        fill_array(&maps.value_table, &tables.values)?;
        fill_array(&maps.networks, &tables.networks)?;
        let families: Vec<wire::family> = tables.families.iter().map(|family| family.wire).collect();
        fill_array(&maps.families, &families)?;
        for (hook, policy) in &tables.hooks {
            maps.hook_policies.update(&hook.to_ne_bytes(), wire::bytes_of(policy), MapFlags::ANY)?;
        }
        for digest in &tables.digests {
            let mut key = wire::digest_key { set: digest.set, algorithm: digest.algorithm, ..Default::default() };
            key.digest.get_mut(..digest.digest.len()).context("a digest is too long")?.copy_from_slice(&digest.digest);
            maps.digest_sets.update(wire::bytes_of(&key), &1_u32.to_ne_bytes(), MapFlags::ANY)?;
        }
        self.fill_texts(&tables.texts)
    }

    fn fill_texts(&self, texts: &Texts) -> Result<()> {
        let maps = &self.skeleton.maps;
        for (path, sets) in &texts.whole {
            let map: &dyn MapCore =
                if path.len() > maps.short_paths.key_size() as usize { &maps.long_paths } else { &maps.short_paths };
            let mut key = path.clone();
            key.resize(map.key_size() as usize, 0);
            map.update(&key, wire::bytes_of(&wire::path_sets { word: *sets }), MapFlags::ANY)?;
        }
        let machines = texts.substring_states()?;
        fill_array(&maps.substring_states, &machines.states)?;
        let mut index = wire::text_index {
            exact_state: machines.exact,
            folded_state: machines.folded,
            ..wire::text_index::default()
        };
        add_to_sieve(&mut index, wire::affix_kind::AFFIX_WHOLE, texts.whole.keys());
        add_to_sieve(&mut index, wire::affix_kind::AFFIX_PREFIX, texts.prefixes.keys());
        add_to_sieve(&mut index, wire::affix_kind::AFFIX_POSTFIX, texts.postfixes.keys());
        index.prefixes = self.fill_affixes(wire::affix_kind::AFFIX_PREFIX, &texts.prefixes, &mut index.prefix)?;
        index.postfixes = self.fill_affixes(wire::affix_kind::AFFIX_POSTFIX, &texts.postfixes, &mut index.postfix)?;
        fill_array(&maps.text_indexes, &[index])
    }

    /// Fills in prefixes or postfixes; returns how many lengths occur.
    fn fill_affixes(
        &self,
        kind: wire::affix_kind,
        affixes: &HashMap<Vec<u8>, SetBits>,
        lengths: &mut [u16],
    ) -> Result<u32> {
        for (affix, sets) in affixes {
            let mut key = wire::affix_key { kind: kind.0, length: u32::try_from(affix.len())?, ..Default::default() };
            key.bytes.get_mut(..affix.len()).context("a prefix or postfix is too long")?.copy_from_slice(affix);
            let value = wire::path_sets { word: *sets };
            self.skeleton.maps.affixes.update(wire::bytes_of(&key), wire::bytes_of(&value), MapFlags::ANY)?;
        }
        let distinct: BTreeSet<usize> = affixes.keys().map(Vec::len).collect();
        for (place, length) in lengths.iter_mut().zip(&distinct) {
            *place = u16::try_from(*length)?;
        }
        Ok(u32::try_from(distinct.len())?)
    }
}

fn add_to_sieve<'a>(index: &mut wire::text_index, kind: wire::affix_kind, texts: impl Iterator<Item = &'a Vec<u8>>) {
    for text in texts {
        let mut first = [0; 8];
        first.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte);
        let mixed = u64::from_le_bytes(first) ^ text.len() as u64 ^ u64::from(kind.0) << 32;
        let bit = (mixed.wrapping_mul(wire::SIEVE_FACTOR) >> SIEVE_SHIFT) as usize;
        index.sieve[bit / 64] |= 1 << (bit % 64);
    }
}

fn fill_array<T: Wire>(map: &dyn MapCore, values: &[T]) -> Result<()> {
    for (number, value) in (0_u32..).zip(values) {
        map.update(&number.to_ne_bytes(), wire::bytes_of(value), MapFlags::ANY)
            .with_context(|| format!("row {number} of a table of {}", values.len()))?;
    }
    Ok(())
}
