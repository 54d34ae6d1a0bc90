//! What the formats share: a moment in words, and its parts under plain names.

use crate::investigate::timeline::{Moment, What};
use crate::output::Row;
use hashtrail::cell::Micros;
use hashtrail::event::DENY;
use hashtrail::hooks;
use serde_json::Value;

/// Kinds of what stands among changes, and tells of no other content.
const FIRST_SEEN: &str = "first_seen";
const ALGORITHM_CHANGED: &str = "algorithm_changed";

/// Whether the content is known to be another one.
pub(super) fn is_new_content(moment: &Moment) -> bool {
    moment.what == What::Change && ![FIRST_SEEN, ALGORITHM_CHANGED].contains(&moment.text("kind"))
}

/// Whether the kernel refused what the event is about, because a policy said so.
pub(super) fn is_denied(moment: &Moment) -> bool {
    moment.text("action") == DENY && moment.value("enforced").as_bool() == Some(true)
}

/// Whether code of a file that is named was mapped.
pub(super) fn is_library_load(moment: &Moment) -> bool {
    /// `PROT_EXEC`
    const EXECUTABLE: i64 = 4;
    [hooks::MMAP_FILE, hooks::FILE_MPROTECT].contains(&moment.text("hook"))
        && !moment.text("path").is_empty()
        && moment.value("mmap_prot").as_i64().is_some_and(|prot| prot & EXECUTABLE != 0)
}

/// Whether the kernel read a module. It reads firmware, certificates and kernels by the same hook, which does not say what for: a
/// name has to.
pub(super) fn is_module_load(moment: &Moment) -> bool {
    let is_module = |packed: &str| moment.text("path").strip_suffix(packed).is_some_and(|path| path.ends_with(".ko"));
    moment.text("hook") == hooks::KERNEL_READ_FILE && ["", ".gz", ".xz", ".zst"].into_iter().any(is_module)
}

/// The row with what it is.
pub(super) fn with_type(moment: &Moment) -> Row {
    let mut row = Row::new();
    row.insert("type".into(), name(moment).into());
    row.extend(moment.row.clone());
    row
}

pub(super) fn name(moment: &Moment) -> &'static str {
    match moment.what {
        What::Gap => "gap",
        What::Change => "change",
        What::Event => "event",
    }
}

/// What the time of a moment is the time of.
pub(super) fn time_means(moment: &Moment) -> &'static str {
    match moment.what {
        What::Gap => "Begin of a gap in the recording",
        What::Change if moment.text("kind") == FIRST_SEEN => "Content first seen",
        What::Change if moment.text("kind") == ALGORITHM_CHANGED => "First seen under another algorithm",
        What::Change => "New content first seen",
        What::Event => "Event recorded",
    }
}

/// The digest, for fields that other tools take for certain: nothing where it is doubtful. The message has it all the same.
pub(super) fn certain_digest(moment: &Moment) -> (&str, &str) {
    if doubts(moment).is_empty() { digest(moment) } else { ("", "") }
}

/// What makes the digest of an event doubtful. A version begins with none that is.
fn doubts(moment: &Moment) -> Vec<&str> {
    texts(moment, "digest_doubt").collect()
}

/// The texts of a list.
pub(super) fn texts<'a>(moment: &'a Moment, name: &str) -> impl Iterator<Item = &'a str> {
    moment.value(name).as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What was run with which arguments, in one text: where one begins is told by `argv` alone.
pub(super) fn command_line(moment: &Moment) -> Option<String> {
    moment.value("argv").is_array().then(|| texts(moment, "argv").collect::<Vec<_>>().join(" "))
}

/// The key of an event's row.
pub(super) fn record_key(moment: &Moment) -> Option<String> {
    let recording = moment.value("recording_id").as_str()?;
    Some(format!("{recording}/{}/{}", moment.value("cpu"), moment.value("seq")))
}

/// What was recorded asks for nothing. A change and a gap are for the user to decide on.
pub(super) fn asks_for_nothing(moment: &Moment) -> bool {
    moment.what == What::Event
}

/// The digest: of an event that of its file, of a change that of the new content.
fn digest(moment: &Moment) -> (&str, &str) {
    match moment.what {
        What::Change => version(moment, "to"),
        _ => (moment.text("digest_algorithm"), moment.text("digest")),
    }
}

/// Algorithm and digest of a version that a change tells of.
fn version<'a>(moment: &'a Moment, name: &str) -> (&'a str, &'a str) {
    let of = |member: &str| moment.value(name).get(member).and_then(Value::as_str).unwrap_or_default();
    (of("algorithm"), of("digest"))
}

/// One sentence.
pub(super) fn message(moment: &Moment) -> String {
    match moment.what {
        What::Gap => moment.text("text").to_owned(),
        What::Change => change(moment),
        What::Event => event(moment),
    }
}

fn event(moment: &Moment) -> String {
    let mut text = moment.text("hook").to_owned();
    for (word, name) in [(":", "path"), (" to", "target_path")] {
        if !moment.text(name).is_empty() {
            text += &format!("{word} {}", moment.text(name));
        }
    }
    let who = if moment.text("exe").is_empty() { moment.text("comm") } else { moment.text("exe") };
    text += &format!(" by {who} (pid {}, uid {})", moment.value("pid"), moment.value("uid"));
    text += outcome(moment);
    let (algorithm, digest) = digest(moment);
    if !digest.is_empty() {
        text += &format!(", {algorithm} {digest}");
    }
    let doubts = doubts(moment);
    if !doubts.is_empty() {
        text += &format!(" (doubtful: {})", doubts.join(", "));
    }
    text
}

/// What a policy had done about an act.
fn outcome(moment: &Moment) -> &'static str {
    match moment.text("action") {
        DENY if is_denied(moment) => ", which was denied",
        "kill" if moment.value("enforced").as_bool() == Some(true) => ", which was killed",
        _ => "",
    }
}

fn change(moment: &Moment) -> String {
    let path = moment.text("path");
    let ((old_algorithm, old), (algorithm, digest)) = (version(moment, "from"), version(moment, "to"));
    let doubt = if moment.value("complete").as_bool() == Some(true) { "" } else { ", not complete" };
    let kind = moment.text("kind");
    if kind == FIRST_SEEN {
        return format!("{path} first seen with {algorithm} {digest}{doubt}");
    }
    let after = moment.text("changed_after");
    let versions = match kind {
        ALGORITHM_CHANGED => format!("{old_algorithm} {old} and {algorithm} {digest} cannot be compared"),
        _ => format!("{algorithm} {old} to {digest}"),
    };
    let suspects = moment.value("suspects").as_array().map_or(0, Vec::len);
    let says = moment.value("package").get("says").and_then(Value::as_str);
    let package = says.map(|says| format!("; {says}")).unwrap_or_default();
    let who = moment.text("attribution");
    format!("{path} {kind} after {after}: {versions}; {who}: {suspects} act(s){doubt}{package}")
}

/// A process by boot, pid and start.
pub(super) fn process_key(moment: &Moment, pid: &str, start: &str) -> Option<String> {
    let (pid, start) = (moment.value(pid).as_i64()?, moment.value(start).as_i64()?);
    Some(format!("{}-{pid}-{start}", moment.text("boot_id")))
}

/// When a process started, by the clock at the event.
pub(super) fn started(moment: &Moment, start: &str) -> Option<Micros> {
    let ago_ns = moment.value("boot_ns").as_i64()?.checked_sub(moment.value(start).as_i64()?)?;
    moment.time.0.checked_sub(ago_ns / 1000).map(Micros)
}

pub(super) fn file_name(path: &str) -> Option<&str> {
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

/// A number where text is wanted.
pub(super) fn number(moment: &Moment, name: &str) -> Option<String> {
    moment.value(name).as_i64().map(|number| number.to_string())
}

/// The inode of an event's file, or of the new content of a change: 64 bits without a sign.
pub(super) fn inode(moment: &Moment) -> Option<String> {
    of_new(moment, "ino").as_i64().map(|ino| ino.cast_unsigned().to_string())
}

/// A value of the file: of an event, or of the new content of a change.
pub(super) fn of_new<'a>(moment: &'a Moment, name: &str) -> &'a Value {
    let new = if moment.what == What::Change { moment.value("to").get(name) } else { moment.row.get(name) };
    new.unwrap_or(&Value::Null)
}

/// Takes out what says nothing, and objects that then hold nothing.
pub(super) fn without_nothing(row: &mut Row) {
    row.retain(|_, value| {
        if let Value::Object(members) = value {
            without_nothing(members);
        }
        match value {
            Value::Null => false,
            Value::Object(members) => !members.is_empty(),
            Value::Array(values) => !values.is_empty(),
            _ => true,
        }
    });
}
