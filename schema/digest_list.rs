//! Lists of digests as people and feeds publish them. Every digest of a list is looked for, under every name that a list gives
//! it; what cannot be used is told with its list and line.
//!
//! A list is unpacked, decoded and read by the first format of `FORMATS` that its beginning fits: what it is says its content,
//! not its name. A format hands what it finds to an intake, and holds no more of the list than an entry of it.

mod csv;
mod fields;
mod intake;
mod json;
mod labels;
mod lines;
mod names;
mod pattern;
mod patterns;
mod shelves;
mod store;
mod unpack;

use crate::digest::Digest;
use anyhow::{Context, Result};
use intake::Intake;
pub use intake::{Faults, LeftOut};
use names::Found;
use shelves::Shelves;
use std::cell::RefCell;
use std::fs::File;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
pub use store::Kind;
use store::Store;
pub use store::Test;

/// A way in which lists are written.
struct Format {
    /// Whether a list that begins like this is one.
    fits: fn(&str) -> bool,
    /// Reads a list, of which the beginning is given too.
    read: fn(&str, &mut dyn BufRead, &mut Intake<'_>) -> Result<()>,
}

/// All of them. The last one fits everything.
const FORMATS: [Format; 4] = [
    Format { fits: patterns::fits, read: patterns::read },
    Format { fits: json::fits, read: json::read },
    Format { fits: csv::fits, read: csv::read },
    Format { fits: |_| true, read: lines::read },
];

/// The algorithm that a column of this name has digests of, plainly.
pub fn algorithm_of(column: &str) -> Option<String> {
    match names::meaning(column) {
        names::Meaning::Algorithm(algorithm) => Some(algorithm),
        _ => None,
    }
}

/// Lists as they are read.
#[derive(Default)]
pub struct Lists<'a> {
    only: Option<Test<'a>>,
    store: Store,
    unusable_lines: usize,
    left_out: Vec<LeftOut>,
    left_out_is_full: bool,
}

impl<'a> Lists<'a> {
    /// Lists of which only some digests are held.
    pub fn only(test: Test<'a>) -> Self {
        Self { only: Some(test), ..Self::default() }
    }

    /// Takes a digest in hex that stands for itself.
    ///
    /// # Errors
    /// When it is none, or there are too many.
    pub fn add(&mut self, digest: &str) -> Result<()> {
        let digest = Digest::from_hex(digest).with_context(|| format!("`{digest}` is no digest in hex"))?;
        self.store.take(&[Found { digest, algorithm: None }], "", None)
    }

    /// Adds the digests of a list; `-` is stdin. What cannot be used is a problem, and the rest is still looked for.
    ///
    /// # Errors
    /// When the list cannot be opened.
    pub fn read(&mut self, path: &Path, faults: &dyn Faults) -> Result<()> {
        if path.as_os_str() == "-" {
            self.read_from("stdin", &mut std::io::stdin().lock(), faults);
            return Ok(());
        }
        let name = path.display().to_string();
        let mut file = File::open(path).with_context(|| format!("cannot open `{name}`"))?;
        self.read_from(&name, &mut file, faults);
        Ok(())
    }

    /// Adds the digests of a list, or of the lists that are packed in it, under a name.
    pub fn read_from(&mut self, name: &str, packed: &mut dyn std::io::Read, faults: &dyn Faults) {
        let read = unpack::each_text(name, packed, &mut |name, head, text| self.read_text(name, head, text, faults));
        if let Err(error) = read {
            self.unusable_lines += 1;
            faults.tell(&error.context(format!("{name}: not all of it could be read")));
        }
    }

    fn read_text(&mut self, name: &str, head: &str, text: &mut dyn BufRead, faults: &dyn Faults) {
        let mut intake = Intake::new(name, &mut self.store, self.only, faults);
        let format = FORMATS.iter().find(|format| (format.fits)(head));
        let read = format.map_or(Ok(()), |format| (format.read)(head, text, &mut intake));
        let (unusable, left_out) = intake.finish(read.err());
        self.unusable_lines += unusable;
        left_out.into_iter().for_each(|one| self.leave_out(one));
    }

    /// Keeps what was left out, of very many lists without saying where.
    fn leave_out(&mut self, one: LeftOut) {
        const LEFT_OUT_MAX: usize = 1000;
        match self.left_out.last_mut() {
            Some(last) if self.left_out_is_full => last.count += one.count,
            _ => self.left_out.push(one),
        }
        if self.left_out.len() == LEFT_OUT_MAX {
            self.left_out_is_full = true;
            let (list, kind, lines) = ("more lists".into(), "other things".into(), String::new());
            self.left_out.push(LeftOut { list, kind, count: 0, lines });
        }
    }

    /// All that was read, to be asked for.
    pub fn finish(self) -> Wanted {
        let Self { mut store, unusable_lines, mut left_out, .. } = self;
        left_out.retain(|one| one.count > 0);
        store.shelves.sort();
        let mut count = 0;
        store.shelves.each(&mut |_, _| count += 1);
        Wanted {
            shelves: Arc::new(store.shelves),
            kinds: store.kinds,
            labels: RefCell::new(store.labels),
            count,
            unusable_lines,
            left_out,
        }
    }
}

/// The digests that are looked for.
#[derive(Debug)]
pub struct Wanted {
    shelves: Arc<Shelves>,
    kinds: store::Kinds,
    labels: RefCell<labels::Labels>,
    count: usize,
    /// What could not be used, wholly or in part.
    pub unusable_lines: usize,
    /// What lists hold that is no digest of a file.
    pub left_out: Vec<LeftOut>,
}

impl Wanted {
    /// Whether there is no digest.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many digests there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether a list has a digest as one of this algorithm, by its plain name.
    pub fn has(&self, algorithm: &str, digest: &Digest) -> bool {
        let remarks = self.shelves.remarks(digest);
        remarks.iter().any(|remark| self.kinds.all()[store::kind_of(*remark)].algorithm == algorithm)
    }

    /// Whether a text is one of the digests, as a test of its own.
    pub fn test(&self) -> impl Fn(&str) -> bool + Send + Sync + 'static {
        let shelves = Arc::clone(&self.shelves);
        move |text| Digest::from_hex(text).is_some_and(|digest| shelves.has(&digest))
    }

    /// All of them, where they are no more than this.
    pub fn all(&self, at_most: usize) -> Option<Vec<String>> {
        let mut all = Vec::new();
        if self.count <= at_most {
            self.shelves.each(&mut |digest, _| all.push(digest.to_string()));
        }
        (self.count <= at_most).then_some(all)
    }

    /// The names of a digest, in the order in which they were read.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn labels(&self, digest: &str) -> Result<Vec<String>> {
        let remarks = Digest::from_hex(digest).map(|digest| self.shelves.remarks(&digest)).unwrap_or_default();
        let mut labels = Vec::new();
        for remark in remarks {
            let label = self.labels.borrow_mut().at(store::label_of(remark))?;
            if !label.is_empty() && !labels.contains(&label) {
                labels.push(label);
            }
        }
        Ok(labels)
    }

    /// What the digests are of, each by its place in this list.
    pub fn kinds(&self) -> &[Kind] {
        self.kinds.all()
    }

    /// Hands on each digest with the places of what it is of.
    pub fn each(&self, mut each: impl FnMut(&Digest, &mut dyn Iterator<Item = usize>)) {
        self.shelves
            .each(&mut |digest, remarks| each(digest, &mut remarks.iter().map(|remark| store::kind_of(*remark))));
    }
}

#[cfg(test)]
mod tests;
