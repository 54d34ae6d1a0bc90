//! The entries of a list for those who only read them.

use super::entry::Entry;
use super::list::List;
use anyhow::Result;

/// What an entry tells.
#[derive(Debug)]
pub(crate) enum Measurement {
    /// A file by the name that the kernel has for it, and its content.
    File { path: Vec<u8>, algorithm: String, digest: Vec<u8> },
    /// A boot begins.
    Boot,
    /// The file changed while it was measured or used.
    Violation,
    /// No file was measured.
    Buffer,
    /// Nothing that is known here.
    Unknown,
}

/// Whether bytes begin a list.
pub(crate) fn is_list(head: &[u8]) -> bool {
    List::open(head).is_ok_and(|mut list| matches!(list.next(), Some(Ok(_))))
}

/// Hands on each entry, and the damage at which reading ends.
///
/// # Errors
/// That of `each`.
pub(crate) fn each_measurement(
    bytes: &[u8],
    each: &mut dyn FnMut(Result<Measurement, String>) -> Result<()>,
) -> Result<()> {
    let list = match List::open(bytes) {
        Ok(list) => list,
        Err(damage) => return each(Err(format!("{}: {}", damage.place, damage.reason))),
    };
    for entry in list {
        match entry {
            Ok(entry) => each(of_entry(entry))?,
            Err(damage) => each(Err(format!("{}: {}; nothing behind it is read", damage.place, damage.reason)))?,
        }
    }
    Ok(())
}

/// # Errors
/// When it states what no kernel does, or what is no digest of the content.
fn of_entry(entry: Entry) -> Result<Measurement, String> {
    let wrong = |what: &str| format!("{}: {what}", entry.place);
    if entry.is_stated_hash_right() == Some(false) {
        return Err(wrong("its template hash is not that of what it says"));
    }
    if entry.is_boot() {
        return Ok(Measurement::Boot);
    }
    if entry.is_violation() {
        return Ok(Measurement::Violation);
    }
    if entry.contents.is_buffer {
        return Ok(Measurement::Buffer);
    }
    let Some((path, digest)) = entry.contents.path.clone().zip(entry.contents.digest.clone()) else {
        return Ok(Measurement::Unknown);
    };
    if digest.is_verity {
        return Err(wrong("its digest is fs-verity's, which is not that of the content"));
    }
    if !digest.is_computed() {
        return Err(wrong("its digest is zeros, as where the kernel could not read the file"));
    }
    Ok(Measurement::File { path, algorithm: digest.algorithm, digest: digest.bytes })
}
