//! Snapshots of hosts with rpm, beside dpkg or alone.

use super::*;
use crate::packages::made::{Made, Spec};

const ANY: &str = "BuildArch: noarch";

/// A package with one file, which holds this.
fn one(made: &Made, name: &str, version: &str, file: (&str, &str)) -> PathBuf {
    made.build(&Spec { name, version, head: ANY, files: &[file], listed: file.0, ..Spec::default() })
}

impl Host {
    /// A snapshot of the databases as they are now; manager, version, real path and status of each row.
    fn look(&mut self) -> Result<(Snapshot, Vec<[String; 4]>)> {
        self.watcher.databases = Databases::below(&fs::canonicalize(self.at(""))?);
        let stamp = self.watcher.databases.stamp();
        let told = self.watcher.snapshot((stamp, host::clock_anchor()), Duration::from_secs(60))?;
        let rows = self.files()?.into_iter().map(|row| {
            let text = |text: Option<String>| text.unwrap_or_default();
            [row.manager, text(row.version), text(row.real_path), row.status]
        });
        let mut rows: Vec<[String; 4]> = rows.collect();
        rows.sort();
        Ok((snapshot(&told)?, rows))
    }
}

#[test]
fn both_databases_are_in_one_snapshot_and_each_version_that_is_installed() -> Result<()> {
    let made = Made::new();
    let mut host = Host::new(Duration::from_secs(60))?;
    let root = made.root(&fs::canonicalize(host.at(""))?);
    fs::create_dir_all(host.at("boot"))?;
    fs::write(host.at("usr/bin/tool"), "one")?;
    fs::write(host.at("boot/kernel-1"), "one")?;
    fs::write(host.at("boot/kernel-2"), "other")?;
    host.install("1", &[("/usr/bin/tool", ONE)])?;
    root.install(&["-i"], &one(&made, "kernel", "1", ("/boot/kernel-1", "one")));
    let row = |values: [&str; 4]| values.map(str::to_owned);
    let (told, rows) = host.look()?;
    let kernel =
        |version: &str, status| row(["rpm", &format!("{version}-1"), &format!("/boot/kernel-{version}"), status]);
    let dpkg = [row(["dpkg", "1", "", "no_files"]), row(["dpkg", "1", "/usr/bin/tool", "ok"])];
    assert_eq!(rows, [&dpkg[..], &[kernel("1", "ok")]].concat());
    assert_eq!((told.managers, told.packages, told.problem_count), (vec!["dpkg".to_owned(), "rpm".into()], 3, 0));

    // The other version does not hide the one that stays.
    root.install(&["-i"], &one(&made, "kernel", "2", ("/boot/kernel-2", "two")));
    let (told, rows) = host.look()?;
    assert_eq!(rows, [kernel("1", "ok"), kernel("2", "differs")]);
    assert!(!told.full && told.settled, "{told:?}");

    // A database that cannot be read hides what is in it, and takes nothing away.
    let path = root.path.join("var/lib/rpm/rpmdb.sqlite");
    let whole = fs::read(&path)?;
    fs::write(&path, "no database")?;
    let (told, rows) = host.look()?;
    assert_eq!((rows.len(), told.problem_count), (0, 1), "{rows:?}");
    assert!(told.problems[0].contains("rpmdb.sqlite`: "), "{told:?}");
    fs::write(&path, whole)?;
    assert_eq!(host.look()?.1.len(), 0, "it is as it was");

    root.rpm(&["-e", "--justdb", "--nodeps", "kernel-1"]);
    assert_eq!(host.look()?.1, [kernel("2", "differs")]);
    root.rpm(&["-e", "--justdb", "--nodeps", "kernel"]);
    assert_eq!(host.look()?.1, [row(["rpm", "", "", "removed"])]);
    Ok(())
}

#[test]
fn a_file_that_rpm_says_was_replaced_is_not_read_for_it() -> Result<()> {
    let made = Made::new();
    let mut host = Host::new(Duration::from_secs(60))?;
    fs::remove_dir_all(host.at("var/lib/dpkg"))?;
    let root = made.root(&fs::canonicalize(host.at(""))?);
    fs::write(host.at("usr/bin/tool"), "two")?;
    root.install(&["-i"], &one(&made, "first", "1", ("/bin/tool", "one")));
    root.install(&["-i", "--replacefiles"], &one(&made, "second", "2", ("/bin/tool", "two")));
    let (told, rows) = host.look()?;
    let expected = [["rpm", "1-1", "/usr/bin/tool", "replaced"], ["rpm", "2-1", "/usr/bin/tool", "ok"]];
    assert_eq!(rows, expected.map(|row| row.map(str::to_owned)));
    assert_eq!((told.managers, told.read_bytes), (vec!["rpm".to_owned()], 3));
    Ok(())
}
