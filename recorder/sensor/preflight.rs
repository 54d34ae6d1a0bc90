//! What this host can record: each lack with its reason and its fix.

use crate::host;
use crate::record::programs;
use crate::sensor;
use hashtrail::hooks;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Recording works, but lacks something.
    Limited,
    /// Recording is impossible.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// What was looked at.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) reason: String,
    /// What to do about it; empty when good.
    pub(crate) fix: String,
}

fn check(name: &str, verdict: Verdict, reason: impl Into<String>, fix: &str) -> Check {
    Check { name: name.to_owned(), verdict, reason: reason.into(), fix: fix.to_owned() }
}

fn good(name: &str, reason: impl Into<String>) -> Check {
    check(name, Verdict::Good, reason, "")
}

/// All checks, for `doctor`.
pub(crate) fn examine(archive: Option<&Path>) -> Vec<Check> {
    let mut checks =
        vec![btf(), privileges(), lockdown(), bpf_lsm(), ima(), ima_policy(), ring_memory(), disk(archive)];
    checks.extend(hooks(&checks));
    checks
}

/// What makes recording impossible, for `record`, as far as it can be told without loading a program.
pub(crate) fn obstacles() -> Vec<Check> {
    [btf(), privileges(), lockdown(), bpf_lsm()].into_iter().filter(|check| check.verdict == Verdict::Missing).collect()
}

/// The kernel's refusal of the sensor, as `doctor` puts it.
pub(crate) fn refusal(name: &str, error: &anyhow::Error) -> Check {
    check(
        name,
        Verdict::Missing,
        format!("refused by the kernel: {error:#}"),
        "run on the host itself, as root, with a kernel (5.18 or later) that allows BPF LSM programs",
    )
}

/// The checks as text, one block each.
pub(crate) fn to_text(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Good => "good",
            Verdict::Limited => "limited",
            Verdict::Missing => "MISSING",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{verdict:8} {}: {}", check.name, check.reason);
        if !check.fix.is_empty() {
            let _ = writeln!(text, "         fix: {}", check.fix);
        }
    }
    text
}

fn btf() -> Check {
    if Path::new("/sys/kernel/btf/vmlinux").exists() {
        return good("BTF", "the kernel describes its types");
    }
    check("BTF", Verdict::Missing, "no `/sys/kernel/btf/vmlinux`", "boot a kernel with CONFIG_DEBUG_INFO_BTF=y")
}

fn privileges() -> Check {
    /// CAP_SYS_ADMIN covers CAP_BPF and CAP_PERFMON.
    const SYS_ADMIN: u32 = 21;
    let effective = host::read_line("/proc/self/status")
        .and_then(|status| {
            status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        })
        .unwrap_or_default();
    if effective >> SYS_ADMIN & 1 == 1 {
        return good("privileges", "CAP_SYS_ADMIN");
    }
    check("privileges", Verdict::Missing, "no CAP_SYS_ADMIN", "run as root, in the host's user namespace")
}

fn lockdown() -> Check {
    let state = host::read_line("/sys/kernel/security/lockdown").unwrap_or_default();
    if state.contains("[confidentiality]") {
        return check(
            "lockdown",
            Verdict::Missing,
            "mode confidentiality keeps BPF from reading kernel memory",
            "boot with lockdown=integrity or none",
        );
    }
    good("lockdown", if state.is_empty() { "not active".to_owned() } else { state })
}

fn bpf_lsm() -> Check {
    match host::read_line("/sys/kernel/security/lsm") {
        Some(list) if list.split(',').any(|name| name == "bpf") => {
            good("BPF LSM", format!("in the running list `{list}`"))
        }
        Some(list) => check(
            "BPF LSM",
            Verdict::Missing,
            format!("not in the running list `{list}`"),
            &format!("boot with `lsm={list},bpf`, a kernel with CONFIG_BPF_LSM=y"),
        ),
        // Loading a hook tells, where securityfs does not.
        None => check(
            "BPF LSM",
            Verdict::Limited,
            "`/sys/kernel/security/lsm` cannot be read",
            "mount -t securityfs securityfs /sys/kernel/security",
        ),
    }
}

fn ima() -> Check {
    if host::has_ima() {
        return good("IMA", format!("hash algorithm: {}", host::ima_algorithm()));
    }
    if !Path::new("/sys/kernel/security/lsm").exists() {
        return check(
            "IMA",
            Verdict::Limited,
            "cannot be looked at: securityfs is not mounted",
            "mount -t securityfs securityfs /sys/kernel/security",
        );
    }
    check("IMA", Verdict::Limited, "not in this kernel, which gives no digests", "boot a kernel with CONFIG_IMA=y")
}

fn ima_policy() -> Check {
    let reason = match host::ima_policy_loaded() {
        Some(true) => "loaded: the kernel may answer from its cache, what is old is marked",
        Some(false) => "none: every digest is taken anew",
        None => "unknown",
    };
    good("IMA policy", reason)
}

fn ring_memory() -> Check {
    let memory = host::memory_bytes();
    let cpus = host::online_cpus().len();
    good("ring memory", format!("{cpus} CPUs, at most {} MiB for all rings (1/32 of memory)", memory / 32 / (1 << 20)))
}

fn disk(archive: Option<&Path>) -> Check {
    let Some(path) = archive else { return good("disk", "give --archive to look at its space") };
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(existing) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let reason = format!("{} MiB free under `{}`", free >> 20, existing.display());
            if free < 1 << 30 {
                return check(
                    "disk",
                    Verdict::Limited,
                    reason,
                    "lower --journal-size (default 1GiB), or use another disk",
                );
            }
            good("disk", reason)
        }
        Err(error) => {
            check("disk", Verdict::Limited, format!("`{}`: {error}", existing.display()), "choose another --archive")
        }
    }
}

/// Hooks that not every kernel lets programs sleep at, and what serves in their place.
const OPTIONAL_HOOKS: [(&str, &str); 2] = [
    (hooks::FILE_POST_OPEN, "`file_open` records opens without digest (6.8 and later have `file_post_open`)"),
    (hooks::PATH_TRUNCATE, "`inode_setattr` records truncations too"),
];

/// Each hook, by loading its program; where all load together, one load tells. What stops them all is told once.
fn hooks(host: &[Check]) -> Vec<Check> {
    let missing = host.iter().filter(|check| check.verdict == Verdict::Missing);
    let missing = missing.map(|check| check.name.as_str()).collect::<Vec<_>>().join(", ");
    if !missing.is_empty() {
        return vec![check("hooks", Verdict::Missing, format!("none can be recorded: {missing}"), "as said above")];
    }
    let known = sensor::kernel_hooks();
    let instead_of =
        |name: &str| OPTIONAL_HOOKS.iter().find(|(optional, _)| *optional == name).map(|(_, instead)| *instead);
    let needed: Vec<&'static str> = known.iter().copied().filter(|name| instead_of(name).is_none()).collect();
    let all_load = sensor::probe_hooks(&needed).is_ok();
    let suspects = if all_load { &[][..] } else { &needed };
    let refused: Vec<(&str, anyhow::Error)> =
        suspects.iter().filter_map(|name| Some((*name, sensor::probe_hooks(&[name]).err()?))).collect();
    if let [(_, error), ..] = &refused[..]
        && refused.len() == needed.len()
    {
        return vec![refusal("hooks", error)];
    }
    let one = |name: &'static str| {
        let title = format!("hook {name}");
        let instead = instead_of(name);
        if !known.contains(&name) {
            let fix = format!("none needed: {}", instead.unwrap_or("policies that name it are refused"));
            return check(&title, Verdict::Limited, "this kernel does not have it", &fix);
        }
        if let Some((_, error)) = refused.iter().find(|(refused, _)| *refused == name) {
            return refusal(&title, error);
        }
        let Some(instead) = instead else { return good(&title, "its program loads") };
        match sensor::probe_hooks(&[name]) {
            Ok(()) => good(&title, "its program loads"),
            Err(_) if all_load => {
                let fix = format!("none needed: {instead}");
                check(&title, Verdict::Limited, "this kernel lets no program sleep at it", &fix)
            }
            Err(error) => refusal(&title, &error),
        }
    };
    programs::ALL.iter().map(|(_, name)| one(name)).collect()
}
