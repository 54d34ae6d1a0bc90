//! Rows whose digest is on a list: said and noted as they come.

use crate::lists::{Hit, Lists};
use crate::record::decode::{Tail, asked_by, digest_of};
use crate::record::header::EntryName;
use crate::record::wire;
use hashtrail::digest::plain_name;
use hashtrail::manifest::hex;
use hashtrail::text;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Contents and hooks that are said and noted one by one; all rows are counted.
const NOTED_MAX: usize = 10_000;

/// What came so far.
pub(crate) struct Listed {
    lists: Rc<Lists>,
    noted: HashSet<(String, String)>,
    /// Algorithms of digests that came, with the names that lists know them by.
    algorithms: HashMap<&'static str, String>,
    rows: u64,
}

/// What is to be said, and noted, of a row.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) said: Vec<String>,
    /// The policy of the row, and more of it.
    pub(crate) noted: Option<(Option<String>, Value)>,
}

impl Listed {
    pub(crate) fn new(lists: Rc<Lists>) -> Self {
        Self { lists, noted: HashSet::new(), algorithms: HashMap::new(), rows: 0 }
    }

    /// Rows that had a digest of a list.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Compares the digest of a record, of which this is the head. Of each content and hook the first row is told.
    pub(crate) fn look_at(&mut self, head: &wire::event, record: &[u8], entries: &[EntryName]) -> Finding {
        let mut finding = Finding::default();
        let Some((algorithm, digest)) = digest_of(head) else { return finding };
        let plain = self.algorithms.entry(algorithm).or_insert_with(|| {
            let plain = plain_name(algorithm);
            finding.said.extend(self.lists.not_comparable(&plain).iter().map(|text| format!("warning: --ioc {text}")));
            plain
        });
        let hits = self.lists.find(plain, digest);
        if hits.is_empty() {
            return finding;
        }
        self.rows += 1;
        let (hook, entry) = asked_by(head, entries);
        let digest = hex(digest);
        if self.noted.len() < NOTED_MAX && self.noted.insert((digest.clone(), hook.to_owned())) {
            let is_doubtful = head.digest_doubt != 0;
            let path =
                Tail::of(record, head).map(|tail| text::from_bytes(tail.path).text.into_owned()).unwrap_or_default();
            let detail = json!({
                "algorithm": algorithm, "digest": digest, "doubtful": is_doubtful, "hook": hook, "path": path,
                "pid": head.pid, "lists": hits.iter().map(Hit::to_json).collect::<Vec<_>>(),
            });
            let lists: Vec<String> = hits.iter().map(Hit::text).collect();
            let doubt = if is_doubtful { " (the digest is doubtful)" } else { "" };
            finding.said.push(format!(
                "LISTED: {path} by {hook} of pid {}: {digest}{doubt}, on {}",
                head.pid,
                lists.join(", ")
            ));
            finding.noted = Some((entry.map(|entry| entry.policy.clone()), detail));
        }
        finding
    }
}

impl Hit<'_> {
    fn to_json(&self) -> Value {
        json!({"list": self.list, "sha256": self.sha256, "labels": self.labels})
    }

    fn text(&self) -> String {
        let Self { list, labels, .. } = self;
        if labels.is_empty() { format!("`{list}`") } else { format!("`{list}` as {}", labels.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::own_row::OwnRow;

    /// A row of this hook with a SHA-256 of one byte.
    fn row(hook: wire::hook, byte: u8, doubt: u32) -> (wire::event, Vec<u8>) {
        let mut head = wire::event { pid: 7, digest_algorithm: 4, digest_doubt: doubt, ..wire::event::default() };
        head.hook = hook.0.try_into().expect("a number of a hook");
        head.digest_status = wire::digest_status::DIGEST_OK.0.try_into().expect("a status");
        head.digest_source = wire::digest_source::SOURCE_IMA.0.try_into().expect("a source");
        head.digest[..32].fill(byte);
        let record = OwnRow { head, path: b"/bin/a\x1b".to_vec(), ..OwnRow::default() }.record();
        (wire::read(&record).expect("a head"), record)
    }

    #[test]
    fn the_first_row_of_a_content_and_hook_is_told_and_all_are_counted() {
        let directory = tempfile::tempdir().expect("a directory");
        let list = directory.path().join("list");
        std::fs::write(&list, format!("{}  implant\nmd5:{}\n", "ab".repeat(32), "cd".repeat(16))).expect("a list");
        let mut listed = Listed::new(Rc::new(Lists::read(&[list]).expect("a list")));
        let entry = EntryName { policy: "default".into(), hook: "bprm_check_security".into(), ..EntryName::default() };
        let mut look =
            |(head, record): (wire::event, Vec<u8>)| listed.look_at(&head, &record, std::slice::from_ref(&entry));
        let exec = wire::hook::HOOK_BPRM_CHECK_SECURITY;
        let other = look(row(exec, 1, 0));
        assert!(other.noted.is_none() && other.said.len() == 1, "what cannot be compared: {other:?}");
        let first = look(row(exec, 0xab, 0));
        let (policy, detail) = first.noted.expect("it is noted");
        assert_eq!(policy.as_deref(), Some("default"));
        let expected =
            [json!("sha256"), json!("ab".repeat(32)), json!(false), json!("bprm_check_security"), json!(["implant"])];
        let found = ["algorithm", "digest", "doubtful", "hook"].map(|name| detail[name].clone());
        assert_eq!([&found[..], &[detail["lists"][0]["labels"].clone()]].concat(), expected);
        assert!(first.said[0].contains("by bprm_check_security of pid 7") && first.said[0].ends_with(" as implant"));
        let again = look(row(exec, 0xab, 0));
        assert!(again.noted.is_none() && again.said.is_empty());
        let by_user = look(row(wire::hook::HOOK_USER_DIGEST, 0xab, 1));
        let (policy, detail) = by_user.noted.expect("another hook is noted");
        assert_eq!((policy, &detail["doubtful"], &detail["hook"]), (None, &json!(true), &json!("user_digest")));
        assert!(by_user.said[0].contains("(the digest is doubtful)"), "{:?}", by_user.said);
        assert_eq!(listed.rows(), 3);
    }
}
