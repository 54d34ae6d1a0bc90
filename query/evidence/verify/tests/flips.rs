//! Every bit flip is found.

use super::*;

/// Every bit, or with the sample only one of each 47 bytes: detected, and the file is named.
#[test]
fn every_flipped_bit_of_an_archive_is_found_and_placed_signed_or_not_with_and_without_the_key() -> Result<()> {
    let key = SigningKey::generate()?;
    let with_key = Anchors { key: Some(key.verifying_key()), ..Anchors::default() };
    let mut flips = 0;
    for (key, anchors) in [(Some(key), vec![Anchors::default(), with_key]), (None, vec![Anchors::default()])] {
        let directory = tempfile::tempdir()?;
        record(directory.path(), 1, 0, key)?;
        flips += flip(directory.path(), &anchors)?;
        assert!(anchors.iter().all(|anchors| verified(directory.path(), anchors).is_ok_and(|found| found.is_good())));
    }
    assert!(flips > 1000, "{flips} flips");
    eprintln!("{flips} flipped bits, all found");
    Ok(())
}

/// Of a merged file and of the line that says what it was made of.
#[test]
fn every_flipped_bit_of_a_compacted_archive_is_found() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let key = SigningKey::generate()?;
    let anchors = [Anchors::default(), Anchors { key: Some(key.verifying_key()), ..Anchors::default() }];
    let secret = key.secret_text()?;
    record(directory.path(), 3, 0, Some(key))?;
    super::compactions::compact(directory.path(), Some(SigningKey::parse(&secret)?))?;
    assert_eq!(verified(directory.path(), &anchors[1])?.files, 3);
    let flips = flip(directory.path(), &anchors)?;
    assert!(
        flips > 200
            && anchors.iter().all(|anchors| verified(directory.path(), anchors).is_ok_and(|found| found.is_good()))
    );
    Ok(())
}

/// Flips bits of each file; gives how many.
fn flip(root: &Path, anchors: &[Anchors]) -> Result<usize> {
    let step = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 1 } else { 47 * 8 + 1 };
    let mut flips = 0;
    for file in files(root)? {
        let whole = fs::read(root.join(&file))?;
        for bit in (0..whole.len() * 8).step_by(step) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(root.join(&file), damaged)?;
            for anchors in anchors {
                let found = verified(root, anchors)?;
                let name = file.to_string_lossy();
                // A changed manifest and its signature no longer fit together: either can be the changed one.
                let is_of_it =
                    |finding: &Finding| finding.file == name || name == MANIFEST && finding.file.starts_with(MANIFEST);
                let is_placed = found.findings.iter().any(is_of_it);
                assert!(!found.is_good() && is_placed, "bit {bit} of `{name}`: {:?}", found.findings);
                flips += 1;
            }
        }
        fs::write(root.join(&file), whole)?;
    }
    Ok(flips)
}

/// All of them: the manifest is small, and its last line has nothing after it.
#[test]
fn every_flipped_bit_of_a_manifest_is_found_signed_or_not_with_and_without_the_key() -> Result<()> {
    for key in [None, Some(SigningKey::generate()?)] {
        let directory = tempfile::tempdir()?;
        let root = directory.path();
        let with_key = Anchors { key: key.as_ref().map(SigningKey::verifying_key), ..Anchors::default() };
        let is_signed = key.is_some();
        // Without sealed files each check is quick; with them the full run does the same.
        record(root, u32::from(std::env::var_os("HASHTRAIL_TEST_FULL").is_some()), 0, key)?;
        let anchors = if is_signed { vec![Anchors::default(), with_key] } else { vec![Anchors::default()] };
        let whole = fs::read(root.join(MANIFEST))?;
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(root.join(MANIFEST), damaged)?;
            for anchors in &anchors {
                let found = verified(root, anchors)?;
                let is_placed = found
                    .findings
                    .iter()
                    .any(|finding| finding.kind == "manifest_damaged" && finding.severity == Severity::Damage);
                assert!(!found.is_good() && is_placed, "bit {bit}, signed {is_signed}: {:?}", found.findings);
            }
        }
        fs::write(root.join(MANIFEST), whole)?;
        assert!(anchors.iter().all(|anchors| verified(root, anchors).is_ok_and(|found| found.is_good())));
    }
    Ok(())
}

/// All of them, or each fifth with the sample, with the key and without: what nothing signs in it is what minisign does not look at.
#[test]
fn every_flipped_bit_of_a_signature_is_found_with_and_without_the_key() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let key = SigningKey::generate()?;
    let anchors = [Anchors::default(), Anchors { key: Some(key.verifying_key()), ..Anchors::default() }];
    record(root, 0, 0, Some(key))?;
    let signature = root.join("manifest.jsonl.minisig");
    let whole = fs::read(&signature)?;
    let step = if std::env::var_os("HASHTRAIL_TEST_FULL").is_some() { 1 } else { 5 };
    for bit in (0..whole.len() * 8).step_by(step) {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&signature, damaged)?;
        for anchors in &anchors {
            let found = verified(root, anchors)?;
            let is_placed = found.findings.iter().any(|finding| finding.file == "manifest.jsonl.minisig");
            assert!(!found.is_good() && is_placed, "bit {bit}: {:?}", found.findings);
        }
    }
    for length in (0..whole.len()).step_by(step) {
        fs::write(&signature, &whole[..length])?;
        assert!(
            anchors.iter().all(|anchors| verified(root, anchors).is_ok_and(|found| !found.is_good())),
            "{length} bytes"
        );
    }
    Ok(())
}
