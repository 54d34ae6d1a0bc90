use super::*;
use std::os::unix::fs::symlink;

/// A root with a database, and with these files.
fn root(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a test directory");
    for (name, bytes) in files {
        let path = root.path().join("var/lib/dpkg").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a test directory");
        fs::write(path, bytes).expect("a test file");
    }
    root
}

fn database(root: &tempfile::TempDir) -> Database {
    Database::below(root.path()).expect("a database")
}

fn packages(root: &tempfile::TempDir) -> (Vec<Package>, Problems) {
    let mut problems = Problems::default();
    let packages = database(root).packages(&mut problems).expect("packages");
    (packages, problems)
}

/// Path, first byte of the digest, and whether it is a configuration file.
type Shown = (String, Option<u8>, bool);

fn files(package: &Package) -> (Vec<Shown>, Problems) {
    let (mut files, mut problems) = (Vec::new(), Problems::default());
    let each = package.each_file(&mut problems, |owned| {
        let path = String::from_utf8_lossy(owned.path).into_owned();
        files.push((path, owned.stated.map(|md5| md5.bytes()[0]), owned.is_configuration));
        Ok(())
    });
    each.expect("files");
    (files, problems)
}

const ONE: &str = "11111111111111111111111111111111";
const TWO: &str = "22222222222222222222222222222222";

fn status(text: &str) -> tempfile::TempDir {
    root(&[("status", text.as_bytes())])
}

#[test]
fn a_package_owns_what_its_list_and_its_digests_and_its_entry_name() {
    let entry = format!(
        "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\nConffiles:\n /etc/tool {TWO}\n \
         /etc/old file {ONE} obsolete\n /etc/new newconffile\nDescription: one\n /etc/none {ONE}\n"
    );
    let root = root(&[
        ("status", format!("{entry}\nPackage: gone\nStatus: deinstall ok not-installed\n\n\n").as_bytes()),
        ("info/tool.list", b"/.\n/etc\n/etc/tool\n/etc/old file\n/etc/new\n/bin\n/bin/tool\n/bin/plain"),
        ("info/tool.md5sums", format!("{ONE}  bin/tool\n{TWO}  usr/only summed\n").as_bytes()),
    ]);
    let (packages, problems) = packages(&root);
    let [tool] = &packages[..] else { panic!("{packages:?}") };
    assert_eq!(problems.count, 0, "{problems:?}");
    let field = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!(
        (
            tool.entry.name.as_str(),
            field(&tool.entry.version),
            field(&tool.entry.architecture),
            field(&tool.entry.state)
        ),
        ("tool", "1:2-3".into(), "amd64".into(), "installed".into())
    );
    let (files, problems) = files(tool);
    let expected = [
        ("/etc", None, false),
        ("/etc/tool", Some(0x22), true),
        ("/etc/old file", Some(0x11), true),
        ("/etc/new", None, true),
        ("/bin", None, false),
        ("/bin/tool", Some(0x11), false),
        ("/bin/plain", None, false),
        ("/usr/only summed", Some(0x22), false),
    ];
    assert_eq!(files, expected.map(|(path, md5, is_configuration)| (path.to_owned(), md5, is_configuration)));
    assert_eq!(problems.count, 0, "{problems:?}");
}

#[test]
fn packages_of_several_architectures_have_lists_of_their_own() {
    let entry = |architecture| format!("Package: lib\nStatus: install ok installed\nArchitecture: {architecture}\n\n");
    let root = root(&[
        ("status", [entry("amd64"), entry("i386")].concat().as_bytes()),
        ("info/lib:amd64.list", b"/lib/64\n"),
        ("info/lib:i386.list", b"/lib/32\n"),
    ]);
    let shown: Vec<String> = packages(&root).0.iter().flat_map(|package| files(package).0).map(|file| file.0).collect();
    assert_eq!(shown, ["/lib/64", "/lib/32"]);
}

#[test]
fn images_without_dpkg_have_a_file_for_each_package() {
    let root = root(&[
        ("status.d/base", b"Package: base\nVersion: 3\nArchitecture: all\n"),
        ("status.d/base.md5sums", format!("{ONE}  ./etc/release\n").as_bytes()),
    ]);
    let (packages, _) = packages(&root);
    assert_eq!((packages.len(), packages[0].entry.name.as_str(), packages[0].entry.state.as_ref()), (1, "base", None));
    let (files, problems) = files(&packages[0]);
    assert_eq!((files, problems.count), (vec![("/etc/release".to_owned(), Some(0x11), false)], 0));
}

#[test]
fn a_diverted_file_stands_elsewhere_but_for_who_diverted_it() {
    let root = root(&[("status", b""), ("diversions", b"/bin/sh\n/bin/sh.distrib\ndash\n/bin/half\n")]);
    let mut problems = Problems::default();
    let diversions = database(&root).diversions(&mut problems);
    assert_eq!(diversions.place("bash", b"/bin/sh"), b"/bin/sh.distrib");
    assert_eq!(diversions.place("dash", b"/bin/sh"), b"/bin/sh");
    assert_eq!(diversions.place("bash", b"/bin/ls"), b"/bin/ls");
    assert_eq!(problems.told, ["the diversions end within one"]);
}

/// Whoever wrote the database wrote it to mislead.
#[test]
fn hostile_databases_are_read_as_far_as_they_can_be_and_the_rest_is_told() {
    let long = "x".repeat(100_000);
    assert!(packages(&status("")).0.is_empty(), "an empty status");
    assert!(packages(&status("\n\n \n:\nPackage\n")).0.is_empty());
    let (nameless, problems) = packages(&status("Pxckage: tool\nVersion: 1\n"));
    assert_eq!((nameless.len(), problems.told), (0, vec!["an entry has no name".to_owned()]));
    let entry = |name: &str| format!("Package: {name}\nStatus: install ok installed\n\n");
    for name in ["../../etc/shadow", "a/b", ".hidden", "a\u{1b}[2J", &"n".repeat(300)] {
        let (packages, problems) = packages(&status(&entry(name)));
        assert_eq!((packages.len(), problems.count), (0, 1), "{name}");
        assert!(problems.told[0].chars().count() <= 300);
    }
    let (found, problems) = packages(&status(&format!("Depends: {long}\n{}{long}", entry("tool"))));
    assert_eq!((found.len(), problems.count), (1, 0), "long lines that nobody needs");
    let (files_of, problems) = files(&found[0]);
    assert_eq!((files_of.len(), problems.told.len()), (0, 1), "no list: {problems:?}");

    let list = format!("relative\n/../etc/passwd\n/{long}\n/a\u{0}b\n\n/last");
    let sums = format!("{ONE}  \nzz{ONE}\n{ONE} one space\n{}\n{ONE}  ok", &ONE[..31]);
    let root = root(&[
        ("status", entry("tool").as_bytes()),
        ("info/tool.list", list.as_bytes()),
        ("info/tool.md5sums", &[sums.as_bytes(), b"\n\xff\xfe\n"].concat()),
    ]);
    let (files_of, problems) = files(&packages(&root).0[0]);
    let paths: Vec<String> = files_of.iter().map(|file| file.0.chars().take(20).collect()).collect();
    assert_eq!(paths[..2], ["relative", "/../etc/passwd"], "what they lead to is told elsewhere");
    assert_eq!((paths.len(), paths[4].as_str(), paths[5].as_str()), (6, "/last", "/ok"));
    assert_eq!(problems.count, 6, "{problems:?}");
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let root = root(&[("status", b"Package: tool\nStatus: install ok installed\n"), ("info/other", b"/secret\n")]);
    let info = root.path().join("var/lib/dpkg/info");
    symlink("other", info.join("tool.list")).expect("a link");
    rustix::fs::mknodat(rustix::fs::CWD, info.join("tool.md5sums"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .expect("a FIFO");
    let (files, problems) = files(&packages(&root).0[0]);
    assert_eq!((files.len(), problems.count), (0, 2), "{problems:?}");
    fs::remove_file(root.path().join("var/lib/dpkg/status")).expect("removed");
    symlink("loop", root.path().join("var/lib/dpkg/status")).expect("a link");
    assert!(database(&root).packages(&mut Problems::default()).is_err());
}

#[test]
fn a_database_is_busy_while_dpkg_has_not_written_all() {
    let root = root(&[("status", b""), ("lock", b""), ("updates/tmp.i", b"")]);
    let before = database(&root).stamp();
    assert!(!before.is_busy);
    fs::write(root.path().join("var/lib/dpkg/updates/0001"), "").expect("a test file");
    assert!(database(&root).stamp().is_busy);
    fs::remove_file(root.path().join("var/lib/dpkg/updates/0001")).expect("removed");
    assert!(database(&root).stamp() == before);
    fs::write(root.path().join("var/lib/dpkg/status"), "\n").expect("a test file");
    assert!(database(&root).stamp() != before);
}

#[test]
fn mutants_of_a_database_never_panic() {
    let entry = format!("Package: tool\nStatus: install ok installed\nConffiles:\n /etc/tool {ONE} obsolete\n\n");
    let sums = format!("{ONE}  bin/tool\n{TWO}  bin/other\n");
    for number in 0..300 {
        let mutant = |bytes: &[u8]| crate::mutate::mutant(bytes, number);
        let root = root(&[
            ("status", &mutant(entry.as_bytes())),
            ("info/tool.list", &mutant(b"/.\n/bin\n/bin/tool\n")),
            ("info/tool.md5sums", &mutant(sums.as_bytes())),
            ("diversions", &mutant(b"/bin/tool\n/bin/real\nother\n")),
        ]);
        let mut problems = Problems::default();
        database(&root).diversions(&mut problems);
        packages(&root).0.iter().for_each(|package| drop(files(package)));
    }
}
