//! Where the kernel gave no list of running processes, their starts are known to a tick of the clock. Other rows have them
//! exactly: it is the same process where its pid began once in that tick, as far as rows tell.

use super::{Process, ProcessKey};
use std::collections::HashMap;

/// A tick of `/proc`.
const TICK_NS: i64 = 10_000_000;

/// Makes one process of two where it is the same.
pub(super) fn join(list: &mut Vec<Process>, places: &mut HashMap<ProcessKey, u32>) {
    if !list.iter().any(|process| process.is_in_ticks) {
        return;
    }
    let mut exact: Vec<ProcessKey> =
        list.iter().filter(|process| !process.is_in_ticks).map(|process| process.key).collect();
    let by_pid = |key: &ProcessKey| (key.boot, key.pid, key.start_ns);
    exact.sort_unstable_by_key(by_pid);
    let only_one = |ticks: &ProcessKey| {
        let end = (ticks.boot, ticks.pid, ticks.start_ns.saturating_add(TICK_NS));
        let first = exact.partition_point(|key| by_pid(key) < by_pid(ticks));
        let mut within = exact[first..].iter().take_while(|key| by_pid(key) < end);
        within.next().filter(|_| within.next().is_none()).copied()
    };
    let mut kept: Vec<Process> = Vec::with_capacity(list.len());
    let (in_ticks, others): (Vec<Process>, Vec<Process>) = list.drain(..).partition(|process| process.is_in_ticks);
    kept.extend(others);
    places.clear();
    places.extend(kept.iter().map(|process| process.key).zip(0..));
    for process in in_ticks {
        match only_one(&process.key).and_then(|key| places.get(&key).copied()) {
            Some(place) => {
                places.insert(process.key, place);
                kept[place as usize].join(&process);
            }
            None => {
                places.insert(process.key, u32::try_from(kept.len()).unwrap_or(u32::MAX));
                kept.push(process);
            }
        }
    }
    *list = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, start_ns: i64, is_in_ticks: bool) -> Process {
        let key = ProcessKey { boot: 0, start_ns, pid };
        Process { key, seen: None, parent: None, ran_before: is_in_ticks, is_told: false, is_in_ticks }
    }

    #[test]
    fn a_start_in_ticks_is_that_of_the_only_process_in_the_tick() {
        let tick = 50_000_000;
        let mut list = vec![
            process(7, tick, true),
            process(7, tick + 9_999_999, false),
            process(7, tick + 10_000_000, false),
            process(8, tick, true),
            process(8, tick, false),
            process(8, tick + 1, false),
            process(9, tick, true),
        ];
        let mut places = list.iter().map(|process| process.key).zip(0..).collect();
        join(&mut list, &mut places);
        let starts: Vec<(i32, i64, bool)> =
            list.iter().map(|process| (process.key.pid, process.key.start_ns - tick, process.ran_before)).collect();
        let expected =
            [(7, 9_999_999, true), (7, 10_000_000, false), (8, 0, false), (8, 1, false), (8, 0, true), (9, 0, true)];
        assert_eq!(starts, expected);
        assert_eq!(
            list[places[&ProcessKey { boot: 0, start_ns: tick, pid: 7 }] as usize].key.start_ns,
            tick + 9_999_999
        );
    }
}
