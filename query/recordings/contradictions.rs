//! Recordings that cannot all be of one machine.

use super::{Recording, Recordings, boot_of};
use crate::archives::OpenArchive;
use anyhow::{Error, anyhow};
use hashtrail::cell::Micros;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The recordings of one archive that end last: that one, and of those of another boot the one that does.
type Latest<'a> = Vec<(&'a str, Micros)>;

/// Archives of one host name that recorded different boots at the same time: that was not one machine.
pub(super) fn find(archives: &[OpenArchive], recordings: &Recordings) -> Vec<Error> {
    let mut boots: Vec<(&Recording, String, usize)> = Vec::new();
    // What stands in several, as in copies, counts for the one that has most: its manifest says how they follow each other.
    let mut order: Vec<usize> = (0..archives.len()).collect();
    order.sort_by_key(|number| std::cmp::Reverse(archives[*number].starts().count()));
    let mut known = BTreeSet::new();
    for number in order {
        for line in archives[number].starts() {
            let rank = line.text("recording_id").and_then(|id| recordings.rank(&id));
            if let Some((rank, boot_id)) = rank.zip(boot_of(line)).filter(|(rank, _)| known.insert(*rank)) {
                boots.push((&recordings.list[rank], boot_id, number));
            }
        }
    }
    boots.sort_by_key(|(recording, ..)| recording.start);
    let mut latest: HashMap<&str, BTreeMap<usize, Latest<'_>>> = HashMap::new();
    let mut told = BTreeSet::new();
    for (recording, boot_id, archive) in &boots {
        let of_host = latest.entry(&recording.host).or_default();
        for (other, ends) in of_host.range(..archive).chain(of_host.range(archive + 1..)) {
            if ends.iter().any(|(boot, end)| boot != boot_id && recording.start < *end) {
                told.insert((*archive.min(other), *archive.max(other), &*recording.host));
            }
        }
        see(of_host.entry(*archive).or_default(), boot_id, recording.end);
    }
    let name = |number: usize| archives[number].archive.root().display();
    let error = |(first, second, host): (usize, usize, &str)| {
        anyhow!(
            "`{}` and `{}` are both of host `{host}` and recorded different boots at the same time: these are two \
             machines, or a clock was wrong, and changes between them may never have been",
            name(first),
            name(second)
        )
    };
    told.into_iter().map(error).collect()
}

fn see<'a>(latest: &mut Latest<'a>, boot_id: &'a str, end: Micros) {
    match latest.iter_mut().find(|(boot, _)| *boot == boot_id) {
        Some((_, known)) => *known = end.max(*known),
        None => latest.push((boot_id, end)),
    }
    latest.sort_by_key(|(_, end)| std::cmp::Reverse(*end));
    latest.truncate(2);
}
