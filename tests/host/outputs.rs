//! Where the recorder writes, and what it refuses to write to: an attacker may have been there first.

use crate::support::{output_of, recorder, stdout_of};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Tries to record; what it said when it refused.
fn refusal(archive: &Path) -> String {
    let mut command = recorder();
    command.args(["loadtest", "--rate", "100", "--duration", "1s", "--journal-size", "4MiB", "--archive"]).arg(archive);
    let output = output_of(&mut command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "it was not refused: {said}");
    assert!(said.starts_with("error: ") || said.contains("\nerror: "), "{said}");
    said
}

/// A victim that lies outside of the archive, and must stay as it is.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        fs::write(place.victim(), "victim\n").expect("the victim can be written");
        fs::create_dir_all(place.archive().join(".journal")).expect("a folder can be made");
        place
    }

    fn archive(&self) -> std::path::PathBuf {
        self.directory.path().join("archive")
    }

    fn victim(&self) -> std::path::PathBuf {
        self.directory.path().join("victim")
    }

    fn assert_refused(&self, archive: &Path, why: &str) {
        let said = refusal(archive);
        assert!(said.contains(why), "`{why}` in: {said}");
        assert_eq!(fs::read_to_string(self.victim()).expect("the victim"), "victim\n");
    }
}

#[test]
fn links_fifos_and_devices_in_the_place_of_files_are_refused() {
    for name in ["manifest.jsonl", ".journal/lock"] {
        let place = Place::new();
        let target = place.archive().join(name);
        symlink(place.victim(), &target).expect("a link");
        place.assert_refused(&place.archive(), "it is not a regular file");
        fs::remove_file(&target).expect("the link can be removed");
        fs::hard_link(place.victim(), &target).expect("a hard link");
        place.assert_refused(&place.archive(), "it has another name too");
        fs::remove_file(&target).expect("the hard link can be removed");
        stdout_of(Command::new("mkfifo").arg(&target));
        place.assert_refused(&place.archive(), "it is not a regular file");
        fs::remove_file(&target).expect("the FIFO can be removed");
        stdout_of(Command::new("mknod").arg(&target).args(["c", "1", "3"]));
        place.assert_refused(&place.archive(), "it is not a regular file");
    }
}

#[test]
fn links_in_the_place_of_folders_are_refused() {
    let place = Place::new();
    let link = place.directory.path().join("link");
    symlink(place.archive(), &link).expect("a link");
    place.assert_refused(&link, "is a link, which is not followed");
    fs::remove_dir(place.archive().join(".journal")).expect("an empty folder");
    symlink(place.directory.path(), place.archive().join(".journal")).expect("a link");
    place.assert_refused(&place.archive(), "is a link, which is not followed");
}

#[test]
fn a_link_in_the_place_of_a_table_keeps_everything_in_the_journal() {
    let place = Place::new();
    let outside = place.directory.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    symlink(&outside, place.archive().join("events")).expect("a link");
    let said = refusal(&place.archive());
    assert!(said.contains("is a link, which is not followed"), "{said}");
    assert_eq!(fs::read_dir(&outside).expect("the folder").count(), 0, "nothing is written outside");
    fs::remove_file(place.archive().join("events")).expect("the link can be removed");
    stdout_of(recorder().args(["recover", "--archive"]).arg(place.archive()));
    assert!(place.archive().join("events").is_dir(), "what was kept is sealed");
}

#[test]
fn a_folder_that_others_could_write_to_is_closed_to_them() {
    let place = Place::new();
    fs::set_permissions(place.archive(), fs::Permissions::from_mode(0o777)).expect("the mode can be set");
    let mut command = recorder();
    command.args(["loadtest", "--rate", "100", "--duration", "1s", "--journal-size", "4MiB", "--archive"]);
    stdout_of(command.arg(place.archive()));
    for folder in ["", ".journal", "events"] {
        let mode = fs::metadata(place.archive().join(folder)).expect("the folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "`{folder}`");
    }
    for file in ["manifest.jsonl", ".journal/lock"] {
        let mode = fs::metadata(place.archive().join(file)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "`{file}`");
    }
}

/// Names that somebody chose may be in anything that is said: none of it drives a terminal or looks like another line.
#[test]
fn names_on_stderr_are_escaped() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let name = "a\u{1b}[2J\u{202e}\nerror: b";
    let archive = directory.path().join(name);
    fs::write(&archive, "no folder").expect("a file");
    let policy = directory.path().join(format!("{name}.yaml"));
    fs::write(&policy, "kind: TracingPolicy\nmetadata: {name: x}\nspec: 3\n").expect("a policy");
    let arguments: [&[&std::ffi::OsStr]; 4] = [
        &["compact".as_ref(), "--archive".as_ref(), archive.as_ref()],
        &["recover".as_ref(), "--archive".as_ref(), archive.as_ref()],
        &["record".as_ref(), "--archive".as_ref(), archive.as_ref(), "--sign-key".as_ref(), archive.as_ref()],
        &["check-policy".as_ref(), policy.as_ref()],
    ];
    for arguments in arguments {
        let output = output_of(recorder().args(arguments));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("error: "), "{said}");
        assert!(!said.chars().any(|character| character != '\n' && character.is_control()), "{said:?}");
        assert!(!said.contains("\nerror: b") && !said.contains('\u{202e}'), "{said:?}");
    }
}

#[test]
fn what_a_user_typed_drives_no_terminal() {
    let hostile = "\u{1b}]52;c;aGk=\u{7}\u{202e}x\u{9b}31m";
    for arguments in [vec![hostile], vec!["loadtest", "--rate", hostile], vec!["check-policy", hostile]] {
        let output = output_of(recorder().args(&arguments));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {said:?}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}']), "{arguments:?} {said:?}");
    }
}
