//! Filters as the steps that the kernel tries in order.

use super::{SetBits, Tables, byte, values};
use crate::host;
use crate::policy::model::{Comparison, Filter, MAX_FAMILIES, Namespace, NamespaceValue, Number, Text, Value};
use crate::record::decode;
use crate::record::wire;
use anyhow::{Context, Result, bail};

/// Hooks whose programs note what runs: where an exec begins, and where it has succeeded.
const FOLLOWING: [wire::hook; 3] =
    [wire::hook::HOOK_BPRM_CREDS_FOR_EXEC, wire::hook::HOOK_BPRM_CHECK_SECURITY, wire::hook::HOOK_BPRM_COMMITTED_CREDS];

/// One family of processes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Family {
    /// As the kernel reads it.
    pub(crate) wire: wire::family,
}

/// A member of a set of digests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DigestKey {
    /// Number of the set.
    pub(crate) set: u32,
    /// The kernel's number of the algorithm.
    pub(crate) algorithm: i32,
    /// The digest.
    pub(crate) digest: Vec<u8>,
}

impl Tables {
    /// Adds the steps of one selector: at least one.
    pub(super) fn add_steps(&mut self, selector: u32, filters: &[Filter]) -> Result<()> {
        let mut steps = Vec::new();
        for filter in filters {
            steps.push(wire::step { selector, ..self.step(filter)? });
        }
        if steps.is_empty() {
            let kind = byte(wire::filter_kind::FILTER_ALWAYS.0);
            steps.push(wire::step { selector, kind, ..wire::step::default() });
        }
        // What costs least is tried first; a digest last.
        steps.sort_by_key(|step| u32::from(step.kind) == wire::filter_kind::FILTER_DIGEST.0);
        let last = steps.len() - 1;
        steps[0].flags |= byte(wire::step_flag::STEP_FIRST.0);
        steps[last].flags |= byte(wire::step_flag::STEP_LAST.0);
        self.steps.append(&mut steps);
        Ok(())
    }

    fn step(&mut self, filter: &Filter) -> Result<wire::step> {
        let step = |kind: wire::filter_kind, negated: bool| wire::step {
            kind: byte(kind.0),
            negated: u8::from(negated),
            ..wire::step::default()
        };
        Ok(match filter {
            Filter::Text { text, paths } => {
                let first = self.texts.add(paths)?;
                wire::step { operand: text_number(*text), first, ..step(wire::filter_kind::FILTER_TEXT, paths.negated) }
            }
            Filter::Number { number, negated, ranges } => {
                let (first, count) = self.add_ranges(ranges)?;
                let operand = number_number(*number);
                wire::step { operand, first, count, ..step(wire::filter_kind::FILTER_RANGES, *negated) }
            }
            Filter::Mask { number, negated, mask } => wire::step {
                operand: number_number(*number),
                mask: *mask,
                ..step(wire::filter_kind::FILTER_MASK, *negated)
            },
            Filter::Namespace { kind, negated, values } => {
                let ranges = values.iter().map(|value| namespace(*kind, *value)).collect::<Result<Vec<_>>>()?;
                let (first, count) = self.add_ranges(&ranges)?;
                let operand = namespace_number(*kind);
                wire::step { operand, first, count, ..step(wire::filter_kind::FILTER_RANGES, *negated) }
            }
            Filter::Family { pids, is_namespace_pid, negated } => {
                let first = self.add_family(pids, *is_namespace_pid)?;
                wire::step { first, ..step(wire::filter_kind::FILTER_FOLLOWED_PID, *negated) }
            }
            Filter::Value { value, negated, comparison } => self.value_step(value, *negated, comparison)?,
            Filter::Digest { algorithm, negated, digests } => {
                let first = self.add_digests(algorithm, digests)?;
                wire::step { first, ..step(wire::filter_kind::FILTER_DIGEST, *negated) }
            }
        })
    }

    fn value_step(&mut self, value: &Value, negated: bool, comparison: &Comparison) -> Result<wire::step> {
        let step = wire::step {
            operand: self.hook_values.place_of(value)?,
            negated: u8::from(negated),
            ..wire::step::default()
        };
        Ok(match comparison {
            Comparison::Ranges(ranges) => {
                let (first, count) = self.add_ranges(ranges)?;
                wire::step { kind: byte(wire::filter_kind::FILTER_VALUE_RANGES.0), first, count, ..step }
            }
            Comparison::Mask(mask) => {
                wire::step { kind: byte(wire::filter_kind::FILTER_VALUE_MASK.0), mask: *mask, ..step }
            }
            Comparison::Text(paths) => {
                let first = self.texts.add(paths)?;
                wire::step { kind: byte(wire::filter_kind::FILTER_VALUE_TEXT.0), first, ..step }
            }
            Comparison::Networks(networks) => {
                let place = (u32::try_from(self.networks.len())?, u32::try_from(networks.len())?);
                self.networks.extend(values::networks(networks));
                let kind = byte(wire::filter_kind::FILTER_VALUE_NETWORKS.0);
                wire::step { kind, first: place.0, count: place.1, ..step }
            }
        })
    }

    /// Adds ranges in order and merged, as the kernel's search needs them. Ranges that end before they begin hold nothing.
    fn add_ranges(&mut self, ranges: &[(u64, u64)]) -> Result<(u32, u32)> {
        let mut sorted: Vec<(u64, u64)> = ranges.iter().copied().filter(|(first, last)| first <= last).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (first, last) in sorted {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        let place = (u32::try_from(self.ranges.len())?, u32::try_from(merged.len())?);
        self.ranges.extend(merged.into_iter().map(|(first, last)| wire::range { first, last }));
        Ok(place)
    }

    fn add_family(&mut self, pids: &[u32], is_namespace_pid: bool) -> Result<u32> {
        if self.families.len() == MAX_FAMILIES {
            bail!("more than {MAX_FAMILIES} `matchPIDs` with `followForks` over all policies");
        }
        let mut wire = wire::family {
            pid_count: u32::try_from(pids.len())?,
            is_namespace_pid: is_namespace_pid.into(),
            ..wire::family::default()
        };
        if pids.len() > wire.pid.len() {
            bail!("more than {} pids in one `matchPIDs`", wire.pid.len());
        }
        for (place, pid) in wire.pid.iter_mut().zip(pids) {
            *place = *pid;
        }
        self.families.push(Family { wire });
        Ok(u32::try_from(self.families.len() - 1)?)
    }

    fn add_digests(&mut self, algorithm: &str, digests: &[Vec<u8>]) -> Result<u32> {
        let set = self.digest_sets;
        self.digest_sets += 1;
        let algorithm = decode::algorithm_number(algorithm)
            .with_context(|| format!("the kernel has no digest algorithm `{algorithm}`"))?;
        self.digests.extend(digests.iter().map(|digest| DigestKey { set, algorithm, digest: digest.clone() }));
        Ok(set)
    }
}

/// The bits one of which each call must have that any selector can match, where every selector asks for bits of the
/// number that the hook's program looks at first; else 0.
pub(super) fn gate(hook: u32, steps: &[wire::step]) -> u64 {
    let number = match wire::hook(hook) {
        wire::hook::HOOK_FILE_OPEN | wire::hook::HOOK_FILE_POST_OPEN => wire::number::NUMBER_OPEN_MODE,
        wire::hook::HOOK_INODE_SETATTR => wire::number::NUMBER_ATTRIBUTES,
        wire::hook::HOOK_MMAP_FILE | wire::hook::HOOK_FILE_MPROTECT => wire::number::NUMBER_ARGUMENT_2,
        _ => return 0,
    };
    let asks = |step: &&wire::step| {
        let is_mask = u32::from(step.kind) == wire::filter_kind::FILTER_MASK.0 && step.negated == 0;
        is_mask && u32::from(step.operand) == number.0
    };
    let of_selector = |steps: &[wire::step]| steps.iter().find(asks).map(|step| step.mask);
    let masks: Option<Vec<u64>> = steps.split_inclusive(is_last).map(of_selector).collect();
    masks.map_or(0, |masks| masks.into_iter().fold(0, |all, mask| all | mask))
}

/// The sets one of which the calling binary, or an ancestor's, must be in, where every selector asks for one; else none.
/// Hooks of an exec have none: their programs follow processes too, whatever the policies ask for.
pub(super) fn binaries(hook: u32, steps: &[wire::step]) -> SetBits {
    if FOLLOWING.contains(&wire::hook(hook)) {
        return SetBits::default();
    }
    let asks = |step: &&wire::step| {
        let text = wire::text(u32::from(step.operand));
        let is_text = u32::from(step.kind) == wire::filter_kind::FILTER_TEXT.0 && step.negated == 0;
        is_text && (text == wire::text::TEXT_BINARY || text == wire::text::TEXT_FOLLOWED)
    };
    let of_selector = |steps: &[wire::step]| steps.iter().find(asks).map(|step| step.first as usize);
    let sets: Option<Vec<usize>> = steps.split_inclusive(is_last).map(of_selector).collect();
    let mut bits = SetBits::default();
    sets.unwrap_or_default().into_iter().for_each(|set| bits[set / 64] |= 1 << (set % 64));
    bits
}

/// Whether a call whose rows are all merged tells of the next one like it (`bpf/repeat.bpf.h`): nothing of the hook may
/// ask for what can differ between the two, or for a time of its own. As bits of `repeat_flag`; 0: it does not tell.
pub(super) fn repeats(hook: u32, steps: &[wire::step], selectors: &[wire::selector]) -> u64 {
    let flags = selectors.iter().fold(0, |flags, selector| flags | u32::from(selector.flags));
    let has = |flag: wire::selector_flag| flags & flag.0 != 0;
    let is_opened = wire::hook(hook) == wire::hook::HOOK_FILE_POST_OPEN;
    if !is_opened || !has(wire::selector_flag::SELECTOR_DEDUPE) || has(wire::selector_flag::SELECTOR_LIMITED) {
        return 0;
    }
    if !steps.iter().all(is_of_call) {
        return 0;
    }
    let mut repeats = wire::repeat_flag::REPEAT_TELLS.0;
    if has(wire::selector_flag::SELECTOR_DEDUPE_PROCESS) {
        repeats |= wire::repeat_flag::REPEAT_BY_PROCESS.0;
    }
    u64::from(repeats)
}

/// How the file is opened, and of which type it is.
fn is_of_call(step: &wire::step) -> bool {
    match wire::filter_kind(u32::from(step.kind)) {
        wire::filter_kind::FILTER_ALWAYS => true,
        wire::filter_kind::FILTER_RANGES | wire::filter_kind::FILTER_MASK => matches!(
            wire::number(u32::from(step.operand)),
            wire::number::NUMBER_ARGUMENT_1 | wire::number::NUMBER_OPEN_MODE | wire::number::NUMBER_FILE_TYPE
        ),
        _ => false,
    }
}

fn is_last(step: &wire::step) -> bool {
    step.flags & byte(wire::step_flag::STEP_LAST.0) != 0
}

/// What steps look at, beside the arguments that each program gives: the numbers, and the texts as bits.
pub(super) fn needed(steps: &[wire::step], texts: &mut u32) -> Vec<u8> {
    let mut numbers = Vec::new();
    for step in steps {
        let kind = wire::filter_kind(u32::from(step.kind));
        let is_number = kind == wire::filter_kind::FILTER_RANGES || kind == wire::filter_kind::FILTER_MASK;
        if kind == wire::filter_kind::FILTER_TEXT {
            *texts |= 1 << step.operand;
        } else if is_number && u32::from(step.operand) > wire::number::NUMBER_FILE_TYPE.0 {
            numbers.push(step.operand);
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn text_number(text: Text) -> u8 {
    byte(match text {
        Text::Path => wire::text::TEXT_PATH.0,
        // It stands where others have their second path.
        Text::Target | Text::AttributeName => wire::text::TEXT_TARGET.0,
        Text::Binary => wire::text::TEXT_BINARY.0,
        Text::Followed => wire::text::TEXT_FOLLOWED.0,
        Text::ParentBinary => wire::text::TEXT_PARENT_BINARY.0,
        Text::ParentFollowed => wire::text::TEXT_PARENT_FOLLOWED.0,
        Text::Comm => wire::text::TEXT_COMM.0,
        Text::ParentComm => wire::text::TEXT_PARENT_COMM.0,
        Text::GrandparentComm => wire::text::TEXT_GRANDPARENT_COMM.0,
    })
}

fn number_number(number: Number) -> u8 {
    byte(match number {
        Number::Argument(index) => wire::number::NUMBER_ARGUMENT_0.0 + u32::from(index),
        Number::OpenMode => wire::number::NUMBER_OPEN_MODE.0,
        Number::Attributes => wire::number::NUMBER_ATTRIBUTES.0,
        Number::FileType => wire::number::NUMBER_FILE_TYPE.0,
        Number::Uid => wire::number::NUMBER_UID.0,
        Number::Euid => wire::number::NUMBER_EUID.0,
        Number::Auid => wire::number::NUMBER_AUID.0,
        Number::Pid => wire::number::NUMBER_PID.0,
        Number::NamespacePid => wire::number::NUMBER_NAMESPACE_PID.0,
        Number::Effective => wire::number::NUMBER_CAP_EFFECTIVE.0,
        Number::Inheritable => wire::number::NUMBER_CAP_INHERITABLE.0,
        Number::Permitted => wire::number::NUMBER_CAP_PERMITTED.0,
    })
}

fn namespace_number(kind: Namespace) -> u8 {
    byte(match kind {
        Namespace::Uts => wire::number::NUMBER_UTS_NS.0,
        Namespace::Ipc => wire::number::NUMBER_IPC_NS.0,
        Namespace::Mnt => wire::number::NUMBER_MNT_NS.0,
        Namespace::Pid => wire::number::NUMBER_PID_NS.0,
        Namespace::PidForChildren => wire::number::NUMBER_PID_FOR_CHILDREN_NS.0,
        Namespace::Net => wire::number::NUMBER_NET_NS.0,
        Namespace::Time => wire::number::NUMBER_TIME_NS.0,
        Namespace::TimeForChildren => wire::number::NUMBER_TIME_FOR_CHILDREN_NS.0,
        Namespace::Cgroup => wire::number::NUMBER_CGROUP_NS.0,
        Namespace::User => wire::number::NUMBER_USER_NS.0,
    })
}

/// The name of a kind of namespace below `/proc/<pid>/ns`.
fn proc_name(kind: Namespace) -> &'static str {
    match kind {
        Namespace::Uts => "uts",
        Namespace::Ipc => "ipc",
        Namespace::Mnt => "mnt",
        Namespace::Pid => "pid",
        Namespace::PidForChildren => "pid_for_children",
        Namespace::Net => "net",
        Namespace::Time => "time",
        Namespace::TimeForChildren => "time_for_children",
        Namespace::Cgroup => "cgroup",
        Namespace::User => "user",
    }
}

fn namespace(kind: Namespace, value: NamespaceValue) -> Result<(u64, u64)> {
    let inode = match value {
        NamespaceValue::Inode(inode) => inode,
        NamespaceValue::Host => host::host_namespace(proc_name(kind))?,
    };
    Ok((inode, inode))
}
