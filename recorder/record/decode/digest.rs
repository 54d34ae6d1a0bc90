//! The columns of the digest.

use super::names::{ALGORITHMS, DOUBTS, names_of};
use super::scratch::Scratch;
use crate::record::wire;
use anyhow::{Context, Result, bail};
use hashtrail::event::EventView;
use std::borrow::Cow;

/// What a record says of the digest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Digest {
    NotRequested,
    /// Why.
    Unavailable(&'static str),
    /// The kernel's number of the algorithm, and who took it.
    Taken(usize, &'static str),
}

impl Digest {
    pub(super) fn of(raw: &wire::event) -> Result<Self> {
        Ok(Self::Unavailable(match wire::digest_status(u32::from(raw.digest_status)) {
            wire::digest_status::DIGEST_NOT_REQUESTED => return Ok(Self::NotRequested),
            wire::digest_status::DIGEST_OK => {
                let number = usize::try_from(raw.digest_algorithm).context("the digest's algorithm is negative")?;
                return Ok(Self::Taken(number, source(raw)?));
            }
            wire::digest_status::DIGEST_NO_FILE => "no_file",
            wire::digest_status::DIGEST_NOT_REGULAR => "not_regular_file",
            wire::digest_status::DIGEST_NOT_EXECUTABLE_MAPPING => "not_executable_mapping",
            wire::digest_status::DIGEST_DIRECT_IO => "direct_io",
            wire::digest_status::DIGEST_TOO_LARGE => "too_large",
            wire::digest_status::DIGEST_NOT_AVAILABLE_AT_THIS_HOOK => "not_available_at_this_hook",
            wire::digest_status::DIGEST_IMA_FAILED => "ima_failed",
            wire::digest_status::DIGEST_PSEUDO_FILESYSTEM => "pseudo_filesystem",
            wire::digest_status::DIGEST_MOVED => "file_moved",
            wire::digest_status::DIGEST_UNREADABLE => "unreadable",
            other => bail!("digest status {} is unknown", other.0),
        }))
    }

    /// The digest itself. A number that is newer than the list of algorithms keeps all bytes.
    pub(super) fn bytes(self, raw: &wire::event) -> &[u8] {
        match self {
            Self::Taken(number, _) => ALGORITHMS.get(number).map_or(&raw.digest, |(_, bytes)| &raw.digest[..*bytes]),
            Self::NotRequested | Self::Unavailable(_) => &[],
        }
    }
}

fn source(raw: &wire::event) -> Result<&'static str> {
    Ok(match wire::digest_source(u32::from(raw.digest_source)) {
        wire::digest_source::SOURCE_IMA => "ima",
        wire::digest_source::SOURCE_CACHE => "cache",
        wire::digest_source::SOURCE_USER => "user",
        other => bail!("digest source {} is unknown", other.0),
    })
}

pub(super) fn fill_digest<'a>(event: &mut EventView<'a>, raw: &wire::event, digest: Digest, scratch: &'a Scratch) {
    match digest {
        Digest::NotRequested => event.digest_status = "not_requested".into(),
        Digest::Unavailable(reason) => {
            event.digest_status = "unavailable".into();
            event.digest_reason = Some(reason.into());
        }
        Digest::Taken(number, source) => {
            event.digest_status = "ok".into();
            let name = ALGORITHMS.get(number).map(|(name, _)| Cow::from(*name));
            event.digest_algorithm = Some(name.unwrap_or_else(|| format!("algorithm-{number}").into()));
            event.digest = Some(scratch.digest().into());
            event.digest_source = Some(source.into());
            event.digest_doubt = names_of(&DOUBTS, raw.digest_doubt);
            event.content_read_ns = (raw.content_read_ns != 0).then_some(raw.content_read_ns.cast_signed());
            event.digest_duration_ns = Some(raw.digest_duration_ns.cast_signed());
        }
    }
}
