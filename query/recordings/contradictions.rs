//! Recordings that cannot all be of one machine.

use super::{Recording, Recordings};
use crate::archives::OpenArchive;
use anyhow::{Error, anyhow};
use std::collections::BTreeSet;

/// Archives of one host name that recorded different boots at the same time: that was not one machine.
pub(super) fn find(archives: &[OpenArchive], recordings: &Recordings) -> Vec<Error> {
    let mut boots: Vec<(&Recording, String, &OpenArchive)> = Vec::new();
    for archive in archives {
        for line in archive.starts() {
            let rank = line.text("recording_id").and_then(|id| recordings.rank(&id));
            let boot_id = line.field("facts").and_then(|facts| Some(facts.get("boot_id")?.as_str()?.to_owned()));
            if let Some((rank, boot_id)) = rank.zip(boot_id) {
                boots.push((&recordings.list[rank], boot_id, archive));
            }
        }
    }
    let mut told = BTreeSet::new();
    for (number, (left, left_boot, first)) in boots.iter().enumerate() {
        for (right, right_boot, second) in &boots[number + 1..] {
            let is_at_once = left.start < right.end && right.start < left.end;
            if left.host == right.host && left_boot != right_boot && is_at_once && !std::ptr::eq(*first, *second) {
                let name = |archive: &OpenArchive| archive.archive.root().display().to_string();
                told.insert((name(first), name(second), left.host.clone()));
            }
        }
    }
    let error = |(first, second, host): (String, String, String)| {
        anyhow!(
            "`{first}` and `{second}` are both of host `{host}` and recorded different boots at the same time: these are two \
             machines, or a clock was wrong, and changes between them may never have been"
        )
    };
    told.into_iter().map(error).collect()
}
