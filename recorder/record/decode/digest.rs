//! The columns of the digest.

use super::names::{ALGORITHMS, DOUBTS, names_of};
use crate::record::wire;
use anyhow::{Context, Result, bail};
use hashtrail::event::EventView;
use std::borrow::Cow;

pub(super) fn fill_digest(event: &mut EventView<'_>, raw: &wire::event) -> Result<()> {
    let reason = match wire::digest_status(u32::from(raw.digest_status)) {
        wire::digest_status::DIGEST_NOT_REQUESTED => {
            event.digest_status = "not_requested".into();
            return Ok(());
        }
        wire::digest_status::DIGEST_OK => return fill_taken_digest(event, raw),
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
    };
    event.digest_status = "unavailable".into();
    event.digest_reason = Some(reason.into());
    Ok(())
}

fn fill_taken_digest(event: &mut EventView<'_>, raw: &wire::event) -> Result<()> {
    let number = usize::try_from(raw.digest_algorithm).context("the digest's algorithm is negative")?;
    // A number that is newer than this list keeps its number and all bytes.
    let (name, bytes) = ALGORITHMS.get(number).map_or_else(
        || (Cow::from(format!("algorithm-{number}")), raw.digest.len()),
        |(name, bytes)| (Cow::from(*name), *bytes),
    );
    event.digest_status = "ok".into();
    event.digest_algorithm = Some(name);
    event.digest = Some(hashtrail::manifest::hex(&raw.digest[..bytes]).into());
    event.digest_source = Some(match wire::digest_source(u32::from(raw.digest_source)) {
        wire::digest_source::SOURCE_IMA => "ima".into(),
        wire::digest_source::SOURCE_CACHE => "cache".into(),
        wire::digest_source::SOURCE_USER => "user".into(),
        other => bail!("digest source {} is unknown", other.0),
    });
    event.digest_doubt = names_of(&DOUBTS, raw.digest_doubt);
    event.content_read_ns = (raw.content_read_ns != 0).then_some(raw.content_read_ns.cast_signed());
    event.digest_duration_ns = Some(raw.digest_duration_ns.cast_signed());
    Ok(())
}
