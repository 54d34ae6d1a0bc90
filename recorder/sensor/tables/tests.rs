//! Tables, compared with what the kernel's evaluator needs. The evaluator itself is tested in guests.

use super::*;
use crate::policy;
use crate::policy::model::{PathFilter, PathOperator, Text};
use crate::record::programs;
use anyhow::Context;

fn paths(operator: PathOperator, values: &[&str]) -> PathFilter {
    PathFilter { operator, negated: false, values: values.iter().map(|value| value.as_bytes().to_vec()).collect() }
}

fn selector_of(filters: Vec<Filter>, error: Option<i32>) -> Selector {
    Selector { line: 8, label: None, filters, action: Action { post: true, error, ..Action::default() } }
}

fn entry_of(hook: &str, selectors: Vec<Selector>) -> HookEntry {
    HookEntry {
        hook: Hook::Other(hook.into()),
        line: 7,
        file: None,
        values: Vec::new(),
        has_data: false,
        message: None,
        tags: Vec::new(),
        selectors,
    }
}

fn policy_of(entry: HookEntry) -> Policy {
    Policy {
        name: "p".into(),
        source: "p.yaml".into(),
        text: "".into(),
        hooks: vec![entry],
        monitor: false,
        extensions: Vec::new(),
        warnings: Vec::new(),
    }
}

#[test]
fn the_default_policy_fits() -> Result<()> {
    let policies = policy::load(&[])?;
    let kernel = KernelSupport { has_post_open: true, has_path_truncate: true };
    let tables = Tables::new(&policies, kernel, 0)?;
    assert!(tables.has_hook(wire::hook::HOOK_FILE_OPEN));
    assert_eq!(tables.entries.len(), policies[0].hooks.len());
    Ok(())
}

#[test]
fn ranges_are_in_order_and_do_not_touch() -> Result<()> {
    let mut tables = Tables::default();
    let filter = Filter::Number {
        number: Number::Uid,
        negated: false,
        ranges: vec![(10, 20), (0, 0), (21, 30), (15, 16), (1, 0), (u64::MAX, u64::MAX)],
    };
    tables.add_steps(0, &[filter])?;
    let ranges: Vec<_> = tables.ranges.iter().map(|range| (range.first, range.last)).collect();
    assert_eq!(ranges, [(0, 0), (10, 30), (u64::MAX, u64::MAX)]);
    assert_eq!((tables.steps[0].first, tables.steps[0].count), (0, 3));
    Ok(())
}

#[test]
fn one_pass_finds_all_substrings() -> Result<()> {
    let mut texts = Texts::default();
    texts.add(&paths(PathOperator::SubString, &["tmp", "mp/x", "p"]))?;
    texts.add(&paths(PathOperator::SubString, &["zz"]))?;
    texts.add(&paths(PathOperator::SubStringIgnoringCase, &["TmP"]))?;
    let machine = texts.substring_states()?;
    let found = |start: u32, text: &str| {
        let mut state = start as usize;
        text.bytes().fold(0, |sets, byte| {
            state = usize::from(machine.states[state].next[usize::from(byte)]);
            sets | machine.states[state].found.word[0]
        })
    };
    assert_eq!(found(machine.exact, "/tmp/x"), 0b001);
    assert_eq!(found(machine.exact, "/TMP/x"), 0);
    assert_eq!(found(machine.exact, "/azza/p"), 0b011);
    assert_eq!(found(machine.folded, "/a/tMp"), 0b100);
    assert_eq!(found(machine.folded, "/a/tm"), 0);
    Ok(())
}

#[test]
fn a_truncation_is_a_change_of_attributes_where_the_kernel_has_nothing_better() -> Result<()> {
    let entry = HookEntry {
        hook: Hook::PathTruncate,
        line: 1,
        file: None,
        values: Vec::new(),
        has_data: false,
        message: None,
        tags: Vec::new(),
        selectors: Vec::new(),
    };
    let tables = Tables::new(&[policy_of(entry)], KernelSupport::default(), 3)?;
    assert!(tables.has_hook(wire::hook::HOOK_INODE_SETATTR));
    assert_eq!(tables.entries[0].hook, "path_truncate");
    assert_eq!(tables.selectors[0].entry, 3);
    assert_eq!(u32::from(tables.steps[0].kind), wire::filter_kind::FILTER_MASK.0);
    Ok(())
}

#[test]
fn a_hook_has_a_gate_only_if_every_selector_asks_for_bits() -> Result<()> {
    let open = wire::hook::HOOK_FILE_OPEN.0;
    let mode = |mask| Filter::Mask { number: Number::OpenMode, negated: false, mask };
    let mut tables = Tables::default();
    tables.add_steps(0, &[mode(2)])?;
    tables.add_steps(1, &[Filter::Text { text: Text::Path, paths: paths(PathOperator::Prefix, &["/"]) }, mode(4)])?;
    assert_eq!(steps::gate(open, &tables.steps), 6);
    assert_eq!(steps::gate(wire::hook::HOOK_FILE_LOCK.0, &tables.steps), 0);
    tables.add_steps(2, &[])?;
    assert_eq!(steps::gate(open, &tables.steps), 0);
    Ok(())
}

#[test]
fn binaries_are_a_gate_only_if_every_selector_asks_for_one() -> Result<()> {
    let lock = wire::hook::HOOK_FILE_LOCK.0;
    let binary = |text, negated, path| Filter::Text {
        text,
        paths: PathFilter { negated, ..paths(PathOperator::Equal, &[path]) },
    };
    let mut tables = Tables::default();
    tables.add_steps(0, &[binary(Text::Binary, false, "/a"), binary(Text::Path, false, "/x")])?;
    tables.add_steps(1, &[binary(Text::Followed, false, "/b")])?;
    assert_eq!(steps::binaries(lock, &tables.steps), [0b101, 0, 0, 0]);
    // The programs of these follow processes, and must see each exec.
    for hook in ["bprm_creds_for_exec", "bprm_check_security", "bprm_committed_creds"] {
        let hook = programs::number_of(hook).context("a hook of ours")?;
        assert_eq!(steps::binaries(hook, &tables.steps), [0; 4]);
    }
    tables.add_steps(2, &[binary(Text::Binary, true, "/c")])?;
    assert_eq!(steps::binaries(lock, &tables.steps), [0; 4]);
    Ok(())
}

#[test]
fn calls_can_be_refused_early_only_if_every_selector_has_a_filter_without_a_path() {
    let path = || Filter::Text { text: Text::Path, paths: paths(PathOperator::Prefix, &["/"]) };
    let user = || Filter::Number { number: Number::Uid, negated: false, ranges: vec![(0, 0)] };
    for (filters, is_early) in [
        (vec![vec![path(), user()], vec![user()]], true),
        (vec![vec![user()], vec![path()]], false),
        (vec![vec![user()], vec![]], false),
        (vec![], false),
    ] {
        let selectors = filters.into_iter().map(|filters| selector_of(filters, None)).collect();
        assert_eq!(entry_of("sb_pivotroot", selectors).can_be_refused_early(), is_early);
    }
}

#[test]
fn where_an_unknown_hook_denies_is_kept() -> Result<()> {
    for (error, denies) in [(None, None), (Some(-1), Some("p.yaml:7: hook `sb_pivotroot`"))] {
        let entry = entry_of("sb_pivotroot", vec![selector_of(Vec::new(), error)]);
        let tables = Tables::new(&[policy_of(entry)], KernelSupport::default(), 0)?;
        assert_eq!(tables.others[0].denies.as_deref(), denies);
    }
    Ok(())
}

#[test]
fn each_cause_has_the_hooks_of_which_rows_are_stopped() -> Result<()> {
    let text = "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: limits}\nspec:\n  lsmhooks:\n  \
                - {hook: file_open, selectors: [{matchActions: [{action: Post}]}]}\n  \
                - {hook: file_open, selectors: [{matchActions: [{action: Post, rateLimit: 1m}]}]}\n  \
                - {hook: bprm_check_security, selectors: [{matchActions: [{action: Post, rateLimit: 5}]}]}\n  \
                - {hook: inode_unlink, selectors: [{matchActions: [{action: Post}]}]}\n  \
                - {hook: mmap_file, selectors: [{matchActions: [{action: Post, imaHash: true}], \
                hashtrail: {dedupe: {key: [file, digest], window: 1h}}}]}\n";
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("limits.yaml");
    std::fs::write(&path, text)?;
    let policies = policy::load(&[path])?;
    let told = serde_json::to_value(coverage::suppressing(&policies[0]))?;
    assert_eq!(told, serde_json::json!({"rate_limit": ["bprm_check_security", "file_open"], "dedupe": ["mmap_file"]}));
    let built_in = policy::load(&[])?;
    let told = serde_json::to_value(coverage::suppressing(&built_in[0]))?;
    assert_eq!(told, serde_json::json!({"rate_limit": [], "dedupe": []}));
    Ok(())
}

#[test]
fn directories_are_a_gate_only_if_every_selector_asks_for_beginnings_of_paths() {
    let path = |negated, operator, values: &[&str]| Filter::Text {
        text: Text::Path,
        paths: PathFilter { negated, ..paths(operator, values) },
    };
    let prefix = |values: &[&str]| path(false, PathOperator::Prefix, values);
    let bits = |hook: &str, selectors: Vec<Vec<Filter>>| {
        let selectors = selectors.into_iter().map(|filters| selector_of(filters, None)).collect();
        let asked = directories::asked_for(
            programs::number_of(hook).unwrap_or(u32::MAX),
            [&entry_of(hook, selectors)].into_iter(),
        );
        (asked.first.count_ones(), asked.looked_into.count_ones(), asked.second.count_ones())
    };
    let user = || Filter::Number { number: Number::Uid, negated: false, ranges: vec![(0, 0)] };
    let none = (0, 0, 0);
    for (selectors, expected) in [
        (vec![vec![prefix(&["/usr/"])]], (1, 0, 0)),
        (vec![vec![user(), prefix(&["/usr/", "/etc/ssh/"])]], (1, 1, 1)),
        (vec![vec![prefix(&["/usr/bin/x"])], vec![path(false, PathOperator::Equal, &["/etc/shadow"])]], (0, 2, 2)),
        (vec![vec![path(false, PathOperator::Equal, &["/vmlinuz"])]], (1, 0, 0)),
        // What leaves the first name open, or stands beside what does.
        (vec![vec![prefix(&["/usr/", "/us"])]], none),
        (vec![vec![prefix(&["/"])]], none),
        (vec![vec![prefix(&["pipe:"])]], none),
        (vec![vec![path(true, PathOperator::Prefix, &["/usr/"])]], none),
        (vec![vec![path(false, PathOperator::Postfix, &["/usr/"])]], none),
        (vec![vec![prefix(&["/usr/"])], vec![user()]], none),
        (vec![], none),
    ] {
        assert_eq!(bits("file_open", selectors.clone()), expected, "{selectors:?}");
        assert_eq!(bits("inode_unlink", selectors), none);
    }
}

#[test]
fn a_merged_open_tells_of_the_next_one_only_where_all_that_is_asked_is_the_same() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let repeats = |hook: &str, selectors: &str| -> Result<u64> {
        let path = directory.path().join("opens.yaml");
        let head = "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: opens}\nspec:\n  lsmhooks:\n";
        std::fs::write(
            &path,
            format!("{head}  - {{hook: {hook}, args: [{{index: 0, type: file}}], selectors: [{selectors}]}}\n"),
        )?;
        let kernel = KernelSupport { has_post_open: true, has_path_truncate: true };
        let tables = Tables::new(&policy::load(&[path])?, kernel, 0)?;
        Ok(tables.gates.values().map(|gate| gate.repeats).fold(0, |all, repeats| all | repeats))
    };
    let action = "matchActions: [{action: Post, imaHash: true}]";
    let merged = |also: &str| format!("{{hashtrail: {{dedupe: {{key: [file, digest], window: 1h}}{also}}}, {action}}}");
    let of_process = merged("").replace("digest]", "digest, process]");
    let prefix = "{matchArgs: [{index: 0, operator: Prefix, values: [/usr/]}]}";
    let binary = format!("{{matchBinaries: [{{operator: In, values: [/bin/a]}}], {action}}}");
    let limited = "{matchActions: [{action: Post, rateLimit: 1m}]}";
    let tells = u64::from(wire::repeat_flag::REPEAT_TELLS.0);
    let by_process = u64::from(wire::repeat_flag::REPEAT_BY_PROCESS.0);
    for (selectors, expected) in [
        (merged(""), tells),
        (of_process, tells | by_process),
        (merged(", openMode: [read], fileTypes: {operator: In, values: [regular]}"), tells),
        // Another path, process or user, a digest, or another time.
        (format!("{prefix}, {}", merged("")), 0),
        (format!("{}, {binary}", merged("")), 0),
        (merged(", uids: {operator: In, values: [0]}"), 0),
        (merged(&format!(", digests: {{operator: In, algorithm: sha1, values: [\"{}\"]}}", "a".repeat(40))), 0),
        (format!("{}, {limited}", merged("")), 0),
        // Nothing is merged.
        (prefix.to_owned(), 0),
    ] {
        assert_eq!(repeats("file_open", &selectors).with_context(|| selectors.clone())?, expected, "{selectors}");
    }
    assert_eq!(repeats("mmap_file", &merged(""))?, 0, "only opens are looked at");
    Ok(())
}
