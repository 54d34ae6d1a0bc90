//! The policies of a recording: at its start, and others while it runs.

use crate::host::say::{say, say_error};
use crate::lists::Lists;
use crate::policy;
use crate::policy::model::{Filter, Policy};
use crate::recording::pipeline::Pipeline;
use crate::recording::signals::Sender;
use crate::sensor::tables::{self, KernelSupport, Tables};
use crate::sensor::{self, Sensor, SensorOptions};
use anyhow::Result;
use hashtrail::hooks;
use hashtrail::ledger::LedgerEntry;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

/// What a reload needs of the recording's start.
pub(crate) struct Reloader<'a> {
    /// The policy files, read again.
    pub(crate) files: &'a [PathBuf],
    /// Of the start: a reload reads no list again.
    pub(crate) lists: &'a Rc<Lists>,
    /// Of the programs that run now.
    pub(crate) options: SensorOptions,
}

impl Reloader<'_> {
    /// Puts new programs beside the old ones, and lets them take over in one step: each call is recorded by the old or
    /// by the new policies. Where the new ones cannot be loaded, the old ones go on.
    ///
    /// # Errors
    /// When the kernel does not let the new programs take over; those that were loaded go on.
    pub(crate) fn reload(
        &mut self,
        sensor: &mut Sensor,
        pipeline: &mut Pipeline,
        sender: Option<Sender>,
    ) -> Result<()> {
        let first_entry = pipeline.session().entries.len();
        let generation = self.options.generation + 1;
        let options = SensorOptions { generation, ..self.options };
        let loaded = self.load(sensor, options, first_entry).and_then(|(policies, tables, next)| {
            pipeline.add_entries(&tables.entries)?;
            next.activate(generation)?;
            Ok((policies, tables, next))
        });
        let now = pipeline.ledger("reload");
        match loaded {
            Ok((policies, tables, mut next)) => {
                next.succeed(sensor)?;
                *sensor = next;
                self.options = options;
                let detail = json!({ "sender": sender, "generation": generation });
                pipeline.note(LedgerEntry { detail: Some(detail.to_string()), ..now });
                note_policies(pipeline, &policies, &tables, true);
                say!("policies reloaded: {}", names(&policies));
            }
            Err(error) => {
                let detail = json!({ "sender": sender, "error": format!("{error:#}") });
                pipeline.note(LedgerEntry { cause: Some("refused".into()), detail: Some(detail.to_string()), ..now });
                say_error("warning: the policies are not reloaded, those before go on: ", &error);
            }
        }
        Ok(())
    }

    fn load(
        &self,
        before: &Sensor,
        options: SensorOptions,
        first_entry: usize,
    ) -> Result<(Vec<Policy>, Tables, Sensor)> {
        let policies = policy::load_with(self.files, self.lists)?;
        for warning in policies.iter().flat_map(|policy| &policy.warnings) {
            say!("warning: {warning}");
        }
        let mut tables = Tables::new(&policies, kernel_support(&policies), first_entry)?;
        sensor::resolve_others(&mut tables)?;
        let mut next = Sensor::load(&tables, options, Some(before))?;
        next.attach_tracking()?;
        next.attach_hooks()?;
        Ok((policies, tables, next))
    }
}

/// What matters of the kernel for these policies: each answer takes its time.
pub(crate) fn kernel_support(policies: &[Policy]) -> KernelSupport {
    let has_hook = |name| sensor::kernel_hooks().contains(&name);
    KernelSupport {
        has_post_open: tables::asks_for_post_open(policies) && has_hook(hooks::FILE_POST_OPEN),
        has_path_truncate: tables::asks_for_path_truncate(policies)
            && sensor::probe_hooks(&[hooks::PATH_TRUNCATE]).is_ok(),
    }
}

/// Names of policies, for people.
pub(crate) fn names(policies: &[Policy]) -> String {
    policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// One ledger entry for each policy. The text stands in the manifest for those of the start, here for later ones.
pub(crate) fn note_policies(pipeline: &mut Pipeline, policies: &[Policy], tables: &Tables, with_text: bool) {
    for policy in policies {
        let entries = tables.entries.iter().filter(|entry| entry.policy == policy.name);
        let hooks: BTreeSet<&str> = entries.map(|entry| entry.hook.as_str()).collect();
        let mut detail = json!({
            "hooks": hooks,
            "coverage": tables::coverage::coverage(policy),
            "suppressing": tables::coverage::suppressing(policy),
            "sha256": policy_digest(policy),
        });
        if with_text {
            detail["digests"] = digest_lists(policy);
            detail["text"] = (*policy.text).into();
        }
        let now = pipeline.ledger("policy");
        pipeline.note(LedgerEntry { policy: Some(policy.name.clone()), detail: Some(detail.to_string()), ..now });
    }
}

/// SHA-256 of a policy's text, in hex.
pub(crate) fn policy_digest(policy: &Policy) -> String {
    hashtrail::manifest::hex(&Sha256::digest(policy.text.as_bytes()))
}

/// The lists of `hashtrail: digests`, which can stand in files of their own: how many, and the SHA-256 over all in order.
pub(crate) fn digest_lists(policy: &Policy) -> serde_json::Value {
    let selectors = policy.hooks.iter().flat_map(|entry| &entry.selectors);
    let lists = selectors.flat_map(|selector| &selector.filters).filter_map(|filter| match filter {
        Filter::Digest { algorithm, digests, .. } => {
            let all: Vec<u8> = digests.concat();
            let sha256 = hashtrail::manifest::hex(&Sha256::digest(&all));
            Some(json!({ "algorithm": algorithm, "count": digests.len(), "sha256": sha256 }))
        }
        _ => None,
    });
    lists.collect()
}
