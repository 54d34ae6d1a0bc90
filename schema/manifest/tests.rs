use super::*;
use crate::signature::VerifyingKey;
use serde_json::json;
use std::fs;

fn archive() -> Result<(tempfile::TempDir, Archive)> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    Ok((directory, archive))
}

#[test]
fn lines_are_chained_over_restarts() -> Result<()> {
    let (_directory, archive) = archive()?;
    Manifest::open(&archive, None)?.append(&[("start", json!({"case": "7"})), ("file", json!({"path": "a/b"}))])?;
    let mut manifest = Manifest::open(&archive, None)?;
    assert!(manifest.names(Path::new("a/b")) && !manifest.names(Path::new("a/c")));
    manifest.append(&[("stop", json!({"path": "a/c"}))])?;
    assert!(manifest.names(Path::new("a/c")));
    let text = fs::read_to_string(archive.manifest())?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert!(lines[0].starts_with(&format!("{{\"prev\":\"{GENESIS}\",\"kind\":\"start\"")));
    for pair in lines.windows(2) {
        assert!(pair[1].starts_with(&format!("{{\"prev\":\"{}\"", hex(&Sha256::digest(pair[0])))));
    }
    assert_eq!(manifest.head(), hex(&Sha256::digest(lines[2])));
    Ok(())
}

#[test]
fn a_torn_line_is_cut_and_told_and_a_changed_one_is_refused() -> Result<()> {
    let (_directory, archive) = archive()?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"case": "7"}))])?;
    manifest.append(&[("stop", json!({}))])?;
    let whole = fs::read(archive.manifest())?;
    fs::write(archive.manifest(), &whole[..whole.len() - 9])?;
    let mut manifest = Manifest::open(&archive, None)?;
    assert!(manifest.torn().is_some_and(|torn| torn.starts_with("{\"prev\"")));
    manifest.append(&[("stop", json!({}))])?;
    assert_eq!(fs::read(archive.manifest())?, whole, "the same line again");

    let changed = String::from_utf8(whole)?.replace("\"7\"", "\"8\"");
    fs::write(archive.manifest(), changed)?;
    let error = Manifest::open(&archive, None).err().context("an error")?.to_string();
    assert!(error.contains("line 1 (byte 0): it does not have the checksum"), "{error}");
    Ok(())
}

#[test]
fn each_append_is_signed() -> Result<()> {
    let (_directory, archive) = archive()?;
    let key = SigningKey::generate()?;
    let public = VerifyingKey::parse(&key.public_base64())?;
    let mut manifest = Manifest::open(&archive, Some(key))?;
    for kind in ["start", "stop"] {
        manifest.append(&[(kind, json!({}))])?;
        let bytes = fs::read(archive.manifest())?;
        assert_eq!(public.check(&fs::read_to_string(archive.signature())?, &bytes)?.bytes, bytes.len());
    }
    Ok(())
}

#[test]
fn a_signature_that_a_crash_left_behind_is_renewed_and_another_one_refused() -> Result<()> {
    let (_directory, archive) = archive()?;
    let secret = SigningKey::generate()?.secret_text()?;
    let open = |secret: &str| Manifest::open(&archive, Some(SigningKey::parse(secret)?));
    open(&secret)?.append(&[("start", json!({}))])?;
    Manifest::open(&archive, None)?.append(&[("stop", json!({}))])?;
    drop(open(&secret)?);
    let bytes = fs::read(archive.manifest())?;
    let public = SigningKey::parse(&secret)?.verifying_key();
    assert_eq!(public.check(&fs::read_to_string(archive.signature())?, &bytes)?.bytes, bytes.len());

    let other = SigningKey::generate()?.secret_text()?;
    let error = format!("{:#}", open(&other).err().context("an error")?);
    assert!(error.contains("not this key's signature"), "{error}");
    assert_eq!(public.check(&fs::read_to_string(archive.signature())?, &bytes)?.bytes, bytes.len(), "it still stands");
    Ok(())
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    let line = |prev: &str, kind: &str| format!("{{\"prev\":\"{prev}\",\"kind\":\"{kind}\"}}\n");
    let first = line(GENESIS, "start");
    let second = line(&hex(&Sha256::digest(&first)), "file");
    let nonsense = "nonsense\n";
    let after = line(&hex(&Sha256::digest(nonsense)), "stop");
    let parsed = parse(format!("{first}{second}{nonsense}{after}{{\"prev\"").as_bytes());
    let kinds: Vec<&str> = parsed.lines.iter().map(Line::kind).collect();
    assert_eq!(kinds, ["start", "file", "stop"]);
    let places: Vec<usize> = parsed.damages.iter().map(|damage| damage.line).collect();
    assert_eq!(places, [3, 5, 5], "{:?}", parsed.damages);
}

#[test]
fn differing_blocks_are_found() -> Result<()> {
    let bytes = vec![7; 3 * BLOCK_BYTES + 10];
    let stated = Content::of(&bytes[..])?;
    assert_eq!(stated.block_crc32c.len(), 4 * 8);
    assert_eq!(stated.sha256, hex(&Sha256::digest(&bytes)));
    let mut changed = bytes.clone();
    changed[BLOCK_BYTES + 3] = 8;
    let block = BLOCK_BYTES as u64;
    assert_eq!(stated.differences(&Content::of(&changed[..])?), [(block, 2 * block - 1)]);
    assert_eq!(stated.differences(&Content::of(&bytes[..BLOCK_BYTES])?), [(block, 3 * block + 9)]);
    assert!(stated.differences(&stated).is_empty());
    Ok(())
}

/// A manifest as the recorder before version 2 wrote it.
fn of_version_1(kinds: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut prev = GENESIS.to_owned();
    for kind in kinds {
        let line = format!("{{\"prev\":\"{prev}\",\"kind\":\"{kind}\"}}\n");
        prev = hex(&Sha256::digest(&line));
        bytes.extend(line.into_bytes());
    }
    bytes
}

#[test]
fn each_line_ends_in_the_checksum_of_itself() -> Result<()> {
    let (_directory, archive) = archive()?;
    Manifest::open(&archive, None)?.append(&[("start", json!({"case": "7"})), ("stop", json!({}))])?;
    let text = fs::read_to_string(archive.manifest())?;
    for line in text.lines() {
        let (body, tail) = line.split_at(line.len() - ",\"crc32c\":\"00000000\"}".len());
        assert_eq!(tail, format!(",\"crc32c\":\"{:08x}\"}}", crc32c::crc32c(body.as_bytes())));
    }
    assert!(text.lines().next().is_some_and(|start| start.contains("\"manifest_version\":2")), "{text}");
    Ok(())
}

#[test]
fn lines_of_an_older_recorder_are_read_and_followed_by_lines_with_checksums() -> Result<()> {
    let (_directory, archive) = archive()?;
    fs::write(archive.manifest(), of_version_1(&["start", "stop"]))?;
    Manifest::open(&archive, None)?.append(&[("start", json!({})), ("stop", json!({}))])?;
    let parsed = parse(&fs::read(archive.manifest())?);
    let have: Vec<bool> = parsed.lines.iter().map(|line| line.has_checksum).collect();
    assert_eq!((have, parsed.damages), (vec![false, false, true, true], vec![]));
    Ok(())
}

/// Whoever takes a checksum away with its member leaves a line that is shorter than its manifest allows.
#[test]
fn a_checksum_that_was_taken_away_is_damage() -> Result<()> {
    let (_directory, archive) = archive()?;
    Manifest::open(&archive, None)?.append(&[("start", json!({})), ("stop", json!({}))])?;
    let whole = fs::read_to_string(archive.manifest())?;
    let without = |line: &str| format!("{}}}\n", line.split(",\"crc32c\"").next().unwrap_or_default());
    let [first, second] = whole.lines().collect::<Vec<_>>()[..] else { bail!("two lines") };
    let cases = [(without(first), 1), (format!("{first}\n{}", without(second)), 2)];
    for (manifest, line) in cases {
        let damages = parse(manifest.as_bytes()).damages;
        assert_eq!(damages.len(), 1, "{damages:?}");
        assert!(damages[0].line == line && damages[0].reason.contains("no checksum of itself"), "{damages:?}");
    }
    Ok(())
}

#[test]
fn a_newer_manifest_is_told_and_not_continued() -> Result<()> {
    let (_directory, archive) = archive()?;
    fs::write(archive.manifest(), format!("{{\"prev\":\"{GENESIS}\",\"kind\":\"start\",\"manifest_version\":3}}\n"))?;
    let error = Manifest::open(&archive, None).err().context("an error")?.to_string();
    assert!(error.contains("manifest_version is none that this program reads, 1 to 2"), "{error}");
    Ok(())
}

/// Any bytes at all give lines or damage, never a panic.
#[test]
fn mutants_are_named() -> Result<()> {
    let (_directory, archive) = archive()?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"policies": ["x"]})), ("file", json!({"path": "a"})), ("stop", json!({}))])?;
    let whole = fs::read(archive.manifest())?;
    for seed in 0..crate::mutate::count() {
        let mutant = crate::mutate::mutant(&whole, seed);
        // What is left of a manifest that was cut between two lines is whole: that takes the head or a signature.
        assert!(!parse(&mutant).damages.is_empty() || whole.starts_with(&mutant), "seed {seed}");
    }
    Ok(())
}

#[test]
fn every_flipped_bit_of_a_manifest_is_damage() -> Result<()> {
    let (_directory, archive) = archive()?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"policies": ["x"]})), ("file", json!({"path": "a"})), ("stop", json!({}))])?;
    let whole = fs::read(archive.manifest())?;
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!parse(&damaged).damages.is_empty(), "bit {bit}");
    }
    Ok(())
}

/// Whoever may leave a line out asks before; what was recorded is named in any case.
#[test]
fn a_line_that_no_reader_would_read_is_known_before() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = Archive::create(directory.path())?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"recording_id": "r"}))])?;
    let long = json!({"text": "x".repeat(1 << 20)});
    let error = manifest.check_fits("compact", &long).expect_err("too long");
    assert!(format!("{error:#}").contains("more than is decoded"), "{error:#}");
    // Each takes as much memory as thirty times its size.
    let wide = json!({"list": vec![0; 500_000]});
    let mut fitting = 0;
    while manifest.check_fits("compact", &wide).is_ok() {
        manifest.append(&[("file", wide.clone())])?;
        fitting += 1;
        assert!(parse(&read(&archive.manifest())?).damages.is_empty());
    }
    assert!((1..20).contains(&fitting), "{fitting}");
    manifest.append(&[("file", wide)])?;
    assert!(!parse(&read(&archive.manifest())?).damages.is_empty());
    Ok(())
}
