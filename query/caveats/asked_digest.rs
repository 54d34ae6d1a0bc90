//! Which algorithms the digests of a recording are of: a digest of another one cannot be compared with them, so that it was not
//! found does not mean that it was not there.

use crate::archives::{Archives, Scan, Scope};
use crate::caveats::undigested;
use crate::output::{Row, object};
use crate::recordings::clock::ClockSteps;
use anyhow::{Context, Error, Result, anyhow};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use hashtrail::cell::Micros;
use hashtrail::digest::{Digest, plain_name};
use hashtrail::digest_list::{Kind, Lists, Wanted};
use hashtrail::versions::FileVersion;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Digests that are told one by one.
const TOLD_MAX: usize = 10;
/// Digests that the summary names.
const LISTED_MAX: usize = 1000;

/// What is read of each version.
const COLUMNS: [&str; 9] = [
    "recording_id",
    "host",
    "digest_algorithm",
    "first_time",
    "first_boot_ns",
    "last_time",
    "last_boot_ns",
    "doubts",
    "observations",
];

/// The algorithms of the digests that an answer is made from.
#[derive(Debug, Default)]
struct Algorithms {
    /// Names as the kernel reports them, with the hosts that recorded digests of each.
    hosts: BTreeMap<String, BTreeSet<String>>,
    /// Observations whose digest is doubtful.
    doubtful: usize,
    /// Events that have none though a policy asked for one.
    undigested: usize,
}

/// Digests of one algorithm that were looked for and could not be compared with all that was recorded.
#[derive(Debug, Default, PartialEq, Eq)]
struct NotCompared {
    /// What they are of, as people name it.
    algorithm: String,
    count: usize,
    /// The first of them.
    digests: Vec<String>,
    /// The algorithms that they could not be compared with, with their hosts.
    with: Vec<(String, Vec<String>)>,
    /// Whether they could be compared with some of the digests.
    in_part: bool,
}

impl Algorithms {
    /// Those in the time and on the hosts that were asked about.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    fn find(archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        let scan = Scan { columns: COLUMNS.to_vec(), ..Scan::default() };
        let (mut found, steps) = (Self::default(), ClockSteps::read_for(archives, scope)?);
        archives.scan::<FileVersion>(&scan, |batch| {
            let span_of = spans(batch, &steps)?;
            let text = |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let columns = text("host").zip(text("digest_algorithm"));
            let (hosts, algorithms) = columns.context("the columns of the algorithm are missing")?;
            let doubts = batch.column_by_name("doubts").and_then(|column| column.as_list_opt::<i32>());
            let observations =
                batch.column_by_name("observations").and_then(|column| column.as_primitive_opt::<Int64Type>());
            let (doubts, observations) = doubts.zip(observations).context("the columns of the doubts are missing")?;
            for row in 0..batch.num_rows() {
                if scope.touches(span_of(row)) {
                    found.add(algorithms.value(row), hosts.value(row));
                    let count = usize::try_from(observations.value(row)).unwrap_or(0);
                    found.doubtful += if doubts.value_length(row) > 0 { count } else { 0 };
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        found.undigested = undigested::count(archives, scope)?;
        Ok(found)
    }

    fn add(&mut self, algorithm: &str, host: &str) {
        if !self.hosts.contains_key(algorithm) {
            self.hosts.insert(algorithm.to_owned(), BTreeSet::new());
        }
        if let Some(hosts) = self.hosts.get_mut(algorithm).filter(|hosts| !hosts.contains(host)) {
            hosts.insert(host.to_owned());
        }
    }

    /// As the summary has them.
    fn names(&self) -> Vec<&str> {
        self.hosts.keys().map(String::as_str).collect()
    }

    /// The digests that cannot be compared with each of the algorithms, and for which no other digest of the same file can.
    fn not_compared(&self, wanted: &Wanted) -> Vec<NotCompared> {
        let open: Vec<BTreeSet<&String>> = wanted.kinds().iter().map(|kind| self.open_to(kind)).collect();
        let mut by_kind: BTreeMap<(BTreeSet<&String>, BTreeSet<&String>), NotCompared> = BTreeMap::new();
        wanted.each(|digest, kinds| {
            let (mut algorithms, mut with) = (BTreeSet::new(), BTreeSet::new());
            for place in kinds.filter(|place| !open[*place].is_empty()) {
                algorithms.insert(&wanted.kinds()[place].algorithm);
                with.extend(&open[place]);
            }
            if !with.is_empty() {
                by_kind.entry((algorithms, with)).or_default().add(digest);
            }
        });
        let named = |((algorithms, with), found): ((BTreeSet<&String>, BTreeSet<&String>), NotCompared)| NotCompared {
            algorithm: algorithms.into_iter().map(String::as_str).collect::<Vec<_>>().join(" or "),
            in_part: with.len() < self.hosts.len(),
            with: with.into_iter().map(|name| (name.clone(), self.hosts[name].iter().cloned().collect())).collect(),
            ..found
        };
        by_kind.into_iter().map(named).collect()
    }

    /// The algorithms that a digest of a kind, and those beside it, cannot be compared with.
    fn open_to(&self, kind: &Kind) -> BTreeSet<&String> {
        let fits = |name: &String| *name == kind.algorithm || kind.beside.contains(name);
        self.hosts.keys().filter(|name| !fits(&plain_name(name))).collect()
    }
}

/// For each row of a batch the time that its observations can lie in.
fn spans<'a>(batch: &'a RecordBatch, steps: &'a ClockSteps) -> Result<impl Fn(usize) -> (Micros, Micros) + 'a> {
    let number = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
    let time = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>();
    let ids = batch.column_by_name("recording_id").and_then(|column| column.as_string_opt::<i32>());
    let ends = time("first_time").zip(number("first_boot_ns")).zip(time("last_time").zip(number("last_boot_ns")));
    let columns = ids.zip(ends).zip(number("observations"));
    let ((ids, ((first, first_ns), (last, last_ns))), observations) =
        columns.context("the columns of the times are missing")?;
    Ok(move |row: usize| {
        let (first_time, last_time) = (Micros(first.value(row)), Micros(last.value(row)));
        if !steps.has(ids.value(row)) {
            return (first_time, last_time);
        }
        steps.span(&FileVersion {
            recording_id: ids.value(row).to_owned(),
            first_time,
            first_boot_ns: first_ns.value(row),
            last_time,
            last_boot_ns: last_ns.value(row),
            observations: observations.value(row),
            ..FileVersion::default()
        })
    })
}

impl NotCompared {
    fn add(&mut self, digest: &Digest) {
        self.count += 1;
        if self.digests.len() < LISTED_MAX {
            self.digests.push(digest.to_string());
        }
    }

    /// The error that it is.
    fn error(&self) -> Error {
        let Self { algorithm, count, digests, with, in_part } = self;
        let mut shown: Vec<String> = digests.iter().take(TOLD_MAX).map(|digest| format!("`{digest}`")).collect();
        if *count > TOLD_MAX {
            shown.push(format!("{} more", count - TOLD_MAX));
        }
        let with: Vec<String> = with.iter().map(|(name, hosts)| format!("{name} (on {})", hosts.join(", "))).collect();
        let what = if *in_part { "not comparable with a part of what was recorded" } else { "not comparable" };
        anyhow!(
            "{what}: {} of {algorithm}, and the recorded digests are {}: whether such a file was there cannot be known",
            shown.join(", "),
            with.join(", ")
        )
    }

    /// As JSON has it.
    fn to_json(&self) -> Value {
        let with: Vec<Value> =
            self.with.iter().map(|(name, hosts)| json!({"algorithm": name, "hosts": hosts})).collect();
        json!({"algorithm": self.algorithm, "count": self.count, "digests": self.digests, "recorded": with})
    }
}

/// What is to be said of digests that a question names.
#[derive(Debug, Default)]
pub(crate) struct AskedDigest {
    /// `None` where none were asked for.
    found: Option<(Algorithms, Vec<NotCompared>)>,
}

impl AskedDigest {
    /// Looks whether these digests can be compared with those that were recorded; that they cannot is a problem.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(crate) fn check(digests: &[String], archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        if digests.is_empty() {
            return Ok(Self::default());
        }
        let mut lists = Lists::default();
        digests.iter().try_for_each(|digest| lists.add(digest))?;
        Self::check_listed(&lists.finish(), archives, scope)
    }

    /// As `check`, of lists.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(crate) fn check_listed(wanted: &Wanted, archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        let algorithms = Algorithms::find(archives, scope)?;
        let not_compared = algorithms.not_compared(wanted);
        not_compared.iter().for_each(|one| archives.problems().error(&one.error()));
        Ok(Self { found: Some((algorithms, not_compared)) })
    }

    /// Whether a digest was asked for and none was recorded.
    pub(crate) fn is_without(&self) -> bool {
        self.found.as_ref().is_some_and(|(algorithms, _)| algorithms.hosts.is_empty())
    }

    /// Observations whose digest is doubtful, where one was asked for.
    pub(crate) fn doubtful(&self) -> usize {
        self.found.as_ref().map_or(0, |(algorithms, _)| algorithms.doubtful)
    }

    /// Events that have no digest though a policy asked for one, where one was asked for here too.
    pub(crate) fn undigested(&self) -> usize {
        self.found.as_ref().map_or(0, |(algorithms, _)| algorithms.undigested)
    }

    /// Fields of a summary that counts doubtful observations by itself.
    pub(crate) fn comparison(&self) -> Row {
        let mut fields = self.fields();
        fields.retain(|name, _| ["algorithms", "not_comparable"].contains(&name.as_str()));
        fields
    }

    /// Fields of the summary.
    pub(crate) fn fields(&self) -> Row {
        let fields = |(algorithms, not_compared): &(Algorithms, Vec<NotCompared>)| {
            let not_compared: Vec<Value> = not_compared.iter().map(NotCompared::to_json).collect();
            object(json!({
                "algorithms": algorithms.names(), "not_comparable": not_compared, "doubtful": algorithms.doubtful,
                "without_digest": algorithms.undigested,
            }))
        };
        self.found.as_ref().map(fields).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::problems::Problems;

    fn algorithms(recorded: &[(&str, &str)]) -> Algorithms {
        let mut algorithms = Algorithms::default();
        recorded.iter().for_each(|(algorithm, host)| algorithms.add(algorithm, host));
        algorithms
    }

    fn wanted(lines: &[&[(Option<&str>, usize)]]) -> Wanted {
        let digest = |number: usize, (algorithm, digits): &(Option<&str>, usize)| {
            format!(
                "{}{}",
                algorithm.map(|name| format!("{name}:")).unwrap_or_default(),
                format!("{number:x}").repeat(*digits)
            )
        };
        let line = |(number, line): (usize, &&[(Option<&str>, usize)])| {
            line.iter().map(|one| digest(number, one)).collect::<Vec<_>>().join(",") + "\n"
        };
        let text: String = lines.iter().enumerate().map(line).collect();
        let mut lists = Lists::default();
        lists.read_from("list", &mut text.as_bytes(), &Problems::default());
        lists.finish()
    }

    fn told(recorded: &[(&str, &str)], lines: &[&[(Option<&str>, usize)]]) -> Vec<String> {
        algorithms(recorded).not_compared(&wanted(lines)).iter().map(|one| one.error().to_string()).collect()
    }

    #[test]
    fn a_digest_of_another_algorithm_is_not_comparable() {
        let told = told(&[("sha256", "web"), ("sha256", "db")], &[&[(None, 32)], &[(None, 64)]]);
        let expected = format!(
            "not comparable: `{}` of md5, and the recorded digests are sha256 (on db, web): whether such a file was there \
             cannot be known",
            "0".repeat(32)
        );
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_part_that_is_of_another_algorithm_is_named() {
        let told = told(&[("sha256", "web"), ("sha1", "db")], &[&[(None, 64)]]);
        assert!(told[0].starts_with("not comparable with a part") && told[0].contains("are sha1 (on db)"), "{told:?}");
    }

    #[test]
    fn another_digest_of_the_same_file_stands_in() {
        let line: &[_] = &[(None, 32), (None, 64)];
        assert_eq!(told(&[("sha256", "web")], &[line]), [""; 0]);
        assert_eq!(told(&[("sha256", "web"), ("sha1", "db")], &[line]).len(), 2, "nothing stands in for SHA-1");
    }

    #[test]
    fn a_length_that_several_algorithms_have_makes_them_no_one() {
        assert_eq!(told(&[("sm3", "web")], &[&[(None, 64)]]).len(), 1);
        assert_eq!(told(&[("sm3-256", "web")], &[&[(Some("sm3"), 64)]]), [""; 0]);
        assert_eq!(told(&[("sha256", "web")], &[&[(Some("sm3"), 64)]]).len(), 1);
    }
}
