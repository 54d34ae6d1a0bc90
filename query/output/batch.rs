//! Rows of any table as JSON objects.

use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use hashtrail::cell::Micros;
use hashtrail::manifest::hex;
use serde_json::{Map, Value};

/// One row: column names to values. Times are RFC 3339, bytes are hex.
pub(crate) fn row(batch: &RecordBatch, row: usize) -> Result<Map<String, Value>> {
    let schema = batch.schema();
    let cells = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let cell = value(column, row).with_context(|| format!("column `{}`", field.name()))?;
        Ok((field.name().clone(), cell))
    });
    cells.collect()
}

fn value(array: &dyn Array, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let value = match array.data_type() {
        DataType::Utf8 => array.as_string_opt::<i32>().map(|array| array.value(row).into()),
        DataType::Binary => array.as_binary_opt::<i32>().map(|array| hex(array.value(row)).into()),
        DataType::Int32 => array.as_primitive_opt::<Int32Type>().map(|array| array.value(row).into()),
        DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(|array| array.value(row).into()),
        DataType::Boolean => array.as_boolean_opt().map(|array| array.value(row).into()),
        DataType::Timestamp(_, _) => {
            array.as_primitive_opt::<TimestampMicrosecondType>().map(|array| Micros(array.value(row)).rfc3339().into())
        }
        DataType::List(_) => match array.as_list_opt::<i32>() {
            Some(list) => {
                let values = list.value(row);
                Some((0..values.len()).map(|index| self::value(&values, index)).collect::<Result<Vec<_>>>()?.into())
            }
            None => None,
        },
        _ => None,
    };
    value.with_context(|| format!("the type {} is not known", array.data_type()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashtrail::columns::Row;
    use hashtrail::event::Event;

    #[test]
    fn every_type_becomes_json() -> Result<()> {
        let event = Event {
            pid: 7,
            enforced: true,
            tags: vec!["a".into(), "b".into()],
            path_bytes: Some(vec![0xff, 1]),
            ..Event::default()
        };
        let row = row(&crate::testing::batch(&[event])?, 0)?;
        assert_eq!(row.len(), Event::columns().len());
        let cells = ["pid", "enforced", "tags", "path_bytes", "time", "path"].map(|name| row[name].to_string());
        let expected = ["7", "true", "[\"a\",\"b\"]", "\"ff01\"", "\"1970-01-01T00:00:00.000000Z\"", "null"];
        assert_eq!(cells, expected);
        Ok(())
    }
}
