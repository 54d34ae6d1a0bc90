//! What stands around policies: templates, anchors, lists, JSON, and that one fault hides no other.

use super::super::model::Policy;
use super::malformed::assert_refused;
use super::{HEAD, read_bytes, read_entries};

const TEMPLATE: &str = "\
{{- if .Values.tracing.enabled }}
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: {{ .Release.Name }}-files
{{- end }}
";

fn loaded(text: &str) -> Vec<Policy> {
    read_bytes(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn faults(text: &str) -> Vec<String> {
    read_bytes(text.as_bytes()).unwrap_err()
}

#[test]
fn a_template_is_called_one() {
    let one = |text: &str, line: usize| {
        let faults = faults(text);
        assert_eq!(faults.len(), 1, "{faults:#?}");
        assert!(faults[0].starts_with(&format!("test.yaml:{line}:")), "{faults:#?}");
        for part in ["this is a template, not a policy", "still to be filled in", "`helm template`"] {
            assert!(faults[0].contains(part), "{faults:#?}");
        }
    };
    one(TEMPLATE, 1);
    one(&HEAD.replace("name: test", "name: {{ .Release.Name }}-files"), 4);
    one(&format!("{HEAD}  - hook: file_open\n    message: see {{{{ .Values.text }}}} there\n"), 8);
    one(&format!("{HEAD}  - hook: file_open\n    message: \"see {{{{ .Values.text }}}}\"\n"), 8);
    one(&format!("{HEAD}  - hook: file_open\n    message: 'a # {{{{ .Values.text }}}}'\n"), 8);
    one(&format!("{HEAD}  - hook: file_open\n    message: |\n      # {{{{ .Values.text }}}}\n"), 9);
    one(&format!("{HEAD}  - hook: file_open\n    message: {{{{ .Values.text\n      }}}}\n"), 8);
    one(&format!("{HEAD}  {{% for hook in hooks %}}\n  - hook: file_open\n  {{% endfor %}}\n"), 7);
    one(&format!("\r\n{HEAD}  {{{{- range .Values.hooks }}}}\r\n  - hook: file_open\r\n"), 8);
    let faults = faults(TEMPLATE);
    assert!(faults[0].starts_with("test.yaml:1:1: "), "{faults:#?}");
    assert!(faults[0].contains("`{{- if .Values.tracing.enabled }}`"), "{faults:#?}");
}

#[test]
fn no_template_in_comments_and_in_single_braces() {
    let policy = read_entries(
        "  # {{ .Values.hooks }}, written out
  - hook: file_open # {{- range }}
    #{{ end }}
    message: 'braces {a} } {{ and a # sign'
    args: [{index: 0}]
    selectors: [{matchArgs: [{values: ['/{', \"/}}\"], operator: Prefix}]}]
",
    );
    assert_eq!(policy.warnings, Vec::<String>::new());
}

#[test]
fn a_template_hides_no_other_document() {
    let wrong = format!("{HEAD}  - hook: file_open\n    tag: a\n");
    let found = faults(&format!("{TEMPLATE}---\n{wrong}---\nkind: 'open\n---\n{wrong}"));
    let lines: Vec<&str> = found.iter().filter_map(|fault| fault.split(':').nth(1)).collect();
    assert_eq!(lines, ["1", "15", "17", "26"], "{found:#?}");
    assert!(found[2].contains("not valid YAML"), "{found:#?}");
}

#[test]
fn directives_and_ends_of_documents() {
    let second = HEAD.replace("name: test", "name: second");
    let entry = "  - hook: file_open\n    message: |\n      a\n      --- b\n      c\n";
    let text = format!("# one\n%YAML 1.2\n--- # begins\n{HEAD}{entry}...\n# two\n---\n{second}{entry}");
    let policies = loaded(&text);
    assert_eq!(policies.len(), 2);
    assert_eq!(policies[1].hooks[0].line, 24);
    assert_eq!(policies[0].hooks[0].message.as_deref(), Some("a\n--- b\nc\n"));
}

#[test]
fn aliases_and_merge_keys_are_written_out() {
    let policy = read_entries(
        "  - &first
    hook: file_open
    args: &args [{index: 0, type: file}]
    selectors:
    - &shells
      matchBinaries: &sh [{operator: In, values: &paths [/bin/sh, /bin/bash]}]
    - {<<: *shells, label: again}
    - {<<: [*shells, {label: twice}], matchArgs: [{index: 0, operator: Equal, values: *paths}]}
  - *first
  - hook: mmap_file
    args: *args
    selectors: [{matchBinaries: *sh}]
",
    );
    let [first, second, third] = &policy.hooks[..] else { panic!("three entries") };
    assert_eq!(first.selectors[0].filters, first.selectors[1].filters);
    assert_eq!(first.selectors[1].label.as_deref(), Some("again"));
    assert_eq!(first.selectors[2].filters[..1], first.selectors[0].filters);
    assert_eq!(first.selectors[2].label.as_deref(), Some("twice"));
    assert_eq!(first.selectors[2].filters.len(), 2);
    assert_eq!((second.line, &second.selectors), (15, &first.selectors));
    assert_eq!(third.selectors[0].filters, first.selectors[0].filters);
}

#[test]
fn a_fault_in_what_an_alias_stands_for_is_told_where_it_stands() {
    let text = format!("{HEAD}  - &a {{hook: file_open, tag: b}}\n  - *a\n  - *a\n");
    let found = faults(&text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("test.yaml:7:26: unknown key `tag`"), "{found:#?}");
    assert_refused(
        &format!("{HEAD}  - hook: file_open\n    tags: &a [b, *a]\n"),
        8,
        "stands inside of what it stands for",
    );
}

#[test]
fn aliases_are_bounded() {
    let mut laughs = String::from("metadata:\n  a0: &a0 [b, b, b, b, b, b, b, b, b, b]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("  a{level}: &a{level} [{aliases}]\n"));
    }
    assert_refused(&laughs, 6, "stand for more than 100000 values");
    let mut deep = String::from("metadata:\n  a0: &a0 [b]\n");
    for level in 1..40 {
        deep.push_str(&format!("  a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_refused(&deep, 31, "nested deeper than 32");
    let nested = format!("metadata:\n  a: {}{}{}\n", "&a [".repeat(28), "b, ".repeat(20_000), "]".repeat(28));
    assert_refused(&nested, 2, "stand for more than 100000 values");
}

#[test]
fn lists_of_policies() {
    let item = |name: &str, hook: &str| {
        let head = HEAD.replace("name: test", &format!("name: {name}"));
        let text = format!("{head}  - hook: {hook}\n");
        let lines: Vec<String> = text.lines().map(|line| format!("  {line}\n")).collect();
        format!("- {}", lines.concat().trim_start())
    };
    let items = item("one", "file_open") + &item("two", "mmap_file");
    let list = format!("apiVersion: v1\nkind: List\nmetadata: {{resourceVersion: \"\"}}\nitems:\n{items}");
    let names = |text: &str| loaded(text).into_iter().map(|policy| policy.name).collect::<Vec<_>>();
    assert_eq!(names(&list), ["one", "two"]);
    let typed = list.replace("kind: List", "kind: TracingPolicyList").replace(": v1\n", ": cilium.io/v1alpha1\n");
    assert_eq!(names(&typed), ["one", "two"]);
    assert_refused("apiVersion: v1\nkind: List\n", 1, "`items` is missing");
    assert_refused("apiVersion: v1\nkind: List\nitems: []\n", 3, "`items` is empty");
    assert_refused("apiVersion: v2\nkind: List\nitems: []\n", 1, "write `apiVersion: v1`");
    assert_refused("apiVersion: v1\nkind: List\nitem: []\n", 3, "did you mean `items`?");
    assert_refused("apiVersion: v1\nkind: List\nitems:\n- {kind: List}\n", 4, "`kind` `List` is not supported");
    assert_refused("apiVersion: v1\nkind: List\nitems:\n- {kind: Pod}\n- a\n", 5, "a policy must be a mapping");
}

#[test]
fn json_with_tabs_and_escapes() {
    let json = "{\n\t\"apiVersion\": \"cilium.io\\/v1alpha1\",\n\t\"kind\": \"TracingPolicy\",\n\t\"metadata\": {\"name\": \"j\"},\n\t\
                \"spec\": {\"lsmhooks\": [\n\t\t{\"hook\": \"file_open\", \"message\": \"a\\u0062\\u20ac\",\n\t\t \"args\": [{\"index\": 0}],\n\t\t\
                \"selectors\": [{\"matchArgs\": [{\"index\": 0, \"operator\": \"Equal\", \"values\": [\"/a\"]}],\
                \"matchActions\": [{\"action\": \"Post\", \"imaHash\": false}]}]}\n\t]}\n}\n";
    let policies = loaded(json);
    assert_eq!(policies[0].hooks[0].message.as_deref(), Some("ab\u{20ac}"));
    assert_refused(&json.replace("file_open\",", "file_open\", \"tag\": 1,"), 6, "unknown key `tag`");
}

#[test]
fn truth_values_as_yaml_1_1_has_them() {
    for (word, post) in [("yes", true), ("on", true), ("Y", true), ("True", true), ("no", false), ("Off", false)] {
        let policy = read_entries(&format!(
            "  - {{hook: bprm_check_security, selectors: [{{matchActions: [{{action: Post, imaHash: {word}}}]}}]}}\n"
        ));
        assert_eq!(policy.hooks[0].selectors[0].action.ima_hash, post, "{word}");
    }
}

#[test]
fn an_entry_with_a_wrong_hook_name_has_its_other_faults_reported() {
    for name in ["security_file_open", "bpf_lsm_file_open", "File-Open", "[file_open]"] {
        let found = faults(&format!(
            "{HEAD}  - hook: {name}
    message: a
    args: [{{index: 0, type: flie}}]
    selectors:
    - {{matchArg: []}}
    - matchArgs: [{{index: 0, operator: Eqal, values: [a]}}]
      matchPIDs: [{{operator: Inn, values: [pid]}}]
      matchActions: [{{action: Pst}}]
    hashtrail: {{openMode: [wirte], uids: {{operator: I, values: [root]}}}}
  - hook: mmap_file
    tag: a
"
        ));
        let lines: Vec<&str> = found.iter().filter_map(|fault| fault.split(':').nth(1)).collect();
        assert_eq!(lines, ["7", "8", "9", "11", "12", "13", "13", "14", "15", "15", "15", "17"], "{name}: {found:#?}");
    }
}

#[test]
fn not_all_of_very_many_faults_are_looked_for() {
    let found = faults(&"a:\n".repeat(300_000));
    assert_eq!(found.len(), 101);
    assert!(found[100].ends_with("and 102 more"), "{}", found[100]);
}

#[test]
fn faults_of_the_yaml_do_not_hide_each_other() {
    let found = faults(&format!(
        "{HEAD}  - {{hook: file_open, hook: file_open}}\n  - {{hook: !a file_open, ? [b] : c, tag: d}}\n  - {{hook: A}}\n"
    ));
    let lines: Vec<&str> = found.iter().filter_map(|fault| fault.split(':').nth(1)).collect();
    assert_eq!(lines, ["7", "8", "8", "8", "9"], "{found:#?}");
}
