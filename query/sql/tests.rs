//! What is printed for hostile archives. That it answers as it should, engines say: `query/tests/model/engines.rs`, `tests/sql.rs`.

use super::*;
use crate::archives::{Archives, Scope};
use crate::output::problems::Problems;
use hashtrail::event::Event;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use hashtrail::versions::VersionContext;
use serde_json::json;
use std::path::Path;

const ENGINES: [Engine; 3] = [Engine::Duckdb, Engine::Spark, Engine::Polars];

/// The script for an archive in a folder of this name, whose recording has this id.
fn script(engine: Engine, folder: &str, recording_id: &str) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join(folder);
    let archive = hashtrail::archive::Archive::create(&path)?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest
        .append(&[("start", json!({"recording_id": recording_id, "host": "web", "time": "2026-01-02T00:00:00Z"}))])?;
    let name = SegmentName { recording_id: "11111111-0".into(), host: "web".into(), segment: 0 };
    let event = Event { recording_id: "11111111-0".into(), host: "web".into(), ..Event::default() };
    seal(&archive, &mut manifest, &name, &VersionContext::default(), vec![event], Vec::new())?;
    manifest.append(&[("stop", json!({"recording_id": recording_id, "state": "SEALED"}))])?;
    let problems = Problems::default();
    let scope = Scope { archive: vec![path], ..Scope::default() };
    engine.script(&Sources::of(&Archives::open(&scope, &problems)?)?)
}

#[test]
fn no_word_of_the_templates_is_left_and_each_stage_is_kept_once() -> Result<()> {
    for engine in ENGINES {
        let script = script(engine, "web", "r1")?;
        let begins = ["@keep", "@rounds", "@last_trees", "{0}", "{this}"];
        assert!(begins.iter().all(|left| !script.contains(left)), "{engine:?}");
        let names: Vec<String> = stages::stages(engine.dialect())?.into_iter().map(|stage| stage.name).collect();
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }
    Ok(())
}

#[test]
fn a_quote_in_a_name_ends_no_text() -> Result<()> {
    let hostile = "it's; DROP TABLE files; --";
    let is_quoted = |engine, quoted: &str| Ok::<_, anyhow::Error>(script(engine, hostile, hostile)?.contains(quoted));
    assert!(is_quoted(Engine::Duckdb, "/it''s; DROP TABLE files; --/events/")?);
    assert!(is_quoted(Engine::Duckdb, "('it''s; DROP TABLE files; --', 0, 0")?);
    assert!(is_quoted(Engine::Spark, "/it\\'s; DROP TABLE files; --/events/")?);
    assert!(is_quoted(Engine::Spark, "('it\\'s; DROP TABLE files; --', 0, 0")?);
    assert!(is_quoted(Engine::Polars, "/it's; DROP TABLE files; --/events/")?);
    let python = script(Engine::Polars, "a\"b\\c", "a\"\"\"b\\c'")?;
    assert!(python.contains("/a\\\"b\\\\c/events/") && python.contains("('a\\\"\\\"\\\"b\\\\c''', 0, 0"), "{python}");
    Ok(())
}

#[test]
fn names_that_are_globs_name_themselves() -> Result<()> {
    let hostile = "w*b[1]?{a,b}";
    assert!(script(Engine::Duckdb, hostile, "r1")?.contains("/w[*]b[[]1][?]{a,b}/events/"));
    for letter in ["*", "?", "[", "]", "{", "}", ",", "\\"] {
        let error = script(Engine::Spark, &format!("web{letter}"), "r1").err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("taken for a glob")), "{letter}");
    }
    Ok(())
}

#[test]
fn names_that_drive_a_terminal_or_that_no_text_holds_are_refused() {
    for engine in ENGINES {
        let refused = |path: &Path| dialect::path_text(path).is_err();
        assert!(refused(Path::new("a\u{1b}[2J")) && refused(Path::new("a\nb")), "{engine:?}");
        assert!(script(engine, "a\u{1b}[2J", "r1").is_err(), "{engine:?}");
        assert!(script(engine, "web", "a\u{1b}[2J").is_err(), "{engine:?}");
    }
    let error = script(Engine::Spark, "web", "${hashtrail.work}").err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("takes for a variable")));
}
