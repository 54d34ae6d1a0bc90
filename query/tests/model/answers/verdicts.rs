//! Verdicts about where else the new content and the path were seen.

use super::{Case, Checked, Told, check, count};
use crate::tests::model::history::{Place, Sight};
use crate::tests::model::versions::Change;
use serde_json::Value;
use std::collections::BTreeSet;

impl Case<'_> {
    pub(super) fn verdicts(&self, change: &Change<'_>, row: &Value, told: &mut Told) -> Checked {
        let words: BTreeSet<&str> = row["verdicts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|verdict| verdict["verdict"].as_str())
            .collect();
        for (word, holds) in [
            ("same_content", self.is_copy(change)),
            ("other_root", self.has_other_root(change)),
            ("other_mount_namespace", self.has_other_tree(change)),
        ] {
            if holds {
                count(told, word);
            }
            check("verdicts", words.contains(word) == holds, || format!("{word} is {holds}: {row}"))?;
        }
        Ok(())
    }

    /// Sights of named files of the machine of a change.
    fn named(&self, change: &Change<'_>) -> impl Iterator<Item = (&Sight<'_>, Place)> {
        let host = change.place.host.clone();
        let named = self.sights.iter().filter(|sight| sight.has_digest() && sight.event().path_flags.is_empty());
        named.map(|sight| (sight, self.history.place(sight))).filter(move |(_, place)| place.host == host)
    }

    /// Whether the first certain sight of the content at any other path, or else a doubtful one, was before this one.
    fn is_copy(&self, change: &Change<'_>) -> bool {
        let new = &change.to[0];
        let of_content = self.named(change).filter(|(sight, _)| sight.content() == new.content());
        let elsewhere = of_content.filter(|(_, place)| place.path != change.place.path);
        let first = elsewhere.map(|(sight, _)| (!sight.is_certain(), sight.order())).min();
        first.is_some_and(|(_, order)| order < new.order())
    }

    /// Whether the path was seen under another root: of the same boot, unless one of both is the host's own.
    fn has_other_root(&self, change: &Change<'_>) -> bool {
        let Place { path, root, .. } = &change.place;
        self.named(change).any(|(_, place)| place.path == *path && place.root.is_some() != root.is_some())
    }

    /// Whether another tree was seen at the path under the same root, in a boot in which this one was seen.
    fn has_other_tree(&self, change: &Change<'_>) -> bool {
        let boots = |is_own: bool| -> BTreeSet<String> {
            let Place { path, root, tree, .. } = &change.place;
            let at_path = self.named(change).filter(|(_, place)| (&place.path, &place.root) == (path, root));
            let of_tree = at_path.filter(|(_, place)| (place.tree == *tree) == is_own);
            of_tree.map(|(sight, _)| sight.event().boot_id.clone()).collect()
        };
        !boots(true).is_disjoint(&boots(false))
    }
}
