//! For Spark.

use super::dialect::{Dialect, path_text, stored_name};
use super::sources::Table;
use anyhow::{Result, bail};
use arrow::datatypes::DataType;

pub(super) struct Spark;

impl Dialect for Spark {
    fn words(&self) -> &'static str {
        include_str!("spark.words")
    }

    fn header(&self) -> &'static str {
        "To run it: hashtrail sql --engine spark --archive DIR > changes.sql; spark-sql -f changes.sql\n\
         Spark would plan all stages anew for each that asks them, so each is written below `hashtrail.work`, a folder that is\n\
         made where it is missing, and whose tables are written anew each time. Where paths mean another filesystem, name that\n\
         in them (s3a://…).\n\n"
    }

    fn prelude(&self) -> &'static str {
        "SET hashtrail.work = hashtrail-sql;\n\nSET spark.sql.session.timeZone = UTC;\n\n"
    }

    fn table(&self, table: &Table) -> Result<String> {
        let name = stored_name(table.name);
        let columns = table.columns.iter().map(|column| (column.name, type_name(&column.data_type)));
        if table.files.is_empty() {
            let columns: Vec<String> = columns.map(|(name, of)| format!("CAST(NULL AS {of}) AS {name}")).collect();
            return Ok(self.view(name, &format!("SELECT {} WHERE FALSE", columns.join(", "))));
        }
        // Columns that files of older recorders lack are null.
        let columns: Vec<String> = columns.map(|(name, of)| format!("{name} {of}")).collect();
        let files = table.files.iter().map(|file| one_name(path_text(file)?)).collect::<Result<Vec<_>>>()?;
        let path = match files.as_slice() {
            [file] => format!("/{file}"),
            files => format!("/{{{}}}", files.join(",")),
        };
        Ok(format!(
            "CREATE OR REPLACE TEMPORARY VIEW {name} ({})\nUSING parquet OPTIONS (path {});\n\n",
            columns.join(", "),
            self.text(&path)?
        ))
    }

    fn policies(&self) -> &'static str {
        include_str!("spark_policies.sql")
    }

    fn view(&self, name: &str, query: &str) -> String {
        format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS\n{query};\n\n")
    }

    fn keep(&self, name: &str, query: &str) -> String {
        let folder = format!("'${{hashtrail.work}}/{name}'");
        format!(
            "INSERT OVERWRITE DIRECTORY {folder} USING parquet\n{query};\n\nCREATE OR REPLACE TEMPORARY VIEW {name} USING \
             parquet OPTIONS (path {folder});\n\n"
        )
    }

    fn show(&self, query: &str) -> String {
        format!("{query};\n")
    }

    fn text(&self, text: &str) -> Result<String> {
        // There is no way to write these that Spark does not take for one of its variables.
        if text.contains("${") {
            bail!("`{text}` has a `${{`, which Spark takes for a variable: rename or link it");
        }
        Ok(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")))
    }
}

/// A path without its first slash, as a part of a glob: Spark takes several paths in no other way.
fn one_name(path: &str) -> Result<&str> {
    if path.contains(['*', '?', '[', ']', '{', '}', ',', '\\']) {
        bail!("`{path}` would be taken for a glob by Spark: rename or link it");
    }
    Ok(path.strip_prefix('/').unwrap_or(path))
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(element) => format!("ARRAY<{}>", type_name(element.data_type())),
        DataType::Utf8 => "STRING".into(),
        DataType::Timestamp(_, _) => "TIMESTAMP".into(),
        DataType::Binary => "BINARY".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int32 => "INT".into(),
        _ => "BIGINT".into(),
    }
}
