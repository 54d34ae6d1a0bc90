//! A walk through the kernel's structures, `cred.euid.val` or `path[1].dentry`, as the offsets at which to read.

use super::{Kernel, Kind, kind_of};
use anyhow::{Context, Result, bail};
use libbpf_rs::btf::types::{Array, Composite, MemberAttr, Ptr};
use libbpf_rs::btf::{BtfKind, BtfType, ReferencesType};

/// Most names of members and indexes in one walk.
const MAX_STEPS: usize = 10;

/// Structures without a name inside of each other; the kernel has a few.
const MAX_UNNAMED: usize = 16;

/// Where a walk begins.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Start {
    /// At this argument of the hook.
    Argument(u8),
    /// At the calling task.
    CurrentTask,
}

/// Offsets: at each but the last a pointer is read, from which the next one counts.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Walk {
    /// Where pointers are read.
    pub(crate) reads: Vec<u32>,
    /// Of the value.
    pub(crate) last: u32,
    /// The argument is the value itself, and nothing is read.
    pub(crate) is_direct: bool,
}

/// Where a walk ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct End {
    /// What stands there.
    pub(crate) kind: Kind,
    /// For a bit field: its first bit, and how many it has.
    pub(crate) bits: Option<(u8, u8)>,
}

enum Step<'a> {
    Member(&'a str),
    Index(u32),
}

impl Kernel {
    /// What stands at the end of a walk from an argument of a hook. `cast` names the structure that it points to.
    ///
    /// # Errors
    /// Says which step is not possible.
    pub(crate) fn walk_from_argument(
        &self,
        hook: &str,
        index: u8,
        cast: Option<&str>,
        path: &str,
    ) -> Result<(Walk, End)> {
        let argument = self.argument(hook, index).with_context(|| format!("`{hook}` has no argument {index}"))?;
        let of = self.btf.type_by_id::<BtfType<'_>>(argument.id).context("an argument has no type")?;
        // It may take two registers, and then those behind it are not where their place says.
        let is_structure = |argument: super::Argument| matches!(argument.kind, Kind::Structure(_));
        if (0..index).filter_map(|place| self.argument(hook, place)).any(is_structure) {
            bail!("an argument before it is no number and no pointer");
        }
        if path.is_empty() {
            return Ok((Walk { is_direct: true, ..Walk::default() }, End { kind: argument.kind, bits: None }));
        }
        let pointer = Ptr::try_from(of.skip_mods_and_typedefs())
            .map_err(|_| anyhow::anyhow!("argument {index} is `{}`, no pointer to a structure", argument.text))?;
        let start = match cast {
            Some(name) => *self.composite(name)?,
            None => pointer.referenced_type(),
        };
        walk(self, start, path)
    }

    /// The same from the calling task.
    ///
    /// # Errors
    /// Says which step is not possible.
    pub(crate) fn walk_from_task(&self, cast: Option<&str>, path: &str) -> Result<(Walk, End)> {
        walk(self, *self.composite(cast.unwrap_or("task_struct"))?, path)
    }
}

fn walk<'btf>(kernel: &'btf Kernel, start: BtfType<'btf>, path: &str) -> Result<(Walk, End)> {
    let steps = parse(path)?;
    let mut walk = Walk::default();
    let (mut of, mut offset, mut bits) = (start.skip_mods_and_typedefs(), 0_u32, None);
    for step in steps {
        if bits.is_some() {
            bail!("a bit field has no members");
        }
        if let Ok(pointer) = Ptr::try_from(of) {
            walk.reads.push(std::mem::take(&mut offset));
            of = pointer.referenced_type().skip_mods_and_typedefs();
            // An index counts whole ones of what the pointer leads to.
            if let Step::Index(index) = step {
                offset = element(of, index)?;
                continue;
            }
        }
        let (more, next) = match step {
            Step::Member(name) => {
                let (bit, found, width) = member(kernel, of, name, 0)?;
                bits = width.map(|width| (u8::try_from(bit % 8).unwrap_or_default(), width));
                (bit / 8, found)
            }
            Step::Index(index) => {
                let array = Array::try_from(of).map_err(|_| anyhow::anyhow!("[{index}] stands behind no array"))?;
                // The kernel's open arrays have no length.
                if array.capacity() > 0 && index as usize >= array.capacity() {
                    bail!("[{index}] is beyond the array, which has {}", array.capacity());
                }
                let contained = array.contained_type().skip_mods_and_typedefs();
                (element(contained, index)?, contained)
            }
        };
        offset = offset.checked_add(more).context("it leads too far")?;
        of = next.skip_mods_and_typedefs();
    }
    walk.last = offset;
    Ok((walk, End { kind: kind_of(of), bits }))
}

/// Whether a walk is written as one.
///
/// # Errors
/// Says what is wrong.
pub(crate) fn check_path(path: &str) -> Result<()> {
    parse(path).map(drop)
}

fn parse(path: &str) -> Result<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, indexes) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        let is_identifier = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match (is_identifier, name.is_empty() && !indexes.is_empty()) {
            (true, _) => steps.push(Step::Member(name)),
            (false, true) => {}
            _ => bail!("`{part}` is not a member; write names, with a dot or `[index]` between them"),
        }
        for index in indexes.split_terminator(']') {
            let number = index.strip_prefix('[').and_then(|digits| digits.parse().ok());
            steps.push(Step::Index(number.with_context(|| format!("`{index}]` is not an index, such as `[3]`"))?));
        }
        if !indexes.is_empty() && !indexes.ends_with(']') {
            bail!("an index in `{part}` has no end; write `]`");
        }
    }
    if steps.len() > MAX_STEPS {
        bail!("it has {} steps, and at most {MAX_STEPS} are possible", steps.len());
    }
    Ok(steps)
}

/// The offset of the element of this number.
fn element(of: BtfType<'_>, index: u32) -> Result<u32> {
    let size = match of.kind() {
        BtfKind::Ptr => 8,
        _ => size(of).context("the size of what the array holds is not known")?,
    };
    size.checked_mul(index).context("it leads too far")
}

fn size(of: BtfType<'_>) -> Option<u32> {
    match kind_of(of) {
        Kind::Integer { bytes, .. } => Some(bytes.into()),
        Kind::Text | Kind::Pointer(_) => Some(8),
        _ => {
            use libbpf_rs::btf::HasSize;
            if let Ok(array) = Array::try_from(of) {
                let each = size(array.contained_type().skip_mods_and_typedefs())?;
                return each.checked_mul(u32::try_from(array.capacity()).ok()?);
            }
            u32::try_from(Composite::try_from(of).ok()?.size()).ok()
        }
    }
}

/// Place of a member in bits, its type, and the width of a bit field; looks into structures without a name too.
fn member<'btf>(
    kernel: &'btf Kernel,
    of: BtfType<'btf>,
    name: &str,
    depth: usize,
) -> Result<(u32, BtfType<'btf>, Option<u8>)> {
    let composite = Composite::try_from(of).map_err(|_| anyhow::anyhow!("`{name}` stands behind no structure"))?;
    let known = composite.name().map_or_else(
        || "a structure without a name".to_owned(),
        |known| format!("`struct {}`", known.to_string_lossy()),
    );
    for index in 0..composite.len() {
        let Some(candidate) = composite.get(index) else { break };
        let (at, width) = match candidate.attr {
            MemberAttr::Normal { offset } => (offset, None),
            MemberAttr::BitField { size, offset } => (offset, Some(size)),
        };
        let Some(found) = kernel.btf.type_by_id::<BtfType<'btf>>(candidate.ty) else { continue };
        match candidate.name {
            Some(given) if given == name => return Ok((at, found, width)),
            Some(_) => {}
            None if depth < MAX_UNNAMED => {
                let inner = member(kernel, found.skip_mods_and_typedefs(), name, depth + 1);
                if let Ok((more, found, width)) = inner {
                    return Ok((at.checked_add(more).context("it leads too far")?, found, width));
                }
            }
            None => {}
        }
    }
    bail!("{known} has no member `{name}`")
}

#[cfg(test)]
mod tests;
