//! Which exec a digest counts for: one that user space took counts for the event that it was taken for, and the event's
//! own row then counts no more.

use crate::columns::Row;
use crate::event::{DENY, Event, EventView, tells_of_exec};
use crate::hash::{HashMap, HashSet};
use crate::hooks;

/// Execs that wait at most for a digest of user space which a later segment holds; the recorder's own queue is shorter.
const WAITING_MAX: usize = 8192;
/// How long after its last row an exec may still succeed: its interpreter is read and hashed in that time.
pub const OPEN_NS: i64 = 60_000_000_000;

/// (`cpu`, `seq`): the key of an event in its recording.
pub(crate) type EventKey = (i32, i64);

/// An exec and a file of it: a script's exec has two.
type ExecFile = (i64, Option<String>, Option<i64>);

/// The execs that the rows of a recording tell of, as far as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Execs {
    rows: HashMap<EventKey, ExecRow>,
    committed: HashSet<i64>,
    /// Events whose digest user space took.
    answered: HashSet<EventKey>,
    /// What has been counted.
    counted: HashSet<ExecFile>,
    /// Events with a digest that [`Execs::settle`] has not seen: their own keys, and those that they answer.
    digests: Vec<(EventKey, Option<EventKey>)>,
}

/// A row of an exec hook.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ExecRow {
    file: ExecFile,
    boot_ns: i64,
    has_digest: bool,
    is_denied: bool,
}

impl Execs {
    /// Takes the execs of further events of the same recording.
    #[must_use]
    pub fn with(mut self, events: &[Event]) -> Self {
        events.iter().for_each(|event| self.take(&event.view()));
        self.settled()
    }

    /// Takes an event of the same recording, in any order; [`Execs::settled`] ends a series of them.
    pub fn take(&mut self, event: &EventView<'_>) {
        if !tells_of_exec(&event.hook) {
            return;
        }
        let own = (event.cpu, event.seq);
        let answers = event.answers();
        let exec_id = event.exec_id.filter(|_| event.is_exec_hook());
        if event.digest.is_some() && (answers.is_some() || exec_id.is_some()) {
            self.digests.push((own, answers));
        }
        self.answered.extend(answers);
        let Some(exec_id) = exec_id else { return };
        if event.hook == hooks::BPRM_COMMITTED_CREDS {
            self.committed.insert(exec_id);
        }
        let file = (exec_id, event.dev.as_deref().map(str::to_owned), event.ino);
        let is_denied = event.enforced && event.action == DENY;
        let row = ExecRow { file, boot_ns: event.boot_ns, has_digest: event.digest.is_some(), is_denied };
        self.rows.insert(own, row);
    }

    /// Takes what others tell of later events of the same recording.
    #[must_use]
    pub fn joined(mut self, later: Self) -> Self {
        self.rows.extend(later.rows);
        self.committed.extend(later.committed);
        self.answered.extend(later.answered);
        self.counted.extend(later.counted);
        self.digests.extend(later.digests);
        self
    }

    /// Counts the digests of the events that were taken, now that all are known.
    #[must_use]
    pub fn settled(mut self) -> Self {
        for (own, answers) in std::mem::take(&mut self.digests) {
            if let Some(file) = self.file_of(own, answers).cloned() {
                self.counted.insert(file);
            }
        }
        self
    }

    /// The exec that counts for the digest of this event.
    pub(crate) fn exec_of(&self, event: &EventView<'_>) -> Option<i64> {
        event.digest.as_ref()?;
        self.file_of((event.cpu, event.seq), event.answers()).map(|(exec_id, ..)| *exec_id)
    }

    /// The exec and file that count for the digest of the event with this key.
    fn file_of(&self, own: EventKey, answers: Option<EventKey>) -> Option<&ExecFile> {
        let key = answers.or_else(|| (!self.answered.contains(&own)).then_some(own))?;
        self.rows.get(&key).map(|row| &row.file)
    }

    /// Whether the exec succeeded.
    pub(crate) fn is_committed(&self, exec_id: i64) -> bool {
        self.committed.contains(&exec_id)
    }

    /// Execs of which nobody knows yet, at this moment, whether they succeed: a later segment may tell it.
    pub(crate) fn open_at(&self, boot_ns: i64) -> HashSet<i64> {
        let since_ns = boot_ns.saturating_sub(OPEN_NS);
        let is_open = |row: &&ExecRow| row.boot_ns >= since_ns && !self.is_committed(row.file.0);
        let mut open: HashSet<i64> = self.rows.values().filter(is_open).map(|row| row.file.0).collect();
        let denied = self.rows.values().filter(|row| row.is_denied);
        denied.for_each(|row| _ = open.remove(&row.file.0));
        open
    }

    /// Those that count for nothing yet, and may for a digest in a later segment.
    #[must_use]
    pub fn waiting(mut self) -> Self {
        let counted = std::mem::take(&mut self.counted);
        self.rows.retain(|_, row| !row.has_digest && !counted.contains(&row.file));
        if self.rows.len() > WAITING_MAX {
            let mut times: Vec<i64> = self.rows.values().map(|row| row.boot_ns).collect();
            times.sort_unstable();
            let oldest = times[times.len() - WAITING_MAX];
            self.rows.retain(|_, row| row.boot_ns >= oldest);
        }
        let execs: HashSet<i64> = self.rows.values().map(|row| row.file.0).collect();
        self.committed.retain(|exec_id| execs.contains(exec_id));
        Self { answered: HashSet::default(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of exec 1 of a tool.
    fn row(seq: i64, hook: &str, digest: Option<&str>) -> Event {
        Event {
            seq,
            boot_ns: seq,
            hook: hook.into(),
            exec_id: Some(1),
            dev: Some("8:1".into()),
            ino: Some(12),
            digest: digest.map(str::to_owned),
            ..Event::default()
        }
    }

    /// The digest that user space took for the event with this number.
    fn taken(seq: i64, of: i64, digest: Option<&str>) -> Event {
        Event { cpu: -1, ref_cpu: Some(0), ref_seq: Some(of), ..row(seq, "user_digest", digest) }
    }

    fn execs_of(execs: &Execs, events: &[Event]) -> Vec<Option<i64>> {
        events.iter().map(|event| execs.exec_of(&event.view())).collect()
    }

    #[test]
    fn an_exec_counts_for_the_digest_that_user_space_took_and_then_for_no_other() {
        let events = [
            row(1, "bprm_check_security", Some("old")),
            row(2, "bprm_check_security", None),
            row(3, "mmap_file", None),
            row(4, "bprm_check_security", Some("aa")),
            taken(5, 1, Some("aa")),
            taken(6, 2, Some("aa")),
            taken(7, 3, Some("aa")),
            taken(8, 4, None),
        ];
        let execs = Execs::default().with(&events);
        assert_eq!(execs_of(&execs, &events), [None, None, None, Some(1), Some(1), Some(1), None, None]);
    }

    #[test]
    fn an_exec_waits_for_its_digest_until_it_has_counted_once() {
        let first = [row(1, "bprm_check_security", None), row(2, "bprm_committed_creds", None)];
        let waiting = Execs::default().with(&first).waiting();
        let second = [taken(3, 1, Some("aa"))];
        let execs = waiting.with(&second);
        assert_eq!((execs_of(&execs, &second), execs.is_committed(1)), (vec![Some(1)], true));
        let third = [taken(4, 2, Some("aa"))];
        let execs = execs.waiting().with(&third);
        assert_eq!(execs_of(&execs, &third), [None], "its other row has counted");
        let counted = Execs::default().with(&[row(1, "bprm_check_security", Some("old"))]).waiting();
        assert_eq!(counted, Execs::default());
    }

    #[test]
    fn an_exec_is_open_until_it_succeeds_or_is_denied_or_a_minute_is_over() {
        let check = row(1, "bprm_check_security", Some("aa"));
        let open = |events: &[Event], boot_ns| Execs::default().with(events).open_at(boot_ns).len();
        assert_eq!(
            (open(std::slice::from_ref(&check), 1 + OPEN_NS), open(std::slice::from_ref(&check), 2 + OPEN_NS)),
            (1, 0)
        );
        assert_eq!(open(&[check.clone(), row(2, "bprm_committed_creds", None)], 3), 0);
        let denied = Event { action: DENY.into(), enforced: true, ..check.clone() };
        assert_eq!((open(std::slice::from_ref(&denied), 3), open(&[Event { enforced: false, ..denied }], 3)), (0, 1));
    }

    #[test]
    fn only_so_many_wait() {
        let all = i64::try_from(WAITING_MAX).expect("a number") + 7;
        let rows: Vec<Event> =
            (0..all).map(|seq| Event { exec_id: Some(seq), ..row(seq, "bprm_committed_creds", None) }).collect();
        let waiting = Execs::default().with(&rows).waiting();
        assert_eq!((waiting.rows.len(), waiting.committed.len()), (WAITING_MAX, WAITING_MAX));
        assert!(waiting.rows.contains_key(&(0, 7)) && !waiting.rows.contains_key(&(0, 6)));
    }
}
