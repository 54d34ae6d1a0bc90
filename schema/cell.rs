//! One cell of a column: how a Rust value becomes an Arrow value, and back.

use anyhow::{Context, Result};
use arrow::array::{
    Array, ArrayBuilder, AsArray, BinaryBuilder, BooleanBuilder, Int32Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMicrosecondBuilder,
};
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
    /// The Arrow builder that collects the column.
    type Builder: ArrayBuilder;
    /// Whether the column may hold null.
    const NULLABLE: bool;
    /// The Arrow type of the column.
    fn data_type() -> DataType;
    /// An empty builder of that type.
    fn builder() -> Self::Builder;
    /// The value, borrowed.
    fn view(&self) -> Self::View<'_>;
    /// Adds a value to the column.
    fn append(view: &Self::View<'_>, builder: &mut Self::Builder);
    /// The value with a place of its own.
    fn owned(view: Self::View<'_>) -> Self;
    /// Reads row `row` of a column.
    ///
    /// # Errors
    /// When the column has another type, or holds null where the table allows none.
    fn read(array: &dyn Array, row: usize) -> Result<Self>;
}

/// Implements [`Cell`] for a value and for its optional form.
macro_rules! cell {
    ($type:ty, $view:ty, $builder:ty, $data_type:expr, $new:expr, $borrow:expr, $append:expr, $own:expr, $get:expr) => {
        impl Cell for $type {
            type View<'a> = $view;
            type Builder = $builder;
            const NULLABLE: bool = false;
            fn data_type() -> DataType {
                $data_type
            }
            fn builder() -> Self::Builder {
                $new
            }
            fn view(&self) -> Self::View<'_> {
                let borrow: for<'a> fn(&'a $type) -> <$type as Cell>::View<'a> = $borrow;
                borrow(self)
            }
            fn append(view: &Self::View<'_>, builder: &mut Self::Builder) {
                let append: fn(&mut $builder, &<$type as Cell>::View<'_>) = $append;
                append(builder, view);
            }
            fn owned(view: Self::View<'_>) -> Self {
                let own: fn(<$type as Cell>::View<'_>) -> $type = $own;
                own(view)
            }
            fn read(array: &dyn Array, row: usize) -> Result<Self> {
                Option::<$type>::read(array, row)?.context("null in a column that allows none")
            }
        }

        impl Cell for Option<$type> {
            type View<'a> = Option<$view>;
            type Builder = $builder;
            const NULLABLE: bool = true;
            fn data_type() -> DataType {
                $data_type
            }
            fn builder() -> Self::Builder {
                $new
            }
            fn view(&self) -> Self::View<'_> {
                self.as_ref().map(Cell::view)
            }
            fn append(view: &Self::View<'_>, builder: &mut Self::Builder) {
                match view {
                    Some(view) => <$type as Cell>::append(view, builder),
                    None => builder.append_null(),
                }
            }
            fn owned(view: Self::View<'_>) -> Self {
                view.map(<$type as Cell>::owned)
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
    StringBuilder,
    DataType::Utf8,
    StringBuilder::new(),
    |value| Cow::Borrowed(value),
    |builder, view| builder.append_value(view),
    |view| view.into_owned(),
    |array, row| array.as_string_opt::<i32>().map(|array| array.value(row).to_owned())
);
cell!(
    Vec<u8>,
    Cow<'a, [u8]>,
    BinaryBuilder,
    DataType::Binary,
    BinaryBuilder::new(),
    |value| Cow::Borrowed(value),
    |builder, view| builder.append_value(view),
    |view| view.into_owned(),
    |array, row| array.as_binary_opt::<i32>().map(|array| array.value(row).to_vec())
);
cell!(
    i64,
    i64,
    Int64Builder,
    DataType::Int64,
    Int64Builder::new(),
    |value| *value,
    |builder, view| builder.append_value(*view),
    |view| view,
    |array, row| array.as_primitive_opt::<Int64Type>().map(|array| array.value(row))
);
cell!(
    i32,
    i32,
    Int32Builder,
    DataType::Int32,
    Int32Builder::new(),
    |value| *value,
    |builder, view| builder.append_value(*view),
    |view| view,
    |array, row| array.as_primitive_opt::<Int32Type>().map(|array| array.value(row))
);
cell!(
    bool,
    bool,
    BooleanBuilder,
    DataType::Boolean,
    BooleanBuilder::new(),
    |value| *value,
    |builder, view| builder.append_value(*view),
    |view| view,
    |array, row| array.as_boolean_opt().map(|array| array.value(row))
);
cell!(
    Micros,
    Micros,
    TimestampMicrosecondBuilder,
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    TimestampMicrosecondBuilder::new().with_timezone("UTC"),
    |value| *value,
    |builder, view| builder.append_value(view.0),
    |view| view,
    |array, row| array.as_primitive_opt::<TimestampMicrosecondType>().map(|array| Micros(array.value(row)))
);
cell!(
    Vec<String>,
    Cow<'a, [String]>,
    ListBuilder<StringBuilder>,
    list_of(DataType::Utf8),
    ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8)),
    |value| Cow::Borrowed(value),
    |builder, view| {
        for value in view.iter() {
            builder.values().append_value(value);
        }
        builder.append(true);
    },
    |view| view.into_owned(),
    |array, row| {
        let values = array.as_list_opt::<i32>()?.value(row);
        let values = values.as_string_opt::<i32>()?;
        Some((0..values.len()).map(|index| values.value(index).to_owned()).collect())
    }
);
cell!(
    Vec<Vec<u8>>,
    Cow<'a, [Vec<u8>]>,
    ListBuilder<BinaryBuilder>,
    list_of(DataType::Binary),
    ListBuilder::new(BinaryBuilder::new()).with_field(element(DataType::Binary)),
    |value| Cow::Borrowed(value),
    |builder, view| {
        for value in view.iter() {
            builder.values().append_value(value);
        }
        builder.append(true);
    },
    |view| view.into_owned(),
    |array, row| {
        let values = array.as_list_opt::<i32>()?.value(row);
        let values = values.as_binary_opt::<i32>()?;
        Some((0..values.len()).map(|index| values.value(index).to_vec()).collect())
    }
);

/// `element` is the name that the Parquet format gives to the items of a list.
fn element(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", data_type, false))
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(element(data_type))
}
