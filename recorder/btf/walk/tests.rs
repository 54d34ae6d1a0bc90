//! Walks through the kernel of the machine that runs the tests, where it has BTF.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

/// The kernel's types; none where the machine has no BTF, or a kernel without hooks.
fn kernel() -> Option<Kernel> {
    Kernel::read().ok().filter(|kernel| kernel.has_hook("path_chmod") && kernel.has_hook("bpf"))
}

#[test]
fn walks_end_where_the_structures_say() {
    let Some(kernel) = kernel() else { return };
    let integer = |bytes, signed| Kind::Integer { bytes, signed };
    for (path, reads, kind) in [
        ("cred.euid.val", 1, integer(4, false)),
        ("tgid", 0, integer(4, true)),
        ("comm", 0, Kind::Characters { bytes: 16 }),
        ("real_parent.real_parent.comm", 2, Kind::Characters { bytes: 16 }),
        ("static_prio", 0, integer(4, true)),
        ("nsproxy.mnt_ns", 1, Kind::Pointer("mnt_namespace".into())),
        ("mm.exe_file.f_path", 2, Kind::Structure("path".into())),
        ("files.fd_array[0].f_flags", 2, integer(4, false)),
    ] {
        let (walk, end) = kernel.walk_from_task(None, path).unwrap_or_else(|error| panic!("{path}: {error:#}"));
        assert_eq!((walk.reads.len(), &end.kind, end.bits), (reads, &kind, None), "{path}");
        assert!(!walk.is_direct, "{path}");
    }
    let element = |index| kernel.walk_from_task(None, &format!("comm[{index}]")).unwrap().0.last;
    assert_eq!(element(5) - element(0), 5);
    let (_, end) = kernel.walk_from_task(None, "sched_reset_on_fork").unwrap();
    assert_eq!(end.bits.map(|(_, width)| width), Some(1), "a bit field");
}

#[test]
fn arguments_are_what_the_prototype_says() {
    let Some(kernel) = kernel() else { return };
    let kind = |hook, index| kernel.argument(hook, index).map(|argument| argument.kind);
    assert_eq!(kind("path_chmod", 0), Some(Kind::Pointer("path".into())));
    assert_eq!(kind("path_chmod", 1), Some(Kind::Integer { bytes: 2, signed: false }));
    assert_eq!(kind("bpf", 0), Some(Kind::Integer { bytes: 4, signed: true }));
    assert_eq!(kind("bpf", 1), Some(Kind::Pointer("bpf_attr".into())));
    assert_eq!(kind("path_chmod", 4), None);
    assert_eq!(kind("no_such_hook", 0), None);
    assert_eq!(kernel.argument("path_chmod", 0).unwrap().text, "const struct path *");
    let (walk, end) = kernel.walk_from_argument("bprm_check_security", 0, None, "filename").unwrap();
    assert_eq!((walk.reads.len(), end.kind), (0, Kind::Text));
    let (walk, _) = kernel.walk_from_argument("path_chmod", 1, None, "").unwrap();
    assert!(walk.is_direct);
    let (_, end) = kernel.walk_from_argument("socket_connect", 1, Some("sockaddr_in"), "sin_port").unwrap();
    assert_eq!(end.kind, Kind::Integer { bytes: 2, signed: false });
}

#[test]
fn impossible_walks_are_refused_with_the_step() {
    let Some(kernel) = kernel() else { return };
    for (path, part) in [
        ("cred.nobody", "`struct cred` has no member `nobody`"),
        ("comm[16]", "[16] is beyond the array, which has 16"),
        ("tgid.x", "`x` stands behind no structure"),
        ("tgid[0]", "[0] stands behind no array"),
        ("sched_reset_on_fork.x", "a bit field has no members"),
        ("cred..uid", "`` is not a member"),
        ("comm[x]", "`[x]` is not an index"),
        ("comm[1", "has no end"),
        ("comm[99999999999]", "is not an index"),
        ("a.b.c.d.e.f.g.h.i.j.k", "it has 11 steps"),
        ("files.fdt.fd[4294967295].f_flags", "it leads too far"),
    ] {
        let error = kernel.walk_from_task(None, path).unwrap_err().to_string();
        assert!(error.contains(part), "{path}: {error}");
    }
    let error = kernel.walk_from_argument("path_chmod", 1, None, "x").unwrap_err().to_string();
    assert!(error.contains("argument 1 is `umode_t`, no pointer"), "{error}");
    let error = kernel.walk_from_argument("path_chmod", 0, Some("no_such"), "x").unwrap_err().to_string();
    assert!(error.contains("no `struct no_such`"), "{error}");
}
