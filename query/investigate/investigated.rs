//! A change with all that is known of how it came about.

use super::verdicts::Verdict;
use crate::output::{Row, object};
use crate::recordings::Recordings;
use crate::recordings::gaps::Gap;
use crate::suspects::attribution::Attribution;
use crate::suspects::{Suspect, Suspects};
use crate::versions::change::Change;
use crate::versions::run::Run;
use crate::versions::version::Version;
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What one question hands on, while it looks at it.
pub(crate) struct Investigated<'a> {
    pub(crate) change: &'a Change,
    pub(crate) suspects: &'a Suspects,
    /// `None` for a first sight, which is no change.
    pub(crate) attribution: Option<Attribution>,
    /// Whether nobody else can have made it; looked for only where acts are asked for.
    pub(super) has_all_acts: bool,
    /// What its interval lacks.
    pub(crate) gaps: Vec<Gap>,
    /// The hooks that every recording of its interval recorded.
    pub(crate) coverage: BTreeSet<&'a str>,
    /// `None` where they were not asked for.
    pub(crate) verdicts: Option<Vec<Verdict>>,
    /// The package that owns the path, and why that is not known.
    pub(super) package: (Value, Value),
    pub(super) recordings: &'a Recordings,
}

impl Investigated<'_> {
    /// Whether the path is, or was before, of the package with this name.
    pub(crate) fn is_of_package(&self, name: &str) -> bool {
        let package = &self.package.0;
        [package.get("package"), package.get("previous").and_then(|previous| previous.get("package"))]
            .into_iter()
            .flatten()
            .any(|found| found == name)
    }

    /// Whether it is known which package owns the path, or that none does.
    pub(crate) fn knows_package(&self) -> bool {
        let (package, unknown) = &self.package;
        !package.is_null() || unknown.is_null()
    }

    /// The fields that tell of the package.
    pub(crate) fn package_fields(&self) -> Row {
        let (package, unknown) = self.package.clone();
        [("package".to_owned(), package), ("package_unknown".to_owned(), unknown)].into_iter().collect()
    }

    /// The change, as the contract has it.
    pub(crate) fn to_row(&self) -> Row {
        let Investigated { change, suspects, attribution, gaps, coverage, verdicts, recordings, .. } = self;
        let to = &change.to.first().row;
        let mut row = object(json!({
            "type": "change",
            "path": change.key.path,
            "host": change.key.host,
            "root_dev": to.told_root_dev(),
            "root_ino": to.has_root().then_some(to.root_ino),
            "from": null,
            "to": null,
            "changed_after": change.told_after().map(Micros::rfc3339),
            "changed_before": change.before_time().rfc3339(),
            "changed_after_ns": change.after().map(|mark| mark.boot_ns),
            "changed_before_ns": change.before().boot_ns,
            "kind": change.kind.name(),
            "attribution": attribution.map(Attribution::name),
            "suspects": null,
            "suspects_omitted": suspects.omitted,
            "unnamed_acts": suspects.has_unnamed,
            "package": null,
            "complete": gaps.is_empty(),
            "coverage": coverage,
            "gaps": gaps.iter().map(Gap::to_json).collect::<Vec<Value>>(),
            "doubts": change.doubts,
        }));
        // The macro would copy them.
        row.insert("from".into(), change.from.as_deref().map(|from| version_json(from, from.latest())).into());
        row.insert("to".into(), version_json(&change.to, change.to.first()));
        row.insert("suspects".into(), suspects.list.iter().map(Suspect::to_json).collect());
        row.extend(self.package_fields());
        if let Some(verdicts) = verdicts {
            row.insert("verdicts".into(), verdicts.iter().map(|verdict| verdict.to_json(recordings)).collect());
        }
        row
    }
}

/// A version; its inode is that of the run next to the change.
fn version_json(version: &Version, next_to_change: &Run) -> Value {
    let row = &next_to_change.row;
    let file = row.has_file().then_some((&row.dev, row.ino));
    json!({
        "algorithm": row.digest_algorithm, "digest": row.digest, "dev": file.map(|(dev, _)| dev), "ino": file.map(|(_, ino)| ino),
        "first_seen": version.first_seen().rfc3339(), "last_seen": version.last_seen().rfc3339(),
        "runs": version.exec_runs(),
    })
}
