//! What a value of an answer can be, and what it means.

use arrow::datatypes::DataType;
use hashtrail::columns::{Column, Row};

/// What stands under a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Text,
    /// In RFC 3339, to the microsecond; a year of more than four digits has a sign, and what no calendar has is `@…us`.
    Time,
    Integer,
    /// Never below zero.
    Count,
    Flag,
    /// One of these texts.
    Words(Vec<&'static str>),
    List(Box<Self>),
    /// Names that are not known beforehand, each with such a value.
    Map(Box<Self>),
    Object(Object),
    /// Whatever a manifest or a column has.
    Any,
}

/// An object with a name of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) fields: Vec<Field>,
    /// Whether it may have others too, which were written by somebody else.
    pub(crate) is_open: bool,
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) shape: Shape,
    pub(crate) nullable: bool,
    /// Whether it is missing where an option does not ask for it, or where it would say nothing.
    pub(crate) optional: bool,
}

impl Object {
    pub(crate) fn new(name: &'static str, meaning: &'static str, fields: impl IntoIterator<Item = Field>) -> Self {
        Self { name, meaning, fields: fields.into_iter().collect(), is_open: false }
    }

    /// A row, which says of itself what it is.
    pub(crate) fn row(name: &'static str, meaning: &'static str, fields: impl IntoIterator<Item = Field>) -> Self {
        let of_type = words("type", [name], "What the object is");
        Self::new(name, meaning, [of_type].into_iter().chain(fields))
    }

    pub(crate) fn open(self) -> Self {
        Self { is_open: true, ..self }
    }
}

impl Field {
    fn new(name: &'static str, shape: Shape, meaning: &'static str) -> Self {
        Self { name, meaning, shape, nullable: false, optional: false }
    }

    pub(crate) fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// Not in each such object.
    pub(crate) fn sometimes(self) -> Self {
        Self { optional: true, ..self }
    }

    fn of(column: &Column) -> Self {
        let field = Self::new(column.name, shape_of(&column.data_type), column.meaning);
        Self { nullable: column.nullable, ..field }
    }
}

fn shape_of(data_type: &DataType) -> Shape {
    match data_type {
        // Bytes stand in hex.
        DataType::Utf8 | DataType::Binary => Shape::Text,
        DataType::Boolean => Shape::Flag,
        DataType::Timestamp(_, _) => Shape::Time,
        DataType::List(element) => Shape::List(Box::new(shape_of(element.data_type()))),
        _ => Shape::Integer,
    }
}

/// All columns of a table, as its declaration has them.
pub(crate) fn all_columns<R: Row>() -> Vec<Field> {
    R::columns().iter().map(Field::of).collect()
}

/// These columns of a table.
pub(crate) fn columns<R: Row>(names: &[&str]) -> Vec<Field> {
    let columns = R::columns();
    let column = |name: &&str| columns.iter().find(|column| column.name == *name).map(Field::of);
    names.iter().filter_map(column).collect()
}

pub(crate) fn text(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Text, meaning)
}

pub(crate) fn texts(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::List(Box::new(Shape::Text)), meaning)
}

pub(crate) fn time(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Time, meaning)
}

pub(crate) fn integer(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Integer, meaning)
}

pub(crate) fn count(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Count, meaning)
}

pub(crate) fn flag(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Flag, meaning)
}

pub(crate) fn any(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Any, meaning)
}

pub(crate) fn words(name: &'static str, words: impl IntoIterator<Item = &'static str>, meaning: &'static str) -> Field {
    Field::new(name, Shape::Words(words.into_iter().collect()), meaning)
}

pub(crate) fn object(name: &'static str, object: Object, meaning: &'static str) -> Field {
    Field::new(name, Shape::Object(object), meaning)
}

pub(crate) fn objects(name: &'static str, object: Object, meaning: &'static str) -> Field {
    Field::new(name, Shape::List(Box::new(Shape::Object(object))), meaning)
}

/// Names with lists of texts.
pub(crate) fn map_of_texts(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Map(Box::new(Shape::List(Box::new(Shape::Text)))), meaning)
}

/// Names with counts.
pub(crate) fn map_of_counts(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Map(Box::new(Shape::Count)), meaning)
}

/// Names with anything.
pub(crate) fn map(name: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Shape::Map(Box::new(Shape::Any)), meaning)
}
