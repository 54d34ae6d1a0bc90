//! The Open Cybersecurity Schema Framework, version 1.8.0, the last that was released: an object of one of its classes a line.

mod activity;
mod objects;

use super::target::{Lines, Target};
use super::words;
use crate::investigate::timeline::{Moment, What};
use crate::output::{Row, object};
use activity::{Activity, Class};
use hashtrail::cell::Micros;
use objects::time;
use serde_json::{Value, json};

pub(super) const TARGET: Target =
    Target { name: "ocsf", help: "JSON lines in the Open Cybersecurity Schema Framework", lines: Lines::Json, row };

const VERSION: &str = "1.8.0";
const INFORMATIONAL: u32 = 1;
const LOW: u32 = 2;
/// How a module was loaded.
const MAPPED: u32 = 4;
/// What is said of it beside its class.
const PROFILES: [&str; 4] = ["container", "datetime", "host", "linux/linux_users"];

fn row(moment: &Moment) -> Row {
    let activity = Activity::of(moment);
    let (class, id) = (activity.class as u32, activity.id);
    let mut row = object(json!({
        "class_uid": class, "category_uid": class / 1000, "activity_id": id, "type_uid": class * 100 + id,
        "activity_name": activity.name, "severity_id": if words::asks_for_nothing(moment) { INFORMATIONAL } else { LOW }, "message": words::message(moment),
        "metadata": metadata(moment), "device": device(moment), "unmapped": unmapped(moment),
    }));
    time(&mut row, "time", Some(moment.time));
    match moment.what {
        What::Event => of_event(&mut row, moment, &activity),
        What::Change => {
            span(&mut row, moment, "changed_after", "changed_before");
            row.insert("file".into(), objects::file(moment));
            // The schema demands an actor. Suspects are none, and no act that was recorded need be the one: all that is said
            // is that it is not known, and who they are stands beside it.
            row.insert("actor".into(), json!({"app_name": "Unknown"}));
        }
        What::Gap => {
            span(&mut row, moment, "from", "to");
            row.insert("log_name".into(), "hashtrail".into());
        }
    }
    let observables = objects::observables(moment, activity.class.place_of_file());
    row.insert("observables".into(), observables);
    words::without_nothing(&mut row);
    row
}

fn of_event(row: &mut Row, moment: &Moment, activity: &Activity) {
    row.insert("status_id".into(), activity.status.into());
    row.insert("status_code".into(), moment.value("result").as_i64().map(|errno| errno.to_string()).into());
    row.insert("actor".into(), objects::actor(moment));
    row.extend(object(match activity.class {
        Class::Base | Class::EventLog => return,
        Class::File => json!({
            "access_mask": moment.value("open_flags"), "file": objects::file(moment),
            "file_result": objects::renamed_file(moment),
        }),
        Class::KernelExtension => json!({"driver": {"file": objects::file(moment)}}),
        Class::Module => json!({"module": {"file": objects::file(moment), "load_type_id": MAPPED}}),
        Class::Process => json!({"launch_type_id": activity.launch_type(), "process": objects::launched(moment)}),
    }));
}

/// The times between which it was.
fn span(row: &mut Row, moment: &Moment, from: &str, to: &str) {
    time(row, "start_time", Micros::of_text(moment.text(from)));
    time(row, "end_time", Micros::of_text(moment.text(to)));
}

fn metadata(moment: &Moment) -> Value {
    json!({
        "version": VERSION, "profiles": PROFILES,
        "extensions": [{"name": "linux", "uid": "1", "version": VERSION}],
        "product": {"name": "hashtrail", "vendor_name": "hashtrail", "version": env!("CARGO_PKG_VERSION")},
        "uid": words::record_key(moment), "sequence": moment.value("seq"), "event_code": moment.value("hook"), "labels": moment.value("tags"),
    })
}

fn device(moment: &Moment) -> Value {
    json!({
        "hostname": moment.value("host"), "type_id": 0, "boot_uid": moment.value("boot_id"),
        "os": {"name": "Linux", "type_id": 200},
    })
}

/// What the schema has no word for, as `events`, `changes` and `gaps` have it; a digest only where it is no doubtful one.
fn unmapped(moment: &Moment) -> Row {
    #[rustfmt::skip]
    const OF_EVENT: [&str; 21] = [
        "recording_id", "host", "boot_id", "cpu", "seq", "time", "hook", "tags", "result", "pid", "tid", "ppid", "uid",
        "gid", "euid", "auid", "parent_comm", "container_id", "path", "digest", "digest_algorithm",
    ];
    const OF_CHANGE: [&str; 5] = ["type", "host", "path", "changed_after", "changed_before"];
    const OF_GAP: [&str; 5] = ["type", "host", "text", "from", "to"];
    let mapped: &[&str] = match moment.what {
        What::Event => &OF_EVENT,
        What::Change => &OF_CHANGE,
        What::Gap => &OF_GAP,
    };
    let rest = moment.row.iter().filter(|(name, _)| !mapped.contains(&name.as_str()));
    rest.map(|(name, value)| (name.clone(), value.clone())).collect()
}
