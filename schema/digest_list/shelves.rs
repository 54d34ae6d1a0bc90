//! Digests of lists in memory: of each length one array, whose entries hold the digest and eight bytes that say what a list
//! says of it. A SHA-256 takes 40 bytes, so that ten million lines take 400 MB, and no list more than a bound.

use crate::digest::Digest;

/// What all arrays together may take.
const MAX_BYTES: usize = 1 << 30;
/// What an entry holds beside its digest.
const REMARK_BYTES: usize = size_of::<u64>();

/// An array for each length that a digest has.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    md5: Shelf<24>,
    sha1: Shelf<28>,
    sha224: Shelf<36>,
    sha256: Shelf<40>,
    sha384: Shelf<56>,
    sha512: Shelf<72>,
}

impl Shelves {
    fn of(&self, digest: &Digest) -> &dyn Entries {
        match digest.bytes().len() {
            16 => &self.md5,
            20 => &self.sha1,
            28 => &self.sha224,
            32 => &self.sha256,
            48 => &self.sha384,
            _ => &self.sha512,
        }
    }

    fn of_mut(&mut self, digest: &Digest) -> &mut dyn Entries {
        match digest.bytes().len() {
            16 => &mut self.md5,
            20 => &mut self.sha1,
            28 => &mut self.sha224,
            32 => &mut self.sha256,
            48 => &mut self.sha384,
            _ => &mut self.sha512,
        }
    }

    fn all(&self) -> [&dyn Entries; 6] {
        [&self.md5, &self.sha1, &self.sha224, &self.sha256, &self.sha384, &self.sha512]
    }

    /// Whether there is room for more.
    pub(super) fn have_room(&self) -> bool {
        self.all().iter().map(|shelf| shelf.bytes()).sum::<usize>() < MAX_BYTES
    }

    /// Takes a digest with what is said of it.
    pub(super) fn push(&mut self, digest: &Digest, remark: u64) {
        self.of_mut(digest).push(digest.bytes(), remark);
    }

    /// Puts all in their order, each remark of a digest once. They can be asked for only then.
    pub(super) fn sort(&mut self) {
        let all: [&mut dyn Entries; 6] =
            [&mut self.md5, &mut self.sha1, &mut self.sha224, &mut self.sha256, &mut self.sha384, &mut self.sha512];
        all.into_iter().for_each(Entries::sort);
    }

    pub(super) fn has(&self, digest: &Digest) -> bool {
        !self.remarks(digest).is_empty()
    }

    /// What is said of a digest, in the order of the remarks; nothing where it is in no list.
    pub(super) fn remarks(&self, digest: &Digest) -> Vec<u64> {
        self.of(digest).remarks(digest.bytes())
    }

    /// Hands on each digest with what is said of it.
    pub(super) fn each(&self, each: &mut dyn FnMut(&Digest, &[u64])) {
        self.all().into_iter().for_each(|shelf| shelf.each(each));
    }
}

/// The entries of one length.
#[derive(Debug, Default)]
struct Shelf<const ENTRY: usize>(Vec<[u8; ENTRY]>);

trait Entries {
    fn bytes(&self) -> usize;
    fn push(&mut self, digest: &[u8], remark: u64);
    fn sort(&mut self);
    fn remarks(&self, digest: &[u8]) -> Vec<u64>;
    fn each(&self, each: &mut dyn FnMut(&Digest, &[u64]));
}

impl<const ENTRY: usize> Entries for Shelf<ENTRY> {
    fn bytes(&self) -> usize {
        self.0.len() * ENTRY
    }

    fn push(&mut self, digest: &[u8], remark: u64) {
        let mut entry = [0; ENTRY];
        // Big-endian, so that the order of the bytes is that of the remarks.
        let bytes = digest.iter().copied().chain(remark.to_be_bytes());
        entry.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        self.0.push(entry);
    }

    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }

    fn remarks(&self, digest: &[u8]) -> Vec<u64> {
        let start = self.0.partition_point(|entry| digest_of(entry) < digest);
        let same = self.0[start..].iter().take_while(|entry| digest_of(entry) == digest);
        same.map(remark_of).collect()
    }

    fn each(&self, each: &mut dyn FnMut(&Digest, &[u64])) {
        let mut remarks = Vec::new();
        for same in self.0.chunk_by(|left, right| digest_of(left) == digest_of(right)) {
            remarks.clear();
            remarks.extend(same.iter().map(remark_of));
            if let Some(digest) = same.first().and_then(|entry| Digest::from_bytes(digest_of(entry))) {
                each(&digest, &remarks);
            }
        }
    }
}

fn digest_of<const ENTRY: usize>(entry: &[u8; ENTRY]) -> &[u8] {
    &entry[..ENTRY - REMARK_BYTES]
}

fn remark_of<const ENTRY: usize>(entry: &[u8; ENTRY]) -> u64 {
    entry.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
