//! Timesketch: JSON lines as its importer reads them, each with `message`, `datetime` and `timestamp_desc`. Its analysers look
//! for 64 bare hex digits in `sha256_hash`.

use super::target::{Lines, Target};
use super::words;
use crate::investigate::timeline::Moment;
use crate::output::{Row, object};
use serde_json::{Value, json};

pub(super) const TARGET: Target =
    Target { name: "timesketch", help: "JSON lines for `timesketch_importer`", lines: Lines::Json, row };

/// What its search keeps of one text.
const MOST_BYTES: usize = 32_766;

fn row(moment: &Moment) -> Row {
    let (algorithm, digest) = words::certain_digest(moment);
    let mut row = object(json!({
        "message": words::message(moment),
        "datetime": moment.time.rfc3339().replace('Z', "+00:00"),
        "timestamp": moment.time.0,
        "timestamp_desc": words::time_means(moment),
        "data_type": format!("hashtrail:{}", words::name(moment)),
        "hostname": moment.value("host"),
        "file_path": moment.value("path"),
        "inode": moment.value("ino"),
        "sha256_hash": if algorithm == "sha256" { Value::from(digest) } else { Value::Null },
        "tag": moment.value("tags"),
    }));
    for name in [
        "hook",
        "action",
        "enforced",
        "pid",
        "ppid",
        "uid",
        "auid",
        "comm",
        "exe",
        "argv",
        "container_id",
        "digest_status",
        "kind",
        "attribution",
        "cause",
    ] {
        row.insert(name.into(), moment.value(name).clone());
    }
    row.retain(|_, value| !value.is_null());
    row.values_mut().for_each(shorten);
    row
}

/// Cuts a text that is too long, and says so at its end.
fn shorten(value: &mut Value) {
    const MARK: &str = "… (cut)";
    match value {
        Value::String(text) if text.len() > MOST_BYTES => {
            let end = (0..=MOST_BYTES - MARK.len()).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
            text.push_str(MARK);
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        _ => {}
    }
}
