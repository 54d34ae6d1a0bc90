//! The first reading of a log, before anything is written: how much of it is of use, of which hosts it is and of which time.

use super::input::Input;
use super::record::Record;
use super::source::{Given, Source};
use anyhow::{Result, bail, ensure};
use hashtrail::archive::host_label;
use std::collections::BTreeMap;

/// So many unusable records are named; the others are counted.
const NAMED_MAX: usize = 100;
/// A log of more hosts is no log of one.
const HOSTS_MAX: usize = 10_000;

/// A record that cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) place: String,
    pub(crate) reason: String,
}

/// The rows of one host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) rows: u64,
    /// The earliest and the latest of them, in nanoseconds since 1970.
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
}

/// What a log holds.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) records: u64,
    pub(crate) unusable: u64,
    /// The first of these.
    pub(crate) named: Vec<Named>,
    /// Records that no row is made of, by why.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    /// By the name of the host in the archive; empty for rows that name none.
    hosts: BTreeMap<String, Span>,
}

impl Survey {
    /// # Errors
    /// When the log cannot be read to its end.
    pub(crate) fn of(input: &Input, source: &Source, given: &Given) -> Result<Self> {
        let mut survey = Self::default();
        (source.read)(input, given, &mut |place, record| {
            survey.records += 1;
            match record {
                Record::Row(event) => survey.add_row(&event.host, event.boot_ns)?,
                Record::Skipped(why) => *survey.skipped.entry(why).or_default() += 1,
                Record::Unusable(reason) => {
                    survey.unusable += 1;
                    if survey.named.len() < NAMED_MAX {
                        survey.named.push(Named { place: place.to_string(), reason });
                    }
                }
            }
            Ok(())
        })?;
        Ok(survey)
    }

    fn add_row(&mut self, host: &str, at_ns: i64) -> Result<()> {
        let label = label_of(host);
        if let Some(span) = self.hosts.get_mut(&label) {
            span.add(Span { rows: 1, first_ns: at_ns, last_ns: at_ns });
            return Ok(());
        }
        ensure!(self.hosts.len() < HOSTS_MAX, "it has records of more than {HOSTS_MAX} hosts");
        self.hosts.insert(label, Span { rows: 1, first_ns: at_ns, last_ns: at_ns });
        Ok(())
    }

    /// The host that the log is of: the one that the user names, or else the only one that its records name.
    ///
    /// # Errors
    /// When that is not one.
    pub(crate) fn host(&self, asked: &[String]) -> Result<String> {
        let named: Vec<&str> = self.hosts.keys().map(String::as_str).filter(|host| !host.is_empty()).collect();
        match (asked, &named[..]) {
            ([host], _) => Ok(host_label(host)),
            ([], [host]) => Ok((*host).to_owned()),
            ([], []) => bail!("its records name no host: --host says which it is of"),
            ([], [first, second, ..]) => {
                let count = named.len();
                bail!(
                    "its records are of {count} hosts, `{first}` and `{second}` among them: --host takes those of one"
                )
            }
            _ => bail!("an archive is of one host: give --host once"),
        }
    }

    /// The rows of a host, those that name none among them.
    pub(crate) fn span(&self, host: &str) -> Option<Span> {
        let of_host = [host, ""].into_iter().filter_map(|host| self.hosts.get(host)).copied();
        of_host.reduce(|mut all, span| {
            all.add(span);
            all
        })
    }

    /// Rows of other hosts, which are left out.
    pub(crate) fn elsewhere(&self, host: &str) -> u64 {
        let others = self.hosts.iter().filter(|(name, _)| !name.is_empty() && *name != host);
        others.map(|(_, span)| span.rows).sum()
    }
}

impl Span {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.first_ns = self.first_ns.min(other.first_ns);
        self.last_ns = self.last_ns.max(other.last_ns);
    }
}

/// The name of a host as the archive has it; empty where there is none.
pub(super) fn label_of(host: &str) -> String {
    if host.is_empty() { String::new() } else { host_label(host) }
}
