//! Signatures: with and without a key, gone, and not written by hashtrail.

use super::*;

/// A line with a checksum that fits: whoever can write the manifest can make it, but cannot sign.
#[test]
fn a_signature_is_checked_without_a_key_too() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    archive(root)?;
    let signature = fs::read(root.join("manifest.jsonl.minisig"))?;
    fs::remove_file(root.join("manifest.jsonl.minisig"))?;
    fs::remove_file(root.join(MANIFEST))?;
    for table in ["events", "files", "ledger"] {
        fs::remove_dir_all(root.join(table))?;
    }
    let other = archive(root)?;
    fs::write(root.join("manifest.jsonl.minisig"), signature)?;
    let found = verified(root, &Anchors::default())?;
    assert_eq!((kinds(&found), found.signature.as_str()), (vec!["signature_wrong"], "WRONG"));
    assert_eq!(kinds(&verified(root, &Anchors { key: Some(other), ..Anchors::default() })?), ["signature_wrong"]);
    Ok(())
}

#[test]
fn a_signature_that_a_start_promises_and_that_is_gone_or_empty_is_missing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let key = archive(root)?;
    let signature = root.join("manifest.jsonl.minisig");
    for anchors in [Anchors::default(), Anchors { key: Some(key), ..Anchors::default() }] {
        for text in [Some(""), Some("\n"), None] {
            match text {
                Some(text) => fs::write(&signature, text)?,
                None => fs::remove_file(&signature)?,
            }
            let found = verified(root, &anchors)?;
            assert_eq!((kinds(&found), found.signature.as_str()), (vec!["signature_missing"], "missing"));
            assert!(found.findings[0].detail.starts_with("line 1 names the public key"), "{:?}", found.findings);
        }
    }
    Ok(())
}

#[test]
fn an_archive_that_was_never_signed_has_no_signature_to_miss() -> Result<()> {
    let directory = tempfile::tempdir()?;
    record(directory.path(), 1, 0, None)?;
    let found = verified(directory.path(), &Anchors::default())?;
    assert_eq!((found.is_good(), found.signature.as_str()), (true, "none"));
    Ok(())
}

/// Whoever signs an archive that was recorded without a key vouches for it as it is then, and `verify` says so.
#[test]
fn a_recording_that_was_signed_later_is_told() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    record(root, 1, 0, None)?;
    let (key, bytes) = (SigningKey::generate()?, fs::read(root.join(MANIFEST))?);
    let head = verified(root, &Anchors::default())?.head;
    fs::write(root.join("manifest.jsonl.minisig"), key.sign(&bytes, &head)?)?;
    let anchors = Anchors { key: Some(key.verifying_key()), ..Anchors::default() };
    let found = verified(root, &anchors)?;
    assert_eq!((kinds(&found), found.is_good(), found.signature.as_str()), (vec!["signed_later"], true, "good"));
    assert_eq!(found.findings[0].place, "line 1");
    Ok(())
}

#[test]
fn a_signature_that_hashtrail_did_not_write_so_is_valid_and_foreign() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let key = archive(root)?;
    let signature = root.join("manifest.jsonl.minisig");
    let own = fs::read_to_string(&signature)?;
    fs::write(&signature, own.replace("hashtrail manifest\n", "case 7\n"))?;
    for anchors in [Anchors::default(), Anchors { key: Some(key), ..Anchors::default() }] {
        let found = verified(root, &anchors)?;
        assert_eq!(
            (kinds(&found), found.is_good()),
            (vec!["signature_altered"], false),
            "what nothing signs was changed"
        );
        assert!(found.findings[0].detail.starts_with("it is valid and foreign"), "{:?}", found.findings);
    }
    Ok(())
}
