//! The last object of an answer: whether it is complete, and what several answers tell there.

use super::shape::{Field, Object, count, flag, integer, map_of_texts, object, objects, text, texts, time, words};
use crate::known;

/// The last object, with what this answer tells.
pub(super) fn summary(fields: impl IntoIterator<Item = Field>) -> Object {
    let first = [
        flag("complete", "Whether nothing that was asked for is missing, lost or doubtful"),
        objects("gaps", gap_of_host("told_gap", []), "Times in which something for this answer may be missing"),
        texts("problems", "What could not be read or is not there, in words"),
    ];
    let last = flag("limited", "As many rows as --limit allows are shown, and there may be more").sometimes();
    Object::row("summary", "The end of the answer", first.into_iter().chain(fields).chain([last]))
}

/// A time in which a change could hide.
pub(super) fn gap(name: &'static str, fields: impl IntoIterator<Item = Field>) -> Object {
    Object::new(name, "A time in which something can be missing", gap_fields().into_iter().chain(fields))
}

pub(super) fn gap_fields() -> [Field; 4] {
    [
        time("from", "Its begin"),
        time("to", "Its end"),
        text("cause", "Why: the cause of a loss in the ledger, `not_recorded`, or `no_ledger`"),
        integer("lost", "How many events are missing; null where nobody can know").or_null(),
    ]
}

pub(super) fn gap_of_host(name: &'static str, fields: impl IntoIterator<Item = Field>) -> Object {
    gap(name, [text("host", "Host whose recording it is")].into_iter().chain(fields))
}

/// Counts that make an answer incomplete.
pub(super) fn doubtful() -> Field {
    count("doubtful", "Observations whose digest is doubtful: what the content was then is not known")
}

pub(super) fn without_digest() -> Field {
    count("without_digest", "Observations without a digest that their policy asked for")
}

pub(super) fn written_while_mapped() -> Field {
    count("written_while_mapped", "Writes of files that were mapped executable: what ran then is not known")
}

/// What is told of all changes that were found.
pub(super) fn of_changes() -> Vec<Field> {
    vec![
        count("changes", "Changes that there are, also those that are not shown"),
        doubtful(),
        without_digest(),
        written_while_mapped(),
        count("mounted_over", "Paths at which another file stood by a mount"),
    ]
}

/// What did not change, and what nobody saw.
pub(super) fn observed() -> Vec<Field> {
    let unchanged = [
        text("path", "Its path"),
        text("host", "Its host"),
        text("algorithm", "Algorithm of the digest").or_null(),
        text("digest", "The digest at each observation; null where each is doubtful").or_null(),
        integer("observations", "How often it was observed"),
        time("first_seen", "Its first observation"),
        time("last_seen", "Its last one"),
    ];
    let unchanged = Object::new("unchanged_file", "A file that was observed and did not change", unchanged);
    vec![
        count("unchanged", "Files that were asked for by a path and did not change"),
        objects("unchanged_files", unchanged, "The first ones of these"),
        never_observed(),
    ]
}

pub(super) fn never_observed() -> Field {
    let events = |name| {
        let fields = [
            count("events", "How many there are"),
            time("first", "Time of the first"),
            time("last", "Time of the last"),
        ];
        object(name, Object::new("events_of_path", "Events that have the path", fields), "Events of it, if there are")
    };
    let fields = [
        text("pattern", "The path, glob or inode that was asked for"),
        Field { meaning: "Other events of it, which have no digest", ..events("without_digest") }.or_null().sometimes(),
        Field { meaning: "Events of it that other conditions leave out", ..events("left_out") }.or_null().sometimes(),
        texts("near", "Names that are near it"),
        flag("perhaps_taken_out", "It may be among the paths that were taken out of an archive").sometimes(),
    ];
    objects("never_observed", Object::new("unseen", "A pattern that no row has", fields), "Patterns that no row has")
}

/// Where a digest was asked for.
pub(super) fn asked_digest() -> Vec<Field> {
    let recorded = [text("algorithm", "Its name"), texts("hosts", "Hosts that recorded digests of it")];
    let not_comparable = [
        text("algorithm", "Algorithm of the digests that were asked for"),
        count("count", "How many of them"),
        texts("digests", "The first ones"),
        objects(
            "recorded",
            Object::new("recorded_algorithm", "An algorithm that was recorded", recorded),
            "Algorithms of the digests that were recorded",
        ),
    ];
    let not_comparable =
        Object::new("not_compared", "Digests that no recorded digest can be compared with", not_comparable);
    vec![
        texts("algorithms", "Algorithms of the digests that were recorded"),
        objects("not_comparable", not_comparable, "Digests that cannot be compared with what was recorded"),
        doubtful(),
        without_digest(),
    ]
}

/// Of these what does not count.
pub(super) fn compared_sometimes() -> Vec<Field> {
    asked_digest_sometimes(&["doubtful", "without_digest"])
}

/// Changes of which more than path and time was asked for.
pub(super) fn narrowed() -> [Field; 3] {
    [
        count("matching", "Changes that meet all that was asked for; where more than paths and times was").sometimes(),
        count("of_unknown_package", "Further changes of which it is not known which package owns the path").sometimes(),
        count("of_unknown_act", "Further changes of which it is not known whether such an act made them").sometimes(),
    ]
}

/// Where packages were asked for.
pub(super) fn owned() -> [Field; 2] {
    [
        count("package_paths", "Paths that the packages own that were asked for").sometimes(),
        texts("packages_unknown", "Recordings whose package database does not say it, and why").sometimes(),
    ]
}

/// As `asked_digest`, of a command that can ask otherwise.
pub(super) fn asked_digest_sometimes(has: &[&str]) -> Vec<Field> {
    let fields = asked_digest().into_iter().filter(|field| !has.contains(&field.name));
    fields.map(Field::sometimes).collect()
}

/// Hooks that were asked for.
pub(super) fn asked_hooks() -> Vec<Field> {
    vec![
        texts("unrecorded_hooks", "Hooks that were asked for, and that no policy of a recording asked for"),
        map_of_texts("near_hooks", "Hooks that were recorded and whose names are near, by the unrecorded one"),
        map_of_texts("hooks_recorded_in_part", "Recordings that had a hook not all of the time, by the hook"),
    ]
}

pub(super) fn without_exe() -> Field {
    count("without_exe", "Further events of which it is not known which program acted; where one was asked for")
        .sometimes()
}

/// Lists of known files that were asked.
pub(super) fn known_good() -> Field {
    let recorded = [
        text("algorithm", "Its name"),
        count("digests", "Distinct digests that were recorded"),
        flag("compared", "Whether the list has digests of it"),
        count("found", "How many of them the list has"),
    ];
    let list = [
        text("list", "Its name"),
        texts("algorithms", "Algorithms of its digests"),
        texts("algorithms_of_each_file", "Those of which each of its files has one"),
        count("false_one_in", "A filter seems to have one in so many digests that nobody put into it").or_null(),
        objects(
            "recorded",
            Object::new("compared_algorithm", "An algorithm against a list", recorded),
            "What was compared",
        ),
    ];
    let list = Object::new("known_list", "A list of known files", list);
    objects("known_good", list, "The lists of --known-good").sometimes()
}

/// What lists of known files say of a digest.
pub(super) fn known() -> Field {
    let fields = [
        words("state", known::states(), "What they say together"),
        texts("lists", "Those that have it"),
        count("false_one_in", "Of a filter: it seems to have one in so many that nobody put into it").or_null(),
        texts("not_compared", "Those that can neither have it nor not"),
    ];
    let mark = Object::new("known", "What lists of known files say of a digest; known is not harmless", fields);
    object("known", mark, "What the lists of --known-good say of the digest").sometimes()
}
