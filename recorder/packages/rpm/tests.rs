//! Databases that rpm wrote, and what rpm says of them.

mod hostile;

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
