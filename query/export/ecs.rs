//! The Elastic Common Schema, version 9: a JSON object a line, as Filebeat and Logstash take them.

use super::target::{Lines, Target};
use super::words;
use crate::investigate::timeline::{Moment, What};
use crate::output::{Row, object};
use hashtrail::cell::Micros;
use hashtrail::hooks;
use serde_json::{Value, json};

pub(super) const TARGET: Target =
    Target { name: "ecs", help: "JSON lines in the Elastic Common Schema", lines: Lines::Json, row };

const VERSION: &str = "9.0.0";
/// Algorithms that the schema has a field for.
const HASHES: [&str; 5] = ["md5", "sha1", "sha256", "sha384", "sha512"];

fn row(moment: &Moment) -> Row {
    let (kind, category, types) = class(moment);
    let (_, digest) = words::certain_digest(moment);
    let (begin, end) = match moment.what {
        What::Change => (moment.value("changed_after"), moment.value("changed_before")),
        What::Gap => (moment.value("from"), moment.value("to")),
        What::Event => (&Value::Null, &Value::Null),
    };
    let mut row = object(json!({
        "@timestamp": moment.time.rfc3339(),
        "ecs": {"version": VERSION},
        "message": words::message(moment),
        "tags": moment.value("tags"),
        "event": {
            "kind": kind, "category": [category], "type": [types],
            "outcome": words::is_denied(moment).then_some("failure"), "module": "hashtrail", "provider": "hashtrail",
            "dataset": format!("hashtrail.{}", words::name(moment)), "sequence": moment.value("seq"),
            "action": moment.value("hook"), "reason": moment.value("cause"),
            "start": begin, "end": end,
        },
        "host": {"name": moment.value("host")},
        "container": {"id": moment.value("container_id")},
        "user": {"id": words::number(moment, "uid"), "effective": {"id": words::number(moment, "euid")}},
        "related": {"hash": (!digest.is_empty()).then_some([digest])},
    }));
    if moment.what == What::Event {
        row.insert("process".into(), process(moment));
    }
    row.insert("file".into(), file(moment));
    if category == "library" {
        row.insert(
            "dll".into(),
            json!({"path": moment.value("path"), "name": words::file_name(moment.text("path")), "hash": hash(moment)}),
        );
    }
    words::without_nothing(&mut row);
    row
}

/// Kind, category and type.
fn class(moment: &Moment) -> (&'static str, &'static str, &'static str) {
    match (moment.what, moment.text("hook")) {
        (What::Gap, _) => ("pipeline_error", "host", "info"),
        (What::Change, _) => ("event", "file", if words::is_new_content(moment) { "change" } else { "info" }),
        (_, hooks::BPRM_COMMITTED_CREDS | hooks::PROCESS_FORK) => ("event", "process", "start"),
        (_, hooks::RUNNING_PROCESS) => ("event", "process", "info"),
        (_, hook) if hooks::is_exec(hook) => ("event", "process", "info"),
        _ if words::is_library_load(moment) => ("event", "library", "start"),
        _ if words::is_module_load(moment) => ("event", "driver", "start"),
        (_, hooks::KERNEL_READ_FILE) => ("event", "file", "access"),
        (_, hooks::INODE_UNLINK | hooks::PATH_UNLINK | "inode_rmdir") => ("event", "file", "deletion"),
        (_, hooks::INODE_LINK | "inode_create" | "inode_symlink") => ("event", "file", "creation"),
        (_, hooks::FILE_OPEN | hooks::FILE_POST_OPEN | hooks::OPEN_DESCRIPTOR) => ("event", "file", open_type(moment)),
        (_, hook) if hook.starts_with("inode_") || hook == hooks::PATH_TRUNCATE => ("event", "file", "change"),
        _ => ("event", "host", "info"),
    }
}

/// An open for writing changes a file, as far as the schema has a word for it.
fn open_type(moment: &Moment) -> &'static str {
    /// `O_ACCMODE`
    const ACCESS: i64 = 3;
    let writes = moment.value("open_flags").as_i64().is_some_and(|flags| flags & ACCESS != 0);
    if writes || moment.text("hook") == hooks::OPEN_DESCRIPTOR { "change" } else { "access" }
}

fn process(moment: &Moment) -> Value {
    let is_run = moment.text("hook") == hooks::BPRM_COMMITTED_CREDS;
    let executable = moment.value(if is_run { "path" } else { "exe" });
    json!({
        "pid": moment.value("pid"), "thread": {"id": moment.value("tid")}, "name": moment.value("comm"),
        "executable": executable, "args": moment.value("argv"), "args_count": moment.value("argc"),
        "hash": if is_run { hash(moment) } else { Value::Null },
        "entity_id": words::process_key(moment, "pid", "process_start_ns"), "start": words::started(moment, "process_start_ns").map(Micros::rfc3339),
        "parent": {
            "pid": moment.value("ppid"), "name": moment.value("parent_comm"),
            "entity_id": words::process_key(moment, "ppid", "parent_start_ns"), "start": words::started(moment, "parent_start_ns").map(Micros::rfc3339),
        },
    })
}

fn file(moment: &Moment) -> Value {
    json!({
        "path": moment.value("path"), "name": words::file_name(moment.text("path")), "hash": hash(moment),
        "target_path": moment.value("target_path"), "device": words::of_new(moment, "dev"),
        "inode": words::inode(moment),
        "size": moment.value("size_bytes"), "mtime": moment.value("mtime"), "ctime": moment.value("ctime"),
        "mode": moment.value("mode").as_i64().map(|mode| format!("{:04o}", mode & 0o7777)),
        "uid": words::number(moment, "owner_uid"), "gid": words::number(moment, "owner_gid"),
    })
}

/// The digest under its algorithm; nothing where the schema does not know that one.
fn hash(moment: &Moment) -> Value {
    let (algorithm, digest) = words::certain_digest(moment);
    if HASHES.contains(&algorithm) { json!({ algorithm: digest }) } else { Value::Null }
}
