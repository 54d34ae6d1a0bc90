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
    /// Whether no row is earlier than the one before it.
    pub(crate) is_ordered: bool,
}

/// The host of whose rows a recording is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// As the archive names it.
    pub(crate) label: String,
    /// As the log does, or the user where the log names none.
    pub(crate) name: String,
    /// Whether its rows are those that name no host.
    pub(crate) is_unnamed: bool,
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
    /// By the name of the host in the log; empty for rows that name none.
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
        if let Some(span) = self.hosts.get_mut(host) {
            span.add(at_ns);
            return Ok(());
        }
        ensure!(self.hosts.len() < HOSTS_MAX, "it has records of more than {HOSTS_MAX} hosts");
        self.hosts.insert(host.to_owned(), Span { rows: 1, first_ns: at_ns, last_ns: at_ns, is_ordered: true });
        Ok(())
    }

    /// The host that the log is of: the one that the user names, or else the only one that its records name. Records that name none
    /// are another's, where others name one.
    ///
    /// # Errors
    /// When that is not one.
    pub(crate) fn host(&self, asked: &[String]) -> Result<Host> {
        let named: Vec<&str> = self.hosts.keys().map(String::as_str).filter(|host| !host.is_empty()).collect();
        let unnamed = self.hosts.get("").map_or(0, |span| span.rows);
        match (asked, &named[..]) {
            ([host], _) => self.asked(host, &named, unnamed),
            ([], [host]) if unnamed == 0 => Ok(Host::named(host)),
            ([], [host]) => bail!(
                "{unnamed} of its records name no host, others name `{host}`: --host {host} takes those that name it, --host with \
                 another name those that name none"
            ),
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

    fn asked(&self, asked: &str, named: &[&str], unnamed: u64) -> Result<Host> {
        let label = host_label(asked);
        let of_label: Vec<&str> = named.iter().copied().filter(|name| host_label(name) == label).collect();
        match &of_label[..] {
            _ if of_label.contains(&asked) => Ok(Host::named(asked)),
            [name] => Ok(Host::named(name)),
            [first, second, ..] => {
                bail!("`{first}` and `{second}` are one name in an archive: --host takes one as the log has it")
            }
            [] if unnamed > 0 || named.is_empty() => Ok(Host { label, name: asked.to_owned(), is_unnamed: true }),
            [] => bail!("no record of it names `{asked}`: they name `{}`", named[0]),
        }
    }

    /// The rows of a host.
    pub(crate) fn span(&self, host: &Host) -> Option<Span> {
        self.hosts.get(host.in_rows()).copied()
    }

    /// Rows of other hosts, which are left out.
    pub(crate) fn elsewhere(&self, host: &Host) -> u64 {
        self.hosts.iter().filter(|(name, _)| *name != host.in_rows()).map(|(_, span)| span.rows).sum()
    }
}

impl Host {
    fn named(name: &str) -> Self {
        Self { label: host_label(name), name: name.to_owned(), is_unnamed: false }
    }

    /// What its rows have for it.
    pub(super) fn in_rows(&self) -> &str {
        if self.is_unnamed { "" } else { &self.name }
    }
}

impl Span {
    fn add(&mut self, at_ns: i64) {
        self.rows += 1;
        self.is_ordered &= at_ns >= self.last_ns;
        self.first_ns = self.first_ns.min(at_ns);
        self.last_ns = self.last_ns.max(at_ns);
    }
}
