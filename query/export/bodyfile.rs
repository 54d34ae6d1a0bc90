//! The Sleuth Kit's body file, as its `mactime` reads it: a line for each state in which a file was seen, with the times that
//! its inode had then. Times of access and of birth are not recorded, and 0 stands for what is not known.

use super::target::{Lines, Target};
use super::words;
use crate::investigate::timeline::{Moment, What};
use crate::output::{Row, object};
use hashtrail::cell::Micros;
use hashtrail::escape::escape;
use hashtrail::event::names_a_file;
use serde_json::json;
use std::borrow::Cow;
use std::fmt::Write;

pub(super) const TARGET: Target = Target {
    name: "bodyfile",
    help: "Lines for The Sleuth Kit's `mactime`: each state of a file that an event saw",
    lines: Lines::Text,
    row,
};

fn row(moment: &Moment) -> Row {
    line(moment).map_or_else(Row::new, |line| object(json!({ "line": line })))
}

/// Nothing where an event saw no file whole. What changed was seen by events.
fn line(moment: &Moment) -> Option<String> {
    if moment.what != What::Event {
        return None;
    }
    let number = |name: &str| moment.value(name).as_i64();
    let seconds = |name: &str| Micros::of_text(moment.text(name)).map(|time| time.0.div_euclid(1_000_000));
    let (mtime, ctime) = (seconds("mtime"), seconds("ctime"));
    mtime.or(ctime)?;
    let (mtime, ctime) = (mtime.unwrap_or(0), ctime.unwrap_or(0));
    let (algorithm, digest) = words::certain_digest(moment);
    let md5 = if algorithm == "md5" { digest } else { "0" };
    let mode = mode(number("mode")?, names_a_file(&flags(moment)));
    let (uid, gid, size) = (number("owner_uid")?, number("owner_gid")?, number("size_bytes")?);
    Some(format!("{md5}|{}|{}|{mode}|{uid}|{gid}|{size}|0|{mtime}|{ctime}|0", name(moment)?, words::inode(moment)?))
}

/// The host, the path and, in brackets at the end, what tells states apart: `mactime` knows a file by its name alone.
fn name(moment: &Moment) -> Option<String> {
    let host = escaped(moment.text("host").as_bytes()).replace(':', "\\x3a");
    let path = escaped(&path(moment)?);
    let (algorithm, digest) = words::certain_digest(moment);
    let mut parts = vec![match digest {
        "" => "no certain digest".to_owned(),
        _ => format!("{algorithm}:{digest}"),
    }];
    parts.extend(moment.value("dev").as_str().map(|dev| format!("dev {dev}")));
    parts.extend(moment.value("container_id").as_str().map(|id| format!("container {id}")));
    parts.extend(flags(moment));
    Some(format!("{host}:{path} [{}]", escaped(parts.join(", ").as_bytes())))
}

/// The path as the kernel had it.
fn path(moment: &Moment) -> Option<Cow<'_, [u8]>> {
    match moment.value("path_bytes").as_str() {
        Some(digits) => hex(digits).map(Cow::Owned),
        None => moment.value("path").as_str().map(|path| Cow::Borrowed(path.as_bytes())),
    }
}

/// Bytes of pairs of hex digits.
fn hex(digits: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Text that ends no field and no line, without loss: `\\` for a backslash, `\xNN` for what would. `mactime` would make bytes of
/// `%NN`, also a line's end.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            let own = &*character.encode_utf8(&mut buffer);
            match character {
                '\\' => text.push_str("\\\\"),
                '|' | '%' => push_bytes(&mut text, own.as_bytes()),
                _ if escape(own) != own => push_bytes(&mut text, own.as_bytes()),
                _ => text.push(character),
            }
        }
        push_bytes(&mut text, chunk.invalid());
    }
    text
}

fn push_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
}

/// The type by the name and by the inode, which has another letter for a socket, and permissions as `ls` has them. A name that is
/// in no directory has no type.
fn mode(mode: i64, is_named: bool) -> String {
    let (by_name, by_inode) = match mode & 0o170_000 {
        0o100_000 => ('r', 'r'),
        0o040_000 => ('d', 'd'),
        0o020_000 => ('c', 'c'),
        0o060_000 => ('b', 'b'),
        0o010_000 => ('p', 'p'),
        0o120_000 => ('l', 'l'),
        0o140_000 => ('s', 'h'),
        _ => ('-', '-'),
    };
    let mut text = format!("{}/{by_inode}", if is_named { by_name } else { '-' });
    for (shift, special, mark) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let has = |bit: i64| mode >> shift & bit != 0;
        text.push(if has(4) { 'r' } else { '-' });
        text.push(if has(2) { 'w' } else { '-' });
        text.push(match (mode & special != 0, has(1)) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, true) => mark,
            (true, false) => mark.to_ascii_uppercase(),
        });
    }
    text
}

fn flags(moment: &Moment) -> Vec<String> {
    words::texts(moment, "path_flags").map(str::to_owned).collect()
}
