//! The rows with which user space answered events with one of some digests.

use super::act_filter::ActFilter;
use super::filter::RowFilter;
use super::user_digests::UserDigests;
use super::{Archives, Scan};
use anyhow::Result;
use hashtrail::hooks;
use hashtrail::reader::Prune;
use std::sync::Arc;

/// Those that are among these digests.
///
/// # Errors
/// When the scan cannot be made; files that cannot be read are problems.
pub(crate) fn user_digests_among(archives: &Archives<'_>, digests: &[String]) -> Result<Arc<UserDigests>> {
    if digests.is_empty() {
        return Ok(Arc::default());
    }
    let prune = Prune { digests: digests.to_vec(), ..Prune::default() };
    let digests = digests.iter().cloned().collect();
    let filter = RowFilter {
        acts: ActFilter { hooks: vec![hooks::USER_DIGEST.into()], ..ActFilter::default() },
        digests,
        ..RowFilter::default()
    };
    let scan = Scan { prune, predicates: filter.predicates(), ..Scan::default() };
    Ok(Arc::new(UserDigests::read(archives, &scan)?))
}
