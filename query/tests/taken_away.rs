//! Whatever is taken away from whatever was recorded, be it a row, a file or a folder: no answer calls itself complete without it.

use super::*;
use crate::output::object;
use hashtrail::reader::{Prune, SealedTable, rows};
use hashtrail::versions::FileVersion;
use hashtrail::writer;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// A question of each command, and each way to ask who ran or wrote what.
pub(super) const QUESTIONS: [&[&str]; 18] = [
    &["changes"],
    &["changes", "/usr/bin/*", "--first-seen"],
    &["changes", "tool12", "--since", "2026-01-02T00:00:05Z", "--until", "2026-01-02T00:00:20Z"],
    &["history", "/usr/bin/*"],
    &["history", "--inode", "8:1:12"],
    &["history", "--digest", NEW],
    &["lookup", NEW],
    &["lookup", NEW, OLD, "--until", "2026-01-02T00:01:30Z"],
    &["diff", "--before", "2026-01-02T00:00:15Z"],
    &["diff", "--before", "2026-01-02T00:00:25Z", "--by", "digest"],
    &["rare", "/usr/bin/*", "--at-most", "3"],
    &["events"],
    &["events", "--digest", NEW, "--hook", "bprm_check_security"],
    &["events", "--path", "/usr/bin/*", "--limit", "1"],
    &["events", "--uid", "0", "--since", "2026-01-02T00:00:05Z", "--sort", "-time"],
    &["gaps"],
    &["info"],
    &["verify"],
];

/// Numbers that repeat from run to run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

/// One recording of an archive.
struct Recorded {
    id: String,
    events: Vec<Event>,
    ledger: Vec<LedgerEntry>,
    segment_rows: usize,
}

impl Recorded {
    /// Files that run and are written, with digests that may be doubtful, filters that may be undecided, losses, blind times and
    /// rows that were suppressed; between two recordings is a time without any.
    fn random(numbers: &mut Numbers, number: i64) -> Self {
        let id = format!("{}-0000-4000-8000-000000000000", (number + 1).to_string().repeat(8));
        let mut second = number * 60 + 2;
        let count = 3 + numbers.below(7);
        let events = (0..count).map(|_| {
            second += 1 + numbers.below(3);
            Event { recording_id: id.clone(), boot_id: "boot".into(), ..Self::act(numbers, second) }
        });
        let events: Vec<Event> = events.collect();
        let ledger = Self::ledger(numbers, number * 60, events.len());
        let ledger = ledger.into_iter().map(|entry| LedgerEntry { recording_id: id.clone(), ..entry }).collect();
        let segment_rows = 1 + usize::try_from(numbers.below(4)).unwrap_or(0);
        Self { id, events, ledger, segment_rows }
    }

    fn act(numbers: &mut Numbers, second: i64) -> Event {
        let ino = 12 + numbers.below(3);
        let hook =
            ["file_post_open", "mmap_file", "bprm_check_security"][usize::try_from(numbers.below(3)).unwrap_or(0)];
        let is_write = hook == "file_post_open";
        let digest = (!is_write).then_some(if numbers.below(2) == 0 { OLD } else { NEW });
        Event {
            ino: Some(ino),
            parent_ino: Some(50),
            path: Some(format!("/usr/bin/tool{ino}")),
            undecided: Some(is_write && numbers.below(4) == 0),
            digest_doubt: if numbers.below(6) == 0 { vec!["old".into()] } else { Vec::new() },
            ..event(second, hook, digest)
        }
    }

    fn ledger(numbers: &mut Numbers, start: i64, events: usize) -> Vec<LedgerEntry> {
        let policy = json!({
            "hooks": ["bprm_check_security", "mmap_file", "file_post_open"],
            "coverage": {
                "file_open": [""], "inode_rename": [""], "inode_link": [""], "inode_unlink": [""], "inode_setattr": [""],
            },
        });
        let counts = json!({"cpus": [{"cpu": 0, "produced": events, "stored": events, "dropped": 0}]});
        let mut ledger = vec![
            entry(start, "start", None),
            entry(start, "policy", Some(&policy.to_string())),
            entry(start + 1, "snapshot", Some("{\"descriptors_unseen\":0}")),
        ];
        let causes = [("loss", "ring_full"), ("suppressed", "rate_limit"), ("blind", "ftrace_disabled")];
        for (kind, cause) in causes {
            if numbers.below(3) == 0 {
                let from = (start + numbers.below(30)) * 1_000_000_000;
                let (cause, to_ns) = (Some(cause.into()), Some(from + 1_000_000_000));
                let noted = entry(start + 35, kind, None);
                ledger.push(LedgerEntry { cause, count: Some(1), from_ns: Some(from), to_ns, ..noted });
            }
        }
        ledger.push(entry(start + 40, "stop", Some(&counts.to_string())));
        ledger
    }

    fn seal(&self, archive: &Archive, manifest: &mut Manifest) -> Result<()> {
        manifest
            .append(&[("start", json!({"recording_id": self.id, "host": "web", "time": "2026-01-02T00:00:00Z"}))])?;
        let mut ledger = self.ledger.clone();
        let context = VersionContext { host_root_dev: "8:1".into(), host_root_ino: 2, ..VersionContext::default() };
        for (segment, events) in self.events.chunks(self.segment_rows).enumerate() {
            let segment = u32::try_from(segment)?;
            let name = SegmentName { recording_id: self.id.clone(), host: "web".into(), segment };
            seal(archive, manifest, &name, &context, events.to_vec(), std::mem::take(&mut ledger))?;
        }
        let counts = counts(&self.events);
        manifest.append(&[("stop", json!({"recording_id": self.id, "state": "SEALED", "counts": counts}))])
    }
}

/// An archive of one or two recordings, made of these numbers.
pub(super) fn random_archive(seed: u64) -> Result<tempfile::TempDir> {
    let mut numbers = Numbers(seed);
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let mut manifest = Manifest::open(&archive, None)?;
    for number in 0..=numbers.below(2) {
        Recorded::random(&mut numbers, number).seal(&archive, &mut manifest)?;
    }
    Ok(directory)
}

/// All files and folders below a directory, relative to it; the journal is empty.
fn parts(directory: &Path, below: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory.join(below))? {
        let path = below.join(entry?.file_name());
        if path == Path::new(".journal") {
            continue;
        }
        if directory.join(&path).is_dir() {
            found.extend(parts(directory, &path)?);
        }
        found.push(path);
    }
    Ok(found)
}

/// Copies an archive into a directory that is there.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    for part in parts(from, Path::new(""))?.iter().rev() {
        if from.join(part).is_dir() {
            fs::create_dir(to.join(part))?;
        } else {
            fs::copy(from.join(part), to.join(part))?;
        }
    }
    Ok(())
}

/// What is wrong with the answer: nothing, or that it does not tell that something is missing.
fn untold(directory: &Path, question: &[&str], part: &Path) -> Result<Option<String>> {
    let directory = directory.to_str().expect("a plain path");
    let cli = Cli::try_parse_from([&["hashtrail", "--archive", directory, "--format", "json"], question].concat())?;
    let problems = Problems::default();
    let mut written = Vec::new();
    let found = cli.run(&problems, &mut written)?;
    let output = String::from_utf8(written)?;
    let last = json_lines(&output).pop().unwrap_or_default();
    let is_told = match question[0] {
        "verify" => !found && last["verdict"] == "NOT GOOD",
        "info" => problems.any(),
        _ => problems.any() && last["complete"] == false,
    };
    let stem = part.file_stem().unwrap_or_default().to_string_lossy();
    let is_named = part.extension().is_none() || question[0] == "verify" || problems.texts().concat().contains(&*stem);
    let wrong = || format!("{question:?}, named {is_named}: {output}{:?}", problems.texts());
    Ok((!is_told || !is_named).then(wrong))
}

/// Asks of what a copy is after something was done to a part of it: all questions, or with the sample each third of them in
/// turn.
fn assert_told(
    whole: &Path,
    part: &Path,
    (turn, what): (usize, &str),
    spoil: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let directory = tempfile::tempdir()?;
    copy(whole, directory.path())?;
    spoil(&directory.path().join(part))?;
    let is_full = std::env::var_os("HASHTRAIL_TEST_FULL").is_some();
    for question in QUESTIONS.iter().skip(if is_full { 0 } else { turn % 3 }).step_by(if is_full { 1 } else { 3 }) {
        let wrong = untold(directory.path(), question, part)?;
        assert!(wrong.is_none(), "{what} {part:?}: {}", wrong.unwrap_or_default());
    }
    Ok(())
}

type Spoil = (&'static str, fn(&Path) -> Result<()>);

/// What happens to files on their way.
const FILES: [Spoil; 6] = [
    ("without", |path| Ok(fs::remove_file(path)?)),
    ("renamed", |path| Ok(fs::rename(path, path.with_extension("PARQUET"))?)),
    ("hidden", |path| Ok(fs::rename(path, path.with_file_name(".x"))?)),
    ("cut", |path| {
        let file = fs::OpenOptions::new().write(true).open(path)?;
        Ok(file.set_len(file.metadata()?.len() / 2)?)
    }),
    ("a folder instead of", |path| {
        fs::remove_file(path)?;
        Ok(fs::create_dir(path)?)
    }),
    ("a link instead of", |path| {
        let elsewhere = path.with_file_name(".elsewhere");
        fs::rename(path, &elsewhere)?;
        Ok(symlink(elsewhere, path)?)
    }),
];

const FOLDERS: [Spoil; 3] = [
    ("without", |path| Ok(fs::remove_dir_all(path)?)),
    ("an empty folder instead of", |path| {
        fs::remove_dir_all(path)?;
        Ok(fs::create_dir(path)?)
    }),
    ("a link instead of", |path| {
        let elsewhere = path.with_file_name(".elsewhere");
        fs::rename(path, &elsewhere)?;
        Ok(symlink(elsewhere, path)?)
    }),
];

fn read<R: hashtrail::columns::Row>(path: &Path) -> Result<Vec<R>> {
    let mut all = Vec::new();
    for batch in SealedTable::<R>::open(path)?.batches(&Prune::default(), &[], None)? {
        all.extend(rows::<R>(&batch?).collect::<Result<Vec<R>>>()?);
    }
    Ok(all)
}

/// Writes the rows of a file anew, without one of them.
fn without_row<R: hashtrail::columns::Row>(path: &Path, row: usize) -> Result<()> {
    let mut all = read::<R>(path)?;
    all.remove(row);
    fs::remove_file(path)?;
    writer::write(path, &all, "", Vec::new())
}

fn table_of(part: &Path) -> &str {
    let is_table = part.extension().is_some_and(|extension| extension == "parquet");
    part.iter().next().and_then(|table| table.to_str()).filter(|_| is_table).unwrap_or_default()
}

fn without_row_of(part: &Path, path: &Path, row: usize) -> Result<()> {
    match table_of(part) {
        "events" => without_row::<Event>(path, row),
        "files" => without_row::<FileVersion>(path, row),
        _ => without_row::<LedgerEntry>(path, row),
    }
}

/// Number of rows of what is a table.
fn rows_of(part: &Path, path: &Path) -> Result<usize> {
    Ok(match table_of(part) {
        "events" => read::<Event>(path)?.len(),
        "files" => read::<FileVersion>(path)?.len(),
        "ledger" => read::<LedgerEntry>(path)?.len(),
        _ => 0,
    })
}

#[test]
fn no_answer_is_complete_without_a_row_a_file_or_a_folder() -> Result<()> {
    let mut asked = 0;
    for seed in 0..crate::mutate::count() / 1000 {
        let whole = random_archive(seed)?;
        if seed % 2 == 1 {
            compacted::compact(whole.path())?;
        }
        for part in parts(whole.path(), Path::new(""))? {
            let spoils = if whole.path().join(&part).is_dir() { &FOLDERS[..] } else { &FILES };
            for (what, spoil) in spoils {
                assert_told(whole.path(), &part, (asked, &format!("seed {seed}, {what}")), spoil)?;
                asked += 1;
            }
            for row in 0..rows_of(&part, &whole.path().join(&part))? {
                let spoil = |path: &Path| without_row_of(&part, path, row);
                let what = format!("seed {seed}, without row {row} of");
                assert_told(whole.path(), &part, (asked, &what), spoil)?;
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
    Ok(())
}

/// What is whole is told to be: else the test above would show nothing.
#[test]
fn a_whole_copy_has_no_problem() -> Result<()> {
    let mut complete = 0;
    for seed in 0..20 {
        let whole = random_archive(seed)?;
        if seed % 2 == 1 {
            compacted::compact(whole.path())?;
        }
        let directory = tempfile::tempdir()?;
        copy(whole.path(), directory.path())?;
        for question in QUESTIONS {
            let line = [question, &["--format", "json"]].concat();
            let (found, problem, output) = query(directory.path(), &line)?;
            let last = json_lines(&output).pop().unwrap_or_default();
            assert!(!problem && (question[0] != "verify" || found), "seed {seed}, {question:?}: {output}");
            complete += usize::from(last["complete"] == true);
        }
    }
    assert!(complete > 5, "{complete}");
    Ok(())
}

/// The same number of bytes, other rows: the file's own count is compared with that of its line.
#[test]
fn rows_that_a_line_states_and_a_file_lacks_are_missed() -> Result<()> {
    let whole = random_archive(1)?;
    let directory = tempfile::tempdir()?;
    copy(whole.path(), directory.path())?;
    fs::remove_file(directory.path().join("manifest.jsonl"))?;
    let mut manifest = Manifest::open(&Archive::create(directory.path())?, None)?;
    for line in fs::read_to_string(whole.path().join("manifest.jsonl"))?.lines() {
        let mut fields = object(serde_json::from_str(line)?);
        let kind = fields.remove("kind").unwrap_or_default();
        fields.retain(|name, _| name != "prev" && name != "crc32c");
        if fields.get("path").and_then(Value::as_str).is_some_and(|path| path.starts_with("files")) {
            fields["rows"] = json!(fields["rows"].as_u64().unwrap_or(0) + 1);
        }
        manifest.append(&[(kind.as_str().unwrap_or_default(), fields.into())])?;
    }
    for question in [&["changes"][..], &["history", "/usr/bin/*"], &["lookup", NEW]] {
        let (_, problem, output) = query(directory.path(), &[question, &["--format", "json"]].concat())?;
        assert!(problem && output.contains("was sealed with"), "{question:?}: {output}");
    }
    Ok(())
}
