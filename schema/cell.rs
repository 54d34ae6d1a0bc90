//! One cell of a column: how a Rust value becomes an Arrow value, and back.

use crate::chunks::Chunk;
use crate::chunks::distinct::Distinct;
use crate::chunks::plain::{Flags, Longs};
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use std::borrow::Cow;
use std::sync::Arc;

/// Microseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Micros(pub i64);

/// A Rust type that can stand in a column.
pub trait Cell: Sized {
    /// The value as it is before it has a place of its own: what sealing writes without a copy.
    type View<'a>: Clone + Default;
    /// What collects the column.
    type Chunk: Chunk;
    /// Whether the column may hold null.
    const NULLABLE: bool;
    /// The Arrow type of the column.
    fn data_type() -> DataType;
    /// The value, borrowed.
    fn view(&self) -> Self::View<'_>;
    /// Adds a value to the column.
    fn append(view: &Self::View<'_>, chunk: &mut Self::Chunk);
    /// The value with a place of its own.
    fn owned(view: Self::View<'_>) -> Self;
    /// Appends the column's name and the value, so that no other row has the same bytes; nothing where it is null.
    fn spell(name: &str, view: &Self::View<'_>, bytes: &mut Vec<u8>);
    /// Reads row `row` of a column.
    ///
    /// # Errors
    /// When the column has another type, or holds null where the table allows none.
    fn read(array: &dyn Array, row: usize) -> Result<Self>;
}

/// Implements [`Cell`] for a value and for its optional form.
macro_rules! cell {
    ($type:ty, $view:ty, $chunk:ty, $data_type:expr, $borrow:expr, $append:expr, $own:expr, $spell:expr, $get:expr) => {
        impl Cell for $type {
            type View<'a> = $view;
            type Chunk = $chunk;
            const NULLABLE: bool = false;
            fn data_type() -> DataType {
                $data_type
            }
            fn view(&self) -> Self::View<'_> {
                let borrow: for<'a> fn(&'a $type) -> <$type as Cell>::View<'a> = $borrow;
                borrow(self)
            }
            #[inline]
            fn append(view: &Self::View<'_>, chunk: &mut Self::Chunk) {
                let append: fn(&mut $chunk, &<$type as Cell>::View<'_>) = $append;
                append(chunk, view);
            }
            fn owned(view: Self::View<'_>) -> Self {
                let own: fn(<$type as Cell>::View<'_>) -> $type = $own;
                own(view)
            }
            fn spell(name: &str, view: &Self::View<'_>, bytes: &mut Vec<u8>) {
                let spell: fn(&<$type as Cell>::View<'_>, &mut Vec<u8>) = $spell;
                spell_bytes(name.as_bytes(), bytes);
                spell(view, bytes);
            }
            fn read(array: &dyn Array, row: usize) -> Result<Self> {
                Option::<$type>::read(array, row)?.context("null in a column that allows none")
            }
        }

        impl Cell for Option<$type> {
            type View<'a> = Option<$view>;
            type Chunk = $chunk;
            const NULLABLE: bool = true;
            fn data_type() -> DataType {
                $data_type
            }
            fn view(&self) -> Self::View<'_> {
                self.as_ref().map(Cell::view)
            }
            #[inline]
            fn append(view: &Self::View<'_>, chunk: &mut Self::Chunk) {
                match view {
                    Some(view) => <$type as Cell>::append(view, chunk),
                    None => chunk.absent(),
                }
            }
            fn owned(view: Self::View<'_>) -> Self {
                view.map(<$type as Cell>::owned)
            }
            fn spell(name: &str, view: &Self::View<'_>, bytes: &mut Vec<u8>) {
                if let Some(view) = view {
                    <$type as Cell>::spell(name, view, bytes);
                }
            }
            fn read(array: &dyn Array, row: usize) -> Result<Self> {
                let get: fn(&dyn Array, usize) -> Option<$type> = $get;
                if array.is_null(row) {
                    return Ok(None);
                }
                get(array, row).map(Some).with_context(|| format!("the column has type {}", array.data_type()))
            }
        }
    };
}

cell!(
    String,
    Cow<'a, str>,
    Distinct,
    DataType::Utf8,
    |value| Cow::Borrowed(value),
    |chunk, view| chunk.value(view.as_bytes()),
    |view| view.into_owned(),
    |view, bytes| spell_bytes(view.as_bytes(), bytes),
    |array, row| array.as_string_opt::<i32>().map(|array| array.value(row).to_owned())
);
cell!(
    Vec<u8>,
    Cow<'a, [u8]>,
    Distinct,
    DataType::Binary,
    |value| Cow::Borrowed(value),
    |chunk, view| chunk.value(view),
    |view| view.into_owned(),
    |view, bytes| spell_bytes(view, bytes),
    |array, row| array.as_binary_opt::<i32>().map(|array| array.value(row).to_vec())
);
cell!(
    i64,
    i64,
    Longs,
    DataType::Int64,
    |value| *value,
    |chunk, view| chunk.value(*view),
    |view| view,
    |view, bytes| bytes.extend_from_slice(&view.to_le_bytes()),
    |array, row| array.as_primitive_opt::<Int64Type>().map(|array| array.value(row))
);
cell!(
    i32,
    i32,
    Distinct,
    DataType::Int32,
    |value| *value,
    |chunk, view| chunk.integer(*view),
    |view| view,
    |view, bytes| bytes.extend_from_slice(&view.to_le_bytes()),
    |array, row| array.as_primitive_opt::<Int32Type>().map(|array| array.value(row))
);
cell!(
    bool,
    bool,
    Flags,
    DataType::Boolean,
    |value| *value,
    |chunk, view| chunk.value(*view),
    |view| view,
    |view, bytes| bytes.push(u8::from(*view)),
    |array, row| array.as_boolean_opt().map(|array| array.value(row))
);
cell!(
    Micros,
    Micros,
    Longs,
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    |value| *value,
    |chunk, view| chunk.value(view.0),
    |view| view,
    |view, bytes| bytes.extend_from_slice(&view.0.to_le_bytes()),
    |array, row| array.as_primitive_opt::<TimestampMicrosecondType>().map(|array| Micros(array.value(row)))
);
cell!(
    Vec<String>,
    Cow<'a, [String]>,
    Distinct,
    list_of(DataType::Utf8),
    |value| Cow::Borrowed(value),
    |chunk, view| chunk.list(view.iter().map(String::as_bytes)),
    |view| view.into_owned(),
    |view, bytes| spell_list(view.iter().map(String::as_bytes), bytes),
    |array, row| {
        let values = array.as_list_opt::<i32>()?.value(row);
        let values = values.as_string_opt::<i32>()?;
        Some((0..values.len()).map(|index| values.value(index).to_owned()).collect())
    }
);
cell!(
    Vec<Vec<u8>>,
    Cow<'a, [Vec<u8>]>,
    Distinct,
    list_of(DataType::Binary),
    |value| Cow::Borrowed(value),
    |chunk, view| chunk.list(view.iter().map(Vec::as_slice)),
    |view| view.into_owned(),
    |view, bytes| spell_list(view.iter().map(Vec::as_slice), bytes),
    |array, row| {
        let values = array.as_list_opt::<i32>()?.value(row);
        let values = values.as_binary_opt::<i32>()?;
        Some((0..values.len()).map(|index| values.value(index).to_vec()).collect())
    }
);

fn spell_length(length: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
}

fn spell_bytes(value: &[u8], bytes: &mut Vec<u8>) {
    spell_length(value.len(), bytes);
    bytes.extend_from_slice(value);
}

fn spell_list<'a>(items: impl ExactSizeIterator<Item = &'a [u8]>, bytes: &mut Vec<u8>) {
    spell_length(items.len(), bytes);
    items.for_each(|item| spell_bytes(item, bytes));
}

/// `element` is the name that the Parquet format gives to the items of a list.
fn element(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", data_type, false))
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(element(data_type))
}
