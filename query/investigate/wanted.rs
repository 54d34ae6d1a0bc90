//! Which changes are asked for beyond their paths and times: what is known of a change only once it was looked into.

use super::investigated::Investigated;
use crate::archives::act_filter::ActFilter;
use crate::output::Row;
use crate::suspects::Suspect;
use crate::suspects::attribution::Attribution;

/// What is empty asks for nothing; all of the rest must be met, each by one of its values.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Of a claim or a doubt.
    pub(crate) verdicts: Vec<String>,
    /// Of the content before or after.
    pub(crate) digests: Vec<String>,
    /// That own the path, or did before.
    pub(crate) packages: Vec<String>,
    /// Of who can have made the change.
    pub(crate) acts: ActFilter,
}

/// What became of the changes that were asked about.
#[derive(Debug, Default)]
pub(crate) struct Narrowed {
    /// Whether more than their paths and times was asked for.
    is_asked: bool,
    /// Those that are wanted.
    pub(crate) count: usize,
    /// Those of which it is not known which package owns the path.
    of_unknown_package: usize,
    /// Those that an act nobody knows of can have made.
    of_unknown_act: usize,
}

impl Wanted {
    /// Whether every change is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.verdicts.is_empty() && self.digests.is_empty() && self.packages.is_empty() && self.acts.is_empty()
    }

    /// Whether a change is wanted. One of which that cannot be told is counted.
    pub(super) fn takes(&self, one: &Investigated<'_>, narrowed: &mut Narrowed) -> bool {
        if !self.has_verdict(one) || !self.has_digest(one) {
            return false;
        }
        let (of_package, of_act) = (self.is_of_package(one), self.is_of_act(one));
        if of_package == Some(false) || of_act == Some(false) {
            return false;
        }
        narrowed.of_unknown_package += usize::from(of_package.is_none());
        narrowed.of_unknown_act += usize::from(of_act.is_none());
        let is_wanted = of_package.is_some() && of_act.is_some();
        narrowed.count += usize::from(is_wanted);
        is_wanted
    }

    fn has_verdict(&self, one: &Investigated<'_>) -> bool {
        let mut verdicts = one.verdicts.iter().flatten();
        self.verdicts.is_empty() || verdicts.any(|verdict| self.verdicts.iter().any(|word| word == verdict.word))
    }

    fn has_digest(&self, one: &Investigated<'_>) -> bool {
        let versions = one.change.from.iter().chain([&one.change.to]);
        let mut digests = versions.map(|version| &version.first().row.digest);
        self.digests.is_empty() || digests.any(|digest| self.digests.contains(digest))
    }

    fn is_of_package(&self, one: &Investigated<'_>) -> Option<bool> {
        if self.packages.is_empty() || self.packages.iter().any(|name| one.is_of_package(name)) {
            return Some(true);
        }
        one.knows_package().then_some(false)
    }

    /// An act that was not recorded, or whose names or program are not known, can have been one that is asked for.
    fn is_of_act(&self, one: &Investigated<'_>) -> Option<bool> {
        let acts = || one.suspects.list.iter().filter(|suspect| suspect.changes_content());
        if self.acts.is_empty() || acts().any(|suspect| suspect.is_of(&self.acts)) {
            return Some(true);
        }
        let (others, asks_program) = self.acts.clone().without("exe");
        let may_be = |suspect: &Suspect| suspect.seen.exe.is_none() && suspect.is_of(&others);
        let is_known =
            one.attribution == Some(Attribution::Suspects) && one.has_all_acts && !(asks_program && acts().any(may_be));
        // A first sight is no change, and nobody made it.
        (is_known || one.attribution.is_none()).then_some(false)
    }
}

impl Narrowed {
    pub(super) fn by(wanted: &Wanted) -> Self {
        Self { is_asked: !wanted.is_empty(), ..Self::default() }
    }

    /// Whether it is known of each change if it is wanted.
    pub(crate) fn is_whole(&self) -> bool {
        self.of_unknown_package + self.of_unknown_act == 0
    }

    /// Fields of the summary, where more than a path and a time was asked for.
    pub(crate) fn fields(&self) -> Row {
        let counts = [
            ("matching", self.count),
            ("of_unknown_package", self.of_unknown_package),
            ("of_unknown_act", self.of_unknown_act),
        ];
        let counts = counts.into_iter().filter(|_| self.is_asked);
        counts.map(|(name, count)| (name.to_owned(), count.into())).collect()
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let unknown = [
            (self.of_unknown_package, "which package owns the path"),
            (self.of_unknown_act, "whether such an act made them"),
        ];
        let unknown = unknown.into_iter().filter(|(count, _)| *count > 0);
        unknown.map(|(count, what)| format!("not complete: of {count} more change(s) it is not known {what}")).collect()
    }
}
