//! Lines of text that were made elsewhere.

use super::{Formatter, Row};
use anyhow::Result;
use hashtrail::escape::escape;
use serde_json::Value;
use std::io::Write;

pub(super) struct Lines;

impl Formatter for Lines {
    fn row(&mut self, row: &Row, writer: &mut dyn Write) -> Result<()> {
        let line = row.get("line").and_then(Value::as_str).unwrap_or_default();
        Ok(writeln!(writer, "{}", escape(line))?)
    }

    fn finish(&mut self, _writer: &mut dyn Write) -> Result<()> {
        Ok(())
    }
}
