//! Writes of files that were mapped executable, which no digest may show.

use super::*;

const LIBRARY: &str = "/usr/lib/library.so";

fn seen(second: i64) -> Event {
    Event { path: Some(LIBRARY.into()), ..event(second, "mmap_file", Some(OLD)) }
}

/// Opened for writing by another name of the file, while it was mapped.
fn written(second: i64) -> Event {
    Event { path: Some("/other/link".into()), mapped_executable: Some(true), ..event(second, "file_post_open", None) }
}

fn lines(events: &[Event], line: &[&str]) -> Result<(bool, Vec<Value>)> {
    let directory = tempfile::tempdir()?;
    let stop = vec![entry(0, "start", None), entry(40, "stop", Some("{\"cpus\":[]}"))];
    archive_with(directory.path(), events, 2, stop)?;
    let (found, problem, output) = query(directory.path(), &[line, &["--format", "json"]].concat())?;
    assert!(!problem, "{output}");
    Ok((found, json_lines(&output)))
}

#[test]
pub(super) fn it_is_told_though_the_digest_never_changed() -> Result<()> {
    let events = [seen(10), written(15), seen(20)];
    for line in [
        &["changes"][..],
        &["changes", LIBRARY],
        &["history", LIBRARY],
        &["history", "--inode", "8:1:12"],
        &["history", "--digest", OLD],
    ] {
        let (found, lines) = lines(&events, line)?;
        let told: Vec<&Value> = lines.iter().filter(|line| line["type"] == "written_while_mapped").collect();
        assert_eq!((found, told.len()), (true, 1), "{line:?}: {lines:?}");
        let names = ["path", "host", "time", "pid", "exe", "act", "written_path"].map(|name| told[0][name].clone());
        let expected = [
            json!(LIBRARY),
            json!("web"),
            json!("2026-01-02T00:00:15.000000Z"),
            json!(7),
            json!("/usr/bin/cp"),
            json!("write_open"),
            json!("/other/link"),
        ];
        assert_eq!(names, expected, "{line:?}");
        let summary = lines.last().expect("a summary");
        assert_eq!((&summary["complete"], &summary["written_while_mapped"]), (&json!(false), &json!(1)), "{line:?}");
    }
    Ok(())
}

#[test]
fn only_of_what_was_asked_for_and_only_where_it_was_mapped() -> Result<()> {
    let unmapped = Event { mapped_executable: Some(false), ..written(16) };
    let unknown = Event { mapped_executable: None, ..written(16) };
    let denied = Event { action: "deny".into(), enforced: true, ..written(17) };
    let other = Event { ino: Some(99), ..written(18) };
    let events = [seen(10), unmapped, unknown, denied, other, seen(20)];
    for line in [&["changes", LIBRARY][..], &["history", LIBRARY], &["history", "--inode", "8:1:12"]] {
        let (_, lines) = lines(&events, line)?;
        let summary = lines.last().expect("a summary");
        assert_eq!((&summary["complete"], &summary["written_while_mapped"]), (&json!(true), &json!(0)), "{line:?}");
    }
    let (found, told) = lines(&events, &["changes", "/other/*"])?;
    assert_eq!((found, &told[0]["path"], told.len()), (true, &json!("/other/link"), 2), "it has no digest: {told:?}");
    let (_, told) = lines(&events, &["history", "--inode", "8:1:99"])?;
    assert_eq!((&told[0]["ino"], told.len()), (&json!(99), 2));
    let (found, _) = lines(&events, &["changes", "--since", "2026-01-02T00:00:19Z"])?;
    assert!(!found);
    Ok(())
}

#[test]
fn the_file_beneath_is_the_file() -> Result<()> {
    let merged =
        |second| Event { dev: Some("0:50".into()), real_dev: Some("8:1".into()), real_ino: Some(70), ..seen(second) };
    let events = [merged(10), Event { ino: Some(70), ..written(15) }, merged(20)];
    let (_, lines) = lines(&events, &["changes", LIBRARY])?;
    assert_eq!((&lines[0]["path"], lines.len()), (&json!(LIBRARY), 2), "{lines:?}");
    Ok(())
}

#[test]
fn people_read_who_and_when() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let events: Vec<Event> = std::iter::once(seen(1)).chain((2..30).map(written)).collect();
    archive(directory.path(), &events, 100)?;
    let problems = Problems::default();
    let cli = Cli::try_parse_from(["hashtrail", "--archive", directory.path().to_str().expect("path"), "changes"])?;
    let archives = crate::archives::Archives::open(&cli.scope, &problems)?;
    let files = crate::caveats::mapped::MappedFiles::look(&archives, &cli.scope)?;
    let writes = crate::caveats::mapped::MappedWrites::find(&archives, &cli.scope, &files, |_| true)?;
    let notes = writes.notes();
    let expected = "written while mapped executable: /other/link at 2026-01-02T00:00:02.000000Z, write_open by /usr/bin/cp \
                    (pid 7, uid 0)";
    assert_eq!((notes.len(), notes[0].as_str()), (21, expected));
    assert!(notes[20].contains("8 more"), "{}", notes[20]);
    Ok(())
}
