//! What the kernel's BTF says of its LSM hooks.

use crate::btf::{Kernel, Kind};
use crate::record::programs;
use crate::record::wire;
use crate::sensor::tables::{OtherHook, Tables};
use anyhow::{Context, Result, bail};

/// What the argument is that names the file of a hook.
///
/// # Errors
/// When the kernel has no such hook.
fn other_kind(kernel: &Kernel, hook: &OtherHook) -> Result<wire::other_kind> {
    if !kernel.has_hook(&hook.name) {
        bail!("this kernel has no such LSM hook for BPF programs; look for `bpf_lsm_…` in its BTF");
    }
    let index = hook.file.as_ref().map_or(0, |file| file.index);
    let Some(Kind::Pointer(name)) = kernel.argument(&hook.name, index).map(|argument| argument.kind) else {
        return Ok(wire::other_kind::OTHER_PLAIN);
    };
    Ok(match (name.as_str(), hook.file.is_some()) {
        ("file", _) => wire::other_kind::OTHER_FILE,
        ("linux_binprm", _) => wire::other_kind::OTHER_BINPRM,
        // Rows have these only where a policy lists them.
        ("path", true) => wire::other_kind::OTHER_PATH,
        ("dentry", true) => wire::other_kind::OTHER_DENTRY,
        _ => wire::other_kind::OTHER_PLAIN,
    })
}

/// Looks up what the hooks without a program of their own give to theirs.
///
/// # Errors
/// When the kernel lacks one, a filter is about a file that it does not give, or it returns nothing where a policy
/// denies: with the place in the policy.
pub(crate) fn resolve_others(tables: &mut Tables) -> Result<()> {
    // Reading the kernel's BTF takes its time.
    if tables.others.is_empty() {
        return Ok(());
    }
    let kernel = Kernel::read()?;
    for hook in &mut tables.others {
        hook.kind = other_kind(&kernel, hook).with_context(|| hook.place.clone())?;
        if let (wire::other_kind::OTHER_PLAIN, Some(filter)) = (hook.kind, &hook.needs_file) {
            bail!("{filter}: no argument that is a file on this kernel is listed; remove the filter on it");
        }
        if let Some(denies) = hook.denies.as_ref().filter(|_| !kernel.can_deny(&hook.name)) {
            bail!("{denies}: `Override` is not possible: the kernel does not heed what it returns; remove it");
        }
    }
    Ok(())
}

/// Those of our hooks that the kernel's BTF has.
pub(crate) fn kernel_hooks() -> Vec<&'static str> {
    let Ok(kernel) = Kernel::read() else { return Vec::new() };
    programs::ALL.into_iter().map(|(_, name)| name).filter(|name| kernel.has_hook(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_that_return_nothing_cannot_deny() {
        // Where the tests run there may be no BTF, or none of these.
        let is_known = |kernel: Kernel| kernel.has_hook("task_free") && kernel.has_hook("sb_mount");
        if !Kernel::read().is_ok_and(is_known) {
            return;
        }
        for (name, denies, is_refused) in
            [("task_free", true, true), ("task_free", false, false), ("sb_mount", true, false)]
        {
            let place = format!("p.yaml:7: hook `{name}`");
            let denies = denies.then(|| place.clone());
            let kind = wire::other_kind::OTHER_PLAIN;
            let mut tables = Tables::default();
            tables.others.push(OtherHook { name: name.into(), place, kind, file: None, needs_file: None, denies });
            let refused = resolve_others(&mut tables).map_err(|error| error.to_string()).err();
            let text = "p.yaml:7: hook `task_free`: `Override` is not possible";
            assert_eq!(refused.is_some_and(|error| error.starts_with(text)), is_refused, "{name}");
        }
    }
}
