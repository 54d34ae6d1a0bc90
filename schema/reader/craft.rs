//! Makes hostile files from a good one: footer and page headers are taken apart, changed and put together again.

use crate::columns::Row;
use crate::versions::FileVersion;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// A value of Thrift's compact protocol.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Boolean(bool),
    Byte(u8),
    /// With its type on the wire.
    Integer(u8, i64),
    Binary(Vec<u8>),
    /// With the type of its elements.
    List(u8, Vec<Value>),
    Struct(Vec<(i16, Value)>),
}

impl Value {
    pub(super) fn int(value: i64) -> Self {
        Self::Integer(5, value)
    }

    pub(super) fn long(value: i64) -> Self {
        Self::Integer(6, value)
    }

    fn wire(&self) -> u8 {
        match self {
            Self::Boolean(value) => 2 - u8::from(*value),
            Self::Byte(_) => 3,
            Self::Integer(wire, _) => *wire,
            Self::Binary(_) => 8,
            Self::List(..) => 9,
            Self::Struct(_) => 12,
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Boolean(_) => {}
            Self::Byte(byte) => out.push(*byte),
            Self::Integer(_, value) => varint(((value << 1) ^ (value >> 63)).cast_unsigned(), out),
            Self::Binary(bytes) => {
                varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Self::List(wire, elements) => {
                out.push(0xf0 | wire);
                varint(elements.len() as u64, out);
                elements.iter().for_each(|element| element.encode(out));
            }
            Self::Struct(fields) => {
                for (number, value) in fields {
                    out.push(value.wire());
                    Self::Integer(4, (*number).into()).encode(out);
                    value.encode(out);
                }
                out.push(0);
            }
        }
    }

    /// The field at a path of field numbers; a number of a list is an index.
    pub(super) fn at(&mut self, path: &[i16]) -> &mut Self {
        let Some((first, rest)) = path.split_first() else { return self };
        match self {
            Self::List(_, elements) => elements[usize::try_from(*first).expect("an index")].at(rest),
            Self::Struct(fields) => {
                let field = fields.iter_mut().find(|(number, _)| number == first).expect("the field stands");
                field.1.at(rest)
            }
            value => panic!("{value:?} has no fields"),
        }
    }

    /// Sets a field of a structure, which stands or not.
    pub(super) fn set(&mut self, number: i16, value: Self) {
        let Self::Struct(fields) = self else { panic!("{self:?} has no fields") };
        fields.retain(|field| field.0 != number);
        fields.push((number, value));
        fields.sort_by_key(|field| field.0);
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a structure apart and says how many bytes it took.
pub(super) fn decode(bytes: &[u8]) -> Result<(Value, usize)> {
    let mut rest = bytes;
    let value = take(&mut rest, 12)?;
    Ok((value, bytes.len() - rest.len()))
}

fn take(rest: &mut &[u8], wire: u8) -> Result<Value> {
    Ok(match wire {
        1 | 2 => Value::Boolean(wire == 1),
        3 => Value::Byte(take_byte(rest)?),
        4..=6 => Value::Integer(wire, take_signed(rest)?),
        8 => {
            let length = usize::try_from(take_varint(rest)?)?;
            Value::Binary(rest.split_off(..length).context("a value ends")?.to_vec())
        }
        9 => {
            let head = take_byte(rest)?;
            let count = if head >> 4 == 15 { take_varint(rest)? } else { (head >> 4).into() };
            let elements = (0..count).map(|_| take(rest, head & 15));
            Value::List(head & 15, elements.collect::<Result<_>>()?)
        }
        12 => {
            let (mut fields, mut last) = (Vec::new(), 0);
            loop {
                let head = take_byte(rest)?;
                if head & 15 == 0 {
                    break Value::Struct(fields);
                }
                last = match head >> 4 {
                    0 => i16::try_from(take_signed(rest)?)?,
                    delta => last + i16::from(delta),
                };
                fields.push((last, take(rest, head & 15)?));
            }
        }
        wire => bail!("type {wire}"),
    })
}

fn take_byte(rest: &mut &[u8]) -> Result<u8> {
    rest.split_off_first().copied().context("the data ends")
}

fn take_varint(rest: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a long integer")
}

fn take_signed(rest: &mut &[u8]) -> Result<i64> {
    let value = take_varint(rest)?;
    Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
}

/// A file of versions in parts.
pub(super) struct Craft {
    /// All before the footer.
    pub(super) data: Vec<u8>,
    pub(super) footer: Value,
}

impl Craft {
    pub(super) fn new(path: &Path) -> Result<Self> {
        let bytes = fs::read(path)?;
        let (rest, tail) = bytes.split_last_chunk::<8>().context("a tail")?;
        let length = u32::from_le_bytes(*tail.first_chunk().context("a length")?);
        let (data, footer) = rest.split_at(rest.len() - usize::try_from(length)?);
        Ok(Self { data: data.to_vec(), footer: decode(footer)?.0 })
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut footer = Vec::new();
        self.footer.encode(&mut footer);
        self.write_with(path, &footer)
    }

    pub(super) fn write_with(&self, path: &Path, footer: &[u8]) -> Result<()> {
        let length = u32::try_from(footer.len())?.to_le_bytes();
        Ok(fs::write(path, [&self.data, footer, &length, b"PAR1"].concat())?)
    }

    /// The chunk of a column in the first row group.
    pub(super) fn chunk(&mut self, column: &str) -> &mut Value {
        let index = FileVersion::columns().iter().position(|known| known.name == column).expect("a column");
        self.footer.at(&[4, 0, 1, i16::try_from(index).expect("few columns")])
    }

    /// Headers and bodies of a column's pages.
    pub(super) fn pages(&mut self, column: &str) -> Result<Vec<(Value, Vec<u8>)>> {
        let integer = |value: &Value| match value {
            Value::Integer(_, value) => usize::try_from(*value).context("a size"),
            value => bail!("{value:?} is no integer"),
        };
        let meta = self.chunk(column).at(&[3]).clone();
        let field = |number| match &meta {
            Value::Struct(fields) => fields.iter().find(|field| field.0 == number).map(|field| integer(&field.1)),
            _ => None,
        };
        let mut start = field(11).or(field(9)).context("an offset")??;
        let end = start + field(7).context("a length")??;
        let mut pages = Vec::new();
        while start < end {
            let (mut header, taken) = decode(&self.data[start..])?;
            let body = start + taken..start + taken + integer(header.at(&[3]))?;
            start = body.end;
            pages.push((header, self.data[body].to_vec()));
        }
        Ok(pages)
    }

    /// Puts other pages of a column behind the data and lets the footer point there.
    pub(super) fn set_pages(&mut self, column: &str, pages: &[(Value, Vec<u8>)]) {
        let start = self.data.len();
        let (mut expanded, mut data_start, mut dictionary_start) = (0, None, None);
        for (header, body) in pages {
            let offset = self.data.len();
            let mut header = header.clone();
            match *header.at(&[1]) {
                Value::Integer(_, 2) => dictionary_start = Some(offset),
                _ => data_start = data_start.or(Some(offset)),
            }
            header.encode(&mut self.data);
            let Value::Integer(_, size) = *header.at(&[2]) else { panic!("a size") };
            expanded += i64::try_from(self.data.len() - offset).expect("small") + size;
            self.data.extend_from_slice(body);
        }
        let long = |value: usize| Value::long(i64::try_from(value).expect("small"));
        let length = self.data.len() - start;
        let meta = self.chunk(column).at(&[3]);
        meta.set(6, Value::long(expanded));
        meta.set(7, long(length));
        meta.set(9, long(data_start.unwrap_or(start)));
        if let Some(start) = dictionary_start {
            meta.set(11, long(start));
        }
    }
}

/// A zstd frame that expands to so many times 128 KiB of zeros.
pub(super) fn bomb(blocks: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for block in 1..=blocks {
        let head = u32::from(block == blocks) | 1 << 1 | (128 << 10) << 3;
        frame.extend_from_slice(&head.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}
