//! Thrift's compact protocol, walked against the shape that it must have and without keeping anything, so that what
//! the decoder will allocate is known before it decodes. The decoder believes the numbers of fields and not their
//! types; so both are checked here, and everything that it reads has been walked.

use anyhow::{Context, Result, bail};

/// Nesting of fields that no shape describes.
const MAX_DEPTH: usize = 16;

/// What a value must be.
pub(super) enum Shape {
    Boolean,
    Byte,
    Short,
    Integer,
    Long,
    /// Bytes or text, at most this many.
    Binary(usize),
    /// Elements, at most this many.
    List(usize, &'static Shape),
    /// The field at index `n` has the number `n + 1`. Later fields are walked by the type that they say they have.
    Struct(&'static [Shape]),
    /// As a struct, but with exactly one field.
    Union(&'static [Shape]),
    /// A field that the format knows and the writer never writes.
    Unused(&'static str),
}

/// The types on the wire. A boolean field holds its value in its type.
mod wire {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const SHORT: u8 = 4;
    pub(super) const INTEGER: u8 = 5;
    pub(super) const LONG: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
}

impl Shape {
    fn has(&self, wire: u8) -> bool {
        match self {
            Self::Boolean => matches!(wire, wire::TRUE | wire::FALSE),
            Self::Byte => wire == wire::BYTE,
            Self::Short => wire == wire::SHORT,
            Self::Integer => wire == wire::INTEGER,
            Self::Long => wire == wire::LONG,
            Self::Binary(_) => wire == wire::BINARY,
            Self::List(..) => wire == wire::LIST,
            Self::Struct(_) | Self::Union(_) => wire == wire::STRUCT,
            Self::Unused(_) => false,
        }
    }
}

/// Walks one structure and hands each integer with the numbers of the fields around it to `visit`; elements of a list
/// have no number. Returns how many bytes the structure takes. `offset` is its place in the file.
///
/// # Errors
/// Names the byte of the file and what is wrong there.
pub(super) fn walk(bytes: &[u8], offset: u64, shape: &Shape, visit: impl FnMut(&[i16], i64)) -> Result<usize> {
    let mut walker = Walker { bytes, position: 0, fields: Vec::new(), last: None, visit };
    walker.walk(offset, shape)
}

/// Walks the beginning of a structure up to the end of its field `last`; returns how many bytes that takes.
///
/// # Errors
/// As [`walk`].
pub(super) fn walk_up_to(bytes: &[u8], offset: u64, shape: &Shape, last: i16) -> Result<usize> {
    let mut walker = Walker { bytes, position: 0, fields: Vec::new(), last: Some(last), visit: |_: &[i16], _| {} };
    walker.walk(offset, shape)
}

struct Walker<'a, V> {
    bytes: &'a [u8],
    position: usize,
    /// Numbers of the fields that are open.
    fields: Vec<i16>,
    /// The field behind which nothing is walked, where there is one.
    last: Option<i16>,
    visit: V,
}

impl<V: FnMut(&[i16], i64)> Walker<'_, V> {
    fn walk(&mut self, offset: u64, shape: &Shape) -> Result<usize> {
        let walked = self.value(shape);
        let at = offset.saturating_add(u64::try_from(self.position)?);
        walked.with_context(|| match self.fields.as_slice() {
            [] => format!("byte {at}"),
            fields => format!("byte {at}, field {}", fields.iter().map(i16::to_string).collect::<Vec<_>>().join(".")),
        })?;
        Ok(self.position)
    }

    fn value(&mut self, shape: &Shape) -> Result<()> {
        match *shape {
            // Only as a field, where the type is the value.
            Shape::Boolean => Ok(()),
            Shape::Byte => self.byte().map(drop),
            Shape::Short => self.integer(i16::MIN.into(), i16::MAX.into()),
            Shape::Integer => self.integer(i32::MIN.into(), i32::MAX.into()),
            Shape::Long => self.integer(i64::MIN, i64::MAX),
            Shape::Binary(most) => self.binary(most),
            Shape::List(most, element) => self.list(most, element),
            Shape::Struct(fields) => self.fields_of(fields, true).map(drop),
            Shape::Union(fields) => match self.fields_of(fields, false)? {
                1 => Ok(()),
                count => bail!("{count} fields where there must be one"),
            },
            Shape::Unused(name) => bail!("{name} is not supported"),
        }
    }

    /// Walks fields up to the end of their structure and counts them. Their numbers must grow: none stands twice.
    fn fields_of(&mut self, shapes: &[Shape], open: bool) -> Result<usize> {
        let mut last = 0_i16;
        for count in 0.. {
            let head = self.byte()?;
            let (delta, wire) = (head >> 4, head & 0x0f);
            if wire == 0 {
                return Ok(count);
            }
            let number = match delta {
                0 => self.signed()?,
                delta => i64::from(last) + i64::from(delta),
            };
            let number = i16::try_from(number).with_context(|| format!("field number {number}"))?;
            if number <= last {
                bail!("field {number} stands after field {last}");
            }
            last = number;
            self.fields.push(number);
            match shapes.get(usize::try_from(number - 1)?) {
                Some(Shape::Unused(name)) => bail!("{name} is not supported"),
                Some(shape) if shape.has(wire) => self.value(shape)?,
                Some(_) => bail!("the field has type {wire}"),
                None if open => self.unknown(wire)?,
                None => bail!("the field is unknown"),
            }
            self.fields.pop();
            if self.fields.is_empty() && self.last == Some(number) {
                return Ok(count);
            }
        }
        Ok(0)
    }

    fn list(&mut self, most: usize, element: &Shape) -> Result<()> {
        let (count, wire) = self.list_head()?;
        if count > most {
            bail!("a list of {count} elements, more than {most}");
        }
        if count > 0 && !element.has(wire) {
            bail!("a list of elements of type {wire}");
        }
        (0..count).try_for_each(|_| self.value(element))
    }

    /// Number and type of a list's elements. Each takes at least one byte; booleans do not for the decoder, and stand
    /// in no list that is read.
    fn list_head(&mut self) -> Result<(usize, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.unsigned()?,
            count => count.into(),
        };
        let left = self.bytes.len() - self.position;
        let count = usize::try_from(count).ok().filter(|count| *count <= left);
        let Some(count) = count else { bail!("a list of more elements than the {left} bytes that follow") };
        Ok((count, head & 0x0f))
    }

    /// Walks what no shape describes, as the decoder skips it.
    fn unknown(&mut self, wire: u8) -> Result<()> {
        if self.fields.len() > MAX_DEPTH {
            bail!("nested more than {MAX_DEPTH} deep");
        }
        match wire {
            wire::TRUE | wire::FALSE => Ok(()),
            wire::BYTE => self.byte().map(drop),
            wire::SHORT | wire::INTEGER | wire::LONG => self.unsigned().map(drop),
            wire::DOUBLE => self.skip(8),
            wire::BINARY => self.binary(usize::MAX),
            wire::LIST | wire::SET => {
                let (count, element) = self.list_head()?;
                if count > 0 && matches!(element, wire::TRUE | wire::FALSE) {
                    bail!("a list of booleans");
                }
                self.fields.push(0);
                (0..count).try_for_each(|_| self.unknown(element))?;
                self.fields.pop();
                Ok(())
            }
            wire::STRUCT => self.fields_of(&[], true).map(drop),
            wire => bail!("a value of type {wire}"),
        }
    }

    fn integer(&mut self, low: i64, high: i64) -> Result<()> {
        let value = self.signed()?;
        if !(low..=high).contains(&value) {
            bail!("{value} is out of range");
        }
        (self.visit)(&self.fields, value);
        Ok(())
    }

    fn binary(&mut self, most: usize) -> Result<()> {
        let length = self.unsigned()?;
        let length = usize::try_from(length).ok().filter(|length| *length <= most);
        let Some(length) = length else { bail!("a value of more than {most} bytes") };
        self.skip(length)
    }

    fn skip(&mut self, length: usize) -> Result<()> {
        let left = self.bytes.len() - self.position;
        if length > left {
            bail!("a value of {length} bytes, of which {left} are there");
        }
        self.position += length;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.position).context("the data ends")?;
        self.position += 1;
        Ok(*byte)
    }

    fn unsigned(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        bail!("an integer of more than 10 bytes")
    }

    fn signed(&mut self) -> Result<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}
