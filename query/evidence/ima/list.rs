//! A measurement list in either form.

use super::ascii::Ascii;
use super::binary::Binary;
use super::entry::{Damage, Entry};

/// A list that is being read. It gives the entries up to the first damage, then that damage, then nothing.
#[derive(Debug)]
pub(super) struct List<'a> {
    form: Form<'a>,
    has_ended: bool,
}

#[derive(Debug)]
enum Form<'a> {
    Binary(Binary<'a>),
    Ascii(Ascii<'a>),
}

impl<'a> List<'a> {
    /// Tells the form: a binary list begins with the number of a PCR in 32 bits, which has bytes of zero.
    ///
    /// # Errors
    /// When the bytes begin with no entry.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Damage> {
        let start = bytes.get(..4).unwrap_or(bytes);
        let form = if start.is_empty() || start.contains(&0) {
            Form::Binary(Binary::open(bytes)?)
        } else {
            Form::Ascii(Ascii::open(bytes))
        };
        Ok(Self { form, has_ended: false })
    }

    /// `binary` or `ascii`.
    pub(super) fn form(&self) -> &'static str {
        match self.form {
            Form::Binary(_) => "binary",
            Form::Ascii(_) => "ascii",
        }
    }

    /// Whether line ends were CRLF, which no kernel writes.
    pub(super) fn has_crlf(&self) -> bool {
        matches!(&self.form, Form::Ascii(ascii) if ascii.has_crlf)
    }
}

impl Iterator for List<'_> {
    type Item = Result<Entry, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let item = match &mut self.form {
            Form::Binary(binary) => binary.next(),
            Form::Ascii(ascii) => ascii.next(),
        };
        self.has_ended = !matches!(item, Some(Ok(_)));
        item
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Place;
    use super::super::testing::{Measurement, USUAL, Writer, file, nul_ended, samples, violation};
    use super::*;

    /// The entries, and the damage that ends them.
    fn read(bytes: &[u8]) -> (Vec<Entry>, Option<Damage>) {
        let mut entries = Vec::new();
        match List::open(bytes) {
            Err(damage) => return (entries, Some(damage)),
            Ok(list) => {
                for item in list {
                    match item {
                        Ok(entry) => entries.push(entry),
                        Err(damage) => return (entries, Some(damage)),
                    }
                }
            }
        }
        (entries, None)
    }

    fn damage_of(bytes: &[u8]) -> (usize, Damage) {
        let (entries, damage) = read(bytes);
        (entries.len(), damage.expect("damage"))
    }

    #[test]
    fn every_order_and_bank_is_read_in_both_forms() {
        for is_big in [false, true] {
            for hash_bytes in [20, 32, 48, 64] {
                let writer = Writer { is_big, hash_bytes };
                let (binary, damage) = read(&writer.binary(&samples()));
                assert_eq!((binary.len(), damage), (samples().len(), None), "{writer:?}");
                let (ascii, damage) = read(&writer.ascii(&samples()));
                assert_eq!((ascii.len(), damage), (samples().len(), None), "{writer:?}");
                for ((binary, ascii), made) in binary.iter().zip(&ascii).zip(samples()) {
                    assert_eq!(binary.template, made.template);
                    assert_eq!(binary.is_violation(), made.is_violation);
                    assert_eq!(binary.is_stated_hash_right(), (!made.is_violation).then_some(true), "{binary:?}");
                    assert_eq!(binary.contents, ascii.contents);
                    assert_eq!(binary.stated_hash, ascii.stated_hash);
                    assert_eq!(binary.is_stated_hash_right(), ascii.is_stated_hash_right(), "{ascii:?}");
                }
            }
        }
    }

    #[test]
    fn unknown_templates_are_kept() {
        let new = Measurement { template: "ima-new", fields: vec![nul_ended("/a")], is_violation: false };
        let (entries, damage) = read(&USUAL.binary(&[new.clone(), file("/b", 1)]));
        assert_eq!((entries.len(), damage), (2, None));
        assert_eq!((&entries[0].contents.path, entries[0].is_stated_hash_right()), (&None, Some(true)));
        let (entries, damage) = read(&USUAL.ascii(&[new, file("/b", 1)]));
        assert_eq!((entries.len(), damage), (2, None));
        assert_eq!((&entries[0].contents.path, entries[0].is_stated_hash_right()), (&None, None));
    }

    #[test]
    fn the_entries_before_a_cut_are_read() {
        let first = USUAL.binary(&[file("/a", 1)]).len();
        let list = USUAL.binary(&[file("/a", 1), file("/b", 2)]);
        for end in first + 1..list.len() {
            let (entries, damage) = damage_of(&list[..end]);
            assert_eq!((entries, damage.place), (1, Place::Offset(first)), "cut at {end}");
        }
        let list = USUAL.ascii(&[file("/a", 1), file("/bcd", 2)]);
        let first = USUAL.ascii(&[file("/a", 1)]).len();
        for end in first + 1..list.len() - 1 {
            let (entries, damage) = damage_of(&list[..end]);
            assert_eq!((entries, damage.place), (1, Place::Line(2)), "cut at {end}");
        }
        let (entries, damage) = read(&list[..list.len() - 1]);
        assert_eq!((entries.len(), damage), (2, None), "without the last newline");
    }

    #[test]
    fn a_newline_in_a_name_is_damage_of_its_line() {
        let mut signed = file("/tmp/a\nb", 2);
        signed.template = "ima-sig";
        signed.fields.push(vec![3]);
        for split in [file("/tmp/a\nb", 2), violation("/tmp/a\nb"), signed] {
            let list = USUAL.ascii(&[file("/a", 1), split, file("/c", 3)]);
            let (entries, damage) = damage_of(&list);
            assert_eq!((entries, damage.place), (1, Place::Line(2)));
            assert!(damage.reason.contains("newline"), "{}", damage.reason);
        }
        let list = [USUAL.ascii(&[file("/a", 1)]), b"garbage\n".to_vec()].concat();
        let (entries, damage) = damage_of(&list);
        assert_eq!((entries, damage.place), (1, Place::Line(2)), "a hash that is right says that line 1 is whole");
    }

    #[test]
    fn a_copy_with_crlf_is_read_without_its_cr() {
        let list = USUAL.ascii(&samples());
        let crlf: Vec<u8> =
            list.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect();
        let mut opened = List::open(&crlf).expect("a list");
        let entries: Vec<Entry> = opened.by_ref().map(|entry| entry.expect("an entry")).collect();
        assert!(opened.has_crlf());
        assert_eq!(entries, read(&list).0);
        let own = USUAL.ascii(&[file("/tmp/a\r", 1)]);
        let mut opened = List::open(&own).expect("a list");
        let entry = opened.next().expect("an entry").expect("an entry");
        assert_eq!(
            (entry.contents.path.as_deref(), opened.has_crlf()),
            (Some(&b"/tmp/a\r"[..]), false),
            "a name's own CR"
        );
    }

    #[test]
    fn sizes_that_no_kernel_writes_are_damage() {
        let list = USUAL.binary(&[file("/a", 1)]);
        let name = 4 + 20;
        for (at, bytes, reason) in [
            (0, [24, 0, 0, 0], "PCR 24"),
            (name, [0, 1, 0, 0], "template name of 256 bytes"),
            (name + 4 + 6, [1, 0, 16, 0], "1048577 bytes of data"),
            (name + 4 + 6, [255, 255, 255, 255], "4294967295 bytes of data"),
        ] {
            let mut second = list.clone();
            second[at..at + 4].copy_from_slice(&bytes);
            let (entries, damage) = damage_of(&[list.clone(), second].concat());
            assert_eq!((entries, damage.place), (1, Place::Offset(list.len())));
            assert!(damage.reason.contains(reason), "{}", damage.reason);
        }
    }

    #[test]
    fn what_is_no_list_is_said_to_be_none() {
        assert_eq!(read(b"").1, None);
        assert_eq!(damage_of(b"PAR1").1.place, Place::Line(1));
        assert_eq!(damage_of(b"\0").1.place, Place::Offset(0));
    }
}
