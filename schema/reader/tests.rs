//! Reads what the writer wrote, and what damage left of it.

use super::*;
use crate::archive::Archive;
use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::versions::FileVersion;
use crate::writer;

pub(super) fn version(path: &str, digest: &str, time: i64) -> FileVersion {
    FileVersion {
        path: Some(path.into()),
        digest: digest.into(),
        first_time: Micros(time),
        last_time: Micros(time),
        ..FileVersion::default()
    }
}

pub(super) fn write(directory: &Path, rows: &[FileVersion]) -> Result<PathBuf> {
    let folder = directory.join("files/host=web/date=2026-01-02");
    fs::create_dir_all(&folder)?;
    let path = folder.join("00000000-000000.parquet");
    writer::write(&path, rows, "path", Vec::new())?;
    Ok(path)
}

pub(super) fn read(path: &Path, prune: &Prune, predicate: Option<&Predicate>) -> Result<Vec<FileVersion>> {
    let table = SealedTable::<FileVersion>::open(path)?;
    let mut found = Vec::new();
    for batch in table.batches(prune, &[], predicate)? {
        found.extend(rows(&batch?).collect::<Result<Vec<FileVersion>>>()?);
    }
    Ok(found)
}

#[test]
fn rows_come_back_as_they_were_written() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let rows = [version("/a", "aa", 1), version("/b", "bb", 2)];
    let path = write(directory.path(), &rows)?;
    assert_eq!(read(&path, &Prune::default(), None)?, rows);
    let table = SealedTable::<FileVersion>::open(&path)?;
    assert_eq!((table.rows(), table.times("first_time", "last_time")), (2, Some((Micros(1), Micros(2)))));
    Ok(())
}

#[test]
fn row_groups_are_skipped_by_time_path_and_digest() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[version("/usr/bin/a", "aa", 10), version("/usr/bin/z", "bb", 20)])?;
    let count = |prune: Prune| read(&path, &prune, None).map(|rows| rows.len());
    let span = |low, high| Prune {
        spans: vec![Span { first: "first_time", last: "last_time", low, high }],
        ..Prune::default()
    };
    assert_eq!((count(span(15, 16))?, count(span(21, 30))?, count(span(0, 9))?), (2, 0, 0));
    let paths = |rule| Prune { paths: vec![rule], ..Prune::default() };
    assert_eq!(count(paths(PathRule::Exact("/usr/bin/a".into())))?, 2);
    assert_eq!(count(paths(PathRule::Exact("/usr/bin/b".into())))?, 0, "the bloom filter excludes it");
    assert_eq!(count(paths(PathRule::Prefix("/usr/".into())))?, 2);
    assert_eq!(count(paths(PathRule::Prefix("/usr/bin/zz".into())))?, 0);
    assert_eq!(count(paths(PathRule::Prefix("/etc".into())))?, 0);
    let digests = |digest: &str| Prune { digests: vec![digest.into()], ..Prune::default() };
    assert_eq!((count(digests("bb"))?, count(digests("cc"))?), (2, 0));
    Ok(())
}

#[test]
fn a_row_that_is_read_in_part_has_what_was_asked_for_alone() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[version("/a", "aa", 1)])?;
    let table = SealedTable::<FileVersion>::open(&path)?;
    let batches = table.batches(&Prune::default(), &["last_time", "digest"], None)?.collect::<Result<Vec<_>>>()?;
    let read: Vec<FileVersion> = batches.iter().flat_map(rows).collect::<Result<_>>()?;
    assert_eq!(read, [FileVersion { digest: "aa".into(), last_time: Micros(1), ..FileVersion::default() }]);
    Ok(())
}

#[test]
fn a_predicate_keeps_single_rows() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[version("/a", "aa", 1), version("/b", "bb", 2)])?;
    let predicate = Predicate::new(vec!["digest"], |batch| {
        let column = batch.column_by_name("digest").context("digest")?;
        let keep = |row| Ok(<String as crate::cell::Cell>::read(column, row)? == "bb");
        (0..batch.num_rows()).map(keep).collect::<Result<Vec<bool>>>().map(BooleanArray::from)
    });
    let rows = read(&path, &Prune::default(), Some(&predicate))?;
    assert_eq!(rows, [version("/b", "bb", 2)]);
    Ok(())
}

#[test]
fn hidden_names_are_skipped_and_links_are_errors() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[version("/a", "aa", 1)])?;
    let folder = path.parent().context("folder")?;
    fs::copy(&path, folder.join(".x.parquet"))?;
    fs::copy(&path, folder.join("_x.parquet"))?;
    fs::write(folder.join("notes.txt"), "")?;
    let archive = Archive::open(directory.path())?;
    let (files, errors) = discover::<FileVersion>(&archive, |host, date| host == "web" && date == "2026-01-02");
    assert_eq!((files.len(), errors.len()), (1, 0));
    assert!(discover::<FileVersion>(&archive, |host, _| host == "db").0.is_empty());
    std::os::unix::fs::symlink(&path, folder.join("link.parquet"))?;
    let (files, errors) = discover::<FileVersion>(&archive, |_, _| true);
    assert_eq!((files.len(), errors.len()), (1, 1));
    assert!(SealedTable::<FileVersion>::open(&folder.join("link.parquet")).is_err());
    Ok(())
}

#[test]
fn every_cut_and_every_flipped_footer_byte_is_an_error_or_rows() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[version("/a", "aa", 1)])?;
    let whole = fs::read(&path)?;
    for length in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..length])?;
        let error = read(&path, &Prune::default(), None).expect_err("a cut file is no file");
        assert!(format!("{error:#}").contains("000000.parquet"));
    }
    for position in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x10;
        fs::write(&path, &damaged)?;
        // Parquet notices only some damage; what matters here is that none of it ends the process.
        let _ = read(&path, &Prune::default(), None);
    }
    Ok(())
}

#[test]
fn another_table_is_refused_by_the_missing_column() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("x.parquet");
    writer::write(&path, &[LedgerEntry::default()], "boot_ns", Vec::new())?;
    let error = SealedTable::<FileVersion>::open(&path).expect_err("a ledger is no index");
    assert!(format!("{error:#}").contains("column `boot_id` is missing"), "{error:#}");
    assert_eq!(FileVersion::TABLE, "files");
    Ok(())
}

/// The archive of the samples was written before the columns of version 2.
#[test]
fn a_file_of_version_1_is_read_with_nulls() -> Result<()> {
    fn all<R: Row>(predicates: &[Predicate]) -> Result<Vec<R>> {
        let archive = Archive::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/incident/archive"))?;
        let (files, errors) = discover::<R>(&archive, |_, _| true);
        assert!(errors.is_empty() && !files.is_empty(), "{errors:?}");
        let mut found = Vec::new();
        for file in files {
            for batch in SealedTable::<R>::open(&file.path)?.batches(&Prune::default(), &[], predicates)? {
                found.extend(rows(&batch?).collect::<Result<Vec<R>>>()?);
            }
        }
        Ok(found)
    }
    let events = all::<Event>(&[])?;
    assert!(!events.is_empty() && events.iter().any(|event| event.digest.is_some()));
    let is_null = |event: &Event| {
        (event.undecided, event.content_read_ns, event.mapped_executable) == (None, None, None)
            && event.real_dev.is_none()
    };
    assert!(events.iter().all(is_null));
    let versions = all::<FileVersion>(&[])?;
    assert!(!versions.is_empty() && versions.iter().all(|version| version.last_read_ns.is_none()));
    // A predicate none of whose columns is there is asked about the rows all the same.
    let unknown = Predicate::new(vec!["mapped_executable"], |batch| Ok(vec![true; batch.num_rows()].into()));
    let every_second =
        Predicate::new(vec!["hook"], |batch| Ok((0..batch.num_rows()).map(|row| Some(row % 2 == 0)).collect()));
    let some = all::<Event>(std::slice::from_ref(&every_second))?;
    assert!(some.len() > 1 && some.len() < events.len());
    for unknown in [unknown.clone(), unknown.coded()] {
        assert_eq!(all::<Event>(std::slice::from_ref(&unknown))?, events);
        assert_eq!(all::<Event>(&[every_second.clone(), unknown.clone()])?, some);
        assert_eq!(all::<Event>(&[unknown, every_second.clone()])?, some);
    }
    Ok(())
}

#[test]
fn a_footer_is_checked_again_when_it_changed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let path = write(directory.path(), &[version("/a", "aa", 1)])?;
    assert!(SealedTable::<FileVersion>::open(&path).is_ok() && SealedTable::<FileVersion>::open(&path).is_ok());
    assert!(SealedTable::<Event>::open(&path).is_err(), "for another table");
    let mut bytes = fs::read(&path)?;
    let version = bytes.windows(22).rposition(|bytes| bytes == b"hashtrail.schema_versi").context("a version")?;
    bytes[version + 26] = b'9';
    fs::write(&path, &bytes)?;
    let error = SealedTable::<FileVersion>::open(&path).err().context("the file was opened")?;
    assert!(format!("{error:#}").contains("newer than"), "{error:#}");
    Ok(())
}

/// Rows are picked out while they are decoded where they are few, and thrown away afterwards where there are many runs of them.
#[test]
fn rows_are_picked_out_or_thrown_away_alike() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let written: Vec<FileVersion> =
        (0..9000).map(|row| version(&format!("/{}", row % 7), &format!("{:02}", row % 11), row)).collect();
    let path = write(directory.path(), &written)?;
    type Test = fn(i64) -> bool;
    let tests: [Test; 6] =
        [|row| row % 2 == 0, |row| row % 100 == 1, |row| row < 4500, |_| true, |_| false, |row| row == 8999];
    let of_time = |test: Test| {
        Predicate::new(vec!["last_time"], move |batch| {
            let times = batch.column_by_name("last_time").context("last_time")?;
            let keep = |row| Ok(test(<Micros as crate::cell::Cell>::read(times, row)?.0));
            (0..batch.num_rows()).map(keep).collect::<Result<Vec<bool>>>().map(BooleanArray::from)
        })
    };
    // It looks at two columns, by their places too.
    let of_text = || {
        Predicate::new(vec!["digest", "path"], |batch| {
            assert_eq!(batch.num_columns(), 2, "those that were named");
            let text = |name: &str, row| -> Result<String> {
                <String as crate::cell::Cell>::read(batch.column_by_name(name).context("a column")?, row)
            };
            let keep = |row| Ok(text("digest", row)? != "03" && text("path", row)? != "/5");
            (0..batch.num_rows()).map(keep).collect::<Result<Vec<bool>>>().map(BooleanArray::from)
        })
    };
    let table = SealedTable::<FileVersion>::open(&path)?;
    for (number, test) in tests.into_iter().enumerate() {
        for predicates in [vec![of_time(test)], vec![of_time(test), of_text()], vec![of_text(), of_time(test)]] {
            let mut found = Vec::new();
            for batch in table.batches(&Prune::default(), &["path", "first_time"], &predicates)? {
                found.extend(rows(&batch?).collect::<Result<Vec<FileVersion>>>()?);
            }
            let keeps = |row: &&FileVersion| {
                test(row.last_time.0)
                    && (predicates.len() == 1 || (row.digest != "03" && row.path.as_deref() != Some("/5")))
            };
            let of_row = |row: &FileVersion| FileVersion {
                path: row.path.clone(),
                first_time: row.first_time,
                ..FileVersion::default()
            };
            let expected: Vec<FileVersion> = written.iter().filter(keeps).map(of_row).collect();
            assert!(found == expected, "test {number}, {} predicates: {} rows", predicates.len(), found.len());
        }
    }
    Ok(())
}
