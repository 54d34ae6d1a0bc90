//! A spreadsheet's lines: what a reader looks for, in columns of one order.

use super::target::{Lines, Target};
use super::words;
use crate::investigate::timeline::Moment;
use crate::output::{Row, object};
use serde_json::json;

pub(crate) const TARGET: Target =
    Target { name: "csv", help: "A line of fixed columns each, for a spreadsheet", lines: Lines::Csv(&COLUMNS), row };

const COLUMNS: [&str; 12] = [
    "datetime",
    "timestamp_desc",
    "type",
    "host",
    "path",
    "algorithm",
    "digest",
    "pid",
    "uid",
    "exe",
    "message",
    "argv",
];

fn row(moment: &Moment) -> Row {
    let (algorithm, digest) = words::certain_digest(moment);
    object(json!({
        "datetime": moment.time.rfc3339(), "timestamp_desc": words::time_means(moment), "type": words::name(moment),
        "host": moment.text("host"), "path": moment.text("path"), "algorithm": algorithm, "digest": digest,
        "pid": moment.value("pid"), "uid": moment.value("uid"), "exe": moment.text("exe"),
        "message": words::message(moment), "argv": moment.value("argv"),
    }))
}
