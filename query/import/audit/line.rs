//! A line of auditd's log.
//!
//! ```text
//! node=web type=PATH msg=audit(1700000000.123:42): item=0 name="/usr/bin/id" inode=12 dev=08:01 mode=0100755
//! ```
//!
//! A text stands in quotes, or as hex digits where it has bytes that the format gives a meaning to. What auditd adds in words
//! stands behind a separator and in capitals, and is not read.

use super::super::input::first_line;
use super::fields::Fields;
use super::group::Id;

/// Ends what the kernel said; what auditd added follows.
const SEPARATOR: u8 = 0x1d;

/// A line, taken apart.
pub(super) struct Line {
    pub(super) id: Id,
    pub(super) kind: String,
    pub(super) fields: Fields,
}

pub(super) fn is_mine(head: &[u8]) -> bool {
    parse(first_line(head)).is_ok()
}

/// # Errors
/// When it is none.
pub(super) fn parse(line: &[u8]) -> Result<Line, String> {
    let mut rest = line.trim_ascii();
    let mut word = |name: &str| -> Option<String> {
        let (value, after) = rest.strip_prefix(name.as_bytes()).map(|value| value.split_at(end_of_word(value)))?;
        rest = after.trim_ascii_start();
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let node = word("node=").unwrap_or_default();
    let kind = word("type=").ok_or("it does not begin with the type of an audit record")?;
    let stamp = word("msg=audit(").ok_or("it has no `msg=audit(…)`")?;
    let stamp = stamp.strip_suffix("):").or_else(|| stamp.strip_suffix(')')).ok_or("its `msg=audit(…)` has no end")?;
    let id = Id::parse(&node, stamp)?;
    let said = rest.split(|byte| *byte == SEPARATOR).next().unwrap_or_default();
    Ok(Line { id, fields: fields(said), kind })
}

fn end_of_word(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len())
}

fn fields(mut rest: &[u8]) -> Fields {
    let mut fields = Fields::default();
    loop {
        rest = rest.trim_ascii_start();
        let Some(equals) = rest.iter().position(|byte| *byte == b'=') else { return fields };
        let name = &rest[..equals];
        let name = name.rsplit(|byte| *byte == b' ').next().unwrap_or(name);
        rest = &rest[equals + 1..];
        let quote = rest.first().copied().filter(|first| [b'"', b'\''].contains(first));
        let end = quote.and_then(|quote| rest[1..].iter().position(|byte| *byte == quote));
        let (value, is_quoted) = match end {
            Some(end) => (&rest[1..=end], true),
            None => (&rest[..end_of_word(rest)], false),
        };
        rest = &rest[value.len() + if is_quoted { 2 } else { 0 }..];
        let name = String::from_utf8_lossy(name).into_owned();
        fields.push(name, value.to_vec(), is_quoted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line = b"node=web-1 type=PATH msg=audit(1700000000.123:42): item=0 name=2F61206220 inode=12 nametype=NORMAL\x1dOUID=\"root\"";
        let Line { id, kind, fields } = parse(line).expect("a line");
        assert_eq!((id.node.as_str(), id.utc_ns, id.serial), ("web-1", 1_700_000_000_123_000_000, 42));
        assert_eq!((kind.as_str(), fields.number("inode"), fields.text("OUID")), ("PATH", Some(12), None));
        assert_eq!(fields.text("name"), Some(b"/a b ".to_vec()));
        let line = b"type=SYSCALL msg=audit(1.5:1): comm=\"a b\" exe=(null) key=\"x";
        let fields = parse(line).expect("a line").fields;
        assert_eq!((fields.text("comm"), fields.text("exe")), (Some(b"a b".to_vec()), None));
        for bad in ["", "type=", "type=PATH", "type=PATH msg=audit(1.5): a=b", "type=PATH msg=audit(x:1):"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
