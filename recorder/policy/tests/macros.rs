//! `selectorsMacros`: what a selector takes in, and whose line a fault has.

use super::super::model::{Action, Number, Text};
use super::{HEAD, POST, equal, number, read_bytes};

/// A policy whose macros are given, with two selectors that use them.
fn policy(first: &str, second: &str, macros: &str) -> String {
    format!(
        "{HEAD}  - hook: bprm_check_security
    args: [{{index: 0}}]
    selectors:
    - {first}
    - {second}
  selectorsMacros:
{macros}
"
    )
}

#[test]
fn filters_and_label_come_out_of_macros() {
    let text = policy(
        "{macros: [shells, first], matchArgs: [{operator: Equal, values: [/a]}], matchPIDs: []}",
        "{macros: [shells], label: own}",
        "    shells: {matchBinaries: [{operator: In, values: [/bin/sh]}]}
    first: {matchPIDs: [{operator: In, values: [1]}], label: by the first process, hashtrail: {uids: {operator: In, values: [0]}}}",
    );
    let policies = read_bytes(text.as_bytes()).unwrap();
    let selectors = &policies[0].hooks[0].selectors;
    let by_shell = equal(Text::Binary, &["/bin/sh"]);
    let expected = [
        number(Number::Pid, false, &[(1, 1)]),
        by_shell.clone(),
        equal(Text::Path, &["/a"]),
        number(Number::Uid, false, &[(0, 0)]),
    ];
    assert_eq!(selectors[0].filters, expected);
    assert_eq!(selectors[0].label.as_deref(), Some("by the first process"));
    assert_eq!(selectors[0].action, POST);
    assert_eq!((&selectors[1].filters[..], selectors[1].label.as_deref()), (&[by_shell][..], Some("own")));
    assert_eq!(policies[0].extensions, ["`uids` (line 14)"]);
}

#[test]
fn actions_come_out_of_macros() {
    let text = policy("{macros: [quiet]}", "{}", "    quiet: {matchActions: [{action: NoPost}]}");
    let policies = read_bytes(text.as_bytes()).unwrap();
    assert_eq!(policies[0].hooks[0].selectors[0].action, Action { post: false, ..POST });
    assert_eq!(policies[0].hooks[0].selectors[1].action, POST);
}

#[test]
fn the_nearest_label_counts() {
    let text = policy(
        "{macros: [a, b], label: own}",
        "{macros: [a, b]}",
        "    a: {label: of a, matchPIDs: [{operator: In, values: [1]}]}\n    b: {label: of b}",
    );
    let policies = read_bytes(text.as_bytes()).unwrap();
    let labels: Vec<_> = policies[0].hooks[0].selectors.iter().map(|selector| selector.label.as_deref()).collect();
    assert_eq!(labels, [Some("own"), Some("of a")]);
}

#[test]
fn faults_of_macros_are_on_the_macros_line_and_once() {
    let table = [
        ("    m: {matchBinaries: [{operator: Inn, values: [/a]}]}", "test.yaml:13:36: unknown operator `Inn`"),
        (
            "    m: {matchArgs: [{index: 1, operator: Equal, values: [/a]}]}",
            "test.yaml:13:29: argument 1 is not listed",
        ),
        ("    m: {hashtrail: {recordByDefault: true}}", "test.yaml:13:21: `recordByDefault` belongs in the hook entry"),
        ("    m: {macros: [n]}\n    n: {}", "test.yaml:13:9: `macros` cannot stand in a macro"),
        (
            "    m: {matchActions: [{action: NoPast}]}",
            "test.yaml:13:33: unknown action `NoPast`; did you mean `NoPost`?",
        ),
        ("    m: {matchData: [{index: 0}]}", "test.yaml:13:29: position 0 does not exist"),
        ("    m: [a]", "test.yaml:13:8: a macro must be a mapping"),
        ("    n: {}", "test.yaml:10:17: unknown macro `m`"),
        ("    m: {label: a}\n    m: {label: b}", "test.yaml:14:5: `m` stands twice"),
    ];
    for (macros, expected) in table {
        let faults = read_bytes(policy("{macros: [m]}", "{}", macros).as_bytes()).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:#?}");
        assert!(faults[0].starts_with(expected), "{faults:#?}");
        assert!(faults[0].contains("; ") || faults[0].contains("did you mean"), "no advice in {faults:#?}");
    }
    let macros = "    m: {matchBinaries: [{operator: Inn, values: [/a]}]}";
    let faults = read_bytes(policy("{macros: [m]}", "{macros: [m]}", macros).as_bytes()).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:#?}");
}

#[test]
fn a_filter_in_two_places_is_refused() {
    let macros = "    m: {matchPIDs: [{operator: In, values: [1]}]}\n    n: {matchPIDs: [{operator: In, values: [2]}]}\n    a: {matchActions: [{action: NoPost}]}";
    for (selector, line) in [
        (
            "{macros: [m], matchPIDs: [{operator: In, values: [3]}]}",
            "test.yaml:13:9: `matchPIDs` of macro `m` stands on line 10",
        ),
        (
            "{macros: [m, a], matchActions: [{action: Post}]}",
            "test.yaml:15:9: `matchActions` of macro `a` stands on line 10",
        ),
        ("{macros: [m, n]}", "test.yaml:14:9: `matchPIDs` of macro `n` stands on line 13"),
        ("{macros: [m, m]}", "test.yaml:13:9: `matchPIDs` of macro `m` stands on line 13"),
    ] {
        let faults = read_bytes(policy(selector, "{}", macros).as_bytes()).unwrap_err();
        assert!(faults.iter().any(|fault| fault.starts_with(line)), "{faults:#?}");
    }
    let faults = read_bytes(policy("{macros: [m]}", "{}", "    {}").as_bytes()).unwrap_err();
    assert!(faults[0].starts_with("test.yaml:10:17: macro `m` is not defined"), "{faults:#?}");
}
