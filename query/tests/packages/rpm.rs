//! What rpm states is SHA-256, and there may be several packages with the same path.

use super::*;

/// The tool as a file of rpm's, that states this digest and was not read.
fn unread(version: &str, stated: &str) -> PackageFile {
    PackageFile {
        manager: "rpm".into(),
        state: None,
        stated_algorithm: Some("sha256".into()),
        stated_digest: Some(stated.into()),
        dev: Some("8:1".into()),
        ..owned(version, "budget", None)
    }
}

#[test]
fn a_stated_sha256_is_the_packages_whether_the_file_was_read_or_not() -> Result<()> {
    let first = Taken { until: 22, ..Taken::first(&[unread("1:1-1", OLD)]) };
    let upgraded = Taken { until: 50, ..Taken::next(1, 35, &[unread("1:2-1", NEW)]) };
    let found = change(&[first.clone(), upgraded])?;
    assert_eq!(words(&found), (Vec::new(), ""));
    let package = &found["package"];
    assert_eq!((&package["manager"], &package["matches"]), (&json!("rpm"), &json!(true)));
    assert_eq!(package["says"], "package tools 1:1-1 to 1:2-1 at 2026-01-02T00:00:25.000000Z by dpkg (apt)");

    let found = change(&[Taken { until: 50, ..first.clone() }])?;
    assert_eq!(words(&found), (vec!["not_the_packages_digest"], ""));
    let says = format!(
        "owned by tools 1:1-1, but the digest is not the package's: the database states {OLD}; the host's rpm database said so \
         from 2026-01-02T00:00:01.000000Z to 2026-01-02T00:00:50.000000Z"
    );
    assert_eq!(verdict(&found)["says"], says);

    let read = PackageFile { status: "differs".into(), digest: Some(NEW.into()), ..unread("1:1-1", OLD) };
    let found = change(&[Taken::first(&[read])])?;
    let says = verdict(&found)["says"].as_str().unwrap_or_default();
    assert!(says.contains("the recorder read this content there, and its SHA-256 is not the one"), "{says}");

    let missing = PackageFile { status: "missing".into(), dev: None, ..unread("1:1-1", OLD) };
    let found = change(&[Taken::first(&[missing])])?;
    let reason = "where the package's file lies is not known: the recorder's look at it ended as `missing`";
    assert_eq!(words(&found), (Vec::new(), reason));
    Ok(())
}

#[test]
fn packages_of_several_architectures_may_state_the_same() -> Result<()> {
    let other = |stated| PackageFile { architecture: Some("i686".into()), ..unread("1:1-1", stated) };
    let found = change(&[Taken::first(&[unread("1:1-1", OLD), other(OLD)])])?;
    assert_eq!(words(&found), (vec!["not_the_packages_digest"], ""));
    assert_eq!(found["package"]["matches"], json!(false));
    let found = change(&[Taken::first(&[unread("1:1-1", OLD), other(THIRD)])])?;
    assert_eq!(words(&found), (Vec::new(), "not one package alone owned the path after that"));
    let found = change(&[Taken::first(&[unread("1:1-1", OLD), other(NEW)])])?;
    assert_eq!((words(&found), &found["package"]["architecture"]), ((Vec::new(), ""), &json!("i686")));
    Ok(())
}

#[test]
fn what_the_database_says_is_not_there_is_owned_by_nobody() -> Result<()> {
    for status in ["not_installed", "replaced"] {
        let absent = PackageFile { status: status.into(), dev: None, ..unread("1:1-1", OLD) };
        let found = change(&[Taken::first(std::slice::from_ref(&absent))])?;
        assert_eq!((words(&found), &found["package"]), ((vec!["unpackaged"], ""), &Value::Null), "{status}");
        let (_, output) = ask(
            &events(|event| event),
            &[Taken::first(std::slice::from_ref(&absent))],
            &[],
            &["changes", "--package", "tools", "--format", "json"],
        )?;
        assert!(!output.contains("\"type\":\"change\""), "{status}: {output}");
        // Who has the place owns it.
        let found = change(&[Taken::first(&[absent, PackageFile { package: "second".into(), ..unread("7", OLD) }])])?;
        assert_eq!(
            (words(&found).0, &found["package"]["package"]),
            (vec!["not_the_packages_digest"], &json!("second"))
        );
    }
    Ok(())
}

#[test]
fn two_managers_have_packages_of_one_name() -> Result<()> {
    let both = Taken::first(&[other()]);
    let managers = vec!["dpkg".to_owned(), "rpm".to_owned()];
    let both = Taken { told: Snapshot { managers, ..both.told.clone() }, ..both };
    let says = verdict(&change(&[both])?)["says"].as_str().unwrap_or_default().to_owned();
    assert!(says.starts_with("no package owns the path: the host's dpkg and rpm databases said so from "), "{says}");
    // That rpm's changed says nothing of dpkg's.
    let first = Taken { until: 5, ..Taken::first(&[owned("1", "ok", Some(OLD))]) };
    let elsewhere = PackageFile { real_path: Some("/usr/bin/other".into()), ..unread("1:2-1", OLD) };
    let second = Taken { until: 50, ..Taken::next(1, 10, &[elsewhere]) };
    let found = change(&[first, second])?;
    assert_eq!((words(&found).0, &found["package"]["manager"]), (vec!["not_the_packages_digest"], &json!("dpkg")));
    Ok(())
}
