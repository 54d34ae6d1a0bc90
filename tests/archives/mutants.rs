//! Seeded damage to good files: each mutant is an error or rows, within 512 MB of address space and 5 seconds.
#![expect(clippy::print_stdout, reason = "a child tells its parent where it is, and a run its figures")]

mod corpus; // good files of every table
mod mutation; // what a seed does to a file

use anyhow::{Context, Result, bail};
use hashtrail::archive::{Archive, remove_if_there};
use hashtrail::cell::Micros;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{Content, Manifest, SealedFile};
use hashtrail::reader::{Prune, SealedTable, rows};
use hashtrail::versions::FileVersion;
use hashtrail::writer;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// In KiB, as `ulimit -v` takes it.
const ADDRESS_SPACE: &str = "524288";
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// What a child is to do: folder, table, first seed, number of seeds.
const ORDER: &str = "HASHTRAIL_MUTANTS";

#[test]
fn mutants_of_events() -> Result<()> {
    watch::<Event>()
}

#[test]
fn mutants_of_files() -> Result<()> {
    watch::<FileVersion>()
}

#[test]
fn mutants_of_the_ledger() -> Result<()> {
    watch::<LedgerEntry>()
}

fn count(usual: u64, full: u64) -> u64 {
    if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { full } else { usual }
}

/// A command under the limit of address space.
fn limited(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", ADDRESS_SPACE]).arg(program);
    command
}

/// Lets a child read mutants of one table and names the seed at which it dies or hangs.
fn watch<R: Row>() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let order = format!("{}:{}:{}", folder.path().display(), R::TABLE, count(2000, 34_000));
    let (_, module) = module_path!().split_once("::").context("the module of these tests")?;
    let child = limited(&std::env::current_exe()?)
        .args(["--exact", &format!("{module}::a_child_reads_mutants"), "--ignored", "--nocapture", "--test-threads=1"])
        .env(ORDER, order)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut child = Killed(child);
    let lines = BufReader::new(child.0.stdout.take().context("stdout")?).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut last = String::from("no seed yet");
    loop {
        match receiver.recv_timeout(TIME_LIMIT) {
            Ok(line) => last = if line.starts_with("seed ") || line.starts_with("done ") { line } else { last },
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("{} hangs at {last}", R::TABLE),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.0.wait()?;
    assert!(status.success() && last.starts_with("done "), "{} ends with {status} at {last}", R::TABLE);
    println!("{}: {last}", R::TABLE);
    Ok(())
}

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test of its own: what [`watch`] runs under a limit.
#[test]
#[ignore = "the tests of mutants run it in a child"]
fn a_child_reads_mutants() -> Result<()> {
    let Ok(order) = std::env::var(ORDER) else { return Ok(()) };
    let [folder, table, count] = order.split(':').collect::<Vec<_>>()[..] else { bail!("order `{order}`") };
    let (folder, count) = (Path::new(folder), count.parse()?);
    std::panic::set_hook(Box::new(|_| {}));
    match table {
        Event::TABLE => read_mutants::<Event>(folder, count),
        FileVersion::TABLE => read_mutants::<FileVersion>(folder, count),
        _ => read_mutants::<LedgerEntry>(folder, count),
    }
}

fn read_mutants<R: Row>(folder: &Path, count: u64) -> Result<()> {
    let files = good_files::<R>(folder)?;
    let path = folder.join("mutant.parquet");
    let (mut errors, mut found, mut contained, mut slowest) = (0, 0, 0, (Duration::ZERO, 0));
    for seed in 0..count {
        println!("seed {seed}");
        std::io::stdout().flush()?;
        fs::write(&path, mutation::mutant(&files, seed))?;
        let start = Instant::now();
        match read_all::<R>(&path) {
            Ok(rows) => found += rows,
            Err(error) => {
                let error = format!("{error:#}");
                assert!(error.contains("mutant.parquet"), "seed {seed}: {error}");
                contained += usize::from(error.contains("the decoder stopped with"));
                errors += 1;
            }
        }
        slowest = slowest.max((start.elapsed(), seed));
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    println!(
        "done {count} mutants: {errors} errors, {contained} of them contained panics; {found} rows; slowest {} ms \
         (seed {}); peak {} resident, {} of address space",
        slowest.0.as_millis(),
        slowest.1,
        peak("VmHWM:"),
        peak("VmPeak:")
    );
    Ok(())
}

/// The table's own files come first, so that most mutants are of them.
fn good_files<R: Row>(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut files = corpus::good_files::<R>(folder)?;
    for bytes in &files {
        fs::write(folder.join("good"), bytes)?;
        assert_eq!(read_all::<R>(&folder.join("good"))?, 150, "a file without damage");
    }
    let own = files.clone();
    files.extend(own);
    files.extend(corpus::good_files::<LedgerEntry>(folder)?);
    Ok(files)
}

/// Reads all rows, and looks once for one path and digest.
fn read_all<R: Row>(path: &Path) -> Result<usize> {
    let table = SealedTable::<R>::open(path)?;
    let mut count = 0;
    for batch in table.batches(&Prune::default(), &[], None)? {
        for row in rows::<R>(&batch?) {
            row?;
            count += 1;
        }
    }
    let prune = Prune { digests: vec!["digest-3".into()], ..Prune::default() };
    for batch in table.batches(&prune, &[], None)? {
        batch?;
    }
    Ok(count)
}

/// The query tool on an archive of which one file is damaged: it names that, and shows what the good ones hold.
#[test]
fn the_query_tool_reads_on_beside_a_mutant() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let archive = good_archive(folder.path())?;
    let (events, files) = (good_files::<Event>(folder.path())?, good_files::<FileVersion>(folder.path())?);
    let (mut errors, mut slowest) = (0, Duration::ZERO);
    let runs = count(200, 2000);
    for seed in 0..runs {
        let (command, table, files) = match seed % 3 {
            0 => ("events", "events", &events),
            1 => ("changes", "files", &files),
            _ => ("info", "events", &events),
        };
        let relative = format!("{table}/host=bad/date=2026-01-02/mutant.parquet");
        let mutant = archive.join(&relative);
        fs::create_dir_all(mutant.parent().context("a folder")?)?;
        fs::write(&mutant, mutation::mutant(files, seed))?;
        name_all(&archive, &relative)?;
        let is_unreadable = match table {
            "events" => reads_no_rows::<Event>(&mutant),
            _ => reads_no_rows::<FileVersion>(&mutant),
        };
        let start = Instant::now();
        let (status, stdout, stderr) = query(folder.path(), &archive, command)?;
        slowest = slowest.max(start.elapsed());
        let place = format!("{command}, seed {seed}: {status}\n{stderr}");
        match status.code() {
            Some(0) => assert!(!is_unreadable, "passed over: {place}"),
            Some(2) => {
                assert!(stderr.contains("mutant.parquet"), "{place}");
                errors += 1;
            }
            _ => panic!("{place}"),
        }
        let mark = if command == "info" { "\"table\":\"events\"" } else { "\"host\":\"good\"" };
        assert!(stdout.lines().any(|line| line.contains(mark)), "{place}\n{stdout}");
        fs::remove_file(&mutant)?;
    }
    println!("the query tool: {runs} runs, {errors} with errors, slowest {} ms", slowest.as_millis());
    Ok(())
}

/// Whether there is nothing to read in a file: it does not open.
fn reads_no_rows<R: Row>(path: &Path) -> bool {
    std::panic::catch_unwind(|| SealedTable::<R>::open(path).is_err()).unwrap_or(true)
}

/// A manifest that names the good files and the mutant as they are, so that only what a file holds can be a fault.
fn name_all(archive: &Path, mutant: &str) -> Result<()> {
    let id = "r1";
    let line = |path: &str| -> Result<(&str, Value)> {
        let file = SealedFile {
            path: path.into(),
            content: Content::of(fs::File::open(archive.join(path))?)?,
            rows: 1,
            from: String::new(),
            to: String::new(),
            recording_id: id.into(),
            segment: 0,
            sequences: Vec::new(),
        };
        Ok(("file", serde_json::to_value(file)?))
    };
    let lines = [
        ("start", json!({"recording_id": id, "host": "good"})),
        line("events/host=good/date=2026-01-02/good.parquet")?,
        line("files/host=good/date=2026-01-02/good.parquet")?,
        line(mutant)?,
        ("stop", json!({"recording_id": id, "state": "SEALED"})),
    ];
    let archive = Archive::create(archive)?;
    remove_if_there(&archive.manifest())?;
    Manifest::open(&archive, None)?.append(&lines)
}

/// An archive of the host `good`: one event, and one file that changes.
fn good_archive(folder: &Path) -> Result<PathBuf> {
    let archive = folder.join("archive");
    let path = |table: &str| archive.join(format!("{table}/host=good/date=2026-01-02"));
    for table in ["events", "files"] {
        fs::create_dir_all(path(table))?;
    }
    let (recording_id, host) = ("r1".to_owned(), "good".to_owned());
    let event = Event { recording_id, host, hook: "bprm_check_security".into(), ..Event::default() };
    writer::write(&path("events").join("good.parquet"), &[event], "time", Vec::new())?;
    let version = |digest: &str, time: i64| FileVersion {
        recording_id: "r1".into(),
        host: "good".into(),
        path: Some("/good/tool".into()),
        digest_algorithm: "sha256".into(),
        digest: digest.into(),
        first_time: Micros(time),
        first_boot_ns: time * 1000,
        last_time: Micros(time),
        last_boot_ns: time * 1000,
        observations: 1,
        ..FileVersion::default()
    };
    let versions = [version("aa", 1), version("bb", 2)];
    writer::write(&path("files").join("good.parquet"), &versions, "path", Vec::new())?;
    Ok(archive)
}

/// Runs the query tool under both limits.
fn query(folder: &Path, archive: &Path, command: &str) -> Result<(ExitStatus, String, String)> {
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    let child = limited(Path::new(env!("CARGO_BIN_EXE_hashtrail")))
        .args([command, "--format", "json", "--archive"])
        .arg(archive)
        .stdout(fs::File::create(&stdout)?)
        .stderr(fs::File::create(&stderr)?)
        .spawn()?;
    let mut child = Killed(child);
    let start = Instant::now();
    let status = loop {
        match child.0.try_wait()? {
            Some(status) => break status,
            None if start.elapsed() > TIME_LIMIT => bail!("{command} hangs"),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |path| -> Result<String> { Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned()) };
    Ok((status, text(stdout)?, text(stderr)?))
}
