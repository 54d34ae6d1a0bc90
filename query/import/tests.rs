//! What samples of each source become, and that no bytes do worse than to be refused.

use super::record::{Place, Record};
use super::*;
use anyhow::Context;
use arrow::array::{ArrayRef, BinaryArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field};
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/imports").join(name)
}

fn given() -> Given {
    Given { taken_at: Some(Micros(1_767_312_000_000_000)) }
}

/// Records that no row is made of.
pub(super) type Others = Vec<(Place, Record)>;

/// The rows of a log, and what became of its other records.
pub(super) fn read(path: &std::path::Path) -> Result<(Vec<Event>, Others)> {
    let input = Input::open(path)?;
    let source = recognised(&input)?;
    let (mut rows, mut others) = (Vec::new(), Vec::new());
    (source.read)(&input, &given(), &mut |place, record| {
        match record {
            Record::Row(event) => rows.push(*event),
            other => others.push((place, other)),
        }
        Ok(())
    })?;
    Ok((rows, others))
}

pub(super) fn unusable(others: &[(Place, Record)]) -> Vec<String> {
    let reason = |(place, record): &(Place, Record)| match record {
        Record::Unusable(reason) => Some(format!("{place}: {reason}")),
        _ => None,
    };
    others.iter().filter_map(reason).collect()
}

fn digests(rows: &[Event]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.digest.as_deref()).collect()
}

/// What no source tells stays untold.
fn check_sentinels(rows: &[Event]) {
    for row in rows {
        assert_eq!((row.cpu, row.root_ino, row.boot_id.as_str(), row.cgroup_id), (-1, -1, "", -1), "{row:?}");
        assert!(
            row.ino_generation.is_none()
                && row.fs_type.is_none()
                && row.boot_ns == row.time.0 * 1000 + row.boot_ns % 1000
        );
    }
}

#[test]
fn tetragons_events_are_rows() -> Result<()> {
    let (rows, others) = read(&sample("tetragon.jsonl"))?;
    let hooks: Vec<&str> = rows.iter().map(|row| row.hook.as_str()).collect();
    assert_eq!(
        hooks,
        [
            "running_process",
            "bprm_check_security",
            "bprm_committed_creds",
            "file_permission",
            "__x64_sys_openat",
            "bprm_check_security",
            "bprm_check_security"
        ]
    );
    assert_eq!(digests(&rows), [A, B, A]);
    check_sentinels(&rows);
    let exec = &rows[2];
    assert_eq!((exec.path.as_deref(), exec.exe.as_deref()), (Some("/usr/bin/tool"), Some("/usr/bin/tool")));
    assert_eq!((exec.uid, exec.euid, exec.gid, exec.auid, exec.ppid), (1000, 33, 1000, None, 701));
    assert_eq!(
        (exec.mnt_ns, exec.pid_ns, exec.container_id.as_deref()),
        (4_026_531_841, 4_026_531_836, Some("0123456789abcdef"))
    );
    assert_eq!((exec.process_start_ns, exec.boot_ns), (1_767_312_002_000_000_001, 1_767_312_010_000_000_002));
    assert_eq!((rows[0].uid, rows[0].euid, rows[0].ppid, rows[0].mnt_ns), (-1, 0, -1, -1));
    assert_eq!(
        (&rows[4].path_flags[..], rows[4].path.as_deref()),
        (&["unreachable".to_owned()][..], Some("notes.txt"))
    );
    assert!(rows[5].tags.contains(&"KPROBE_ACTION_OVERRIDE".to_owned()));
    let found = unusable(&others);
    assert_eq!((found.len(), others.len()), (3, 5), "{others:?}");
    let says = |at: usize, line: &str, reason: &str| found[at].starts_with(line) && found[at].contains(reason);
    assert!(
        says(0, "line 9: ", "no JSON") && says(1, "line 10: ", "does not name") && says(2, "line 11: ", "is none"),
        "{found:?}"
    );
    Ok(())
}

/// auditd's log and laurel's tell the same events.
#[test]
fn audit_records_are_joined_to_rows() -> Result<()> {
    for name in ["audit.log", "laurel.jsonl"] {
        let (mut rows, others) = read(&sample(name))?;
        check_sentinels(&rows);
        rows.sort_by_key(|row| row.boot_ns);
        let of = |hook: &str| rows.iter().find(|row| row.hook == hook).with_context(|| format!("{hook} of {name}"));
        let exec = of("bprm_committed_creds")?;
        assert_eq!(
            (exec.path.as_deref(), exec.ino, exec.dev.as_deref()),
            (Some("/usr/bin/tool"), Some(1201), Some("253:1"))
        );
        assert_eq!(exec.argv, Some(vec!["tool".into(), "--name \\xff".into(), "abcd".into()]), "{name}");
        assert_eq!(exec.argv_bytes.as_ref().map(|bytes| bytes[1].clone()), Some(b"--name \xff".to_vec()));
        assert_eq!((exec.argc, exec.argv_truncated, exec.mode), (Some(3), Some(false), Some(0o100_755)));
        assert_eq!((exec.pid, exec.auid, exec.session_id, exec.comm.as_str()), (800, Some(1000), Some(3), "tool"));
        let open = of("file_open")?;
        assert_eq!(
            (open.open_flags, open.comm.as_str(), open.exe.as_deref()),
            (Some(0o1101), "a b", Some("/opt/a b/cp"))
        );
        assert_eq!(
            (open.path.as_deref(), open.path_bytes.as_deref()),
            (Some("/usr/bin/\\xff"), Some(&b"/usr/bin/\xff"[..]))
        );
        let measured = of("integrity_rule")?;
        assert_eq!((measured.uid, measured.auid, measured.session_id), (33, None, None));
        assert_eq!(digests(&rows), [A, B], "{name}");
        assert_eq!(unusable(&others).len(), if name == "audit.log" { 2 } else { 1 }, "{others:?}");
    }
    let (rows, others) = read(&sample("audit.log"))?;
    let rename = rows.iter().find(|row| row.hook == "path_rename").context("a rename")?;
    assert_eq!((rename.path.as_deref(), rename.target_path.as_deref()), (Some("/usr/bin/new"), Some("/usr/bin/tool")));
    assert_eq!((rows.len(), others.len()), (5, 5), "{others:?}");
    Ok(())
}

#[test]
fn osquerys_results_are_rows() -> Result<()> {
    let (rows, others) = read(&sample("osquery.log"))?;
    check_sentinels(&rows);
    assert_eq!(digests(&rows), [A, B, B, &"c".repeat(64), A]);
    let unread = rows.iter().find(|row| row.path.as_deref() == Some("/usr/bin/unread")).context("a row")?;
    assert_eq!((unread.digest_status.as_str(), unread.digest_reason.as_deref()), ("unavailable", Some("not_hashed")));
    let rename = rows.iter().find(|row| row.hook == "path_rename").context("a rename")?;
    assert_eq!((rename.path.as_deref(), rename.target_path.as_deref()), (Some("/usr/bin/new"), Some("/usr/bin/tool")));
    assert_eq!((rename.pid, rename.uid, rename.auid, &rename.tags[..]), (801, 0, None, &["partial".to_owned()][..]));
    assert_eq!(rows[0].tags, [format!("sha1:{}", &A[..40]), format!("md5:{}", &A[..32])]);
    assert_eq!((unusable(&others).len(), others.len()), (2, 5), "{others:?}");
    Ok(())
}

/// The hooks of names are given directories, and those of inodes entries whose paths begin at their filesystem.
#[test]
fn a_directory_is_not_the_file_that_something_is_done_to() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("log");
    for (function, shown, target, flags, tags) in [
        ("security_path_rename", None, None, &[][..], &["argument:/etc", "argument:/tmp"][..]),
        ("path_unlink", None, None, &[], &["argument:/etc", "argument:/tmp"]),
        ("inode_setattr", Some("/etc"), Some("/tmp"), &["unreachable"], &[]),
        ("security_path_chmod", Some("/etc"), Some("/tmp"), &[], &[]),
    ] {
        let log = format!(
            "{{\"process_kprobe\":{{\"process\":{{\"pid\":7,\"binary\":\"/x\"}},\"function_name\":\"{function}\",\"args\":[\
             {{\"path_arg\":{{\"path\":\"/etc\"}}}},{{\"path_arg\":{{\"path\":\"/tmp\"}}}}]}},\"time\":\"2026-01-02T00:00:01Z\"}}\n"
        );
        fs::write(&path, log)?;
        let (rows, others) = read(&path)?;
        assert!(others.is_empty(), "{others:?}");
        assert_eq!((rows[0].path.as_deref(), rows[0].target_path.as_deref()), (shown, target), "{function}");
        assert_eq!((rows[0].path_flags.join(" "), rows[0].tags.join(" ")), (flags.join(" "), tags.join(" ")));
    }
    Ok(())
}

#[test]
fn lists_of_osquery_that_are_none_are_told() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("log");
    let row = format!("{{\"path\":\"/a\",\"sha256\":\"{A}\"}}");
    let of_namespace = row.replace("\"path\"", "\"pid_with_namespace\":\"7\",\"path\"");
    for (results, rows, told) in [
        (format!("\"diffResults\":{{\"added\":[{row}],\"removed\":\"\"}}"), 1, 0),
        (format!("\"diffResults\":{{\"added\":\"{}\",\"removed\":{{}}}}", "x"), 0, 2),
        ("\"diffResults\":\"\"".to_owned(), 0, 0),
        ("\"snapshot\":\"\"".to_owned(), 0, 0),
        ("\"snapshot\":7".to_owned(), 0, 1),
        (format!("\"snapshot\":[{of_namespace},7]"), 1, 1),
    ] {
        fs::write(&path, format!("{{\"name\":\"q\",\"hostIdentifier\":\"w\",\"unixTime\":1767312010,{results}}}\n"))?;
        let (found, others) = read(&path)?;
        assert_eq!((found.len(), unusable(&others).len()), (rows, told), "{results}: {others:?}");
        let is_reachable = found.iter().all(|row| row.path_flags.is_empty());
        assert_eq!(is_reachable, !results.contains("namespace"), "{found:?}");
    }
    Ok(())
}

fn ima_list() -> Vec<u8> {
    let lines = [
        "10 0000000000000000000000000000000000000000 ima-ng sha256:0000000000000000000000000000000000000000000000000000000000000000 /var/log/x",
        &format!("10 {} ima-new {A} /unknown", "11".repeat(20)),
    ];
    lines.join("\n").into_bytes()
}

/// `measurements` has the entries of a list that a kernel could have written; its own tests check the reading.
#[test]
fn a_measurement_list_is_undated() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("list");
    fs::write(&path, [ima_list(), b"\n".to_vec()].concat())?;
    let (rows, others) = read(&path)?;
    assert_eq!((rows.len(), others.len()), (0, 2), "{others:?}");
    let input = Input::open(&path)?;
    let refused = Survey::of(&input, &recognised(&input)?, &Given::default());
    assert!(refused.is_err_and(|error| error.to_string().contains("--taken-at")));
    let real = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ima");
    let mut read_rows = 0;
    for folder in crate::folder::list(&real).entries {
        let folder = real.join(&folder.name);
        for entry in crate::folder::list(&folder).entries {
            let path = folder.join(&entry.name);
            let input = Input::open(&path)?;
            if !recognised(&input).is_ok_and(|source| source.name == "ima") {
                continue;
            }
            let (rows, _) = read(&path)?;
            check_sentinels(&rows);
            let is_untold = |row: &Event| row.digest_doubt == ["undated"] && row.pid == -1;
            assert!(rows.iter().all(|row| is_untold(row) && Some(row.time) == given().taken_at));
            read_rows += rows.len();
        }
    }
    assert!(read_rows > 10, "{read_rows} rows of the kernel's own lists");
    Ok(())
}

fn structure(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let fields =
        fields.into_iter().map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    Arc::new(StructArray::from(fields.collect::<Vec<_>>()))
}

/// Execs as Pedro writes them, with the columns that rows are made of.
fn file_of_pedro() -> Result<Vec<u8>> {
    let texts = |values: [&str; 3]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let times =
        TimestampMicrosecondArray::from(vec![1_767_312_010_000_001, 1_767_312_020_000_000, 0]).with_timezone("UTC");
    let common = structure(vec![("hostname", texts(["web1"; 3])), ("event_time", Arc::new(times))]);
    let hash = structure(vec![
        ("algorithm", texts(["SHA256", "sha256", "sha256"])),
        ("value", Arc::new(BinaryArray::from(vec![&[0xaa_u8; 32][..], &[0xbb; 32], &[0xaa; 32]]))),
    ]);
    let path = structure(vec![("path", texts(["/usr/bin/tool"; 3]))]);
    let pid = structure(vec![("pid", Arc::new(arrow::array::Int32Array::from(vec![7, 8, 9])))]);
    let executable = structure(vec![("path", path), ("hash", hash)]);
    let target = structure(vec![("id", pid), ("executable", executable)]);
    let mut argv = arrow::array::ListBuilder::new(arrow::array::BinaryBuilder::new());
    for _ in 0..3 {
        argv.append_value([Some(&b"tool"[..]), Some(&b"\xff"[..])]);
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("common", common),
        ("target", target),
        ("argv", Arc::new(argv.finish())),
        ("decision", texts(["ALLOW", "DENY", "ALLOW"])),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    assert_eq!(batch.column(2).data_type(), &DataType::new_list(DataType::Binary, true));
    Ok(bytes)
}

#[test]
fn pedros_execs_are_rows() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("exec.parquet");
    fs::write(&path, file_of_pedro()?)?;
    let (rows, others) = read(&path)?;
    check_sentinels(&rows);
    assert_eq!((digests(&rows), others.len()), (vec![A, B], 1), "the third has no time");
    let hooks: Vec<&str> = rows.iter().map(|row| row.hook.as_str()).collect();
    assert_eq!(
        (hooks, &rows[1].tags[..]),
        (vec!["bprm_committed_creds", "bprm_check_security"], &["DENY".to_owned()][..])
    );
    assert_eq!((rows[0].host.as_str(), rows[0].pid, rows[0].uid, rows[0].ino), ("web1", 7, -1, None));
    assert_eq!((rows[0].boot_ns, rows[0].argc), (1_767_312_010_000_001_000, Some(2)));
    assert_eq!(rows[0].argv_bytes.as_ref().map(|bytes| bytes[1].clone()), Some(b"\xff".to_vec()));
    Ok(())
}

#[test]
fn what_is_no_log_is_refused_and_packed_logs_are_read() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("file");
    for none in [&b""[..], b"{}", b"PAR", b"hello\n", b"{\"name\":1}\n"] {
        fs::write(&path, none)?;
        assert!(recognised(&Input::open(&path)?).is_err(), "{none:?}");
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &fs::read(sample("audit.log"))?)?;
    let packed = packed.finish()?;
    fs::write(&path, &packed)?;
    assert_eq!(read(&path)?.0, read(&sample("audit.log"))?.0);
    fs::write(&path, &packed[..packed.len() / 2])?;
    assert!(read(&path).is_err(), "what is cut off is told");
    Ok(())
}

/// How many mutants of logs are read, how many of their records cannot be used, and how many are refused. No bytes panic, and no row
/// has a time that is none.
fn of_mutants(logs: &[(Vec<u8>, Source)]) -> Result<(u64, u64, u64)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("mutant");
    let (mut whole, mut told, mut refused) = (0, 0, 0);
    for seed in 0..crate::mutate::count() {
        let (log, source) = &logs[usize::try_from(seed)? % logs.len()];
        fs::write(&path, crate::mutate::mutant(log, seed))?;
        match Survey::of(&Input::open(&path)?, source, &given()) {
            Ok(survey) => {
                whole += 1;
                told += survey.unusable;
                if let Some(span) = survey.host(&["web1".to_owned()]).ok().and_then(|host| survey.span(&host)) {
                    assert!(0 < span.first_ns && span.first_ns <= span.last_ns, "seed {seed}");
                }
            }
            Err(_) => refused += 1,
        }
    }
    Ok((whole, told, refused))
}

#[test]
fn mutants_of_logs_are_read() -> Result<()> {
    let texts = ["tetragon.jsonl", "audit.log", "laurel.jsonl", "osquery.log"].map(|name| fs::read(sample(name)));
    let mut logs = texts.into_iter().collect::<Result<Vec<_>, _>>()?;
    logs.push(ima_list());
    let sources = [tetragon::SOURCE, audit::AUDIT, audit::LAUREL, osquery::SOURCE, ima::SOURCE];
    let (whole, told, refused) = of_mutants(&logs.into_iter().zip(sources).collect::<Vec<_>>())?;
    assert!(told > crate::mutate::count() && refused == 0, "{whole} read, {told} unusable records, {refused} refused");
    Ok(())
}

/// The decoder makes room for what a damaged file claims: this is no test for little memory.
#[test]
fn damaged_files_of_pedro_are_read_or_refused() -> Result<()> {
    let (whole, told, refused) = of_mutants(&[(file_of_pedro()?, pedro::SOURCE)])?;
    let some = crate::mutate::count() / 50;
    assert!(whole > some && refused > some, "{whole} read, {told} unusable records, {refused} refused");
    Ok(())
}
