//! `matchActions`: what a selector does when it matches.

use super::document::Node;
use super::fields::{Fields, refuse_unknown};
use super::model::{Action, Hook, LimitScope, RateLimit};
use super::number;
use super::refusals::{ACTION, ACTION_NAMES};
use super::report::{Report, quoted};

const MAX_ACTIONS: usize = 3;

/// Errors that a hook can return.
const MIN_ERROR: i64 = -4095;

const SIGKILL: u8 = 9;
const MAX_SIGNAL: u64 = 64;

/// Names of actions that are served.
const NAMES: [(&str, Kind); 5] = [
    ("Post", Kind::Post),
    ("NoPost", Kind::NoPost),
    ("Override", Kind::Override),
    ("Sigkill", Kind::Sigkill),
    ("Signal", Kind::Signal),
];

/// Parameters and the action that takes them.
const PARAMETERS: [(&str, &str); 5] = [
    ("imaHash", "Post"),
    ("rateLimit", "Post"),
    ("rateLimitScope", "Post"),
    ("argError", "Override"),
    ("argSig", "Signal"),
];

const SCOPES: [(&str, LimitScope); 3] =
    [("thread", LimitScope::Thread), ("process", LimitScope::Process), ("global", LimitScope::Global)];

#[derive(Clone, Copy)]
enum Kind {
    Post,
    NoPost,
    Override,
    Sigkill,
    Signal,
}

/// All actions of a selector together. `NoPost` wins over `Post`, as in Tetragon.
pub(super) fn read(node: &Node, hook: &Hook, report: &mut Report) -> Action {
    let mut all = Action::POST;
    for item in node.items("`matchActions`", MAX_ACTIONS, report) {
        add(item, hook, &mut all, report);
    }
    if !all.post {
        all.ima_hash = false;
        all.rate_limit = None;
    }
    all
}

/// Adds one action. `None` means that the report says why it is refused.
fn add(node: &Node, hook: &Hook, all: &mut Action, report: &mut Report) -> Option<()> {
    let fields = Fields::of(node, "an entry of `matchActions`", report)?;
    let names = PARAMETERS.map(|(name, _)| name);
    fields.check(&[&["action"], &names[..]].concat(), ACTION, report);
    let (name, kind) = kind(node, &fields, report)?;
    for (parameter, action) in PARAMETERS {
        if action != name
            && let Some(value) = fields.get(parameter).filter(|value| !value.is_unset())
        {
            report
                .refuse(value.at, format_args!("`{parameter}` belongs to `{action}`, not to `{name}`; move it there"));
        }
    }
    match kind {
        Kind::Post => post(&fields, hook, all, report)?,
        Kind::NoPost => all.post = false,
        Kind::Override => {
            let error = error(node, &fields, hook, report)?;
            set_once(&mut all.error, error, node, "`Override` with another `argError`", report);
        }
        Kind::Sigkill => set_once(&mut all.signal, SIGKILL, node, "another signal", report),
        Kind::Signal => {
            let signal = signal(node, &fields, report)?;
            set_once(&mut all.signal, signal, node, "another signal", report);
        }
    }
    Some(())
}

fn set_once<T: Copy + PartialEq>(place: &mut Option<T>, value: T, node: &Node, what: &str, report: &mut Report) {
    if place.is_some_and(|present| present != value) {
        report.refuse(node.at, format_args!("the selector has {what} already; keep one of them"));
    }
    *place = Some(value);
}

fn kind(node: &Node, fields: &Fields<'_>, report: &mut Report) -> Option<(&'static str, Kind)> {
    let Some(name_node) = fields.get("action") else {
        report.refuse(node.at, "`action` is missing; add `action: Post` or `action: NoPost`");
        return None;
    };
    let name = name_node.text("`action`", report)?;
    if let Some(served) = NAMES.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        return Some(served);
    }
    if let Some((known, reason)) = ACTION_NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        report.refuse(name_node.at, format_args!("action `{known}` {reason}"));
    } else {
        let offered = NAMES.map(|(known, _)| known);
        let all = offered.into_iter().chain(ACTION_NAMES.iter().map(|(known, _)| *known));
        refuse_unknown(name_node.at, "action", name, all, &offered, report);
    }
    None
}

fn post(fields: &Fields<'_>, hook: &Hook, all: &mut Action, report: &mut Report) -> Option<()> {
    if let Some(node) = fields.get("imaHash")
        && node.boolean("`imaHash`", report)?
    {
        all.ima_hash = true;
        if !hook.has_digest() {
            let hook = hook.name();
            report.warn(
                node.at,
                format_args!("no digest is possible at `{hook}`: rows will say `unavailable`; remove it"),
            );
        }
    }
    let scope = match fields.get("rateLimitScope") {
        Some(node) => node.choice("`rateLimitScope`", &SCOPES, report)?,
        None => LimitScope::Thread,
    };
    let Some(node) = fields.get("rateLimit") else {
        if let Some(node) = fields.get("rateLimitScope") {
            report.warn(node.at, "`rateLimitScope` has no effect without `rateLimit`; remove it");
        }
        return Some(());
    };
    let limit = RateLimit { window_ns: duration(node, "`rateLimit`", report)?, scope };
    if limit.window_ns > 0 {
        set_once(&mut all.rate_limit, limit, node, "another `rateLimit`", report);
    }
    Some(())
}

/// A duration in nanoseconds; a number alone means seconds.
pub(super) fn duration(node: &Node, what: &str, report: &mut Report) -> Option<u64> {
    let text = node.text(what, report)?;
    let duration = number::parse_duration(text);
    if duration.is_none() {
        let text = quoted(text);
        report.refuse(node.at, format_args!("{what} {text} is not a duration; write it as `30s`, `5m` or `1h`"));
    }
    duration
}

/// What the hook returns. Values that are no errors deny nothing, as in Tetragon.
fn error(node: &Node, fields: &Fields<'_>, hook: &Hook, report: &mut Report) -> Option<i32> {
    if !hook.can_deny() {
        let hook = hook.name();
        report.refuse(
            node.at,
            format_args!("`Override` is not possible: the kernel does not heed what `{hook}` returns; remove it"),
        );
        return None;
    }
    let Some(value) = fields.get("argError") else {
        report.warn(node.at, "`Override` without `argError` returns 0 and denies nothing; add `argError: -1`");
        return Some(0);
    };
    let text = value.text("`argError`", report)?;
    let Some(wanted) = number::parse_signed(text) else {
        let text = quoted(text);
        report.refuse(value.at, format_args!("`argError` {text} is not a number; write one, such as `-1`"));
        return None;
    };
    let error = wanted.clamp(MIN_ERROR, 0);
    if error != wanted {
        report.warn(
            value.at,
            format_args!("`argError` {wanted} is no error of the kernel and becomes {error}; correct it"),
        );
    }
    if error == 0 {
        report.warn(value.at, "`argError` 0 denies nothing; write an error, such as `-1`");
    }
    i32::try_from(error).ok()
}

fn signal(node: &Node, fields: &Fields<'_>, report: &mut Report) -> Option<u8> {
    let Some(value) = fields.get("argSig") else {
        report.refuse(node.at, "`argSig` is missing; add the signal's number, such as `argSig: 15`");
        return None;
    };
    let signal = value.number("`argSig`", report)?;
    if signal == 0 || signal > MAX_SIGNAL {
        report.refuse(value.at, format_args!("`argSig` {signal} is no signal; use 1 to {MAX_SIGNAL}"));
        return None;
    }
    u8::try_from(signal).ok()
}
