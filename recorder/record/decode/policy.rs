//! The columns of what asked for the row, and of what was done.

use super::names::{has_entry, hook_name};
use crate::record::header::{EntryName, SegmentHeader};
use crate::record::wire::{self, flag};
use anyhow::{Result, bail};
use hashtrail::event::EventView;
use std::borrow::Cow;

/// What made a row.
pub(super) struct Hook<'a> {
    /// The hook that the policy names.
    pub(super) name: &'a str,
    served_by: &'a str,
    /// The policy's entry, where one asked for the row.
    entry: Option<&'a EntryName>,
}

impl<'a> Hook<'a> {
    pub(super) fn of(raw: &wire::event, header: &'a SegmentHeader) -> Result<Self> {
        let hook = wire::hook(u32::from(raw.hook));
        let is_other = hook.0 >= wire::hook::HOOK_OTHER_0.0 && hook.0 <= wire::hook::HOOK_OTHER_7.0;
        let entry = header.entries.get(usize::from(raw.entry)).filter(|_| has_entry(hook));
        let served_by = match (hook_name(hook), entry) {
            (Some(name), _) => name,
            (None, Some(entry)) if is_other => &entry.hook,
            _ => bail!("hook {} is unknown", raw.hook),
        };
        Ok(Self { name: entry.map_or(served_by, |entry| &entry.hook), served_by, entry })
    }
}

/// What belongs to no part: flags and lists.
pub(super) fn fill_entry<'a>(event: &mut EventView<'a>, raw: &wire::event, hook: &Hook<'a>) {
    event.undecided = hook.entry.map(|_| raw.flags & flag(wire::event_flag::EVENT_UNDECIDED.0) != 0);
    event.tags = hook.entry.map(|entry| Cow::Borrowed(&*entry.tags)).unwrap_or_default();
    event.enforced = raw.flags & flag(wire::event_flag::EVENT_ENFORCED.0) != 0;
}

pub(super) fn fill_policy<'a>(event: &mut EventView<'a>, raw: &wire::event, hook: &Hook<'a>) {
    let entry = hook.entry;
    event.hook = hook.name.into();
    event.served_by = hook.served_by.into();
    event.policy = entry.map(|entry| (&entry.policy).into());
    event.selector = entry.and_then(|entry| entry.selectors.get(usize::from(raw.selector))).map(Cow::from);
    event.message = entry.and_then(|entry| entry.message.as_ref()).map(Cow::from);
}

pub(super) fn action(raw: &wire::event) -> Result<&'static str> {
    Ok(match wire::action(u32::from(raw.action)) {
        wire::action::ACTION_POST => "post",
        wire::action::ACTION_SIGNAL => "signal",
        wire::action::ACTION_KILL => "kill",
        wire::action::ACTION_DENY => "deny",
        other => bail!("action {} is unknown", other.0),
    })
}

pub(super) fn unenforced(raw: &wire::event) -> Result<Option<&'static str>> {
    Ok(Some(match wire::not_enforced(u32::from(raw.not_enforced)) {
        wire::not_enforced::NOT_ENFORCED_NONE => return Ok(None),
        wire::not_enforced::NOT_ENFORCED_NOT_ASKED => "not_asked",
        wire::not_enforced::NOT_ENFORCED_MONITOR => "monitor",
        wire::not_enforced::NOT_ENFORCED_DOUBTFUL_DIGEST => "doubtful_digest",
        wire::not_enforced::NOT_ENFORCED_UNDECIDED => "undecided",
        wire::not_enforced::NOT_ENFORCED_OTHER_ENTRY => "other_entry",
        wire::not_enforced::NOT_ENFORCED_FAILED => "failed",
        other => bail!("reason {} for an act that was not carried out is unknown", other.0),
    }))
}

pub(super) fn fill_action(event: &mut EventView<'_>, raw: &wire::event) -> Result<()> {
    event.action = action(raw)?.into();
    event.unenforced = unenforced(raw)?.map(Cow::from);
    if event.enforced && event.action == "deny" {
        event.result = Some(raw.result.wrapping_neg());
    }
    Ok(())
}
