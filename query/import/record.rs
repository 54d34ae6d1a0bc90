//! What a record of a log becomes.

use hashtrail::cell::Micros;
use hashtrail::digest::{Digest, name_of_length, plain_name};
use hashtrail::event::Event;
use hashtrail::text::from_bytes;
use hashtrail::versions::NOT_TOLD;
use std::fmt;

/// Where a record stands in its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// What is counted: lines, rows, entries.
    pub(super) unit: &'static str,
    /// From 1.
    pub(super) number: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.unit, self.number)
    }
}

/// What a record of a log becomes.
#[derive(Debug)]
pub(crate) enum Record {
    /// A row, and the host that the record names; empty where it names none.
    Row(Box<Event>),
    /// It is whole, and tells of nothing that a row is made of.
    Skipped(&'static str),
    /// It cannot be used, and why.
    Unusable(String),
}

impl Record {
    /// The row, or why there is none.
    pub(super) fn of(row: Result<Event, String>) -> Self {
        row.map_or_else(Self::Unusable, |event| Self::Row(Box::new(event)))
    }
}

/// A row of which nothing is known yet but the source, the kind of its record and the hook.
pub(super) fn blank(source: &str, kind: &str, hook: &str) -> Event {
    Event {
        cpu: hashtrail::event::USER_SPACE_CPU,
        hook: hook.to_owned(),
        served_by: format!("{source}:{kind}"),
        action: "post".to_owned(),
        pid: -1,
        tid: -1,
        ppid: -1,
        process_start_ns: NOT_TOLD,
        parent_start_ns: NOT_TOLD,
        uid: NOT_TOLD,
        gid: NOT_TOLD,
        euid: NOT_TOLD,
        cgroup_id: NOT_TOLD,
        mnt_ns: NOT_TOLD,
        pid_ns: NOT_TOLD,
        root_ino: NOT_TOLD,
        digest_status: "not_requested".to_owned(),
        ..Event::default()
    }
}

/// Sets the time of a row, in nanoseconds since 1970.
pub(super) fn set_time(event: &mut Event, utc_ns: i64) -> Result<(), String> {
    if utc_ns <= 0 {
        return Err("its time is none after 1970".into());
    }
    event.boot_ns = utc_ns;
    event.time = Micros(utc_ns / 1000);
    Ok(())
}

/// Nanoseconds since 1970 of a time as RFC 3339 has it.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt()
}

/// Sets the path of a row. One that does not begin at a root names no place.
pub(super) fn set_path(event: &mut Event, path: &[u8]) {
    if path.is_empty() {
        return;
    }
    let text = from_bytes(path);
    event.path = Some(text.text.into_owned());
    event.path_bytes = text.bytes.map(<[u8]>::to_vec);
    if !path.starts_with(b"/") {
        event.path_flags = vec!["unreachable".to_owned()];
    }
}

pub(super) fn set_target(event: &mut Event, path: &[u8]) {
    let text = from_bytes(path);
    event.target_path = Some(text.text.into_owned());
    event.target_path_bytes = text.bytes.map(<[u8]>::to_vec);
}

pub(super) fn set_exe(event: &mut Event, path: &[u8]) {
    if !path.is_empty() {
        let text = from_bytes(path);
        event.exe = Some(text.text.into_owned());
        event.exe_bytes = text.bytes.map(<[u8]>::to_vec);
    }
}

pub(super) fn set_arguments(event: &mut Event, arguments: &[Vec<u8>]) {
    event.argv = Some(arguments.iter().map(|argument| from_bytes(argument).text.into_owned()).collect());
    let is_text = arguments.iter().all(|argument| std::str::from_utf8(argument).is_ok());
    event.argv_bytes = (!is_text).then(|| arguments.to_vec());
}

/// Sets the digest of a row as `algorithm` and hex digits.
///
/// # Errors
/// When no content has such a digest, or nothing says of what file it is.
pub(super) fn set_digest(event: &mut Event, source: &str, algorithm: &str, digits: &str) -> Result<(), String> {
    const BY_LENGTH: [&str; 6] = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
    let algorithm = plain_name(algorithm);
    if algorithm.is_empty() {
        return Err("its digest names no algorithm".into());
    }
    let digest =
        Digest::from_hex(digits).ok_or_else(|| format!("its digest of {} characters is none", digits.len()))?;
    let of_length = name_of_length(digits.len()).unwrap_or_default();
    if BY_LENGTH.contains(&algorithm.as_str()) && algorithm != of_length {
        return Err(format!("its digest is none of {algorithm}: it has {} hex digits", digits.len()));
    }
    if digest.bytes().iter().all(|byte| *byte == 0) {
        return Err("its digest is zeros, as where nothing was hashed".into());
    }
    if event.path.is_none() {
        return Err("its digest is of a file that it does not name".into());
    }
    event.digest_algorithm = Some(algorithm);
    event.digest = Some(digest.to_string());
    event.digest_status = "ok".to_owned();
    event.digest_source = Some(source.to_owned());
    Ok(())
}

/// A path that may be relative, from a working directory. Links are not followed, so `..` stays.
pub(super) fn joined(directory: &[u8], path: &[u8]) -> Vec<u8> {
    if path.is_empty() || path.starts_with(b"/") || !directory.starts_with(b"/") {
        return path.to_vec();
    }
    let parts = directory.split(|byte| *byte == b'/').chain(path.split(|byte| *byte == b'/'));
    let parts = parts.filter(|part| !part.is_empty() && *part != b".");
    parts.flat_map(|part| [b"/", part].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_begin_where_they_were_said() {
        let path = |directory: &str, path: &str| {
            String::from_utf8(joined(directory.as_bytes(), path.as_bytes())).expect("text")
        };
        assert_eq!(path("/root", "./a//b"), "/root/a/b");
        assert_eq!(path("/root/", "../a"), "/root/../a");
        assert_eq!((path("/root", "/a/./b").as_str(), path("", "a").as_str()), ("/a/./b", "a"));
    }

    #[test]
    fn only_digests_of_named_files_are_taken() {
        let of = |algorithm: &str, digits: &str| {
            let mut event = blank("tetragon", "process_lsm", "mmap_file");
            set_path(&mut event, b"/a");
            set_digest(&mut event, "tetragon", algorithm, digits).map(|()| (event.digest_algorithm, event.digest))
        };
        let digits = "AB".repeat(32);
        assert_eq!(of("SHA-256", &digits), Ok((Some("sha256".into()), Some("ab".repeat(32)))));
        for (algorithm, digits) in [("sha1", &*digits), ("", &digits), ("sha256", "0g"), ("sha256", &"0".repeat(64))] {
            assert!(of(algorithm, digits).is_err(), "{algorithm} {digits}");
        }
        let mut nameless = blank("tetragon", "process_lsm", "mmap_file");
        assert!(set_digest(&mut nameless, "tetragon", "sha256", &digits).is_err());
    }
}
