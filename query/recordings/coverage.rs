//! Which calls on which paths a recording saw, as its ledger says.

use hashtrail::cell::Micros;
use hashtrail::ledger::LedgerEntry;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The policies of a recording with the times at which they were swapped, and its looks at open descriptors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coverage {
    policies: Vec<Policy>,
    /// Nanoseconds since boot.
    reloads_ns: Vec<i64>,
    looks: Vec<Look>,
}

/// What one policy records.
#[derive(Debug, Clone, Default)]
struct Policy {
    /// When it was noted, nanoseconds since boot.
    boot_ns: i64,
    hooks: BTreeSet<String>,
    /// For each hook the prefixes of the paths of which it records every call.
    prefixes: BTreeMap<String, Vec<String>>,
    /// For each cause the hooks of which it stops rows; `None` where nobody noted that.
    suppressing: Option<BTreeMap<String, Vec<String>>>,
}

/// A look at the descriptors of all processes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) boot_ns: i64,
    pub(crate) time: Micros,
    /// Whether it missed none.
    saw_all: bool,
    /// Whether it gave the exact start of each process.
    is_exact: bool,
}

impl Coverage {
    /// Takes an entry of the kind `policy`, `reload` or `snapshot`; others say nothing here.
    pub(crate) fn add(&mut self, entry: &LedgerEntry) {
        let detail = || serde_json::from_str(entry.detail.as_deref()?).ok();
        let detail: Value = detail().unwrap_or_default();
        match entry.kind.as_str() {
            "policy" => self.policies.push(Policy::new(entry.boot_ns, &detail)),
            // A refused reload leaves the policies as they were.
            "reload" if entry.cause.is_none() => self.reloads_ns.push(entry.boot_ns),
            "snapshot" => {
                let saw_all = detail.get("descriptors_unseen").and_then(Value::as_u64) == Some(0);
                let is_exact = detail.get("exact").and_then(Value::as_bool) != Some(false);
                self.looks.push(Look { boot_ns: entry.boot_ns, time: entry.time, saw_all, is_exact });
            }
            _ => {}
        }
    }

    /// Hooks that any of the policies asked for.
    pub(crate) fn hooks(&self) -> BTreeSet<String> {
        self.policies.iter().flat_map(|policy| policy.hooks.iter().cloned()).collect()
    }

    /// Hooks that were recorded all the time between two moments, in nanoseconds since boot.
    pub(crate) fn hooks_between<'a>(&'a self, first_ns: i64, last_ns: i64) -> BTreeSet<&'a str> {
        let hooks_of = |policy: &'a Policy| policy.hooks.iter().map(String::as_str);
        let of_set = |set: Vec<&'a Policy>| set.into_iter().flat_map(hooks_of).collect();
        let hooks = self.sets_between(first_ns, last_ns).into_iter().map(of_set);
        hooks.reduce(|left: BTreeSet<&'a str>, right| &left & &right).unwrap_or_default()
    }

    /// Whether one of these hooks recorded every call on the path between two moments.
    pub(crate) fn covers(&self, hooks: &[&str], path: &str, first_ns: i64, last_ns: i64) -> bool {
        let covers = |set: Vec<&Policy>| set.iter().any(|policy| policy.covers(hooks, path));
        self.sets_between(first_ns, last_ns).into_iter().all(covers)
    }

    /// Whether rows of a hook that `needs` holds for can have been stopped by this cause between two moments. True where
    /// the policies of the time are not known.
    pub(crate) fn suppresses(&self, cause: &str, needs: impl Fn(&str) -> bool, first_ns: i64, last_ns: i64) -> bool {
        let suppresses =
            |set: Vec<&Policy>| set.is_empty() || set.iter().any(|policy| policy.suppresses(cause, &needs));
        self.sets_between(first_ns, last_ns).into_iter().any(suppresses)
    }

    /// Whether all open descriptors had been looked at by then.
    pub(crate) fn has_seen_descriptors(&self, until_ns: i64) -> bool {
        self.looks.iter().any(|look| look.saw_all && look.boot_ns <= until_ns)
    }

    /// Whether a look found all processes, with the exact start of each.
    pub(crate) fn has_seen_processes(&self) -> bool {
        self.looks.iter().any(|look| look.saw_all && look.is_exact)
    }

    /// Whether starts in rows of a look are those of the clock's ticks.
    pub(crate) fn looked_in_ticks(&self) -> bool {
        self.looks.iter().any(|look| !look.is_exact)
    }

    /// The last look, whatever it missed.
    pub(crate) fn last_look(&self) -> Option<Look> {
        self.looks.iter().max_by_key(|look| look.boot_ns).copied()
    }

    /// The policies that held together, for each set that held at some time between two moments. Never empty.
    fn sets_between(&self, first_ns: i64, last_ns: i64) -> Vec<Vec<&Policy>> {
        let mut begins = self.reloads_ns.clone();
        begins.push(i64::MIN);
        begins.sort_unstable();
        let ends = begins.iter().skip(1).copied().chain([i64::MAX]);
        let spans = begins.iter().copied().zip(ends);
        // At the moment of the swap either set may have held.
        let touched = spans.filter(|(begin, end)| *begin <= last_ns && *end >= first_ns);
        let noted = |(begin, end): (i64, i64)| {
            let is_of_set = |policy: &&Policy| begin <= policy.boot_ns && policy.boot_ns < end;
            self.policies.iter().filter(is_of_set).collect()
        };
        touched.map(noted).collect()
    }
}

impl Policy {
    fn new(boot_ns: i64, detail: &Value) -> Self {
        let texts = |list: Option<&Value>| -> Vec<String> {
            let list = list.and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let lists = |name: &str| {
            let lists = detail.get(name)?.as_object()?.iter();
            Some(lists.map(|(name, list)| (name.clone(), texts(Some(list)))).collect())
        };
        Self {
            boot_ns,
            hooks: texts(detail.get("hooks")).into_iter().collect(),
            prefixes: lists("coverage").unwrap_or_default(),
            suppressing: lists("suppressing"),
        }
    }

    fn suppresses(&self, cause: &str, needs: impl Fn(&str) -> bool) -> bool {
        match &self.suppressing {
            Some(causes) => causes.get(cause).into_iter().flatten().any(|hook| needs(hook)),
            None => self.hooks.iter().any(|hook| needs(hook)),
        }
    }

    fn covers(&self, hooks: &[&str], path: &str) -> bool {
        let mut prefixes = hooks.iter().filter_map(|hook| self.prefixes.get(*hook)).flatten();
        prefixes.any(|prefix| path.starts_with(prefix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn coverage(entries: &[(i64, &str, Value)]) -> Coverage {
        let mut coverage = Coverage::default();
        for (boot_ns, kind, detail) in entries {
            coverage.add(&LedgerEntry {
                boot_ns: *boot_ns,
                kind: (*kind).into(),
                detail: Some(detail.to_string()),
                ..LedgerEntry::default()
            });
        }
        coverage
    }

    #[test]
    fn a_path_is_covered_by_a_prefix_of_any_policy() {
        let coverage = coverage(&[
            (5, "policy", json!({"hooks": ["file_open"], "coverage": {"file_open": ["/usr/", "/etc/"]}})),
            (5, "policy", json!({"hooks": ["inode_rename"], "coverage": {"inode_rename": [""]}})),
            (5, "policy", json!({"hooks": ["path_unlink"]})),
        ]);
        let covers = |hooks: &[&str], path| coverage.covers(hooks, path, 0, 9);
        assert!(covers(&["file_post_open", "file_open"], "/etc/passwd") && covers(&["inode_rename"], "/any"));
        assert!(!covers(&["file_open"], "/opt/usr/") && !covers(&["path_unlink"], "/usr/bin/tool"));
        assert_eq!(coverage.hooks().into_iter().collect::<Vec<_>>(), ["file_open", "inode_rename", "path_unlink"]);
    }

    #[test]
    fn after_a_reload_only_the_new_policies_hold() {
        let policy = |hooks: &[&str]| json!({"hooks": hooks, "coverage": {hooks[0]: [""]}});
        let coverage = coverage(&[
            (5, "policy", policy(&["file_open", "inode_link"])),
            (10, "reload", json!({})),
            (10, "policy", policy(&["inode_rename", "inode_link"])),
        ]);
        let covers = |hook, first_ns, last_ns| coverage.covers(&[hook], "/a", first_ns, last_ns);
        assert!(covers("file_open", 0, 9) && covers("inode_rename", 11, 20));
        assert!(!covers("file_open", 0, 10) && !covers("inode_rename", 9, 20) && !covers("file_open", 11, 20));
        let hooks = |first_ns, last_ns| Vec::from_iter(coverage.hooks_between(first_ns, last_ns));
        assert_eq!((hooks(0, 9), hooks(0, 20)), (vec!["file_open", "inode_link"], vec!["inode_link"]));
    }

    #[test]
    fn a_look_that_missed_descriptors_is_none() {
        let looked = |detail: Value| coverage(&[(7, "snapshot", detail)]);
        let whole = looked(json!({"descriptors_unseen": 0}));
        assert!(whole.has_seen_descriptors(7) && !whole.has_seen_descriptors(6));
        assert!(!looked(json!({"descriptors_unseen": 1})).has_seen_descriptors(9));
        assert!(!looked(json!({})).has_seen_descriptors(9));
        assert_eq!(looked(json!({})).last_look().map(|look| look.boot_ns), Some(7));
    }
}
