//! One object a line.

use super::{Formatter, Row};
use anyhow::Result;
use hashtrail::escape::escape_json;
use std::io::Write;

pub(super) struct Json;

impl Formatter for Json {
    fn row(&mut self, row: &Row, writer: &mut dyn Write) -> Result<()> {
        let json = serde_json::to_string(row)?;
        Ok(writeln!(writer, "{}", escape_json(&json))?)
    }

    fn finish(&mut self, _writer: &mut dyn Write) -> Result<()> {
        Ok(())
    }
}
