//! What the query tool says on stderr and by its exit code, asked as people ask: no less than in JSON, and no more than it knows.

use crate::support::{hashtrail, json_lines, output_of, repository};
use std::io::Write;
use std::process::{Output, Stdio};

const ARCHIVE: &str = "samples/incident/archive";
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";
const IMPLANT: &str = "4365e2cc78ac8a7538ad490f2ef3c8cb8f69721ba602d3cbbcd6fb41d62c2b04";

/// Asks the sample; exit code, stdout and stderr.
fn ask(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = hashtrail();
    command.args(arguments).arg("--archive").arg(repository(ARCHIVE));
    told(&output_of(&mut command))
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_digest_that_cannot_be_compared_is_an_error_in_each_format() {
    for arguments in [["lookup", MD5, "--format", "table"], ["lookup", MD5, "--format", "csv"]] {
        let (code, _, said) = ask(&arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains(&format!("error: not comparable: `{MD5}` of md5")) && said.contains("are sha256"),
            "{said}"
        );
        assert!(!said.contains("note: complete"), "{said}");
    }
    let (code, _, said) = ask(&["history", "--digest", MD5]);
    assert!(code == Some(2) && said.contains("not comparable"), "{said}");
    let (code, found, said) = ask(&["lookup", IMPLANT, MD5, "--format", "json"]);
    let lines = json_lines(&found);
    assert_eq!((code, &lines[0]["digest"]), (Some(2), &serde_json::json!(IMPLANT)), "{said}");
}

#[test]
fn a_list_from_stdin_is_looked_for_by_each_digest_of_a_line() {
    let mut command = hashtrail();
    command.args(["lookup", "--ioc", "-", "--format", "csv", "--archive"]).arg(repository(ARCHIVE));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the query tool runs");
    let list = format!("md5,sha1,sha256\n{MD5},{},{IMPLANT},implant\nno digest\n", "a".repeat(40));
    child.stdin.take().expect("a pipe").write_all(list.as_bytes()).expect("the list is read");
    let (code, found, said) = told(&child.wait_with_output().expect("the query tool ends"));
    assert!(found.lines().any(|line| line.starts_with("implant,") && line.contains(IMPLANT)), "{found}");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("error: stdin:3: `no digest` is no digest in hex"), "{said}");
    assert!(
        said.contains("note: 1 line(s) of lists could not be used") && said.contains("1 of 3 digest(s) were seen"),
        "{said}"
    );
    assert!(!said.contains("not comparable"), "its line has a SHA-256 too: {said}");
}

#[test]
fn a_published_list_is_looked_for_as_it_comes() {
    let directory = tempfile::tempdir().expect("a directory");
    let list = directory.path().join("full.csv.gz");
    let packed = output_of(
        std::process::Command::new("gzip").arg("-c").arg(repository("tests/fixtures/lists/malwarebazaar.csv")),
    );
    std::fs::write(&list, packed.stdout).expect("a list");
    let list = list.to_str().expect("a name");
    let (code, found, said) = ask(&["lookup", "--ioc", list, "--format", "csv"]);
    assert!(found.lines().any(|line| line.starts_with("backup-agent,") && line.contains(IMPLANT)), "{found}");
    assert_eq!(code, Some(0), "each MD5 and SHA-1 stands beside a SHA-256, which can be compared: {said}");
    assert!(said.contains("no digest of a file: column(s) imphash, ssdeep, tlsh (1, line(s) 8)"), "{said}");
    let (_, found, _) = ask(&["lookup", "--ioc", list, "--format", "json"]);
    let summary = json_lines(&found).pop().expect("a summary");
    assert_eq!((&summary["digests"], &summary["seen"], &summary["unusable_lines"]), (&15.into(), &1.into(), &0.into()));
    assert_eq!(summary["left_out"][0]["kind"], "column(s) imphash, ssdeep, tlsh");
}

#[test]
fn what_was_never_seen_is_told_from_what_never_changed() {
    let answers = ["/bin/busybox", "/nonexistent", "backup-agnet", "/usr/sbin/"].map(|path| ask(&["changes", path]));
    assert!(answers.iter().all(|(code, ..)| *code == Some(1)), "{answers:#?}");
    assert!(answers[0].2.contains("unchanged: /bin/busybox"), "{}", answers[0].2);
    assert!(answers[1].2.contains("note: never observed: `/nonexistent`"), "{}", answers[1].2);
    assert!(answers[2].2.contains("near it: /usr/sbin/backup-agent"), "{}", answers[2].2);
    assert!(answers[3].2.contains("near it: /usr/sbin/**"), "{}", answers[3].2);
    let (code, found, said) = ask(&["changes", "backup-agent"]);
    assert!(code == Some(0) && found.contains("/usr/sbin/backup-agent"), "{found}");
    assert!(said.contains("note: `backup-agent` means `**/backup-agent`"), "{said}");
}

#[test]
fn times_that_nobody_recorded_or_that_lie_nowhere_are_told() {
    let (_, _, said) = ask(&["changes", "--since", "now"]);
    assert!(said.contains("(not_recorded)") && !said.contains("note: complete"), "{said}");
    let (code, _, said) = ask(&["changes", "--since", "2026-11-25", "--until", "2026-11-24"]);
    assert!(code == Some(2) && said.contains("is not after --since"), "{said}");
}

#[test]
fn events_of_an_unknown_hook_name_those_that_are_near() {
    let (code, _, said) = ask(&["events", "--hook", "security_mmap_file"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no policy of a recording asked for `security_mmap_file`; near it: mmap_file"), "{said}");
    assert!(!said.contains("note: complete"), "{said}");
    let (code, _, said) = ask(&["events", "--hook", "mmap_file"]);
    assert!(code == Some(0) && said.contains("note: complete"), "{said}");
}

#[test]
fn a_filter_that_a_command_has_not_is_refused_with_why() {
    for (arguments, why) in [
        (["verify", "--pid=3"], "hint: it tells of whole recordings or archives"),
        (["rare", "--uid"], "hint: a version of a file was observed by many acts"),
        (["verify", "--since=2026-11-24"], "a verdict is of whole archives: leave out --host, --since and --until"),
    ] {
        let (code, _, said) = ask(&arguments);
        assert!(code == Some(2) && said.contains(why), "{arguments:?}: {said}");
    }
}

#[test]
fn verify_says_in_words_what_json_has_of_a_list() {
    let lists = repository("tests/fixtures/ima/6.1.0-56-cloud-amd64");
    let list = lists.join("ascii_runtime_measurements").display().to_string();
    for format in ["csv", "table"] {
        let (_, _, said) = ask(&["verify", "--format", format, "--ima-log", &list]);
        assert!(said.contains("entries replayed") && said.contains("it begins with its boot"), "{said}");
        assert!(said.contains("note: a good verdict shows that the files are as they were sealed"), "{said}");
        assert!(said.contains("nobody vouches for the manifest itself"), "{said}");
    }
    let (code, _, said) = ask(&["verify", "--key", "nosuchfile.pub"]);
    assert!(code == Some(2) && said.contains("there is no such file"), "{said}");
}

#[test]
fn what_a_glob_finds_and_is_no_archive_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(directory.path().join("lost+found")).expect("a folder");
    std::os::unix::fs::symlink(repository(ARCHIVE), directory.path().join("web1")).expect("a link");
    for question in ["changes", "verify"] {
        let (code, _, said) =
            told(&output_of(hashtrail().arg(question).arg("--archive").arg(directory.path().join("*"))));
        assert_eq!(code, Some(0), "{said}");
        let skipped = format!("note: skipped: `{}` is no archive", directory.path().join("lost+found").display());
        assert!(said.contains(&skipped) && !said.contains("web1` is no archive"), "{question}: {said}");
    }
}

#[test]
fn what_a_user_typed_drives_no_terminal() {
    let hostile = "\u{1b}]52;c;aGk=\u{7}\u{202e}x\u{9b}31m";
    let odd = ["--since", "--limit", "--format", "--nothing"];
    for arguments in
        odd.map(|option| vec!["events", option, hostile]).into_iter().chain([vec![hostile], vec!["changes", hostile]])
    {
        let (code, _, said) = ask(&arguments);
        assert!(code == Some(2) || code == Some(1), "{arguments:?} {said:?}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{arguments:?} {said:?}");
    }
}
