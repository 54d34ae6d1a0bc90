//! Databases that rpm wrote, and what rpm says of them.

use super::*;
use crate::packages::made::{Made, Root, Spec};
use crate::packages::problems::Problems;
use std::os::unix::fs::MetadataExt;

/// A database of ndb, which Debian's rpm cannot write, and what rpm 4.16, which wrote it, says of its files.
const NDB: &[u8] = include_bytes!("../../../tests/support/rpm-ndb/Packages.db");
const NDB_SAYS: &str = include_str!("../../../tests/support/rpm-ndb/says.tsv");

/// What is asked of rpm, in its words: of each file its package and version, path, digest, flags and state.
const FILES: &str = "[%{=NAME}\t%{=VERSION}\t%{FILENAMES}\t%{FILEDIGESTS}\t%{FILEFLAGS}\t%{FILESTATES}\n]";
const PACKAGES: &str = "%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\n";

fn database(root: &Path) -> Database {
    let mut found = Database::all_below(root);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn packages(root: &Path) -> (Vec<Package>, Problems) {
    let mut problems = Problems::default();
    let packages = database(root).packages(&mut problems).expect("packages");
    (packages, problems)
}

/// Package, version, path, digest, and what of it is a configuration file or absent.
type Shown = [String; 6];

fn shown(package: &Package, problems: &mut Problems) -> Vec<Shown> {
    let mut files = Vec::new();
    let each = package.each_file(problems, |owned| {
        let version = package.entry.version.clone().unwrap_or_default();
        let version =
            version.rsplit_once('-').map_or("", |(version, _)| version).rsplit(':').next().unwrap_or_default();
        files.push([
            package.entry.name.clone(),
            version.to_owned(),
            String::from_utf8_lossy(owned.path).into_owned(),
            owned.stated.map(|digest| digest.to_string()).unwrap_or_default(),
            owned.is_configuration.to_string(),
            owned.absent.unwrap_or_default().to_owned(),
        ]);
        Ok(())
    });
    each.expect("files");
    files
}

fn all_shown(root: &Path) -> Vec<Shown> {
    let (packages, mut problems) = packages(root);
    let mut files: Vec<Shown> = packages.iter().flat_map(|package| shown(package, &mut problems)).collect();
    assert_eq!(problems.count, 0, "{problems:?}");
    files.sort();
    files
}

/// The same, from what rpm printed.
fn said(text: &str) -> Vec<Shown> {
    let file = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, path, digest, flags, state] = fields[..] else { panic!("{line}") };
        let flags: u32 = flags.parse().expect("flags");
        let state = match state {
            "0" => "",
            "1" => "replaced",
            "2" | "4" => "not_installed",
            _ => panic!("{line}"),
        };
        let digest = if flags & 0x40 > 0 { "" } else { digest };
        [name, version, path, digest, if flags & 1 > 0 { "true" } else { "false" }, state].map(str::to_owned)
    };
    let mut files: Vec<Shown> = text.lines().map(file).collect();
    files.sort();
    files
}

fn assert_as_rpm_says(root: &Root<'_>) {
    assert_eq!(all_shown(&root.path), said(&root.rpm(&["-qa", "--qf", FILES])));
    let entry = |package: &Package| {
        let Entry { name, version, architecture, .. } = &package.entry;
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".into());
        format!("{name}\t{}\t{}", text(version), text(architecture))
    };
    let mut entries: Vec<String> = packages(&root.path).0.iter().map(entry).collect();
    entries.sort();
    let says = root.rpm(&["-qa", "--qf", PACKAGES]);
    let mut says: Vec<&str> = says.lines().collect();
    says.sort_unstable();
    assert_eq!(entries, says);
}

/// A package with one file, in which its name stands.
fn one(made: &Made, name: &str, version: &str, head: &str, file: &str) -> PathBuf {
    made.build(&Spec { name, version, head, files: &[(file, name)], listed: file, ..Spec::default() })
}

const ANY: &str = "BuildArch: noarch";
const MD5: &str = "BuildArch: noarch\n%global _binary_filedigest_algorithm 1";
const SHA512: &str = "BuildArch: noarch\n%global _binary_filedigest_algorithm 10";

#[test]
fn a_database_says_what_rpm_says_of_it() {
    let made = Made::new();
    let directory = tempfile::tempdir().expect("a test directory");
    let root = made.root(directory.path());
    let package = |name: &str, version: &str, head: &str, file: &str| one(&made, name, version, head, file);
    assert_as_rpm_says(&root);
    let files =
        [("/usr/bin/tool", "one"), ("/etc/tool.conf", "conf"), ("/var/log/tool", ""), ("/opt/with space/ä", "o")];
    let tool = made.build(&Spec {
        name: "tool",
        version: "1.2~rc1",
        head: "Epoch: 3\nBuildArch: noarch",
        files: &files,
        commands: "ln usr/bin/tool usr/bin/hard\nln -s tool usr/bin/link",
        listed: "/usr/bin/*\n%config(noreplace) /etc/tool.conf\n%ghost /var/log/tool\n\"/opt/with space\"",
    });
    root.install(&["-i"], &tool);
    assert_as_rpm_says(&root);
    for (name, head, file) in [("old", MD5, "/usr/bin/old"), ("long", SHA512, "/usr/bin/long")] {
        root.install(&["-i"], &package(name, "1", head, file));
    }
    for version in ["1", "2"] {
        let file = format!("/boot/kernel-{version}");
        root.install(&["-i"], &package("kernel", version, ANY, &file));
    }
    // Its file takes the place of another's.
    let clash = package("clash", "1", ANY, "/usr/bin/tool");
    root.install(&["-i", "--replacefiles"], &clash);
    root.install(&["-i"], &made.build(&Spec { name: "none", version: "1", head: ANY, ..Spec::default() }));
    assert_as_rpm_says(&root);
    let shown = all_shown(&root.path);
    let has = |path: &str, digest_length: usize, absent: &str| {
        shown.iter().any(|file| file[2] == path && file[3].len() == digest_length && file[5] == absent)
    };
    assert!(has("/usr/bin/tool", 64, "replaced") && has("/usr/bin/tool", 64, ""), "{shown:?}");
    assert!(has("/usr/bin/old", 32, "") && has("/usr/bin/long", 128, ""), "{shown:?}");
    assert!(has("/usr/bin/hard", 64, "") && has("/usr/bin/link", 0, "") && has("/var/log/tool", 0, ""), "{shown:?}");
    let kernels = packages(&root.path).0.iter().filter(|package| package.entry.name == "kernel").count();
    assert_eq!(kernels, 2, "both are installed");
    root.rpm(&["-e", "--justdb", "--nodeps", "old"]);
    assert_as_rpm_says(&root);
}

/// What the installation changed stands behind what the package brought.
#[test]
fn files_that_were_relocated_or_left_out_are_so() {
    let made = Made::new();
    let directory = tempfile::tempdir().expect("a test directory");
    let root = made.root(directory.path());
    let files = [("/opt/docs/README", "text"), ("/opt/docs/tool", "tool")];
    let listed = "%doc /opt/docs/README\n/opt/docs/tool";
    let head = "BuildArch: noarch\nPrefix: /opt/docs";
    let package = made.build(&Spec { name: "docs", version: "1", head, files: &files, listed, ..Spec::default() });
    let place = root.path.join("elsewhere").display().to_string();
    let (relocation, package) = (format!("/opt/docs={place}"), package.display().to_string());
    root.rpm(&["-i", "--nodeps", "--excludedocs", "--relocate", &relocation, &package]);
    assert_as_rpm_says(&root);
    let shown = all_shown(&root.path);
    let files: Vec<(&str, &str)> = shown.iter().map(|file| (file[2].as_str(), file[5].as_str())).collect();
    let expected = [(format!("{place}/README"), "not_installed"), (format!("{place}/tool"), "")];
    assert_eq!(files, expected.iter().map(|(path, absent)| (path.as_str(), *absent)).collect::<Vec<_>>());
    assert!(fs::metadata(format!("{place}/tool")).is_ok() && fs::metadata(format!("{place}/README")).is_err());
}

fn ndb_root(bytes: &[u8]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a test directory");
    let folder = root.path().join("usr/lib/sysimage/rpm");
    fs::create_dir_all(&folder).expect("a test directory");
    fs::write(folder.join("Packages.db"), bytes).expect("a database");
    root
}

#[test]
fn a_database_of_ndb_says_what_rpm_says_of_it() {
    let root = ndb_root(NDB);
    assert_eq!(all_shown(root.path()), said(NDB_SAYS));
    assert!(NDB_SAYS.lines().count() > 5);
}

/// What is in a folder, with all that a reader or a writer changes.
fn traces(folder: &Path) -> Vec<(std::ffi::OsString, u64, u64, i64, i64, i64, i64)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let has = entry.metadata().expect("an entry");
            let (changed, written) = ((has.ctime(), has.ctime_nsec()), (has.mtime(), has.mtime_nsec()));
            (entry.file_name(), has.size(), has.ino(), changed.0, changed.1, written.0, written.1)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn nothing_is_written_and_what_is_not_in_the_database_yet_is_told() {
    let made = Made::new();
    let directory = tempfile::tempdir().expect("a test directory");
    let root = made.root(directory.path());
    root.install(&["-i"], &one(&made, "tool", "1", ANY, "/usr/bin/tool"));
    let folder = root.path.join("var/lib/rpm");
    for beside in ["rpmdb.sqlite-wal", "rpmdb.sqlite-shm"] {
        let _ = fs::remove_file(folder.join(beside));
    }
    let (before, stamp) = (traces(&folder), database(&root.path).stamp());
    assert_eq!((packages(&root.path).0.len(), packages(&root.path).1.count), (1, 0));
    assert_eq!((traces(&folder), stamp.is_busy), (before, false));

    // As rpm has it open while it works.
    let open = rusqlite::Connection::open(folder.join("rpmdb.sqlite")).expect("a database");
    open.pragma_update(None, "journal_mode", "WAL").expect("a mode");
    open.execute("DELETE FROM Packages", []).expect("nothing is left");
    let before = traces(&folder);
    assert!(database(&root.path).stamp().is_busy);
    let (found, problems) = packages(&root.path);
    assert_eq!(found.len(), 1, "as it was: {problems:?}");
    assert!(problems.told[0].contains("rpmdb.sqlite-wal` holds is not in the database yet"), "{problems:?}");
    assert_eq!(traces(&folder), before);
    drop(open);
    let now = database(&root.path).stamp();
    assert!(!now.is_busy && now != stamp);
    assert_eq!((packages(&root.path).0.len(), packages(&root.path).1.count), (0, 0));
}

#[test]
fn a_database_is_busy_while_rpm_holds_its_lock() {
    let root = ndb_root(NDB);
    let lock = root.path().join("usr/lib/sysimage/rpm/.rpm.lock");
    fs::write(&lock, "").expect("a lock");
    assert!(!database(root.path()).stamp().is_busy);
    let hold = "import fcntl, sys; lock = open(sys.argv[1], 'r+'); fcntl.lockf(lock, fcntl.LOCK_EX); print(); sys.stdin.read()";
    let mut holder = std::process::Command::new("python3");
    holder.args(["-uc", hold]).arg(&lock);
    holder.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut holder = holder.spawn().expect("python3");
    std::io::Read::read_exact(holder.stdout.as_mut().expect("its output"), &mut [0]).expect("it holds the lock");
    assert!(database(root.path()).stamp().is_busy);
    drop(holder.stdin.take());
    holder.wait().expect("it ends");
    assert!(!database(root.path()).stamp().is_busy);
}

#[test]
fn a_folder_that_leads_to_another_is_read_once() {
    let root = ndb_root(NDB);
    fs::create_dir_all(root.path().join("var/lib")).expect("a test directory");
    let link = root.path().join("var/lib/rpm");
    std::os::unix::fs::symlink("../../usr/lib/sysimage/rpm", link).expect("a link");
    assert_eq!(Database::all_below(root.path()).len(), 1);
}

/// Reads all of it, whatever it is.
fn read(root: &Path) -> Problems {
    let mut problems = Problems::default();
    let packages = database(root).packages(&mut problems).unwrap_or_default();
    packages.iter().for_each(|package| drop(shown(package, &mut problems)));
    problems
}

#[test]
fn what_is_no_database_is_not_read() {
    let shown = [(&b""[..], "whole buffer"), (b"RpmP", "whole buffer"), (&[0; 8192], "not begin")];
    for (bytes, expected) in shown {
        let root = ndb_root(bytes);
        let error = database(root.path()).packages(&mut Problems::default()).expect_err("no database");
        let error = format!("{error:#}");
        assert!(error.contains("Packages.db`: ") && error.contains(expected), "{error}");
    }
    let many = [b"RpmP\0\0\0\0\0\0\0\0", &[0xff; 4][..], &[0; 16]].concat();
    let error = database(ndb_root(&many).path()).packages(&mut Problems::default()).expect_err("no database");
    assert!(format!("{error:#}").contains("4294967295 pages"), "{error:#}");
    let root = tempfile::tempdir().expect("a test directory");
    let path = root.path().join("var/lib/rpm/rpmdb.sqlite");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a test directory");
    std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
    let error = database(root.path()).packages(&mut Problems::default()).expect_err("a link");
    assert!(format!("{error:#}").contains("not a regular file"), "{error:#}");
    fs::remove_file(&path).expect("removed");
    let open = rusqlite::Connection::open(&path).expect("a database");
    let endless = "CREATE VIEW Packages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT i AS hnum, zeroblob(9) AS blob FROM n";
    open.execute_batch(endless).expect("a view");
    let error = database(root.path()).packages(&mut Problems::default()).expect_err("a view");
    assert!(format!("{error:#}").contains("no table `Packages`"), "{error:#}");
    open.execute_batch("DROP VIEW Packages; CREATE TABLE Packages (hnum, blob)").expect("a table");
    open.execute_batch("INSERT INTO Packages VALUES (1, 'text'), ('x', x'00'), (2, zeroblob(33554433))").expect("rows");
    drop(open);
    let problems = read(root.path());
    assert_eq!(problems.count, 2, "a text, and behind a number that is none nothing: {problems:?}");
}

/// The header of a package with one file, `/a`.
fn header(values: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in values {
        let place = u32::try_from(data.len()).expect("a small header");
        [*tag, *kind, place, *count].iter().for_each(|number| index.extend(number.to_be_bytes()));
        data.extend_from_slice(bytes);
    }
    let lengths = [values.len(), data.len()].map(|length| u32::try_from(length).expect("a small header").to_be_bytes());
    [lengths.concat(), index, data].concat()
}

fn files_of(header: &[u8]) -> Result<(Vec<String>, Problems)> {
    let (mut paths, mut problems) = (Vec::new(), Problems::default());
    Header::of(header)?.entry()?;
    Files::of(Header::of(header)?)?.each("tool", &mut problems, |owned| {
        paths.push(String::from_utf8_lossy(owned.path).into_owned());
        Ok(())
    })?;
    Ok((paths, problems))
}

/// Whoever wrote the database wrote it to mislead.
#[test]
fn hostile_headers_are_read_as_far_as_they_can_be_and_the_rest_is_told() {
    const NAME: (u32, u32, u32, &[u8]) = (1000, 6, 1, b"tool\0");
    const NAMES: (u32, u32, u32, &[u8]) = (1117, 8, 1, b"a\0");
    const FOLDERS: (u32, u32, u32, &[u8]) = (1118, 8, 1, b"/\0");
    const FOLDER_OF: (u32, u32, u32, &[u8]) = (1116, 4, 1, &[0; 4]);
    let sound = [NAME, NAMES, FOLDERS, FOLDER_OF];
    let (paths, problems) = files_of(&header(&sound)).expect("files");
    assert_eq!((paths, problems.count), (vec!["/a".to_owned()], 0));
    let with = |value| files_of(&header(&[&sound[..], &[value]].concat()));
    let refused = [
        ((1000, 6, 1, &b"no end"[..]), "tag 1000 has no end"),
        ((1000, 6, 1, b"\0"), "tag 1000 has 0 bytes"),
        ((1000, 4, 1, b"\0\0\0\0"), "tag 1000 is no text"),
        ((1117, 8, u32::MAX, b"a\0"), "tag 1117 is cut"),
        ((1116, 4, u32::MAX, b"\0\0\0\0"), "tag 1116 is cut"),
        ((1116, 4, 0, b""), "1 names and Some(0) directories"),
        ((1029, 1, 2, b"\0\0"), "1 names and Some(2) states"),
        ((1035, 8, 2, b"\0\0"), "1 names and Some(2) digests"),
        ((1037, 3, 1, b"\0\0"), "tag 1037 has no numbers"),
        ((1029, 8, 1, b"\0"), "tag 1029 has no bytes"),
    ];
    for (value, expected) in refused {
        let error = with(value).map(|_| ()).expect_err(expected);
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }
    let long = [&vec![b'x'; 4096][..], b"\0"].concat();
    let told = [
        ((1117, 8, 1, &b"no end"[..]), "the list of `tool` ends behind 0 of 1 files"),
        ((1117, 8, 1, &long), "it is too long"),
        ((1116, 4, 1, b"\0\0\0\x01"), "its directory is not listed"),
        ((1035, 8, 1, b"abcd\0"), "a digest of `tool` is of no algorithm"),
        (
            (1035, 8, 1, b"2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806\0"),
            "a digest of `tool` is of no",
        ),
    ];
    for (value, expected) in told {
        let (_, problems) = with(value).expect(expected);
        assert!(problems.count == 1 && problems.told[0].contains(expected), "{expected}: {problems:?}");
    }
    let bytes = header(&sound);
    for cut in 0..bytes.len() {
        assert!(files_of(&bytes[..cut]).is_err(), "{cut}");
    }
    let old = files_of(&header(&[NAME, (1027, 8, 1, b"/a\0")])).expect_err("rpm 3");
    assert!(format!("{old:#}").contains("before version 4"), "{old:#}");
    assert!(Header::of(&[0xff; 64]).is_err());
}

#[test]
fn mutants_of_a_database_never_panic() {
    let made = Made::new();
    let directory = tempfile::tempdir().expect("a test directory");
    let root = made.root(directory.path());
    let files = [("/usr/bin/tool", "one"), ("/etc/tool.conf", "conf")];
    let listed = "/usr/bin/tool\n%config /etc/tool.conf";
    let package = made.build(&Spec { name: "tool", version: "1", head: ANY, files: &files, listed, ..Spec::default() });
    root.install(&["-i"], &package);
    let path = root.path.join("var/lib/rpm/rpmdb.sqlite");
    let sound = fs::read(&path).expect("a database");
    let number = packages(&root.path).0[0].number;
    let header = packages(&root.path).0[0].headers.read(number).expect("a header");
    let at = sound.windows(64).position(|part| *part == header[..64]).expect("it stands in one piece");
    for seed in 0..crate::mutate::count() {
        drop(files_of(&crate::mutate::mutant(&header, seed)));
    }
    for seed in 0..300 {
        fs::write(&path, crate::mutate::mutant(&sound, seed)).expect("a database");
        read(&root.path);
        // Small parts of it are hit more often.
        let header = crate::mutate::mutant(&sound[at..at + 2000], seed);
        let mutant = [&sound[..at], &header, &sound[at + 2000..]].concat();
        fs::write(&path, mutant).expect("a database");
        read(&root.path);
        let slots = crate::mutate::mutant(&NDB[..128], seed);
        read(ndb_root(&[&slots[..], &NDB[128..]].concat()).path());
        read(ndb_root(&crate::mutate::mutant(NDB, seed)).path());
    }
}
