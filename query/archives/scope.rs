//! What a question is about: which archives, hosts and times.

use crate::arguments::time;
use anyhow::{Result, bail};
use clap::Args;
use hashtrail::cell::Micros;
use std::path::PathBuf;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Shared options")]
pub(crate) struct Scope {
    /// Archive directory or glob; repeatable. Without it, the current directory if it holds a manifest.jsonl
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) archive: Vec<PathBuf>,
    /// Only this host; repeatable
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// From this time on: RFC 3339, 2026-01-31, @epoch, yesterday, 16:20 (UTC) or 30m (ago)
    #[arg(long, global = true, value_name = "TIME", value_parser = time::parse)]
    pub(crate) since: Option<Micros>,
    /// Before this time, which must be after --since
    #[arg(long, global = true, value_name = "TIME", value_parser = time::parse)]
    pub(crate) until: Option<Micros>,
}

impl Scope {
    /// # Errors
    /// When no time lies in it.
    pub(crate) fn check(&self) -> Result<()> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && until <= since
        {
            bail!("--until {} is not after --since {}: between them lies no time", until.rfc3339(), since.rfc3339());
        }
        Ok(())
    }

    /// Whether a part of what lasts from one time to another lies in it.
    pub(crate) fn touches(&self, (first, last): (Micros, Micros)) -> bool {
        self.since.is_none_or(|since| last >= since) && self.until.is_none_or(|until| first < until)
    }

    /// Its first and last moment, in microseconds.
    pub(crate) fn span(&self) -> (i64, i64) {
        let last = self.until.map_or(i64::MAX, |until| until.0.saturating_sub(1));
        (self.since.map_or(i64::MIN, |since| since.0), last)
    }

    /// First and last date of the partitions that hold them; `None` for all.
    pub(crate) fn dates(&self) -> Option<(String, String)> {
        // Years of more than four digits sort elsewhere.
        let date = |time: Option<Micros>| time.map(Micros::date).filter(|date| is_date(date));
        let is_timed = self.since.is_some() || self.until.is_some();
        let last = || date(self.until).unwrap_or_else(|| "9999-99-99".to_owned());
        is_timed.then(|| (date(self.since).unwrap_or_default(), last()))
    }
}

/// Whether the name of a partition sorts by time: rows of a clock that is far off stand in others.
pub(super) fn is_date(date: &str) -> bool {
    date.len() == 10 && date != "0000-00-00" && date.starts_with(|first: char| first.is_ascii_digit())
}
