//! Databases that somebody wrote to mislead.

use super::*;

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
    assert!(format!("{error:#}").contains("more than 1024 are not read"), "{error:#}");
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

#[test]
fn a_header_of_ndb_that_is_not_where_its_slot_says_is_told() {
    let shown = |place: usize, byte: u8| {
        let mut bytes = NDB.to_vec();
        bytes[place] = byte;
        let root = ndb_root(&bytes);
        let mut problems = Problems::default();
        match database(root.path()).packages(&mut problems) {
            Ok(packages) => (packages.len(), problems.told.join("; ")),
            Err(error) => (0, format!("{error:#}")),
        }
    };
    let whole = packages(ndb_root(NDB).path()).0.len();
    let first = NDB.windows(4).position(|word| word == b"BlbS").expect("a header");
    let end = NDB.windows(4).position(|word| word == b"BlbE").expect("its end");
    assert_eq!(shown(first + 8, 7), (whole, String::new()), "the time of its writing says nothing");
    for place in [first, first + 4] {
        let (found, told) = shown(place, 9);
        assert!(found + 1 == whole && told.ends_with("it is not where its slot says"), "{place}: {told}");
    }
    let (found, told) = shown(first + 15, 9);
    assert!(found + 1 == whole && told.ends_with("it is too large"), "{told}");
    let (found, told) = shown(first + 13, 1);
    assert!(found + 1 == whole && told.ends_with("its slot has another length"), "{told}");
    for place in [end, end - 4] {
        let (found, told) = shown(place, 9);
        assert!(found + 1 == whole && told.ends_with("it does not end where its slot says"), "{place}: {told}");
    }
    let (found, told) = shown(32, 9);
    assert!(found == 0 && told.ends_with("page 0 has something else than slots"), "{told}");
    let (found, told) = shown(52, NDB[36]);
    assert!(found == 0 && told.contains("two slots have the number"), "{told}");
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
    let digest = (1035, 8, 1, &b"900150983cd24fb0d6963f7d28e17f72\0"[..]);
    for (flags, is_stated) in [(0_u8, true), (0x40, false)] {
        let bytes = header(&[&sound[..], &[digest, (1037, 4, 1, &[0, 0, 0, flags])]].concat());
        let files = Header::of(&bytes).and_then(Files::of).expect("files");
        let each = |owned: Owned<'_>| {
            assert_eq!(owned.stated.is_some(), is_stated, "what stands in a ghost's place is nobody's business");
            Ok(())
        };
        files.each("tool", &mut Problems::default(), each).expect("a file");
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
