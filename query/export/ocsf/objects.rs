//! Objects of the schema.

use crate::export::words;
use crate::investigate::timeline::{Moment, What};
use crate::output::{Row, object};
use hashtrail::cell::Micros;
use hashtrail::hooks;
use serde_json::{Value, json};

/// Puts in a time: in milliseconds, as the schema counts, and whole.
pub(super) fn time(row: &mut Row, name: &str, time: Option<Micros>) {
    if let Some(time) = time {
        row.insert(name.to_owned(), time.0.div_euclid(1000).into());
        row.insert(format!("{name}_dt"), time.rfc3339().into());
    }
}

/// Who did it. The process of a fork's row is the child. Rows of what already ran and of digests that user space took are looks
/// of the recorder.
pub(super) fn actor(moment: &Moment) -> Value {
    match moment.text("hook") {
        hooks::RUNNING_PROCESS | hooks::USER_DIGEST => json!({"app_name": "hashtrail-recorder"}),
        hooks::PROCESS_FORK => json!({"process": parent(moment)}),
        _ => json!({"process": process(moment)}),
    }
}

/// The process that an exec, a fork or a look is about, with what it runs.
pub(super) fn launched(moment: &Moment) -> Value {
    let mut process = object(process(moment));
    if !moment.text("path").is_empty() {
        process.insert("path".into(), moment.value("path").clone());
        process.insert("file".into(), file(moment));
    }
    process.insert("cmd_line".into(), words::command_line(moment).into());
    process.into()
}

fn process(moment: &Moment) -> Value {
    let mut process = object(json!({
        "pid": moment.value("pid"), "ptid": moment.value("tid"), "name": moment.value("comm"), "path": moment.value("exe"),
        "uid": words::process_key(moment, "pid", "process_start_ns"),
        "user": {"uid": words::number(moment, "uid")}, "group": {"uid": words::number(moment, "gid")},
        "euid": moment.value("euid"), "auid": moment.value("auid"),
        "container": {"uid": moment.value("container_id")}, "parent_process": parent(moment),
    }));
    time(&mut process, "created_time", words::started(moment, "process_start_ns"));
    process.into()
}

fn parent(moment: &Moment) -> Value {
    let mut parent = object(json!({
        "pid": moment.value("ppid"), "name": moment.value("parent_comm"),
        "uid": words::process_key(moment, "ppid", "parent_start_ns"),
    }));
    time(&mut parent, "created_time", words::started(moment, "parent_start_ns"));
    parent.into()
}

/// The file of an event, or what stands at the path after a change.
pub(super) fn file(moment: &Moment) -> Value {
    let path = moment.text("path");
    let is_deleted = words::texts(moment, "path_flags").any(|flag| flag == "deleted");
    let mut file = object(json!({
        "path": path, "name": words::file_name(path).unwrap_or(path), "hashes": hashes(moment),
        "type_id": type_of(moment), "uid": words::inode(moment), "volume": words::of_new(moment, "dev"),
        "size": moment.value("size_bytes"), "owner": {"uid": words::number(moment, "owner_uid")},
        "is_deleted": is_deleted.then_some(true),
    }));
    time(&mut file, "modified_time", Micros::of_text(moment.text("mtime")));
    file.into()
}

/// The file by the name that a rename or a link is to give it.
pub(super) fn renamed_file(moment: &Moment) -> Value {
    let path = moment.text("target_path");
    let name = words::file_name(path).unwrap_or(path);
    if path.is_empty() { Value::Null } else { json!({"path": path, "name": name, "type_id": type_of(moment)}) }
}

/// What the mode says. That a content was hashed says it too: those are regular files.
fn type_of(moment: &Moment) -> u32 {
    /// `S_IFMT`
    const TYPE: i64 = 0o170_000;
    match moment.value("mode").as_i64().map(|mode| mode & TYPE) {
        Some(0o100_000) => 1,
        Some(0o040_000) => 2,
        Some(0o020_000) => 3,
        Some(0o060_000) => 4,
        Some(0o140_000) => 5,
        Some(0o010_000) => 6,
        Some(0o120_000) => 7,
        _ if moment.what == What::Change => 1,
        _ => 0,
    }
}

fn hashes(moment: &Moment) -> Option<Value> {
    let (algorithm, digest) = words::certain_digest(moment);
    let (id, name) = match algorithm {
        "md5" => (1, "MD5"),
        "sha1" => (2, "SHA-1"),
        "sha224" => (8, "SHA-224"),
        "sha256" => (3, "SHA-256"),
        "sha384" => (9, "SHA-384"),
        "sha512" => (4, "SHA-512"),
        "sha3-256" => (13, "SHA3-256"),
        "sha3-384" => (14, "SHA3-384"),
        "sha3-512" => (15, "SHA3-512"),
        other => (99, other),
    };
    (!digest.is_empty()).then(|| json!([{"algorithm_id": id, "algorithm": name, "value": digest}]))
}

/// What is looked for across events, with where it stands.
pub(super) fn observables(moment: &Moment, file: &str) -> Value {
    let (_, digest) = words::certain_digest(moment);
    let of = [
        (1, "Hostname", "device.hostname".to_owned(), moment.text("host")),
        (45, "File Path", format!("{file}.path"), moment.text("path")),
        (8, "Hash", format!("{file}.hashes[0].value"), digest),
    ];
    // Without a path there is no file in the object.
    let known =
        of.into_iter().filter(|(id, .., value)| !value.is_empty() && (*id == 1 || !moment.text("path").is_empty()));
    known.map(|(id, kind, name, value)| json!({"type_id": id, "type": kind, "name": name, "value": value})).collect()
}
