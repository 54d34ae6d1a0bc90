//! The new content at another path, and the path in another place.

use super::*;

const ELSEWHERE: &str = "/tmp/build/a.out";

fn at(path: &str, observation: Event) -> Event {
    Event { path: Some(path.into()), parent_ino: Some(70), ..observation }
}

/// The change, beside other observations.
fn beside(others: &[Event]) -> Recorded {
    Recorded::of(&[&[seen(20, 12, OLD), seen(30, 12, NEW)], others].concat())
}

/// The words beside `changed_in_place`.
fn more(recorded: &Recorded) -> Result<Vec<String>> {
    let mut words = words(recorded)?;
    words.retain(|word| !word.starts_with("changed_in_place"));
    Ok(words)
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_content_that_was_elsewhere_before_is_told() -> Result<()> {
    let source = at(ELSEWHERE, seen(15, 99, NEW));
    assert_eq!(more(&beside(from_ref(&source)))?, ["same_content"]);
    let told = verdicts(&[beside(from_ref(&source))])?;
    assert_eq!(rows_of(&told, "same_content", "digest"), [(15, json!(NEW)), (30, json!(NEW))]);
    let says = |recorded: &Recorded| -> Result<String> {
        Ok(verdicts(from_ref(recorded))?.pop().map(|verdict| verdict["says"].to_string()).unwrap_or_default())
    };
    assert!(says(&beside(from_ref(&source)))?.contains("`/tmp/build/a.out` before, in another file"));
    assert!(says(&beside(&[at(ELSEWHERE, seen(15, 12, NEW))]))?.contains("in the same file: by a rename, a link"));
    let numbered = [seen(20, 12, OLD), at(ELSEWHERE, seen(15, 12, NEW)), seen(30, 12, NEW)];
    let unnumbered = numbered.map(|event| Event { ino_generation: Some(0), ..event });
    let says_unnumbered = says(&Recorded::of(&unnumbered))?;
    assert!(
        says_unnumbered.contains("`/tmp/build/a.out` before\""),
        "the number may have become another's: {says_unnumbered}"
    );
    let contained = Event { root_ino: 99, ..source.clone() };
    assert!(says(&beside(&[contained]))?.contains("`/tmp/build/a.out` under the root 8:1:99 before"));
    assert_eq!(more(&beside(from_ref(&source)).and(lost()))?, ["same_content?"]);
    assert_eq!(more(&beside(&[doubtful(source.clone())]))?, ["same_content?"], "it may have been another one");
    let certain = at("/tmp/certain", seen(16, 98, NEW));
    assert_eq!(more(&beside(&[doubtful(source.clone()), certain]))?, ["same_content"]);

    assert_eq!(more(&beside(&[at(ELSEWHERE, seen(35, 99, NEW))]))?, nothing(), "it went there later");
    assert_eq!(more(&beside(&[at(ELSEWHERE, seen(15, 99, THIRD))]))?, nothing(), "another content");
    assert_eq!(more(&beside(&[seen(15, 12, NEW)]))?, nothing(), "the path itself had it before");
    let other_algorithm = Event { digest_algorithm: Some("sha512".into()), ..source.clone() };
    assert_eq!(more(&beside(&[other_algorithm]))?, nothing());
    let unnamed = Event { path_flags: vec!["deleted".into()], ..source.clone() };
    assert_eq!(more(&beside(&[unnamed]))?, nothing(), "a path that is no more");
    let other_host = Recorded { host: "db", ..Recorded::of(&[source]) };
    let told: Vec<String> = verdicts(&[other_host, beside(&[])])?.iter().map(short).collect();
    assert_eq!(told, ["changed_in_place"], "of another host");
    Ok(())
}

#[test]
fn a_shell_under_another_name_is_told() -> Result<()> {
    let shell = |path: &str, ino| at(path, seen(15, ino, NEW));
    for path in ["/bin/dash", "/usr/bin/python3.11", "/opt/perl5.36.0"] {
        assert_eq!(more(&beside(&[shell(path, 99)]))?, ["same_content", "masquerade"], "{path}");
    }
    assert_eq!(
        rows_of(&verdicts(&[beside(&[shell("/bin/sh", 99)])])?, "masquerade", "ino"),
        [(15, json!(99)), (30, json!(12))]
    );
    assert_eq!(more(&beside(&[shell("/bin/sh", 99)]).and(lost()))?, ["same_content?", "masquerade?"]);
    assert_eq!(more(&beside(&[doubtful(shell("/bin/sh", 99))]))?, ["same_content?", "masquerade?"]);

    assert_eq!(more(&beside(&[shell("/bin/dashboard", 99)]))?, ["same_content"], "no name of a shell");
    assert_eq!(more(&beside(&[shell("/opt/sh/tool", 99)]))?, ["same_content"], "nor in a directory of that name");
    assert_eq!(more(&beside(&[shell("/bin/sh", 12)]))?, ["same_content"], "one program with many names");
    let before_boot = Event { boot_id: "boot0".into(), dev: Some("8:17".into()), ..shell("/bin/sh", 12) };
    assert_eq!(more(&beside(&[before_boot]))?, ["same_content"], "the same before a boot");
    let later = at("/bin/sh", seen(35, 99, NEW));
    assert_eq!(more(&beside(&[later]))?, nothing());
    Ok(())
}

/// A file on an overlay and the one beneath it have one content, and different inode numbers.
#[test]
fn what_lies_beneath_is_no_other_file() -> Result<()> {
    let over = |event: Event, ino: i64| Event { real_dev: Some("8:1".into()), real_ino: Some(ino), ..event };
    let on_overlay = |event: Event| Event { dev: Some("0:30".into()), ..event };
    let shell = |ino| at("/bin/sh", seen(15, ino, NEW));
    let said = |new: Event, shell: Event| -> Result<Vec<(String, String)>> {
        let told = verdicts(&[Recorded::of(&[on_overlay(seen(20, 12, OLD)), shell, on_overlay(new)])])?;
        let words =
            told.iter().map(|verdict| (short(verdict), verdict["says"].as_str().unwrap_or_default().to_owned()));
        Ok(words.filter(|(word, _)| !word.starts_with("changed_in_place")).collect())
    };
    for (new, shell) in
        [(over(seen(30, 12, NEW), 99), shell(99)), (over(seen(30, 12, NEW), 99), over(on_overlay(shell(98)), 99))]
    {
        let told = said(new, shell)?;
        assert_eq!(told.len(), 1, "no masquerade: {told:?}");
        assert!(told[0].0 == "same_content" && told[0].1.ends_with("`/bin/sh` before"), "{told:?}");
    }
    let told = said(over(seen(30, 12, NEW), 99), shell(98))?;
    assert_eq!(told.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>(), ["same_content", "masquerade"]);
    assert!(told[0].1.ends_with("in another file"), "{told:?}");
    Ok(())
}

/// A shell under the name of a shell is what `sh` is on every host.
#[test]
fn a_shell_by_the_name_of_another_is_no_masquerade() -> Result<()> {
    let as_bash = |event: Event| Event { path: Some("/bin/sh".into()), ..event };
    let events = [at("/bin/dash", seen(15, 99, NEW)), as_bash(seen(20, 12, OLD)), as_bash(seen(30, 12, NEW))];
    let directory = tempfile::tempdir()?;
    Recorded::of(&events).seal(directory.path(), ID)?;
    let (_, _, output) = query(directory.path(), &["changes", "--format", "json"])?;
    let told: Vec<String> = json_lines(&output)[0]["verdicts"].as_array().expect("a list").iter().map(short).collect();
    assert_eq!(told, ["changed_in_place", "same_content"]);
    Ok(())
}

#[test]
fn the_path_under_another_root_is_told() -> Result<()> {
    let contained = |second, digest| Event { root_ino: 99, ..seen(second, 77, digest) };
    assert_eq!(more(&beside(&[contained(25, THIRD)]))?, ["other_root"]);
    let rows = rows_of(&verdicts(&[beside(&[contained(25, THIRD)])])?, "other_root", "root_ino");
    assert_eq!(rows, [(25, json!(99)), (30, json!(2))]);
    for (other, said) in [
        (contained(25, THIRD), "with another content"),
        (contained(25, NEW), "with the same content"),
        (
            Event { digest_algorithm: Some("sha1".into()), ..contained(25, THIRD) },
            "with a digest that cannot be compared",
        ),
    ] {
        let told = verdicts(&[beside(&[other])])?;
        assert!(told[1]["says"].as_str().is_some_and(|says| says.ends_with(said)), "{told:?}");
    }
    assert_eq!(more(&beside(&[doubtful(contained(25, THIRD))]))?, ["other_root?"]);

    assert_eq!(
        more(&beside(&[Event { root_ino: 99, ..at(ELSEWHERE, seen(25, 77, THIRD)) }]))?,
        nothing(),
        "another path"
    );
    let next_boot = Event { root_dev: "8:17".into(), boot_id: "boot2".into(), ..contained(50, THIRD) };
    let in_container = [contained(20, OLD), contained(30, NEW), next_boot];
    let told = on(&in_container)?;
    assert_eq!(told, ["changed_in_place"], "after a boot it may be the same root");
    let another = Event { root_ino: 98, ..contained(25, THIRD) };
    assert_eq!(on(&[contained(20, OLD), contained(30, NEW), another])?, ["changed_in_place", "other_root"]);
    Ok(())
}

#[test]
fn another_tree_in_a_mount_namespace_is_told() -> Result<()> {
    let mounted = |second| Event { mnt_ns: 5, parent_ino: Some(60), ..seen(second, 77, THIRD) };
    let around = |second| beside(&[seen(10, 12, OLD), mounted(second)]);
    assert_eq!(more(&around(15))?, ["other_mount_namespace"]);
    assert_eq!(rows_of(&verdicts(&[around(15)])?, "other_mount_namespace", "mnt_ns"), [(15, json!(5)), (30, json!(0))]);
    let twice = beside(&[mounted(5), seen(10, 12, OLD), mounted(15)]);
    assert_eq!(more(&twice)?, ["other_mount_namespace"], "one of its sights lies between");
    assert_eq!(more(&around(40))?, ["other_mount_namespace?"], "it may have come after");
    assert_eq!(more(&beside(&[seen(10, 12, OLD), doubtful(mounted(15))]))?, ["other_mount_namespace?"]);

    let of_host = Event { mnt_ns: 5, ..seen(15, 12, OLD) };
    assert_eq!(more(&beside(&[seen(10, 12, OLD), of_host]))?, nothing(), "a service that sees the host's own");
    let next_boot = Event { boot_id: "boot2".into(), ..mounted(40) };
    assert_eq!(more(&beside(&[seen(10, 12, OLD), next_boot]))?, nothing(), "of another boot");
    Ok(())
}
