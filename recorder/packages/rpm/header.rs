//! A header: what rpm knows of one package, as values with a number for a name (a tag).
//!
//! All numbers are big-endian. There stand how many values it has and how long their data is; for each value its tag, its
//! type, where in the data it begins, and of how many parts it is; then the data. Where a tag comes twice, the latter counts:
//! what the installation changed stands behind what the package brought.

use crate::packages::entry::Entry;
use anyhow::{Context, Result, bail, ensure};
use hashtrail::text::from_bytes;

/// The longest name, version or architecture that is taken.
const MAX_WORD_BYTES: usize = 1024;
const INDEX_BYTES: usize = 16;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCHITECTURE: u32 = 1022;
pub(super) const OLD_FILE_NAMES: u32 = 1027;
pub(super) const FILE_STATES: u32 = 1029;
pub(super) const FILE_DIGESTS: u32 = 1035;
pub(super) const FILE_FLAGS: u32 = 1037;
pub(super) const DIRECTORY_INDEXES: u32 = 1116;
pub(super) const BASE_NAMES: u32 = 1117;
pub(super) const DIRECTORY_NAMES: u32 = 1118;
pub(super) const FILE_DIGEST_ALGORITHM: u32 = 5011;

/// Types of values.
const CHARACTERS: u32 = 1;
const BYTES: u32 = 2;
const WORDS: u32 = 4;
const TEXT: u32 = 6;
const TEXTS: u32 = 8;

/// A header whose lengths agree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

/// A value: its data from where it begins, and the number of its parts.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    kind: u32,
    data: &'a [u8],
    count: usize,
}

impl<'a> Header<'a> {
    /// # Errors
    /// When it is not as long as it says.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self> {
        let (lengths, rest) = bytes.split_at_checked(8).context("it is cut")?;
        let [count, data_bytes] = [0, 4].map(|place| number(lengths, place).unwrap_or_default() as usize);
        let split = count.checked_mul(INDEX_BYTES).and_then(|length| rest.split_at_checked(length));
        let (index, data) = split.context("it is cut")?;
        ensure!(data.len() == data_bytes, "it has {} bytes of data, and says {data_bytes}", data.len());
        Ok(Self { index, data })
    }

    /// What it says of the whole package.
    ///
    /// # Errors
    /// When it has no name, or one that none has.
    pub(super) fn entry(&self) -> Result<Entry> {
        let name = self.word(NAME)?.context("it has no name")?;
        let (version, release) = (self.word(VERSION)?, self.word(RELEASE)?);
        let epoch = self.numbers(EPOCH)?.and_then(|epoch| epoch.get(0));
        let epoch = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        let release = release.map(|release| format!("-{release}")).unwrap_or_default();
        let version = version.map(|version| format!("{epoch}{version}{release}"));
        Ok(Entry { name, version, architecture: self.word(ARCHITECTURE)?, state: None })
    }

    fn word(&self, tag: u32) -> Result<Option<String>> {
        let Some(value) = self.value(tag)? else { return Ok(None) };
        ensure!(value.kind == TEXT, "tag {tag} is no text");
        let text = texts(value.data, 1).next().with_context(|| format!("tag {tag} has no end"))?;
        ensure!(!text.is_empty() && text.len() <= MAX_WORD_BYTES, "tag {tag} has {} bytes", text.len());
        Ok(Some(from_bytes(text).text.into_owned()))
    }

    pub(super) fn numbers(&self, tag: u32) -> Result<Option<Numbers<'a>>> {
        let Some(value) = self.value(tag)? else { return Ok(None) };
        ensure!(value.kind == WORDS, "tag {tag} has no numbers of 32 bits");
        let bytes = value.count.checked_mul(4).and_then(|length| value.data.get(..length));
        Ok(Some(Numbers(bytes.with_context(|| format!("tag {tag} is cut"))?)))
    }

    pub(super) fn bytes(&self, tag: u32) -> Result<Option<&'a [u8]>> {
        let Some(value) = self.value(tag)? else { return Ok(None) };
        ensure!([CHARACTERS, BYTES].contains(&value.kind), "tag {tag} has no bytes");
        value.data.get(..value.count).with_context(|| format!("tag {tag} is cut")).map(Some)
    }

    pub(super) fn texts(&self, tag: u32) -> Result<Option<Texts<'a>>> {
        let Some(value) = self.value(tag)? else { return Ok(None) };
        ensure!(value.kind == TEXTS, "tag {tag} has no texts");
        // Each has at least its end.
        ensure!(value.count <= value.data.len(), "tag {tag} is cut");
        Ok(Some(Texts { data: value.data, count: value.count }))
    }

    fn value(&self, tag: u32) -> Result<Option<Value<'a>>> {
        let is_tag = |entry: &&[u8]| number(entry, 0) == Some(tag);
        let Some(entry) = self.index.chunks_exact(INDEX_BYTES).rfind(is_tag) else { return Ok(None) };
        let [Some(kind), Some(place), Some(count)] = [4, 8, 12].map(|place| number(entry, place)) else {
            bail!("tag {tag} is cut");
        };
        let data = self.data.get(place as usize..).with_context(|| format!("tag {tag} lies outside"))?;
        Ok(Some(Value { kind, data, count: count as usize }))
    }
}

/// Numbers of 32 bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    pub(super) fn len(&self) -> usize {
        self.0.len() / 4
    }

    pub(super) fn get(&self, at: usize) -> Option<u32> {
        number(self.0, at.checked_mul(4)?)
    }
}

/// Texts, one behind the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    data: &'a [u8],
    count: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Each of them; fewer where one has no end.
    pub(super) fn each(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        texts(self.data, self.count)
    }
}

fn texts(data: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    // What is behind the last end is none.
    data.split_inclusive(|byte| *byte == 0).map_while(|text| text.strip_suffix(&[0])).take(count)
}

fn number(bytes: &[u8], place: usize) -> Option<u32> {
    let bytes = bytes.get(place..place.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}
