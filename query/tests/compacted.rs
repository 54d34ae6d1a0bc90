//! Small files that were merged, and merges that were cut short: every question is answered as before.

use super::taken_away::{QUESTIONS, copy, random_archive};
use super::*;
use hashtrail::compact::Outcome;
use hashtrail::manifest;
use serde_json::Map;
use std::fs;
use std::path::PathBuf;

/// Merges what can be merged.
pub(super) fn compact(directory: &Path) -> Result<Outcome> {
    let archive = Archive::create(directory)?;
    let mut manifest = Manifest::open(&archive, None)?;
    let mut outcome = Outcome::default();
    hashtrail::compact::compact(&archive, &mut manifest, &mut outcome, |_, _, _| {})?;
    Ok(outcome)
}

/// Archives of more than one segment, and what each becomes.
fn merged_archives(count: usize) -> Result<Vec<(tempfile::TempDir, tempfile::TempDir)>> {
    let mut archives = Vec::new();
    for seed in 0..100 {
        let (whole, merged) = (random_archive(seed)?, tempfile::tempdir()?);
        copy(whole.path(), merged.path())?;
        if archives.len() == count {
            break;
        }
        if !compact(merged.path())?.merged.is_empty() {
            archives.push((whole, merged));
        }
    }
    assert_eq!(archives.len(), count);
    Ok(archives)
}

/// The answers to all questions, without what tells of files.
fn answers(directory: &Path) -> Result<Vec<String>> {
    let name = directory.display().to_string();
    let answer = |question: &&[&str]| {
        let (found, problem, output) = query(directory, &[*question, &["--format", "json"]].concat())?;
        let mut lines = json_lines(&output);
        for fields in lines.iter_mut().filter_map(Value::as_object_mut) {
            fields.retain(|name, _| !matches!(name.as_str(), "file" | "files" | "bytes" | "size_bytes" | "head"));
        }
        let lines: Vec<String> = lines.iter().map(|line| line.to_string().replace(&name, "ARCHIVE")).collect();
        Ok(format!("{question:?}: found {found}, problem {problem}\n{}", lines.join("\n")))
    };
    QUESTIONS.iter().map(answer).collect()
}

/// All files, relative to the archive.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path.strip_prefix(directory)?.to_owned()) }
        }
    }
    found.sort();
    Ok(found)
}

fn contents(directory: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let files = files(directory)?.into_iter().filter(|file| !file.starts_with(".journal"));
    files.map(|file| Ok((file.clone(), fs::read(directory.join(file))?))).collect()
}

#[test]
fn every_question_is_answered_as_before() -> Result<()> {
    let mut merged = 0;
    for seed in 0..10 {
        let archive = random_archive(seed)?;
        let before = answers(archive.path())?;
        let outcome = compact(archive.path())?;
        assert!(outcome.damages.is_empty() && outcome.refused.is_empty(), "seed {seed}: {outcome:?}");
        merged += outcome.merged.iter().map(|merged| merged.inputs).sum::<usize>();
        for (before, after) in before.iter().zip(answers(archive.path())?) {
            assert_eq!(*before, after, "seed {seed}");
        }
        let again = compact(archive.path())?;
        assert!(again.merged.is_empty() && again.removed.is_empty(), "seed {seed}: nothing is left: {again:?}");
    }
    assert!(merged > 10, "{merged} files were merged");
    Ok(())
}

/// The line of a merged file comes after those of recordings that had nothing to merge; its rows come where they were sealed.
#[test]
fn rows_that_were_merged_come_before_those_that_were_recorded_later() -> Result<()> {
    let mut mixed = 0;
    for seed in 0..100 {
        let archive = random_archive(seed)?;
        let events = || query(archive.path(), &["events", "--format", "json"]);
        let before = events()?;
        compact(archive.path())?;
        assert_eq!(events()?, before, "seed {seed}");
        let names: Vec<PathBuf> =
            files(archive.path())?.into_iter().filter(|file| file.starts_with("events")).collect();
        let is_merged =
            |name: &PathBuf| name.file_name().is_some_and(|name| name.to_string_lossy().split('-').count() == 3);
        mixed += usize::from(names.len() == 2 && is_merged(&names[0]) && !is_merged(&names[1]));
    }
    assert!(mixed > 0, "there are some");
    Ok(())
}

/// The archive after each step of a compaction, made of what was before and what is after.
fn steps(before: &Path, after: &Path) -> Result<Vec<tempfile::TempDir>> {
    let lines = fs::read_to_string(after.join("manifest.jsonl"))?;
    let old_lines = fs::read_to_string(before.join("manifest.jsonl"))?.lines().count();
    let (mut steps, mut done) = (Vec::new(), old_lines);
    let mut state = tempfile::tempdir()?;
    copy(before, state.path())?;
    fs::create_dir_all(state.path().join(".journal"))?;
    let next = |state: &Path| -> Result<tempfile::TempDir> {
        let next = tempfile::tempdir()?;
        copy(state, next.path())?;
        fs::create_dir_all(next.path().join(".journal"))?;
        Ok(next)
    };
    for line in lines.lines().skip(old_lines) {
        let line: Value = serde_json::from_str(line)?;
        let path = line["path"].as_str().unwrap_or_default();
        // It is being written.
        let staging = next(state.path())?;
        fs::write(staging.path().join(".journal/compact.tmp"), &fs::read(after.join(path))?[..100])?;
        steps.push(staging);
        // It is written, and its line stands.
        done += 1;
        let named = next(state.path())?;
        let manifest: String = lines.split_inclusive('\n').take(done).collect();
        fs::write(named.path().join("manifest.jsonl"), manifest)?;
        fs::copy(after.join(path), named.path().join(".journal/compact.tmp"))?;
        // It is at its place, and nothing is deleted.
        let placed = next(named.path())?;
        fs::copy(after.join(path), placed.path().join(path))?;
        steps.push(named);
        let mut last = placed;
        for input in line["inputs"].as_array().into_iter().flatten() {
            let deleted = next(last.path())?;
            fs::remove_file(deleted.path().join(input["path"].as_str().unwrap_or_default()))?;
            steps.push(std::mem::replace(&mut last, deleted));
        }
        state = next(last.path())?;
        steps.push(last);
    }
    Ok(steps)
}

#[test]
fn a_merge_that_was_cut_short_changes_no_answer_and_is_ended_by_the_next() -> Result<()> {
    let mut states = 0;
    let count = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 10 } else { 1 };
    for (number, (whole, merged)) in merged_archives(count)?.into_iter().enumerate() {
        let expected = answers(whole.path())?;
        for step in steps(whole.path(), merged.path())? {
            states += 1;
            let found = answers(step.path())?;
            for (expected, found) in expected.iter().zip(found) {
                // What stands there beside the archive is named.
                if !expected.starts_with("[\"verify\"]") {
                    assert_eq!(*expected, found, "archive {number}, files: {:?}", files(step.path())?);
                }
            }
            let outcome = compact(step.path())?;
            assert!(outcome.damages.is_empty(), "archive {number}: {outcome:?}");
            assert!(contents(step.path())? == contents(merged.path())?, "archive {number}: {:?}", files(step.path())?);
        }
    }
    assert!(states > 5, "{states} states");
    Ok(())
}

/// Where the journal's folder was not copied, what a line names and was not in place yet is made anew, under another name.
#[test]
fn a_merge_whose_file_is_gone_is_made_anew() -> Result<()> {
    let mut made = 0;
    for (whole, merged) in merged_archives(3)? {
        let expected = answers(whole.path())?;
        let steps = steps(whole.path(), merged.path())?;
        for step in steps.iter().filter(|step| step.path().join(".journal/compact.tmp").exists()) {
            for bytes in [None, Some("x")] {
                let directory = tempfile::tempdir()?;
                copy(step.path(), directory.path())?;
                fs::create_dir_all(directory.path().join(".journal"))?;
                if let Some(bytes) = bytes {
                    fs::write(directory.path().join(".journal/compact.tmp"), bytes)?;
                }
                assert_eq!(answers(directory.path())?[..14], expected[..14]);
                let outcome = compact(directory.path())?;
                assert!(outcome.damages.is_empty() && outcome.refused.is_empty(), "{outcome:?}");
                assert_eq!(answers(directory.path())?, answers(merged.path())?);
                made += usize::from(files(directory.path())? != files(merged.path())?);
            }
        }
    }
    assert!(made > 3, "{made} have another name");
    Ok(())
}

#[test]
fn verify_names_what_a_merge_left() -> Result<()> {
    let (whole, merged) = merged_archives(1)?.remove(0);
    let findings = |directory: &Path| -> Result<Vec<String>> {
        let (_, _, output) = query(directory, &["verify", "--format", "json"])?;
        let findings = json_lines(&output).into_iter().filter(|line| line["type"] == "finding");
        Ok(findings.map(|line| line["kind"].as_str().unwrap_or_default().to_owned()).collect())
    };
    let usual = findings(whole.path())?;
    let mut seen = BTreeSet::new();
    for step in steps(whole.path(), merged.path())? {
        let found = findings(step.path())?;
        seen.extend(found.iter().filter(|kind| !usual.contains(kind)).cloned());
        let parquet = |directory: &Path| -> Result<usize> {
            Ok(files(directory)?.iter().filter(|file| file.extension().is_some_and(|end| end == "parquet")).count())
        };
        let (_, _, output) = query(step.path(), &["verify", "--format", "json"])?;
        let counted = json_lines(&output).pop().unwrap_or_default()["files"].as_u64();
        let named = found.iter().filter(|kind| *kind == "file_merged").count();
        assert_eq!(counted, Some((parquet(step.path())? - named) as u64), "each file counts or is named: {output}");
    }
    assert_eq!(Vec::from_iter(seen), ["file_merged"]);
    Ok(())
}

/// Whatever is not as it was sealed is named, and nothing is changed.
#[test]
fn damage_is_never_merged() -> Result<()> {
    let (whole, _) = merged_archives(1)?.remove(0);
    for file in files(whole.path())?.into_iter().filter(|file| file.extension().is_some_and(|end| end == "parquet")) {
        let spoils: [fn(&Path) -> Result<()>; 3] = [
            |path| {
                let mut bytes = fs::read(path)?;
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                Ok(fs::write(path, bytes)?)
            },
            |path| Ok(fs::remove_file(path)?),
            |path| Ok(fs::write(path.with_file_name("planted.parquet"), "x")?),
        ];
        for spoil in spoils {
            let directory = tempfile::tempdir()?;
            copy(whole.path(), directory.path())?;
            spoil(&directory.path().join(&file))?;
            let before = contents(directory.path())?;
            let outcome = compact(directory.path())?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_named = |damage: &String| damage.contains(&name) || damage.contains("planted.parquet");
            assert!(outcome.damages.iter().any(is_named), "{file:?}: {outcome:?}");
            assert!(contents(directory.path())? == before, "{file:?}: nothing is changed");
        }
    }
    Ok(())
}

/// What a merged file holds counts once beside a copy that was not merged.
#[test]
fn copies_of_which_one_was_merged_are_read_once() -> Result<()> {
    for (number, (whole, merged)) in merged_archives(3)?.into_iter().enumerate() {
        for question in [&["events"][..], &["changes", "/usr/bin/*", "--first-seen"], &["history", "/usr/bin/*"]] {
            let rows = |first: &Path, second: &Path| -> Result<(Vec<Value>, bool)> {
                let second = second.to_str().expect("a plain path");
                let line = [&["--archive", second], question, &["--format", "json"]].concat();
                let (_, problem, output) = query(first, &line)?;
                Ok((json_lines(&output), problem))
            };
            let alone = rows(whole.path(), whole.path())?;
            assert_eq!(rows(whole.path(), merged.path())?, alone, "archive {number}, {question:?}");
            assert_eq!(rows(merged.path(), whole.path())?, alone, "archive {number}, {question:?}");
        }
    }
    Ok(())
}

/// A merged file whose line says that it holds what another archive has, and that has other rows, hides nothing of that.
#[test]
fn a_forged_merge_hides_no_row_of_another_archive() -> Result<()> {
    let (whole, merged) = merged_archives(1)?.remove(0);
    let forged = tempfile::tempdir()?;
    copy(merged.path(), forged.path())?;
    // One more file of the same recording, so that the merged one has more than the other archive.
    let path = forged.path().join("manifest.jsonl");
    let lines: Vec<Map<String, Value>> =
        manifest::parse(&fs::read(&path)?).lines.iter().map(manifest::Line::fields).collect();
    let is_events = |line: &&Map<String, Value>| {
        line["kind"] == "compact" && line["path"].as_str().is_some_and(|path| path.starts_with("events"))
    };
    let compacted = lines.iter().find(is_events).expect("a merge of events").clone();
    let name = compacted["path"].as_str().expect("a path");
    let extra = Path::new(name).with_file_name("00000000-999999.parquet");
    let mut changed = Vec::new();
    for mut line in lines {
        if line == compacted {
            let mut invented = line.clone();
            ["inputs", "rows_sha256"].iter().for_each(|field| _ = invented.remove(*field));
            invented["kind"] = "file".into();
            invented["path"] = extra.to_string_lossy().into();
            invented["sha256"] = "0".repeat(64).into();
            invented["rows"] = 0.into();
            invented["sequences"] = Value::Array(Vec::new());
            changed.push(invented.clone());
            let inputs = line["inputs"].as_array_mut().expect("inputs");
            inputs.push(serde_json::json!({"path": invented["path"], "sha256": invented["sha256"]}));
            // Its rows are others.
            let events: Vec<Event> = read_events(&forged.path().join(name))?;
            let events: Vec<Event> =
                events.into_iter().map(|event| Event { path: Some("/innocent".into()), ..event }).collect();
            fs::remove_file(forged.path().join(name))?;
            hashtrail::writer::write(&forged.path().join(name), &events, "boot_ns", Vec::new())?;
            let content = manifest::Content::of(fs::File::open(forged.path().join(name))?)?;
            let Value::Object(content) = serde_json::to_value(&content)? else { panic!("an object") };
            line.extend(content);
        }
        changed.push(line);
    }
    fs::remove_file(&path)?;
    let archive = Archive::create(forged.path())?;
    let mut rewritten = Manifest::open(&archive, None)?;
    for line in changed {
        let kind = line["kind"].as_str().unwrap_or_default().to_owned();
        let fields = line.into_iter().filter(|(name, _)| !matches!(name.as_str(), "prev" | "kind" | "crc32c"));
        rewritten.append(&[(&kind, Value::Object(fields.collect()))])?;
    }
    let events = |first: &Path, others: &[&str]| query(first, &[others, &["events", "--format", "json"][..]].concat());
    let honest = json_lines(&events(whole.path(), &[])?.2).len();
    assert_eq!(json_lines(&events(forged.path(), &[])?.2).len(), honest, "it is read where it is alone");
    let (first, second) = (whole.path().to_str().expect("plain"), forged.path().to_str().expect("plain"));
    let (_, third) = merged_archives(1)?.remove(0);
    let third_name = third.path().to_str().expect("plain");
    for (archive, other) in
        [(whole.path(), second), (forged.path(), first), (third.path(), second), (forged.path(), third_name)]
    {
        let (_, problem, output) = events(archive, &["--archive", other])?;
        let is_innocent = |line: &&Value| line["path"] == "/innocent";
        let rows = json_lines(&output);
        assert!(problem && rows.iter().filter(|line| !is_innocent(line)).count() >= honest, "{problem} {}", rows.len());
    }
    Ok(())
}

fn read_events(path: &Path) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for batch in hashtrail::reader::SealedTable::<Event>::open(path)?.batches(&Default::default(), &[], None)? {
        events.extend(hashtrail::reader::rows::<Event>(&batch?).collect::<Result<Vec<_>>>()?);
    }
    Ok(events)
}
