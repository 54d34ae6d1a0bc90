//! The columns of a table. `table!` makes from one list the row type, the Arrow schema, what collects a column and what
//! `hashtrail schema` prints, so that a column stands once.

use crate::chunks::{Chunk, Layout};
use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::schema::types::ColumnDescPtr;
use std::sync::Arc;

/// The columns that belong to no part of the row.
pub const REST: usize = 0;

/// One column: the single source of its name, type and meaning.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in snake_case, with its unit.
    pub name: &'static str,
    /// Arrow type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Layout in Parquet.
    pub layout: Layout,
    /// What it means, for people.
    pub meaning: &'static str,
}

/// A row type that `table!` made.
pub trait Row: Sized + Clone {
    /// A row whose texts stand elsewhere.
    type View<'a>;
    /// What collects each column.
    type Chunks;
    /// Name of the table and of its folder in the archive.
    const TABLE: &'static str;
    /// Names of all columns, in order.
    const NAMES: &'static [&'static str];
    /// All columns, in order.
    fn columns() -> Vec<Column>;
    /// The row, borrowed.
    fn view(&self) -> Self::View<'_>;
    /// Empty chunks for the leaves of the table's schema; `None` where there are less leaves than columns.
    fn chunks(leaves: &[ColumnDescPtr]) -> Option<Self::Chunks>;
    /// Adds a row to each column.
    fn append(view: &Self::View<'_>, chunks: &mut Self::Chunks);
    /// Adds a row to the columns of one part, or of none ([`REST`]).
    fn append_part<const PART: usize>(view: &Self::View<'_>, chunks: &mut Self::Chunks);
    /// Appends, for each column of a part, the code of what its last row holds.
    fn last_part<const PART: usize>(chunks: &Self::Chunks, codes: &mut Vec<u32>);
    /// Adds a row of these codes to the columns of a part.
    fn repeat_part<const PART: usize>(codes: &[u32], chunks: &mut Self::Chunks);
    /// Appends the names and values of a row's columns, so that no other row has the same bytes. A column that is null adds
    /// nothing, and so does one that a file of an older schema version does not have.
    fn spell(view: &Self::View<'_>, bytes: &mut Vec<u8>);
    /// Does something with each column, in order.
    ///
    /// # Errors
    /// The first one of `act`.
    fn each(chunks: &mut Self::Chunks, act: &mut dyn FnMut(&mut dyn Chunk) -> Result<()>) -> Result<()>;
    /// Reads row `row` of a batch. `places` says where the batch holds each column of the table, in their order; one that it
    /// does not hold is as in a row without values.
    ///
    /// # Errors
    /// Names the column that has another type.
    fn read(batch: &RecordBatch, places: &[Option<usize>], row: usize) -> Result<Self>;
}

/// The Arrow schema of a table.
#[must_use]
pub fn arrow_schema<R: Row>() -> SchemaRef {
    let fields = R::columns().into_iter().map(|column| Field::new(column.name, column.data_type, column.nullable));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Columns that files of schema version 1 do not have: there they are null.
pub(crate) const ADDED_IN_VERSION_2: [&str; 10] = [
    "undecided",
    "real_dev",
    "real_ino",
    "image_dev",
    "image_ino",
    "real_fs_type",
    "writable_mappings",
    "mapped_executable",
    "content_read_ns",
    "last_read_ns",
];

/// Declares a table: `field: Type, Layout, "meaning";` for each column, or `Layout in PART` where the column belongs to a part.
macro_rules! table {
    ($(#[$attribute:meta])* $row:ident, $view:ident, $chunks:ident in $table:literal {
        $($field:ident: $type:ty, $layout:ident $(in $part:ident)?, $meaning:literal;)*
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $row {
            $(#[doc = $meaning] pub $field: $type,)*
        }

        #[doc = concat!("A row of `", $table, "` whose texts stand elsewhere.")]
        #[derive(Debug, Clone, Default)]
        pub struct $view<'a> {
            $(#[doc = $meaning] pub $field: <$type as $crate::cell::Cell>::View<'a>,)*
        }

        impl $view<'_> {
            /// The row with its own texts.
            #[must_use]
            pub fn into_owned(self) -> $row {
                $row { $($field: <$type as $crate::cell::Cell>::owned(self.$field),)* }
            }
        }

        #[doc = concat!("The columns of `", $table, "`, as they are collected.")]
        pub struct $chunks {
            $($field: <$type as $crate::cell::Cell>::Chunk,)*
        }

        impl $crate::columns::Row for $row {
            type View<'a> = $view<'a>;
            type Chunks = $chunks;
            const TABLE: &'static str = $table;
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            fn columns() -> Vec<$crate::columns::Column> {
                use $crate::cell::Cell;
                vec![$($crate::columns::Column {
                    name: stringify!($field),
                    data_type: <$type>::data_type(),
                    nullable: <$type>::NULLABLE,
                    layout: $crate::chunks::Layout::$layout,
                    meaning: $meaning,
                }),*]
            }

            fn view(&self) -> $view<'_> {
                $view { $($field: $crate::cell::Cell::view(&self.$field),)* }
            }

            fn chunks(leaves: &[parquet::schema::types::ColumnDescPtr]) -> Option<$chunks> {
                let mut leaves = leaves.iter();
                $(let $field = $crate::chunks::Chunk::new(
                    leaves.next()?,
                    $crate::chunks::Layout::$layout,
                );)*
                Some($chunks { $($field,)* })
            }

            fn append(view: &$view<'_>, chunks: &mut $chunks) {
                $(<$type as $crate::cell::Cell>::append(&view.$field, &mut chunks.$field);)*
            }

            fn append_part<const PART: usize>(view: &$view<'_>, chunks: &mut $chunks) {
                $(if PART == $crate::columns::REST $(+ $part)? {
                    <$type as $crate::cell::Cell>::append(&view.$field, &mut chunks.$field);
                })*
            }

            fn last_part<const PART: usize>(chunks: &$chunks, codes: &mut Vec<u32>) {
                $($(if PART == $part {
                    codes.push($crate::chunks::Coded::last(&chunks.$field));
                })?)*
                let _ = (chunks, codes);
            }

            fn repeat_part<const PART: usize>(codes: &[u32], chunks: &mut $chunks) {
                let mut codes = codes.iter();
                $($(if PART == $part {
                    if let Some(code) = codes.next() {
                        $crate::chunks::Coded::repeat(&mut chunks.$field, *code);
                    }
                })?)*
                let _ = (chunks, codes.next());
            }

            fn spell(view: &$view<'_>, bytes: &mut Vec<u8>) {
                $(<$type as $crate::cell::Cell>::spell(stringify!($field), &view.$field, bytes);)*
            }

            fn each(
                chunks: &mut $chunks,
                act: &mut dyn FnMut(&mut dyn $crate::chunks::Chunk) -> anyhow::Result<()>,
            ) -> anyhow::Result<()> {
                $(act(&mut chunks.$field)?;)*
                Ok(())
            }

            fn read(
                batch: &arrow::array::RecordBatch,
                places: &[Option<usize>],
                row: usize,
            ) -> anyhow::Result<Self> {
                use anyhow::Context;
                use $crate::cell::Cell;
                let mut places = places.iter();
                Ok(Self {
                    // In the order in which they are written.
                    $($field: match places.next() {
                        Some(Some(place)) => Cell::read(batch.column(*place), row)
                            .with_context(|| concat!("column `", stringify!($field), "`"))?,
                        _ => Default::default(),
                    },)*
                })
            }
        }
    };
}
pub(crate) use table;
