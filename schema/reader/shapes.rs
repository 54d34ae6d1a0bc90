//! The structures of a Parquet file, as far as the writer writes them, with the most of each that a reader accepts.
//! Order is number: the first entry of a structure is its field 1.

use super::thrift::Shape::{self, Binary, Boolean, Byte, Integer, List, Long, Short, Struct, Union, Unused};

/// Leaf columns of a file: the widest table has less than 80.
pub(super) const MAX_COLUMNS: usize = 256;
/// Row groups of a file: 67 million rows at the writer's size of a group.
const MAX_ROW_GROUPS: usize = 256;
/// Nodes of the schema: a list column takes three.
pub(super) const MAX_SCHEMA_NODES: usize = 3 * MAX_COLUMNS;
/// Name of a column. The decoder copies the names of all nodes around a column to the column.
const MAX_NAME_BYTES: usize = 64;
/// Bounds of a column are cut to 64 bytes in the footer, but not in page headers.
const MAX_BOUND_BYTES: usize = 64 << 10;
const MAX_TEXT_BYTES: usize = 1 << 20;

const EMPTY: Shape = Struct(&[]);
const TIME_UNIT: Shape = Union(&[EMPTY, EMPTY, EMPTY]);

const LOGICAL_TYPE: Shape = Union(&[
    EMPTY, // text
    Unused("the logical type MAP"),
    EMPTY, // list
    EMPTY, // enum
    Unused("the logical type DECIMAL"),
    EMPTY, // date
    Struct(&[Boolean, TIME_UNIT]),
    Struct(&[Boolean, TIME_UNIT]),
    Unused("the logical type INTERVAL"),
    Struct(&[Byte, Boolean]),
]);

/// type, length, repetition, name, children, converted type, scale, precision, field id, logical type
const SCHEMA_NODE: Shape = Struct(&[
    Integer,
    Integer,
    Integer,
    Binary(MAX_NAME_BYTES),
    Integer,
    Integer,
    Integer,
    Integer,
    Integer,
    LOGICAL_TYPE,
]);

/// Two old bounds, nulls, distinct values, highest, lowest, whether each is exact, NaNs
const STATISTICS: Shape = Struct(&[
    Binary(MAX_BOUND_BYTES),
    Binary(MAX_BOUND_BYTES),
    Long,
    Long,
    Binary(MAX_BOUND_BYTES),
    Binary(MAX_BOUND_BYTES),
    Boolean,
    Boolean,
    Long,
]);

/// type, encodings, path, codec, values, uncompressed and compressed bytes, …, offsets of data, index and dictionary,
/// statistics, encodings of pages, offset and length of the bloom filter, sizes
const COLUMN: Shape = Struct(&[
    Integer,
    List(32, &Integer),
    List(8, &Binary(MAX_NAME_BYTES)),
    Integer,
    Long,
    Long,
    Long,
    Unused("key-value metadata of a column"),
    Long,
    Long,
    Long,
    STATISTICS,
    List(32, &Struct(&[Integer, Integer, Integer])),
    Long,
    Integer,
    Struct(&[Long, List(16, &Long), List(16, &Long)]),
    Unused("geospatial statistics"),
]);

/// …, offset, column, offset and length of the offset index and of the column index
const CHUNK: Shape = Struct(&[
    Unused("data in another file"),
    Long,
    COLUMN,
    Long,
    Integer,
    Long,
    Integer,
    Unused("encryption"),
    Unused("encryption"),
]);

/// chunks, bytes, rows, sorting columns, offset, compressed bytes, number
const ROW_GROUP: Shape = Struct(&[
    List(MAX_COLUMNS, &CHUNK),
    Long,
    Long,
    List(MAX_COLUMNS, &Struct(&[Integer, Boolean, Boolean])),
    Long,
    Long,
    Short,
]);

/// The footer: version, schema, rows, row groups, key-value metadata, writer, orders of the columns
pub(super) const FOOTER: Shape = Struct(&[
    Integer,
    List(MAX_SCHEMA_NODES, &SCHEMA_NODE),
    Long,
    List(MAX_ROW_GROUPS, &ROW_GROUP),
    List(256, &Struct(&[Binary(MAX_TEXT_BYTES), Binary(MAX_TEXT_BYTES)])),
    Binary(MAX_TEXT_BYTES),
    List(MAX_COLUMNS, &Union(&[EMPTY, EMPTY])),
    Unused("encryption"),
    Unused("encryption"),
]);

/// type, uncompressed and compressed bytes, checksum, one header by type
pub(super) const PAGE: Shape = Struct(&[
    Integer,
    Integer,
    Integer,
    Integer,
    Struct(&[Integer, Integer, Integer, Integer, STATISTICS]),
    Unused("an index page"),
    Struct(&[Integer, Integer, Boolean]),
    Unused("a data page of version 2"),
]);

/// The head of a bloom filter: bytes, algorithm, hash, compression
pub(super) const BLOOM_FILTER: Shape = Struct(&[Integer, Union(&[EMPTY]), Union(&[EMPTY]), Union(&[EMPTY])]);
