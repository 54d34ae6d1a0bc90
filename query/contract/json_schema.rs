//! The contract as JSON Schema, draft 2020-12.

use super::Answer;
use super::shape::{Field, Object, Shape};
use serde_json::{Map, Value, json};

/// RFC 3339, years that it does not know, and microseconds since 1970 where there is no year: a clock can be anywhere. The format
/// `date-time` would refuse these.
const TIME: &str = r"^([+-]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)|@-?\d+us)$";

/// The schema of each line of an answer.
pub(crate) fn of(answer: &Answer) -> Value {
    let mut definitions = Map::new();
    answer.rows.iter().for_each(|row| define(row, &mut definitions));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("hashtrail {}", answer.verb),
        "description": format!("Each line of `hashtrail {} --format json`, without --columns", answer.verb),
        "oneOf": answer.rows.iter().map(reference).collect::<Vec<_>>(),
        "$defs": definitions,
    })
}

fn reference(object: &Object) -> Value {
    json!({"$ref": format!("#/$defs/{}", object.name)})
}

/// Adds an object and those in it.
fn define(object: &Object, definitions: &mut Map<String, Value>) {
    let properties: Map<String, Value> =
        object.fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = object.fields.iter().filter(|field| !field.optional).map(|field| field.name).collect();
    let definition = json!({
        "description": object.meaning, "type": "object", "properties": properties, "required": required,
        "additionalProperties": object.is_open,
    });
    definitions.insert(object.name.to_owned(), definition);
    object.fields.iter().filter_map(|field| within(&field.shape)).for_each(|object| define(object, definitions));
}

/// The object in a shape.
fn within(shape: &Shape) -> Option<&Object> {
    match shape {
        Shape::Object(object) => Some(object),
        Shape::List(of) | Shape::Map(of) => within(of),
        _ => None,
    }
}

fn property(field: &Field) -> Value {
    let shape = schema(&field.shape);
    let mut property = if field.nullable { json!({"anyOf": [shape, {"type": "null"}]}) } else { shape };
    property["description"] = field.meaning.into();
    property
}

fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Time => json!({"type": "string", "pattern": TIME}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Count => json!({"type": "integer", "minimum": 0}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::List(of) => json!({"type": "array", "items": schema(of)}),
        Shape::Map(of) => json!({"type": "object", "additionalProperties": schema(of)}),
        Shape::Object(object) => reference(object),
        Shape::Any => json!({}),
    }
}
