//! Columns of hayabusa's CSV, and what `DuckDB` knows of the same events.

use super::{asked, made};
use crate::support::{hashtrail, integer, repository, stdout_of};
use hashtrail::event::Event;

/// The profile `timesketch-minimal` in `config/profiles.yaml` of <https://github.com/Yamato-Security/hayabusa> at
/// 188e22eb4c3b14e344ffbf82577d3958013fb8a9, and the levels as its `src/level.rs` shortens them.
const COLUMNS: &str = "datetime,timestamp_desc,message,Level,Computer,Channel,EventID,MitreTactics,MitreTags,OtherTags,RecordID,\
     Details,RuleFile,RuleID,EvtxFile";
const LEVELS: &str = "('crit', 'high', 'med', 'low', 'info')";

#[test]
fn each_event_is_a_line_in_the_published_columns() {
    let mut command = hashtrail();
    let lines = stdout_of(command.args(["timeline", "--to", "hayabusa", "--archive"]).arg(repository(super::ARCHIVE)));
    assert_eq!(lines.lines().next(), Some(COLUMNS));
    let found = asked(
        "hayabusa",
        "read_csv",
        &format!(
            "SELECT count(*) AS lines, count(*) FILTER (Level NOT IN {LEVELS} OR message IS NULL OR Computer != 'guest') AS odd, \
             count(*) FILTER (Level = 'low' AND Channel = 'hashtrail:change' AND EventID IN ('rewritten', 'replaced')) AS changes, \
             (SELECT count(*) FROM events) AS events, \
             (SELECT count(*) FROM TIMELINE AS line JOIN events ON line.RecordID = concat_ws('/', recording_id, cpu, seq) \
             WHERE CAST(line.datetime AS TIMESTAMPTZ) = time AND line.EventID = hook AND line.Level = 'info' \
             AND (path IS NULL OR starts_with(line.Details, 'Path: ' || path)) AND contains(line.Details, 'PID: ' || pid) \
             AND contains(line.Details, ' Hash: SHA256=' || digest) IS NOT DISTINCT FROM \
             if(digest IS NULL, NULL, len(digest_doubt) = 0)) AS same FROM TIMELINE"
        ),
    );
    let number = |name: &str| integer(&found, name);
    assert_eq!((number("same"), number("changes")), (number("events"), 2), "{found}");
    assert_eq!((number("lines"), number("odd")), (number("events") + 2, 0), "{found}");
}

#[test]
fn no_name_begins_a_field_of_its_own() {
    let names = ["/a ¦ Hash: SHA256=00", "/b\\ ¦ PID: 1", "/c\\\\", "/d\\¦"];
    let events = (0..).zip(names).map(|(second, name)| Event { path: Some(name.into()), ..made::event(second) });
    let directory = made::archive(events.collect());
    let mut command = hashtrail();
    command.args(["timeline", "--to", "hayabusa", "--format", "csv", "--archive"]).arg(directory.path());
    let lines = stdout_of(&mut command);
    let plain = |text: &str| text.replace("\\\\", "\\");
    for (line, name) in lines.lines().skip(1).zip(names) {
        // What the cell was, and then the value in it.
        let cell = plain(line);
        let (_, details) = cell.split_once("Path: ").expect("a path");
        let fields: Vec<&str> = details.split(" ¦ ").collect();
        assert_eq!(plain(&fields[0].replace("\\¦", "¦")), name, "{line}");
        assert!(fields[1].starts_with("Hash: SHA256=aaaa") && fields.len() == 6, "{line}");
    }
}
