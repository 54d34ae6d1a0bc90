//! Snapshots of databases on this disk, through the real files of an archive.

mod rpm;

use super::*;
use hashtrail::manifest::Manifest;
use hashtrail::packages::Snapshot;
use hashtrail::reader::{Prune, SealedTable, rows};
use std::fs;
use std::os::unix::fs::symlink;

const ID: &str = "11111111-2222-3333-4444-555555555555";
/// MD5 of `one` and of `two`, by md5sum.
const ONE: &str = "f97c5d29941bfb1b2fdab0874906ab82";
const TWO: &str = "b8a9f715dbb64fd5c56e7783c6820a61";

/// A host with a database, and an archive.
struct Host {
    directory: tempfile::TempDir,
    archive: Archive,
    manifest: Manifest,
    files: Receiver<LooseFile<PackageFile>>,
    told: Receiver<Told>,
    watcher: Watcher,
}

impl Host {
    fn new(budget: Duration) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let root = fs::canonicalize(directory.path())?.join("root");
        fs::create_dir_all(root.join("var/lib/dpkg/info"))?;
        fs::create_dir_all(root.join("usr/bin"))?;
        fs::create_dir_all(root.join("usr/share"))?;
        symlink("usr/bin", root.join("bin"))?;
        fs::write(root.join("var/lib/dpkg/status"), "")?;
        fs::write(root.join("var/lib/dpkg/info/other.list"), "/.\n/usr\n")?;
        let archive = Archive::create(&directory.path().join("archive"))?;
        let manifest = Manifest::open(&archive, None)?;
        let options = BaselineOptions {
            archive: archive.clone(),
            recording_id: ID.into(),
            host: "web".into(),
            budget,
            max_hash_bytes: 1 << 30,
        };
        let ((to_files, files), (tell, told)) = (unbounded(), unbounded());
        let databases = Databases::below(&root);
        let watcher = Watcher::new(root, databases, options, Vec::new(), (to_files, tell, Arc::default()));
        Ok(Self { directory, archive, manifest, files, told, watcher })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join("root").join(name)
    }

    /// The package `tool` in this version, with these files and what they should hold.
    fn install(&self, version: &str, files: &[(&str, &str)]) -> Result<()> {
        let entry = format!("Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\n\n");
        let other = "Package: other\nStatus: install ok installed\nVersion: 1\n";
        fs::write(self.at("var/lib/dpkg/status"), [entry.as_str(), other].concat())?;
        let list: String = files.iter().map(|(path, _)| format!("{path}\n")).collect();
        let sums: String = files.iter().map(|(path, md5)| format!("{md5}  {}\n", &path[1..])).collect();
        fs::write(self.at("var/lib/dpkg/info/tool.list"), list)?;
        Ok(fs::write(self.at("var/lib/dpkg/info/tool.md5sums"), sums)?)
    }

    /// Runs the watcher until the end of a recording; what it told.
    fn record(&mut self) -> Vec<Told> {
        let (running, stop) = bounded(0);
        drop(running);
        let stamp = Databases::below(&self.directory.path().join("root")).stamp();
        self.watcher.run((stamp, host::clock_anchor()), &stop);
        self.told.try_iter().collect()
    }

    /// Path, real path, status and version of each row of the next file.
    fn rows(&mut self) -> Result<Vec<[String; 4]>> {
        let text = |text: Option<String>| text.unwrap_or_default();
        let row = |row: PackageFile| [text(row.path), text(row.real_path), row.status, text(row.version)];
        Ok(self.files()?.into_iter().map(row).collect())
    }

    /// The rows of the next file.
    fn files(&mut self) -> Result<Vec<PackageFile>> {
        let file = self.files.try_recv()?;
        let path = self.archive.root().join(file.path());
        let sealed = file.place(&self.archive, &mut self.manifest)?;
        let mut found = Vec::new();
        for batch in SealedTable::<PackageFile>::open(&path)?.batches(&Prune::default(), &[], None)? {
            for row in rows::<PackageFile>(&batch?) {
                found.push(row?);
            }
        }
        assert_eq!(sealed.rows, found.len() as u64);
        Ok(found)
    }
}

fn snapshot(told: &Told) -> Result<Snapshot> {
    assert_eq!(told.cause, "snapshot", "{}", told.detail);
    Ok(serde_json::from_value(told.detail.clone())?)
}

#[test]
fn the_first_snapshot_has_all_and_the_next_what_changed() -> Result<()> {
    let mut host = Host::new(Duration::from_secs(60))?;
    fs::write(host.at("usr/bin/tool"), "one")?;
    fs::write(host.at("usr/share/text"), "other")?;
    host.install("1", &[("/usr/share/text", ONE), ("/bin/tool", ONE), ("/bin/gone", ONE), ("/bin/../x", ONE)])?;
    let told = host.record();
    let [first, unchanged] = &told[..] else { anyhow::bail!("{told:?}") };
    assert_eq!((unchanged.cause, unchanged.from_ns), ("unchanged", first.from_ns));
    let row = |values: [&str; 4]| values.map(str::to_owned);
    let expected = [
        ["/bin/tool", "/usr/bin/tool", "ok", "1"],
        ["/bin/gone", "/usr/bin/gone", "missing", "1"],
        ["/bin/../x", "", "bad_path", "1"],
        ["/usr/share/text", "/usr/share/text", "differs", "1"],
        ["", "", "no_files", "1"],
    ];
    assert_eq!(host.rows()?, expected.map(row));
    let told = snapshot(first)?;
    assert!(told.full && told.settled && told.packages == 2 && told.problem_count == 1, "{told:?}");
    assert_eq!((first.count, told.read_bytes), (Some(5), 8));

    fs::write(host.at("usr/bin/tool"), "two")?;
    host.install("2", &[("/bin/tool", TWO)])?;
    let stamp = Databases::below(&host.at("")).stamp();
    let told = host.watcher.snapshot((stamp, host::clock_anchor()), Duration::from_secs(60))?;
    assert_eq!(host.rows()?, [row(["/bin/tool", "/usr/bin/tool", "ok", "2"])]);
    let second = snapshot(&told)?;
    assert!(!second.full && second.settled && second.snapshot == 1 && second.problem_count == 0, "{second:?}");

    fs::write(host.at("var/lib/dpkg/status"), "Package: tool\nStatus: install ok installed\nVersion: 2\n")?;
    let stamp = Databases::below(&host.at("")).stamp();
    host.watcher.snapshot((stamp, host::clock_anchor()), Duration::ZERO)?;
    let found = host.rows()?;
    // Without an architecture it is another one, of which nothing may be read.
    let statuses: Vec<&str> = found.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(statuses[0], "budget");
    assert_eq!(statuses[1..], ["removed", "removed"]);
    Ok(())
}

#[test]
fn a_database_that_changes_meanwhile_gives_no_settled_snapshot_and_the_next_is_whole() -> Result<()> {
    let mut host = Host::new(Duration::from_secs(60))?;
    host.install("1", &[("/bin/tool", ONE)])?;
    let old = Databases::below(&host.at("")).stamp();
    host.install("2", &[("/bin/tool", TWO)])?;
    fs::create_dir_all(host.at("var/lib/dpkg/updates"))?;
    fs::write(host.at("var/lib/dpkg/updates/0001"), "")?;
    let told = snapshot(&host.watcher.snapshot((old, host::clock_anchor()), Duration::from_secs(60))?)?;
    assert!(told.full && !told.settled, "{told:?}");
    assert_eq!(host.rows()?[0][2], "busy", "missing means nothing while dpkg works");
    fs::remove_file(host.at("var/lib/dpkg/updates/0001"))?;
    let told = host.record();
    assert!(snapshot(&told[0])?.full && snapshot(&told[0])?.settled && told[0].count == Some(2));
    Ok(())
}

/// Its rows must not be written over.
#[test]
fn a_snapshot_waits_until_the_one_before_is_sealed() -> Result<()> {
    let mut host = Host::new(Duration::from_secs(60))?;
    host.install("1", &[("/bin/tool", ONE)])?;
    host.record();
    host.install("2", &[("/bin/tool", TWO)])?;
    let told = host.record();
    assert_eq!((told.len(), told[0].cause), (1, "failed"), "{told:?}");
    assert!(told[0].detail["error"].as_str().is_some_and(|error| error.contains("not sealed yet")), "{told:?}");
    assert_eq!(host.rows()?[0][3], "1", "whole");
    let told = host.record();
    assert_eq!((told[0].cause, host.rows()?[0][3].as_str()), ("snapshot", "2"));
    Ok(())
}

#[test]
fn a_database_that_cannot_be_read_is_told() -> Result<()> {
    let mut host = Host::new(Duration::from_secs(60))?;
    fs::remove_file(host.at("var/lib/dpkg/status"))?;
    fs::create_dir(host.at("var/lib/dpkg/status"))?;
    let told = host.record();
    assert_eq!(told[0].cause, "failed");
    assert!(told[0].detail["error"].as_str().is_some_and(|error| error.contains("dpkg/status")), "{}", told[0].detail);
    Ok(())
}

#[test]
fn what_a_stop_leaves_unread_is_listed() -> Result<()> {
    let mut host = Host::new(Duration::from_secs(60))?;
    fs::write(host.at("usr/bin/tool"), "one")?;
    host.install("1", &[("/bin/tool", ONE)])?;
    let stopping = Arc::new(AtomicBool::new(true));
    let ((to_files, files), (tell, told)) = (unbounded(), unbounded());
    let root = fs::canonicalize(host.at(""))?;
    let options = BaselineOptions {
        archive: host.archive.clone(),
        recording_id: ID.into(),
        host: "web".into(),
        budget: Duration::from_secs(60),
        max_hash_bytes: 1,
    };
    host.watcher = Watcher::new(root, Databases::below(&host.at("")), options, Vec::new(), (to_files, tell, stopping));
    (host.files, host.told) = (files, told);
    host.record();
    assert_eq!(host.rows()?[0][2], "stopped");
    Ok(())
}
