//! Arguments: each hook's own, those that `resolve` gives, and those of hooks without a program of their own.

use super::super::model::{Hook, Number, Text};
use super::{equal, number, read_entries, read_selector};

#[test]
fn every_argument_with_every_type_that_it_has() {
    let integers = "int sint8 int8 uint8 sint16 int16 uint16 sint32 int32 uint32 sint64 int64 uint64 long ulong size_t";
    for hook in Hook::all() {
        for (index, argument) in hook.arguments().iter().enumerate() {
            use super::super::model::ArgumentKind::{Binprm, Dentry, File, Integer, Opaque, Path, Text};
            let types = match argument.kind {
                Binprm => "linux_binprm",
                File => "file",
                Dentry => "dentry",
                Path => "path",
                Text => "string",
                Integer => integers,
                Opaque => continue,
            };
            for kind in types.split(' ').chain(["auto"]) {
                let entry = format!("  - hook: {}\n    args: [{{index: {index}, type: {kind}}}]\n", hook.name());
                assert_eq!(read_entries(&entry).hooks[0].hook, hook);
            }
        }
    }
}

#[test]
fn resolved_files_and_names() {
    let table = [
        ("index: 0, type: file, resolve: file", Text::Path),
        ("index: 0, type: path, resolve: file.f_path", Text::Path),
        ("index: 0, resolve: file", Text::Path),
        ("index: 0, type: string, resolve: mm.owner.comm, btfType: linux_binprm", Text::Comm),
        ("index: 0, type: string, resolve: mm.owner.real_parent.comm", Text::ParentComm),
        ("index: 0, type: string, resolve: mm.owner.real_parent.real_parent.comm", Text::GrandparentComm),
        ("index: 0, type: string, source: current_task, resolve: comm", Text::Comm),
        ("source: current_task, resolve: real_parent.comm, btfType: task_struct", Text::ParentComm),
        ("source: current_task, resolve: real_parent.real_parent.comm", Text::GrandparentComm),
    ];
    for (argument, text) in table {
        let selector = read_selector(&format!(
            "  - hook: bprm_check_security
    args: [{{{argument}}}]
    selectors: [{{matchArgs: [{{args: [0], operator: Equal, values: [/a]}}]}}]
"
        ));
        assert_eq!(selector.filters, [equal(text, &["/a"])], "{argument}");
    }
    let of_file = read_selector(
        "  - hook: bprm_check_security
    args: [{index: 0, type: file, resolve: file}]
    selectors: [{matchArgs: [{operator: FileType, values: [reg]}]}]
",
    );
    assert_eq!(of_file.filters, [number(Number::FileType, false, &[(0x8000, 0x8000)])]);
}

#[test]
fn chains_that_no_filter_can_be_about_are_accepted_as_arguments() {
    let eight = "real_parent.".repeat(7);
    for (hook, argument) in [
        ("bprm_check_security", format!("index: 0, type: string, resolve: mm.owner.{eight}comm")),
        // As a policy looks that was read back from a cluster.
        ("file_open", "index: 0, type: file, resolve: \"\", btfType: \"\", source: \"\"".to_owned()),
        ("bprm_committed_creds", "index: 0, type: string, resolve: mm.owner.comm".to_owned()),
        ("inode_unlink", format!("index: 0, type: string, source: current_task, resolve: {eight}comm")),
        ("sb_pivotroot", "source: current_task, resolve: real_parent.comm".to_owned()),
    ] {
        let policy = read_entries(&format!("  - hook: {hook}\n    args: [{{{argument}}}]\n"));
        assert_eq!(policy.warnings, Vec::<String>::new());
    }
}

#[test]
fn other_hooks_are_taken_by_name() {
    let policy = read_entries(
        "  - hook: sb_pivotroot
    selectors: [{matchPIDs: [{operator: In, values: [1]}]}]
  - hook: file_ioctl
    args: [{index: 0, type: file}]
    selectors:
    - matchArgs: [{index: 0, operator: Prefix, values: [/dev/]}, {index: 0, operator: FileType, values: [chr]}]
      hashtrail: {fileTypes: {operator: In, values: [chr]}}
      matchActions: [{action: Override, argError: -13}]
  - hook: bprm_secureexec_2
    args: [{index: 0, type: linux_binprm}]
    selectors: [{matchArgs: [{operator: Equal, values: [/a]}]}]
",
    );
    let hooks: Vec<&Hook> = policy.hooks.iter().map(|entry| &entry.hook).collect();
    let other = |name: &str| Hook::Other(name.to_owned());
    assert_eq!(hooks, [&other("sb_pivotroot"), &other("file_ioctl"), &other("bprm_secureexec_2")]);
    assert_eq!(policy.hooks[0].selectors[0].filters, [number(Number::Pid, false, &[(1, 1)])]);
    let is_device = number(Number::FileType, false, &[(0x2000, 0x2000)]);
    let expected =
        [super::text(Text::Path, super::PathOperator::Prefix, false, &["/dev/"]), is_device.clone(), is_device];
    assert_eq!(policy.hooks[1].selectors[0].filters, expected);
    assert_eq!(policy.hooks[1].selectors[0].action.error, Some(-13));
    assert_eq!(policy.hooks[2].selectors[0].filters, [equal(Text::Path, &["/a"])]);
}
