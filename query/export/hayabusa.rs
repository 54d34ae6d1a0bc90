//! The CSV of hayabusa, a timeline of Windows event logs, with the columns that it has for Timesketch: both make one sheet.

use super::target::{Lines, Target};
use super::words;
use crate::investigate::timeline::{Moment, What};
use crate::output::{Row, object};
use serde_json::json;

pub(super) const TARGET: Target =
    Target { name: "hayabusa", help: "CSV with the columns of hayabusa's timelines", lines: Lines::Csv(&COLUMNS), row };

#[rustfmt::skip]
const COLUMNS: [&str; 15] = [
    "datetime", "timestamp_desc", "message", "Level", "Computer", "Channel", "EventID", "MitreTactics", "MitreTags", "OtherTags",
    "RecordID", "Details", "RuleFile", "RuleID", "EvtxFile",
];

fn row(moment: &Moment) -> Row {
    let event = match moment.what {
        What::Event => "hook",
        What::Change => "kind",
        What::Gap => "cause",
    };
    object(json!({
        "datetime": moment.time.rfc3339(), "timestamp_desc": words::time_means(moment), "message": words::message(moment),
        "Level": if words::asks_for_nothing(moment) { "info" } else { "low" }, "Computer": moment.value("host"),
        "Channel": format!("hashtrail:{}", words::name(moment)), "EventID": moment.value(event),
        "OtherTags": moment.value("tags"), "RecordID": words::record_key(moment), "Details": details(moment),
        "RuleFile": moment.value("policy"), "RuleID": moment.value("selector"),
    }))
}

/// What is known, as `Key: value` with ` ¦ ` between: in a value `\` stands before that, and before a `\`.
fn details(moment: &Moment) -> String {
    let (algorithm, digest) = words::certain_digest(moment);
    let hash = (!digest.is_empty()).then(|| format!("{}={digest}", algorithm.to_uppercase()));
    let text = |name| moment.value(name).as_str().map(str::to_owned);
    let known = [
        ("Path", text("path")),
        ("NewPath", text("target_path")),
        ("Hash", hash),
        ("Proc", text("exe").or_else(|| text("comm"))),
        ("Cmdline", words::command_line(moment)),
        ("PID", words::number(moment, "pid")),
        ("ParentPID", words::number(moment, "ppid")),
        ("UID", words::number(moment, "uid")),
    ];
    let known =
        known.into_iter().filter_map(|(key, value)| Some((key, value?.replace('\\', "\\\\").replace('¦', "\\¦"))));
    known.map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join(" ¦ ")
}
