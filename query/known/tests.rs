//! Lists of known files, written by Python's own SQLite and after the layout that DCSO publishes.

use super::*;
use crate::output::problems::Problems;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Digests of a file: SHA-256, SHA-1 and MD5.
fn file(letters: &str) -> [String; 3] {
    [64, 40, 32].map(|digits| letters.repeat(digits / 2))
}

/// Lets `tests/engines/known.py` write a list of such files.
fn write(kind: &str, path: &Path, lines: &[String]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/known.py");
    let mut child =
        Command::new("python3").arg(script).arg(kind).arg(path).stdin(Stdio::piped()).spawn().expect("python3");
    child.stdin.take().expect("a pipe").write_all(lines.join("\n").as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success());
}

fn lines(files: &[[String; 3]]) -> Vec<String> {
    files.iter().map(|file| file.join(" ")).collect()
}

/// What was recorded: digests with their algorithms.
fn recorded(digests: &[(&str, &str)]) -> Recorded {
    let mut recorded = Recorded::default();
    digests.iter().for_each(|(algorithm, digest)| recorded.add(algorithm, digest));
    recorded
}

/// Asks lists in files for digests; what is said of each, and what is told.
fn ask(paths: &[&Path], digests: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let (known, problems) = known(paths, digests);
    let mark = |(algorithm, digest): &(&str, &str)| {
        let row = crate::output::object(serde_json::json!({"algorithm": algorithm, "digest": digest}));
        known.marked(row, Format::Table)["known"].as_str().expect("words").replace(&directory(paths), "")
    };
    assert_eq!(problems, [""; 0]);
    (digests.iter().map(mark).collect(), known.notes().iter().map(|note| note.replace(&directory(paths), "")).collect())
}

fn known(paths: &[&Path], digests: &[(&str, &str)]) -> (Known, Vec<String>) {
    let problems = Problems::default();
    let mut recorded = recorded(digests);
    let list = |(number, path): (usize, &&Path)| form::ask(path, number, &mut recorded, &problems).expect("a list");
    let lists = paths.iter().enumerate().map(list).collect();
    (Known { lists, recorded }, problems.texts())
}

fn directory(paths: &[&Path]) -> String {
    format!("{}/", paths[0].parent().expect("a directory").display())
}

/// Why a list cannot be used.
fn refused(path: &Path) -> String {
    let mut recorded = recorded(&[("sha256", &file("aa")[0]), ("sha1", &file("aa")[1])]);
    format!("{:#}", form::ask(path, 0, &mut recorded, &Problems::default()).expect_err("it is refused"))
}

#[test]
fn a_database_is_asked_by_each_algorithm_that_was_recorded() {
    let directory = tempfile::tempdir().expect("a directory");
    let listed = [file("aa"), file("ab"), file("0c")];
    let other = file("dd");
    let mut digests: Vec<(&str, &str)> = Vec::new();
    for one in listed.iter().chain([&other]) {
        digests.extend(["sha256", "sha1", "md5"].into_iter().zip(one.iter().map(String::as_str)));
    }
    for kind in ["rds", "unindexed"] {
        let path = directory.path().join("list.db");
        let _ = fs::remove_file(&path);
        write(kind, &path, &lines(&listed));
        let (marks, notes) = ask(&[&path], &digests);
        assert_eq!(marks[..9], ["known (list.db)"; 9], "{kind}");
        assert_eq!(marks[9..], ["unlisted"; 3], "{kind}");
        assert!(notes.contains(&"list.db: has 3 of 4 recorded digest(s) of sha1".to_owned()), "{notes:?}");
        let names: Vec<_> = fs::read_dir(directory.path()).expect("a directory").collect();
        assert_eq!(names.len(), 1, "nothing is written beside it");
    }
}

#[test]
fn an_index_is_used_where_there_is_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("list.db");
    write("rds", &path, &lines(&[file("aa")]));
    assert_eq!(database::indexed(&path).expect("columns"), ["sha256"]);
    fs::remove_file(&path).expect("a file");
    write("unindexed", &path, &lines(&[file("aa")]));
    assert_eq!(database::indexed(&path).expect("columns"), [""; 0]);
}

#[test]
fn a_file_without_a_digest_of_the_algorithm_leaves_the_others_open() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("list.db");
    let [sha256, sha1, _] = file("aa");
    let lacking = [sha256.clone(), sha1.clone(), "none".into()];
    write("unindexed", &path, &lines(&[lacking, file("bb")]));
    let (marks, notes) = ask(&[&path], &[("md5", &file("bb")[2]), ("md5", &file("cc")[2]), ("sha1", &file("cc")[1])]);
    assert_eq!(marks, ["known (list.db)", "undecided (list.db not compared)", "unlisted"]);
    assert!(notes[0].contains("not each of its files has one of md5"), "{notes:?}");
}

#[test]
fn values_that_are_no_text_deny_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("list.db");
    let database = rusqlite::Connection::open(&path).expect("a database");
    database.execute_batch("CREATE TABLE t (sha256 PRIMARY KEY)").expect("a table");
    let [sha256, other] = ["aa", "dd"].map(|letters| file(letters)[0].clone());
    database.execute("INSERT INTO t VALUES (?1)", [&sha256]).expect("a row");
    assert_eq!(ask(&[&path], &[("sha256", &sha256), ("sha256", &other)]).0, ["known (list.db)", "unlisted"]);
    database.execute("INSERT INTO t VALUES (x'00')", []).expect("a row");
    assert_eq!(ask(&[&path], &[("sha256", &other)]).0, ["undecided (list.db not compared)"]);
}

#[test]
fn a_list_from_a_pipe_is_read_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let [sha256, ..] = file("aa");
    let (to, text) = (path.clone(), format!("{sha256}\n"));
    let writer = std::thread::spawn(move || fs::write(to, text));
    assert_eq!(ask(&[&path], &[("sha256", &sha256)]).0, ["known (pipe)"]);
    writer.join().expect("a thread").expect("it is read");
}

#[test]
fn algorithms_that_do_not_fit_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let [sha1s, mixed] = ["sha1s", "mixed"].map(|name| directory.path().join(name));
    fs::write(&sha1s, format!("{}\n", file("aa")[1])).expect("a list");
    fs::write(&mixed, format!("{}\n{}\n", file("aa")[1], file("bb")[0])).expect("a list");
    let digests = [("sha256", &*file("bb")[0]), ("sha256", &*file("cc")[0])];
    let (marks, notes) = ask(&[&sha1s], &digests);
    assert_eq!(marks, ["undecided (sha1s not compared)"; 2]);
    assert_eq!(notes[0], "sha1s: has sha1, so that 2 recorded digest(s) of sha256 are neither known nor unknown to it");
    assert_eq!(ask(&[&mixed], &digests).0, ["known (mixed)", "undecided (mixed not compared)"]);
    assert_eq!(ask(&[&mixed, &sha1s], &digests).0[1], "undecided (mixed, sha1s not compared)");
    let both = directory.path().join("both");
    fs::write(&both, format!("{},{}\n", file("aa")[1], file("bb")[0])).expect("a list");
    assert_eq!(ask(&[&both, &sha1s], &digests).0, ["known (both)", "unlisted (sha1s not compared)"]);
    let sm3 = directory.path().join("sm3");
    fs::write(&sm3, format!("sm3:{}\n", file("bb")[0])).expect("a list");
    assert_eq!(ask(&[&sm3], &digests).0[0], "undecided (sm3 not compared)", "another algorithm of the same length");
}

#[test]
fn of_a_plain_list_only_what_was_recorded_is_held() {
    let text: String = (0..1000).map(|number| format!("{number:064x}  name {number}\n")).collect();
    let wanted = format!("{:064x}", 77);
    let is_wanted = |digest: &hashtrail::digest::Digest| digest.to_string() == wanted;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("list");
    fs::write(&path, text).expect("a list");
    let mut lists = hashtrail::digest_list::Lists::only(&is_wanted);
    lists.read(&path, &Problems::default()).expect("a list");
    assert_eq!(lists.finish().all(10), Some(vec![wanted.clone()]));
    assert_eq!(ask(&[&path], &[("sha256", &wanted), ("sha256", &file("aa")[0])]).0, ["known (list)", "unlisted"]);
}

#[test]
fn a_filter_knows_probably() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("list.bloom");
    let entries: Vec<String> = (0..1000).map(|number| format!("{:040X}", number * 7919)).collect();
    write("bloom", &path, &entries);
    let digests: Vec<String> = (0..20_000).map(|number| format!("{:040x}", number * 7919)).collect();
    let pairs: Vec<(&str, &str)> = digests.iter().map(|digest| ("sha1", digest.as_str())).collect();
    let packed = directory.path().join("packed.bloom.gz");
    let mut gzip =
        flate2::write::GzEncoder::new(fs::File::create(&packed).expect("a file"), flate2::Compression::fast());
    gzip.write_all(&fs::read(&path).expect("a filter")).expect("bytes");
    gzip.finish().expect("a gzip");
    for path in [&path, &packed] {
        let (known, _) = known(&[path], &pairs);
        let one_in = known.lists[0].false_one_in.expect("a rate");
        let has = |digest: &&String| known.recorded.lists_with("sha1", digest) == Some(1);
        assert_eq!(digests[..1000].iter().filter(has).count(), 1000, "no entry is missed");
        let wrong = digests[1000..].iter().filter(has).count();
        assert!((500..2000).contains(&one_in), "1 in {one_in}, designed for 1000");
        assert!(wrong > 0 && wrong < 60, "{wrong} of 19000 at 1 in {one_in}");
    }
    let (marks, notes) = ask(&[&path], &[("sha1", &digests[5]), ("sha256", &file("aa")[0])]);
    assert!(marks[0].starts_with("probably known, 1 in ") && marks[0].ends_with(" false (list.bloom)"), "{marks:?}");
    assert_eq!(marks[1], "undecided (list.bloom not compared)");
    assert!(notes[1].contains("has sha1, so that 1 recorded digest(s) of sha256 are neither known nor"), "{notes:?}");
}

#[test]
fn a_list_that_is_sure_outweighs_a_filter() {
    let directory = tempfile::tempdir().expect("a directory");
    let [filter, plain] = ["filter", "plain"].map(|name| directory.path().join(name));
    let [_, sha1, _] = file("aa");
    write("bloom", &filter, &[sha1.to_uppercase()]);
    fs::write(&plain, &sha1).expect("a list");
    assert_eq!(ask(&[&filter, &plain], &[("sha1", &sha1)]).0, ["known (filter, plain)"]);
}

/// A filter with this head, and so many bytes of bits.
fn filter(path: &Path, hashes: u64, bits: u64, bytes: &[u8]) {
    let head = [1, 10, 0.01_f64.to_bits(), hashes, bits, 10].map(u64::to_le_bytes).concat();
    fs::write(path, [&head, bytes].concat()).expect("a filter");
}

#[test]
fn filters_that_lie_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("filter");
    filter(&path, 3, 1 << 60, &[1; 100]);
    assert!(refused(&path).contains("is cut, or its head is damaged"), "{}", refused(&path));
    filter(&path, 3, 64, &[0xff; 8]);
    assert!(refused(&path).contains("so full that it has nearly every digest"), "{}", refused(&path));
    filter(&path, 3, 64, &[0; 8]);
    assert!(refused(&path).contains("is empty"), "{}", refused(&path));
    filter(&path, 3, 64, &[1, 0, 0, 0, 0, 0, 0, 0, b'x', b'y']);
    assert_eq!(ask(&[&path], &[("sha1", &file("aa")[1])]).0, ["unlisted"], "data behind the bits are the publisher's");
    filter(&path, 1 << 40, 64, &[1; 8]);
    let (known, problems) = known(&[&path], &[]);
    assert!(known.lists[0].algorithms.is_empty() && problems[0].contains("it is no text"), "{problems:?}");
}

#[test]
fn databases_that_are_no_lists_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a b?.db");
    write("views", &path, &lines(&[file("aa")]));
    assert!(refused(&path).contains("none of its tables has a column of digests"), "{}", refused(&path));
    fs::write(directory.path().join("a b?.db-wal"), "changes").expect("a file");
    assert!(refused(&path).contains("has changes that are not in it yet"), "{}", refused(&path));
    fs::write(&path, "SQLite format 3\0 and nothing").expect("a file");
    fs::remove_file(directory.path().join("a b?.db-wal")).expect("a file");
    assert!(refused(&path).contains("cannot use"), "{}", refused(&path));
    assert!(refused(&directory.path().join("none")).contains("cannot read"), "no file");
}

#[test]
fn mutants_of_databases_and_filters_are_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let files: Vec<[String; 3]> = (0..200).map(|number| file(&format!("{number:02x}"))).collect();
    let mut valid = Vec::new();
    for kind in ["rds", "unindexed", "bloom"] {
        let path = directory.path().join(kind);
        let sha1s: Vec<String> = files.iter().map(|file| file[1].to_uppercase()).collect();
        write(kind, &path, &if kind == "bloom" { sha1s } else { lines(&files) });
        valid.push(fs::read(path).expect("a list"));
    }
    let digests: Vec<(&str, &str)> = files.iter().map(|file| ("sha1", file[1].as_str())).collect();
    let (mut refused, mut used) = (0, 0);
    for seed in 0..crate::mutate::count() {
        let path = directory.path().join("mutant");
        let of = usize::try_from(seed).expect("a seed") % valid.len();
        fs::write(&path, crate::mutate::mutant(&valid[of], seed)).expect("a mutant");
        let mut recorded = recorded(&digests);
        match form::ask(&path, 0, &mut recorded, &Problems::default()) {
            Ok(_) => used += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0 && used > 0, "{refused} refused, {used} used");
}
