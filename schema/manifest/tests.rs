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
    assert!(manifest.torn().is_some_and(|torn| torn.starts_with(b"{\"prev\"")));
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

/// What no reader would read is not written, and what stands stays readable.
#[test]
fn a_line_that_no_reader_would_read_is_refused() -> Result<()> {
    let (_directory, archive) = archive()?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({"recording_id": "r"}))])?;
    let whole = fs::read(archive.manifest())?;
    let long = json!({"text": "x".repeat(1 << 20)});
    for error in [manifest.check_fits("compact", &long), manifest.append(&[("stop", json!({})), ("file", long)])] {
        let error = format!("{:#}", error.expect_err("too long"));
        assert!(error.contains("longer than what is decoded"), "{error}");
    }
    assert_eq!(fs::read(archive.manifest())?, whole, "the line before it does not stand either");
    manifest.append(&[("stop", json!({}))])?;
    assert!(parse(&read(&archive.manifest())?).damages.is_empty());
    Ok(())
}

/// The bound of writers is that of readers, in bytes and in lines; time to take another archive comes before.
#[test]
fn a_full_manifest_takes_no_line_and_is_read() -> Result<()> {
    let full = |extent: Extent, line: &[u8]| format!("{:#}", extent.with(line).expect_err("full"));
    let line = vec![b'\n'; extent::MAX_LINE_BYTES];
    let mut bytes = Extent::default();
    for _ in 0..MAX_BYTES / line.len() {
        assert!(bytes.with(b"").is_ok());
        bytes = bytes.with(&line)?;
    }
    assert!(full(bytes, b"\n").contains("it is full") && bytes.is_nearly_full());
    let mut lines = Extent::default();
    for number in 0..extent::MAX_LINES {
        assert_eq!(lines.is_nearly_full(), number > extent::MAX_LINES / 4 * 3);
        lines = lines.with(b"\n")?;
    }
    assert!(full(lines, b"\n").contains("it is full"));
    let text = b"{}\n".repeat(3);
    assert_eq!(Extent::of(&text), Extent { bytes: 9, lines: 3 });
    Ok(())
}

/// After two failures in a row, the file that is open need not be the one that stands: nothing may be appended to that.
#[test]
fn what_failed_is_written_anew() -> Result<()> {
    let (_directory, archive) = archive()?;
    let mut manifest = Manifest::open(&archive, None)?;
    manifest.append(&[("start", json!({}))])?;
    // A file that nothing can be written to, in a folder that no file can be made in.
    manifest.file = File::open(archive.manifest())?;
    assert!(manifest.append(&[("file", json!({"path": "lost"}))]).is_err());
    let temporary = archive.journal().join("manifest.tmp");
    fs::create_dir(&temporary)?;
    assert!(manifest.append(&[("file", json!({"path": "lost"}))]).is_err());
    fs::remove_dir(&temporary)?;
    fs::remove_file(archive.manifest())?;
    manifest.append(&[("file", json!({"path": "a"}))])?;
    manifest.append(&[("stop", json!({}))])?;
    let parsed = parse(&read(&archive.manifest())?);
    let kinds: Vec<&str> = parsed.lines.iter().map(Line::kind).collect();
    assert_eq!((kinds, parsed.damages), (vec!["start", "file", "stop"], vec![]));
    assert!(!manifest.names(Path::new("lost")) && manifest.names(Path::new("a")));
    Ok(())
}

/// A key vouches for nothing that it did not sign when it was written.
#[test]
fn a_key_signs_no_lines_that_were_never_signed() -> Result<()> {
    let (_directory, archive) = archive()?;
    let secret = SigningKey::generate()?.secret_text()?;
    let open = || Manifest::open(&archive, Some(SigningKey::parse(&secret)?));
    let refusal = || -> Result<String> { Ok(format!("{:#}", open().err().context("it is opened")?)) };
    Manifest::open(&archive, None)?.append(&[("start", json!({})), ("stop", json!({}))])?;
    assert!(refusal()?.contains("never signed"));
    assert!(!archive.signature().exists());

    fs::remove_file(archive.manifest())?;
    drop(open()?);
    assert!(archive.signature().exists(), "there is none without one, from the first line on");
    open()?.append(&[("start", json!({"public_key": SigningKey::parse(&secret)?.public_base64()}))])?;
    fs::remove_file(archive.signature())?;
    assert!(refusal()?.contains("it was taken away"));
    Ok(())
}

/// A signature of the first bytes of a manifest, even of none, is no pass for what somebody adds: a whole recording is refused, and
/// what a crash may have left is told for good.
#[test]
fn what_was_not_signed_is_not_signed_silently() -> Result<()> {
    let (_directory, archive) = archive()?;
    let secret = SigningKey::generate()?.secret_text()?;
    let open = || Manifest::open(&archive, Some(SigningKey::parse(&secret)?));
    let last_kind = || -> Result<String> {
        let lines = parse(&read(&archive.manifest())?).lines;
        Ok(lines.last().map(|line| line.kind().to_owned()).unwrap_or_default())
    };
    drop(open()?);
    Manifest::open(&archive, None)?.append(&[("start", json!({}))])?;
    drop(open()?);
    assert_eq!(last_kind()?, "signed_later", "a crash can have come before the signature of the first line");
    drop(open()?);
    assert_eq!(open()?.lines().len(), 2, "it is told once");
    Manifest::open(&archive, None)?.append(&[("file", json!({"path": "a"})), ("stop", json!({}))])?;
    drop(open()?);
    assert_eq!((last_kind()?.as_str(), open()?.lines().len()), ("signed_later", 5));

    let before = read(&archive.signature())?;
    Manifest::open(&archive, None)?.append(&[("start", json!({})), ("stop", json!({}))])?;
    let error = format!("{:#}", open().err().context("it is opened")?);
    assert!(error.contains("does not cover the 2 lines from line 6 on"), "{error}");
    assert_eq!(read(&archive.signature())?, before);
    Ok(())
}

/// What a line is asked for is what its whole has, whichever way it is written.
#[test]
fn a_field_is_that_of_the_decoded_line() {
    for line in [
        r#"{"kind":"file","path":"a/b","rows":7,"nested":{"path":"c"}}"#,
        r#"{"path":"a","path":"b","kind":"file","rows":[1,{"rows":2}]}"#,
        r#"{"p\u0061th":"../up","path ":"b","rows":null}"#,
        r#"{"path":3}"#,
        "{}",
    ] {
        let parsed = parse(format!("{line}\n").as_bytes());
        let [line] = &parsed.lines[..] else { panic!("{:?}", parsed.damages) };
        let fields = line.fields();
        for name in ["kind", "path", "rows", "nested", "absent"] {
            assert_eq!(line.field(name).as_ref(), fields.get(name), "{name} of {fields:?}");
        }
        let path = fields.get("path").and_then(Value::as_str);
        assert_eq!(line.text("path").as_deref(), path);
        assert_eq!(line.path().as_deref().and_then(Path::to_str), path.filter(|path| !path.starts_with("..")));
    }
}

/// However long a damaged manifest is, what is kept of it is bounded and told.
#[test]
fn a_manifest_of_damage_is_not_read_to_its_end() {
    let parsed = parse(&b"\n".repeat(extent::MAX_DAMAGES + 9));
    assert_eq!(parsed.damages.len(), extent::MAX_DAMAGES + 1);
    assert!(parsed.damages.last().is_some_and(|damage| damage.reason.contains("nothing is read")));
}
