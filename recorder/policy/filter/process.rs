//! Filters on the calling process: `matchPIDs`, `matchNamespaces` and `matchCapabilities`.

use super::super::document::Node;
use super::super::fields::{Fields, refuse_unknown};
use super::super::model::{Filter, MAX_FAMILIES, Namespace, NamespaceValue, Number};
use super::super::number::Notation;
use super::super::report::{Report, quoted};
use super::{membership, text_value, values};

/// Most values of a filter on process ids, and on one namespace.
const MAX_VALUES: usize = 4;

/// The name of the first process's namespace.
const HOST: &str = "host_ns";

const NAMESPACES: [(&str, Namespace); 10] = [
    ("Uts", Namespace::Uts),
    ("Ipc", Namespace::Ipc),
    ("Mnt", Namespace::Mnt),
    ("Pid", Namespace::Pid),
    ("PidForChildren", Namespace::PidForChildren),
    ("Net", Namespace::Net),
    ("Time", Namespace::Time),
    ("TimeForChildren", Namespace::TimeForChildren),
    ("Cgroup", Namespace::Cgroup),
    ("User", Namespace::User),
];

const CAPABILITY_SETS: [(&str, Number); 3] =
    [("Effective", Number::Effective), ("Inheritable", Number::Inheritable), ("Permitted", Number::Permitted)];

/// Linux capabilities by their number, as in the kernel's `include/uapi/linux/capability.h`.
pub(in super::super) const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// Reads a `matchPIDs` entry, which can be two filters. None: the report says why.
pub(in super::super) fn pids(node: &Node, report: &mut Report) -> Vec<Filter> {
    let Some(filter) = pid_filter(node, report) else {
        return Vec::new();
    };
    // What has no pid in a namespace of its own is of no such family, and not outside of it either.
    let outside_host = Filter::Namespace { kind: Namespace::Pid, negated: true, values: vec![NamespaceValue::Host] };
    let in_namespace = matches!(filter, Filter::Family { is_namespace_pid: true, .. });
    in_namespace.then_some(outside_host).into_iter().chain([filter]).collect()
}

fn pid_filter(node: &Node, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "an entry of `matchPIDs`", report)?;
    fields.check(&["operator", "values", "isNamespacePID", "followForks"], &[], report);
    let is_namespace_pid = flag(&fields, "isNamespacePID", report);
    let follow_forks = flag(&fields, "followForks", report);
    let negated = membership(node, &fields, report);
    let items = values(node, &fields, "`matchPIDs`", report)?.items("`values`", MAX_VALUES, report);
    let pids: Vec<u32> = items.iter().filter_map(|item| pid(item, report)).collect();
    let negated = negated.filter(|_| !pids.is_empty())?;
    if follow_forks {
        report.totals.families += 1;
        if report.totals.families > MAX_FAMILIES {
            report.refuse(
                node.at,
                format_args!(
                    "more than {MAX_FAMILIES} filters `matchPIDs` with `followForks` over all policies; remove some"
                ),
            );
        }
        return Some(Filter::Family { pids, is_namespace_pid, negated });
    }
    let number = if is_namespace_pid { Number::NamespacePid } else { Number::Pid };
    let ranges = pids.into_iter().map(|pid| (u64::from(pid), u64::from(pid))).collect();
    Some(Filter::Number { number, negated, ranges })
}

fn pid(node: &Node, report: &mut Report) -> Option<u32> {
    text_value(node, report)?;
    let value = node.number("value", report)?;
    let pid = u32::try_from(value).ok();
    if pid.is_none() {
        report.refuse(node.at, format_args!("value {value} is too large for a process id; correct it"));
    }
    pid
}

fn flag(fields: &Fields<'_>, key: &str, report: &mut Report) -> bool {
    fields.get(key).is_some_and(|node| node.boolean(&format!("`{key}`"), report).unwrap_or_default())
}

/// Reads a `matchNamespaces` entry. `None` means that the report says why.
pub(in super::super) fn namespace(node: &Node, report: &mut Report) -> Option<Filter> {
    let fields = Fields::of(node, "an entry of `matchNamespaces`", report)?;
    fields.check(&["namespace", "operator", "values"], &[], report);
    let kind = match fields.get("namespace") {
        Some(kind) => named(kind, "namespace", &NAMESPACES, report),
        None => {
            report.refuse(node.at, "`namespace` is missing; add one, such as `namespace: Mnt`");
            None
        }
    };
    let negated = membership(node, &fields, report);
    let items = values(node, &fields, "`matchNamespaces`", report)?.items("`values`", MAX_VALUES, report);
    let values: Vec<NamespaceValue> = items.iter().filter_map(|item| namespace_value(item, report)).collect();
    let (kind, negated) = (kind?, negated?);
    (!values.is_empty()).then_some(Filter::Namespace { kind, negated, values })
}

fn namespace_value(node: &Node, report: &mut Report) -> Option<NamespaceValue> {
    let text = text_value(node, report)?;
    if text == HOST {
        return Some(NamespaceValue::Host);
    }
    let inode = node.notation(Notation::Decimal).parse(text).filter(|inode| u32::try_from(*inode).is_ok());
    if inode.is_none() {
        let text = quoted(text);
        report.refuse(
            node.at,
            format_args!("value {text} is no namespace; write its inode number, as `lsns` shows it, or `{HOST}`"),
        );
    }
    inode.map(NamespaceValue::Inode)
}

/// Reads a `matchCapabilities` entry, which can be two filters. None: the report says why.
pub(in super::super) fn capabilities(node: &Node, report: &mut Report) -> Vec<Filter> {
    let Some((set, negated, mask, in_namespace)) = capability_set(node, report) else {
        return Vec::new();
    };
    let outside_host = Filter::Namespace { kind: Namespace::User, negated: true, values: vec![NamespaceValue::Host] };
    let mut filters = vec![Filter::Mask { number: set, negated, mask }];
    filters.extend(in_namespace.then_some(outside_host));
    filters
}

fn capability_set(node: &Node, report: &mut Report) -> Option<(Number, bool, u64, bool)> {
    let fields = Fields::of(node, "an entry of `matchCapabilities`", report)?;
    fields.check(&["type", "operator", "values", "isNamespaceCapability"], &[], report);
    let in_namespace = flag(&fields, "isNamespaceCapability", report);
    let set = match fields.get("type") {
        Some(node) => named(node, "type", &CAPABILITY_SETS, report),
        None => Some(Number::Effective),
    };
    let negated = membership(node, &fields, report);
    let mut mask = 0;
    for item in values(node, &fields, "`matchCapabilities`", report)?.items("`values`", usize::MAX, report) {
        mask |= capability(item, report).unwrap_or_default();
    }
    let (set, negated) = (set?, negated?);
    (mask != 0).then_some((set, negated, mask, in_namespace))
}

fn capability(node: &Node, report: &mut Report) -> Option<u64> {
    let name = text_value(node, report)?;
    let number = CAPABILITIES.iter().position(|known| known.eq_ignore_ascii_case(name.trim()));
    if number.is_none() {
        refuse_unknown(node.at, "capability", name, CAPABILITIES, &CAPABILITIES, report);
    }
    number.map(|number| 1 << number)
}

/// One of these names, in any case as in Tetragon.
fn named<T: Copy>(node: &Node, what: &str, known: &[(&str, T)], report: &mut Report) -> Option<T> {
    let name = node.text(&format!("`{what}`"), report)?;
    let found = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        refuse_unknown(node.at, what, name, names.iter().copied(), &names, report);
    }
    found.map(|(_, value)| *value)
}
