//! Rows that user space makes: the head of a record, and the texts behind it.

use crate::record::decode::Tail;
use crate::record::wire;

/// A record that no program sent, or that goes around the rings.
#[derive(Clone, Default)]
pub(crate) struct OwnRow {
    pub(crate) head: wire::event,
    pub(crate) path: Vec<u8>,
    pub(crate) exe: Vec<u8>,
    pub(crate) container: Vec<u8>,
}

impl OwnRow {
    /// Takes a record apart; `None` where its lengths disagree.
    pub(crate) fn read(record: &[u8]) -> Option<Self> {
        let head: wire::event = wire::read(record)?;
        let Tail { path, exe, container, .. } = Tail::of(record, &head).ok()?;
        Some(Self { head, path: path.to_vec(), exe: exe.to_vec(), container: container.to_vec() })
    }

    /// The record, with lengths that fit its texts. What no field can state the length of is cut.
    pub(crate) fn record(&self) -> Vec<u8> {
        let [path, exe, container] = [&self.path, &self.exe, &self.container].map(|text| cut(text));
        let length = |text: &[u8]| u16::try_from(text.len()).unwrap_or(u16::MAX);
        let record_bytes = size_of::<wire::event>() + path.len() + exe.len() + container.len();
        let head = wire::event {
            record_bytes: u32::try_from(record_bytes).unwrap_or(u32::MAX),
            path_bytes: length(path),
            exe_bytes: length(exe),
            argv_bytes: 0,
            target_bytes: 0,
            container_bytes: length(container),
            ..self.head
        };
        [wire::bytes_of(&head), path, exe, container].concat()
    }
}

fn cut(text: &[u8]) -> &[u8] {
    &text[..text.len().min(usize::from(u16::MAX))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was() {
        let row = OwnRow {
            head: wire::event { pid: 7, argv_bytes: 9, ..wire::event::default() },
            path: b"/bin/tool".to_vec(),
            exe: b"/bin/sh".to_vec(),
            container: b"docker".to_vec(),
        };
        let read = OwnRow::read(&row.record()).expect("the lengths fit");
        assert_eq!((read.head.pid, &read.path, &read.exe, &read.container), (7, &row.path, &row.exe, &row.container));
        assert!(OwnRow::read(&[row.record(), vec![0]].concat()).is_none());
    }
}
