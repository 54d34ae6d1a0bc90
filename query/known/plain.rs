//! Lists of digests as `--ioc` reads them: what was not recorded is passed, so that a list may be of any size.

use super::list::List;
use super::recorded::Recorded;
use crate::output::problems::Problems;
use anyhow::Result;
use hashtrail::digest_list::Lists;
use std::path::Path;

/// Asks a list for all that was recorded.
///
/// # Errors
/// When it cannot be opened; lines that cannot be used are problems.
pub(super) fn ask(path: &Path, bit: u64, recorded: &mut Recorded, problems: &Problems) -> Result<List> {
    let wanted = {
        let is_recorded = |digest: &_| recorded.has(digest);
        let mut lists = Lists::only(&is_recorded);
        lists.read(path, problems)?;
        lists.finish()
    };
    let kinds = wanted.kinds();
    wanted.each(|digest, places| {
        for kind in places.map(|place| &kinds[place]) {
            if let Some(bits) = recorded.of_mut(&kind.algorithm).and_then(|digests| digests.get_mut(digest)) {
                *bits |= bit;
            }
        }
    });
    let has =
        |kind: &hashtrail::digest_list::Kind, name: &String| kind.algorithm == *name || kind.beside.contains(name);
    let mut list = List { algorithms: kinds.iter().map(|kind| kind.algorithm.clone()).collect(), ..List::default() };
    list.whole = list.algorithms.iter().filter(|name| kinds.iter().all(|kind| has(kind, name))).cloned().collect();
    Ok(list)
}
