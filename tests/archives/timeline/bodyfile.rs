//! Body files: what `mactime` makes of their lines, and what `DuckDB` knows of the same events.

use super::{asked, made};
use crate::support::{hashtrail, integer, stdout_of};
use hashtrail::cell::Micros;
use hashtrail::event::Event;

#[test]
fn each_state_of_a_file_that_was_seen_is_one_line() {
    let found = asked(
        "bodyfile",
        "read_text",
        "SELECT count(*) AS lines, count(DISTINCT line) AS distinct_lines, \
         count(*) FILTER (len(string_split(line, '|')) = 11 AND string_split(line, '|')[1] = '0') AS whole, \
         (SELECT count(*) FROM (SELECT DISTINCT host, path, path_flags, ino, dev, container_id, mode, owner_uid, owner_gid, \
         size_bytes, epoch_us(mtime) // 1000000, epoch_us(ctime) // 1000000, if(len(digest_doubt) = 0, digest, NULL) \
         FROM events WHERE path IS NOT NULL AND mtime IS NOT NULL)) AS states, \
         count(*) FILTER (line LIKE '0|guest:/usr/sbin/backup-agent [sha256:%' AND line LIKE '%|r/rrwxr-xr-x|%') AS agent \
         FROM (SELECT unnest(string_split(rtrim(content, chr(10)), chr(10))) AS line FROM TIMELINE)",
    );
    let number = |name: &str| integer(&found, name);
    assert_eq!((number("lines"), number("whole")), (number("states"), number("lines")), "{found}");
    assert_eq!(number("distinct_lines"), number("lines"), "{found}");
    assert!(number("lines") > 10 && number("agent") > 0, "{found}");
}

/// The fields of a line as `mactime` splits it: at each bar, and then a byte for each `%NN`.
fn fields(line: &str) -> Vec<String> {
    let decoded = |field: &str| {
        let mut parts = field.split('%');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| match part.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => format!("{text}{}{}", char::from(byte), &part[2..]),
            _ => format!("{text}%{part}"),
        })
    };
    line.split('|').map(decoded).collect()
}

/// The bytes of a name: `\\` is a backslash, `\xNN` a byte.
fn bytes(name: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), name);
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let (byte, length) = match after.strip_prefix('x') {
            Some(digits) => (u8::from_str_radix(&digits[..2], 16).expect("two digits"), 3),
            None => (b'\\', 1),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend(rest.as_bytes());
    bytes
}

#[test]
fn a_name_can_end_no_field_and_no_line_and_its_bytes_are_recoverable() {
    let names: [&[u8]; 8] = [
        b"/a|0|/etc/shadow|1|r/rrwxrwxrwx|0|0|1|1|1|1|1",
        b"/b\n0|/c|1|r/r|0|0|1|1|1|1|1",
        b"/d%0a%7c%",
        b"/e\\x0a\\",
        b"/f\xff\\\x1b[2J",
        "/g\u{202e}\u{e9}\u{2028}".as_bytes(),
        b"/h [sha256:00, dev 1:1]",
        b"/i\x00\x7f",
    ];
    let events = (0..).zip(names).map(|(second, name)| {
        let hashtrail::text::Text { text, bytes } = hashtrail::text::from_bytes(name);
        Event {
            path: Some(text.into()),
            path_bytes: bytes.map(<[u8]>::to_vec),
            host: "web".into(),
            ..made::event(second)
        }
    });
    let directory = made::archive(events.collect());
    let output = stdout_of(hashtrail().args(["timeline", "--to", "bodyfile", "--archive"]).arg(directory.path()));
    let suffix = format!(" [sha256:{}, dev 8:1]", "a".repeat(64));
    let found: Vec<Vec<u8>> = output
        .lines()
        .map(|line| {
            assert!(
                line.chars().all(|character| character == '\u{e9}' || (' '..='~').contains(&character)),
                "{line:?}"
            );
            let fields = fields(line);
            assert_eq!(fields.len(), 11, "{line}");
            assert_eq!(
                fields[2..],
                ["12", "r/rrwxr-xr-x", "0", "0", "100", "0", "1700000000", "1700000001", "0"],
                "{line}"
            );
            bytes(fields[1].strip_prefix("web:").and_then(|name| name.strip_suffix(&suffix)).expect("host and digest"))
        })
        .collect();
    assert_eq!(found, names);
}

#[test]
fn a_line_tells_what_is_known_and_zero_where_nothing_is() {
    let doubted = Event { digest_doubt: vec!["old".into()], mode: Some(0o107_654), ..made::event(1) };
    let again = Event { boot_ns: 2, ..doubted.clone() };
    let memory =
        Event { path_flags: vec!["memfd".into()], ctime: None, container_id: Some("c0".into()), ..made::event(3) };
    let early = Event { mtime: Some(Micros(-1)), ino: Some(-1), mode: Some(0o140_000), digest: None, ..made::event(4) };
    let md5 = Event { digest_algorithm: Some("md5".into()), digest: Some("b".repeat(32)), ..made::event(5) };
    let without_times = Event { mtime: None, ctime: None, ..made::event(6) };
    let directory = made::archive(vec![doubted, again, memory, early, md5, without_times]);
    let mut command = hashtrail();
    let output =
        command.args(["timeline", "--to", "bodyfile", "--archive"]).arg(directory.path()).output().expect("a run");
    let (a, b) = ("a".repeat(64), "b".repeat(32));
    let expected = [
        "0|web:/usr/bin/tool [no certain digest, dev 8:1]|12|r/rrwSr-sr-T|0|0|100|0|1700000000|1700000001|0".to_owned(),
        format!(
            "0|web:/usr/bin/tool [sha256:{a}, dev 8:1, container c0, memfd]|12|-/rrwxr-xr-x|0|0|100|0|1700000000|0|0"
        ),
        "0|web:/usr/bin/tool [no certain digest, dev 8:1]|18446744073709551615|s/h---------|0|0|100|0|-1|1700000001|0"
            .to_owned(),
        format!("{b}|web:/usr/bin/tool [md5:{b}, dev 8:1]|12|r/rrwxr-xr-x|0|0|100|0|1700000000|1700000001|0"),
    ];
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), expected);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("saw no file with its times, and have no line"), "{told}");
}
