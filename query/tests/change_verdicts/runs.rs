//! From where the new content ran, and what ran it.

use super::*;

/// The words on a change whose new version ran so, beside `changed_in_place`.
fn when_run(new: Event) -> Result<Vec<String>> {
    more(&Recorded::of(&[&[seen(20, 12, OLD)], &ran(new)[..]].concat()))
}

fn more(recorded: &Recorded) -> Result<Vec<String>> {
    Ok(words(recorded)?.into_iter().filter(|word| word != "changed_in_place").collect())
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn content_that_ran_without_a_name_is_told() -> Result<()> {
    for (flag, word) in [("memfd", "ran_from_memfd"), ("deleted", "ran_deleted")] {
        let flagged = |second, digest| Event {
            path: Some(format!("/{flag}:x")),
            path_flags: vec![flag.into()],
            ..seen(second, 99, digest)
        };
        let change = |others: &[Event]| Recorded::of(&[&[seen(20, 12, OLD), seen(30, 12, NEW)], others].concat());
        assert_eq!(more(&change(&ran(flagged(40, NEW))))?, [word]);
        let told = verdicts(&[change(&ran(flagged(40, NEW)))])?;
        assert_eq!(rows_of(&told, word, "path_flags"), [(40, json!([flag]))]);
        assert_eq!(more(&change(&ran(doubtful(flagged(40, NEW)))))?, [format!("{word}?")]);
        let unknown = Recorded { commits: false, ..change(&ran(flagged(40, NEW))[..1]) };
        assert_eq!(more(&unknown)?, [format!("{word}?")], "whether it ran was not recorded");

        assert_eq!(more(&change(&[flagged(40, NEW)]))?, nothing(), "mapped, and not run");
        assert_eq!(more(&change(&ran(flagged(40, NEW))[..1]))?, nothing(), "an exec that failed");
        assert_eq!(more(&change(&ran(flagged(40, THIRD))))?, nothing(), "another content");
    }
    Ok(())
}

#[test]
fn a_file_that_ran_from_memory_is_told() -> Result<()> {
    let on_tmpfs = |second, digest| Event { fs_type: Some("tmpfs".into()), ..seen(second, 12, digest) };
    assert_eq!(when_run(on_tmpfs(30, NEW))?, ["ran_from_tmpfs"]);
    let events = [&[seen(20, 12, OLD)], &ran(on_tmpfs(30, NEW))[..]].concat();
    assert_eq!(rows_of(&verdicts(&[Recorded::of(&events)])?, "ran_from_tmpfs", "fs_type"), [(30, json!("tmpfs"))]);
    let unknown = Recorded { commits: false, ..Recorded::of(&[seen(20, 12, OLD), on_tmpfs(30, NEW)]) };
    assert_eq!(more(&unknown)?, ["ran_from_tmpfs?"]);
    assert_eq!(more(&Recorded::of(&[seen(20, 12, OLD), on_tmpfs(30, NEW)]))?, nothing(), "mapped, and not run");
    assert_eq!(when_run(seen(30, 12, NEW))?, nothing(), "from a disk");
    let ran_before = [&ran(on_tmpfs(20, OLD))[..], &[on_tmpfs(30, NEW)]].concat();
    assert_eq!(more(&Recorded::of(&ran_before))?, nothing(), "the old version ran");
    Ok(())
}

#[test]
fn a_file_that_ran_from_a_hidden_directory_is_told() -> Result<()> {
    let change = |path: &str, commits| -> Result<Vec<(String, String)>> {
        let at = |event: Event| Event { path: Some(path.into()), ..event };
        let events = [&[at(seen(20, 12, OLD))], &ran(at(seen(30, 12, NEW)))[..if commits { 2 } else { 1 }]].concat();
        let directory = tempfile::tempdir()?;
        Recorded { commits, ..Recorded::of(&events) }.seal(directory.path(), ID)?;
        let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
        let told = json_lines(&output)[0]["verdicts"].as_array().expect("a list").clone();
        let is_meant = |verdict: &&Value| verdict["verdict"] == "ran_from_hidden";
        let text = |verdict: &Value| (short(verdict), verdict["says"].as_str().unwrap_or_default().to_owned());
        Ok(told.iter().filter(is_meant).map(text).collect())
    };
    let says = |said: &str| vec![("ran_from_hidden".to_owned(), format!("the file was run from {said}"))];
    assert_eq!(change("/home/me/.x/y/tool", true)?, says("the hidden directory `/home/me/.x`"));
    assert_eq!(change("/home/me/.x/.y/tool", true)?, says("the hidden directory `/home/me/.x`"));
    let doubts = change("/home/me/.x/tool", false)?;
    assert_eq!(doubts[0].0, "ran_from_hidden?");
    for path in ["/home/me/.tool", "/home/me/x.y/tool", "/home/me/../tool"] {
        assert_eq!(change(path, true)?, [], "{path}");
    }
    Ok(())
}

#[test]
fn a_script_is_told_with_its_interpreter() -> Result<()> {
    let interpreter = |event: Event| Event {
        path: Some("/usr/bin/dash".into()),
        ino: Some(99),
        exec_id: Some(30),
        digest: event.digest.as_ref().map(|_| THIRD.into()),
        ..event
    };
    let [checked, committed] = ran(seen(30, 12, NEW));
    let [next, _] = ran(seen(31, 99, THIRD));
    let next = interpreter(next);
    let committed = interpreter(Event { seq: 32, boot_ns: 32_000_000_000, ..committed });
    let change = |rows: &[&Event]| {
        let rows: Vec<Event> = rows.iter().map(|row| (*row).clone()).collect();
        Recorded::of(&[&[seen(20, 12, OLD), checked.clone()], &rows[..]].concat())
    };
    assert_eq!(more(&change(&[&next, &committed]))?, ["script"]);
    let told = verdicts(&[change(&[&next, &committed])])?;
    assert_eq!(rows_of(&told, "script", "exec_id"), [30, 31, 32].map(|seq| (seq, json!(30))));
    let says = told.iter().find(|verdict| verdict["verdict"] == "script").map(|verdict| verdict["says"].clone());
    let said = "the file was run by another one, `/usr/bin/dash`: as a script, or by a rule of binfmt_misc";
    assert_eq!(says, Some(json!(said)));
    assert_eq!(more(&change(&[&next]))?, ["script?"], "whether the exec went on is not known");
    let doubtful_end =
        doubtful(Event { digest: Some(THIRD.into()), digest_algorithm: Some("sha256".into()), ..committed.clone() });
    assert_eq!(more(&change(&[&next, &doubtful_end]))?, ["script?"]);

    let own = Event { path: Some(PATH.into()), ino: Some(12), ..committed.clone() };
    assert_eq!(more(&change(&[&own]))?, nothing(), "a program of its own");
    let loader = Event { hook: "mmap_file".into(), ..next.clone() };
    assert_eq!(more(&change(&[&loader, &own]))?, nothing(), "its dynamic loader is mapped, and no interpreter");
    let other = |event: &Event| Event { exec_id: Some(31), ..event.clone() };
    assert_eq!(more(&change(&[&other(&next), &own, &other(&committed)]))?, nothing(), "another exec");
    Ok(())
}
