//! What the kernel's BTF says of its LSM hooks.

use crate::record::hooks;
use crate::record::wire;
use crate::sensor::tables::Tables;
use anyhow::{Context, Result, bail};
use libbpf_rs::Btf;
use libbpf_rs::btf::types::{Func, FuncProto, Ptr, Struct};
use libbpf_rs::btf::{BtfKind, BtfType, ReferencesType};

/// The running kernel's types.
pub(super) struct Kernel {
    btf: Btf<'static>,
}

impl Kernel {
    /// Reads the kernel's BTF.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn read() -> Result<Self> {
        Ok(Self { btf: Btf::from_vmlinux().context("cannot read the kernel's BTF")? })
    }

    /// Whether the kernel has a hook that BPF programs can be attached to.
    pub(super) fn has_hook(&self, name: &str) -> bool {
        self.prototype(name).is_some()
    }

    /// What the first argument of a hook is.
    ///
    /// # Errors
    /// When the kernel has no such hook.
    pub(super) fn other_kind(&self, hook: &str) -> Result<wire::other_kind> {
        let Some(prototype) = self.prototype(hook) else {
            bail!("this kernel has no such LSM hook for BPF programs; look for `bpf_lsm_…` in its BTF");
        };
        Ok(match self.first_struct(&prototype).as_deref() {
            Some("file") => wire::other_kind::OTHER_FILE,
            Some("linux_binprm") => wire::other_kind::OTHER_BINPRM,
            _ => wire::other_kind::OTHER_PLAIN,
        })
    }

    /// Whether the kernel heeds what a hook returns.
    fn can_deny(&self, hook: &str) -> bool {
        self.prototype(hook).is_some_and(|prototype| prototype.referenced_type().kind() != BtfKind::Void)
    }

    fn prototype(&self, hook: &str) -> Option<FuncProto<'_>> {
        let function = self.btf.type_by_name::<Func<'_>>(&format!("bpf_lsm_{hook}"))?;
        FuncProto::try_from(function.referenced_type()).ok()
    }

    /// Name of the struct that the first argument points to.
    fn first_struct(&self, prototype: &FuncProto<'_>) -> Option<String> {
        let argument = self.btf.type_by_id::<BtfType<'_>>(prototype.get(0)?.ty)?.skip_mods_and_typedefs();
        let pointed = Ptr::try_from(argument).ok()?.referenced_type().skip_mods_and_typedefs();
        Some(Struct::try_from(pointed).ok()?.name()?.to_string_lossy().into_owned())
    }
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
        hook.kind = kernel.other_kind(&hook.name).with_context(|| hook.place.clone())?;
        if let (wire::other_kind::OTHER_PLAIN, Some(filter)) = (hook.kind, &hook.needs_file) {
            bail!("{filter}: its first argument is no file on this kernel; remove the filter on it");
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
    hooks::PROGRAMS.into_iter().map(|(_, name)| name).filter(|name| kernel.has_hook(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::tables::OtherHook;

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
            tables.others.push(OtherHook { name: name.into(), place, kind, needs_file: None, denies });
            let refused = resolve_others(&mut tables).map_err(|error| error.to_string()).err();
            let text = "p.yaml:7: hook `task_free`: `Override` is not possible";
            assert_eq!(refused.is_some_and(|error| error.starts_with(text)), is_refused, "{name}");
        }
    }
}
