//! Iterators over what ran before the recording. They are loaded by themselves: where the kernel refuses them, all else
//! still records.

use super::object::{configure, explained, open_with};
use super::{SensorOptions, counters_of};
use crate::record::wire::{self, RecorderSkel};
use crate::sensor::tables::Tables;
use anyhow::{Context, Result};
use libbpf_rs::skel::{OpenSkel, Skel};
use libbpf_rs::{Iter, MapCore, MapFlags};
use std::io::{ErrorKind, Read};

/// Each thread group leader, with its executable.
pub(crate) const RUNNING_PROCESSES: &str = "running_processes";
/// Each descriptor of a regular file that is open for writing, and each mapping that can write one.
pub(crate) const WRITERS: [&str; 2] = ["open_descriptors", "shared_mappings"];

/// The loaded iterators.
pub(crate) struct Iterators(RecorderSkel<'static>);

impl Iterators {
    /// Loads them.
    ///
    /// # Errors
    /// With the kernel's own words.
    pub(crate) fn load() -> Result<Self> {
        let programs = WRITERS.into_iter().chain([RUNNING_PROCESSES]).collect();
        let mut open = open_with(&programs)?;
        configure(&mut open, &Tables::default(), SensorOptions::without_policies(4096))?;
        Ok(Self(open.load().map_err(|error| explained(&error))?))
    }

    /// Gives each record of one of them.
    ///
    /// # Errors
    /// When it cannot be attached or read.
    pub(crate) fn each(&mut self, name: &str, mut consume: impl FnMut(&[u8])) -> Result<()> {
        let mut bytes = Vec::new();
        each_chunk(&mut self.0, name, |chunk| {
            bytes.extend_from_slice(chunk);
            let mut begin = 0;
            while let Some(record) = first_record(&bytes[begin..]) {
                consume(record);
                begin += record.len();
            }
            bytes.drain(..begin);
        })
    }

    /// What they came upon and could not look at.
    ///
    /// # Errors
    /// When the counters cannot be read.
    pub(crate) fn unseen(&self) -> Result<u64> {
        Ok(counters_of(&self.0)?.iter().map(|cpu| cpu.counts.no_scratch).sum())
    }

    /// Whether they came upon somebody who can write a disk past its filesystem.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub(crate) fn has_raw_writer(&self) -> Result<bool> {
        let key = wire::raw_writers_key::RAW_WRITERS_SEEN.0.to_ne_bytes();
        let seen = self.0.maps.raw_writers.lookup(&key, MapFlags::ANY)?;
        Ok(seen.is_none_or(|seen| seen.iter().any(|byte| *byte != 0)))
    }
}

/// Runs an iterator, and gives what it writes.
///
/// # Errors
/// When it cannot be attached or read.
pub(super) fn each_chunk(
    skeleton: &mut RecorderSkel<'static>,
    name: &str,
    mut consume: impl FnMut(&[u8]),
) -> Result<()> {
    let mut programs = skeleton.object_mut().progs_mut();
    let program = programs.find(|program| program.name() == name).context("a program is missing")?;
    let link = program.attach().with_context(|| format!("cannot attach `{name}`"))?;
    let mut iterator = Iter::new(&link).with_context(|| format!("cannot begin `{name}`"))?;
    let mut chunk = vec![0; 1 << 16];
    loop {
        match iterator.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => consume(&chunk[..read]),
            // The kernel gives up the CPU after many objects without a record.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read `{name}`")),
        }
    }
}

/// The record at the start, once it is whole.
fn first_record(bytes: &[u8]) -> Option<&[u8]> {
    let head: wire::event = wire::read(bytes)?;
    let length = (head.record_bytes as usize).max(size_of::<wire::event>());
    bytes.get(..length)
}
