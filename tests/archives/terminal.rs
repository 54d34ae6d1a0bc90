//! What stands on a terminal, which util-linux's `script` makes: rows within its width, pages of another program, and nothing
//! that drives it.

use crate::support::{hashtrail, output_of, repository};
use std::process::Command;

/// What a terminal of so many columns shows of a question about the sample.
fn shown(columns: usize, environment: &str, question: &str) -> (Option<i32>, String) {
    let hashtrail = hashtrail().get_program().to_string_lossy().into_owned();
    let archive = repository("samples/incident/archive");
    let line = format!(
        "stty cols {columns} rows 50; unset PAGER HASHTRAIL_PAGER; {environment} {hashtrail} {question} --archive {}",
        archive.display()
    );
    let mut script = Command::new("script");
    let output = output_of(script.args(["-qec", &line, "/dev/null"]));
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n"))
}

#[test]
fn rows_fit_the_terminal_or_stand_one_field_a_line() {
    let question = "history /usr/sbin/backup-agent --no-pager --columns";
    let path = "/usr/sbin/backup-agent";
    let (_, wide) = shown(200, "", &format!("{question} path,digest,first_seen"));
    assert!(wide.contains(&format!("{path}  67f35741fa29…  ")), "{wide}");
    let (_, narrow) = shown(60, "", &format!("{question} path,digest,first_seen"));
    assert!(narrow.contains("/usr/s…backup-ag") || narrow.contains('…'), "{narrow}");
    assert!(!narrow.contains(path) && !narrow.contains('\u{1b}'), "{narrow}");
    let rows = narrow.lines().filter(|line| !line.starts_with("note: "));
    assert!(rows.clone().count() > 2 && rows.clone().all(|row| row.chars().count() <= 60), "{narrow}");
    let (_, fields) = shown(30, "", &format!("{question} path,digest,first_seen"));
    assert!(fields.contains(&format!("PATH        {path}\nDIGEST      67f35741fa29…\nFIRST_SEEN  ")), "{fields}");
    let (_, full) = shown(60, "", &format!("{question} digest --full"));
    assert!(full.contains("67f35741fa29a391e046a741feb506bdad9197fd98d9e44dfa607f741307d0b8"), "{full}");
}

#[test]
fn a_pager_shows_what_is_said_too() {
    let pager = "PAGER='sed s/^/paged:/'";
    let (code, paged) = shown(200, pager, "changes");
    assert!(code == Some(0) && paged.starts_with("paged:PATH "), "{paged}");
    assert!(paged.contains("\npaged:note: ") && paged.lines().all(|line| line.starts_with("paged:")), "{paged}");
    let (_, others) = shown(200, &format!("{pager} HASHTRAIL_PAGER='sed s/^/other:/'"), "changes");
    assert!(others.starts_with("other:PATH "), "{others}");
    for (environment, question) in
        [(pager, "changes --no-pager"), ("PAGER=", "changes"), ("PAGER=no-such-pager", "changes")]
    {
        let (code, plain) = shown(200, environment, question);
        assert!(code == Some(0) && plain.starts_with("PATH "), "{environment} {question}: {plain}");
    }
    let (code, lost) = shown(200, "PAGER='exec no-such-pager >&2'", "changes");
    assert!(code == Some(2) && lost.contains("error: there is no pager `exec no-such-pager >&2`"), "{lost}");
}

#[test]
fn what_is_no_terminal_has_no_pager() {
    let archive = repository("samples/incident/archive");
    let output = output_of(hashtrail().env("PAGER", "sed s/^/paged:/").arg("changes").arg("--archive").arg(archive));
    assert!(output.stdout.starts_with(b"PATH "), "{}", String::from_utf8_lossy(&output.stdout));
}
