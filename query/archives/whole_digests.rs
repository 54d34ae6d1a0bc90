//! Digests that are known by their beginnings, as tables show them.

use super::act_filter::ActFilter;
use super::filter::{RowFilter, text_test};
use super::{Archives, Scan};
use crate::arguments::digest::beginning;
use anyhow::{Result, bail};
use arrow::array::AsArray;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::Need;
use hashtrail::versions::FileVersion;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Digests that are named where a beginning fits several.
const NAMED_MAX: usize = 10;

/// The digests that were asked for, those whole of which only the beginning was.
///
/// # Errors
/// When a beginning is that of none that was recorded, or of several, and when a scan cannot be made.
pub(crate) fn whole_digests(archives: &Archives<'_>, asked: &[String]) -> Result<Vec<String>> {
    asked
        .iter()
        .map(|digest| beginning(digest).map_or_else(|| Ok(digest.clone()), |start| whole(archives, start)))
        .collect()
}

fn whole(archives: &Archives<'_>, start: &str) -> Result<String> {
    let mut found = BTreeSet::new();
    collect::<FileVersion>(archives, start, &RowFilter::default(), &mut found)?;
    // What user space took stands nowhere else.
    let of_user_space = RowFilter {
        acts: ActFilter { hooks: vec![hooks::USER_DIGEST.into()], ..ActFilter::default() },
        ..RowFilter::default()
    };
    collect::<Event>(archives, start, &of_user_space, &mut found)?;
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (None, _) => {
            bail!("no digest that was recorded begins with `{start}`: what else can be said of one needs all of it")
        }
        (Some(digest), 1) => Ok(digest),
        (Some(first), _) => {
            let named: Vec<String> = [first].into_iter().chain(found).take(NAMED_MAX).collect();
            bail!("`{start}` begins {count} digests: give more of it ({})", named.join(", "))
        }
    }
}

fn collect<R: Row>(
    archives: &Archives<'_>,
    start: &str,
    filter: &RowFilter,
    found: &mut BTreeSet<String>,
) -> Result<()> {
    let start = start.to_owned();
    let begins = move |digest: &str| digest.starts_with(&start);
    let is_one = text_test("digest", begins.clone()).needing(vec![Need::text("digest", begins)]);
    let predicates = filter.clone().predicates().into_iter().chain([is_one]).collect();
    let scan = Scan { columns: vec!["digest"], predicates, ..Scan::default() };
    archives.scan::<R>(&scan, |batch| {
        let digests = batch.column_by_name("digest").and_then(|column| column.as_string_opt::<i32>());
        found.extend(digests.into_iter().flatten().flatten().map(str::to_owned));
        Ok(ControlFlow::Continue(()))
    })
}
