//! What commands answer about contents: every version of a file, every place of a digest, and what sides or hosts have.

use super::changes::written_while_mapped;
use super::shape::{Field, Object, columns, count, flag, integer, object, objects, text, texts, time, words};
use super::summary::{self, gap_of_host, known, known_good, summary};
use crate::investigate::diff::Kind;
use hashtrail::versions::FileVersion;

pub(super) fn history() -> Vec<Object> {
    let told = [
        count("versions", "Versions that there are"),
        summary::without_digest(),
        summary::written_while_mapped(),
        known_good(),
    ];
    let asked = summary::asked_digest_sometimes(&["without_digest"]);
    let last = summary(told.into_iter().chain(summary::observed()).chain(asked).chain(summary::owned()));
    vec![version("version", "A version of a file", []), written_while_mapped(), last]
}

pub(super) fn lookup() -> Vec<Object> {
    let labels = [
        text("label", "The names that lists give to the digest, in one text").or_null(),
        texts("labels", "The same one by one"),
    ];
    let left_out = [
        text("list", "Its name"),
        text("kind", "What it is"),
        count("count", "How often"),
        text("lines", "In which lines"),
    ];
    let left_out = Object::new("left_out", "What stands in a list and is no digest of a file", left_out);
    let told = [
        count("matches", "Versions with one of the digests"),
        count("digests", "Digests that were looked for"),
        count("seen", "How many of them were seen"),
        count("unusable_lines", "Lines of lists that could not be used, wholly or in part"),
        summary::written_while_mapped(),
        objects("left_out", left_out, "What was not looked for"),
        known_good(),
    ];
    let told = told.into_iter().chain([summary::never_observed()]).chain(summary::owned());
    let last = summary(told.chain(summary::asked_digest()));
    vec![version("match", "A version with a digest that was looked for", labels), last]
}

fn version(name: &'static str, meaning: &'static str, more: impl IntoIterator<Item = Field>) -> Object {
    let told = ["host", "path", "path_flags", "doubts", "observations", "runs", "attempts", "digest"];
    // The logs of other programs do not tell these.
    let file = [
        "root_dev",
        "root_ino",
        "root_is_host",
        "dev",
        "ino",
        "ino_generation",
        "fs_type",
        "size_bytes",
        "mtime",
        "ctime",
        "mode",
        "owner_uid",
        "owner_gid",
    ];
    let file = columns::<FileVersion>(&file).into_iter().map(Field::or_null);
    let fields = columns::<FileVersion>(&told).into_iter().chain(file).chain([
        text("algorithm", "Algorithm of the digest"),
        flag("in_series", "Whether its path names the file, so that `changes` compares it with others there"),
        time("first_seen", "First observation with it"),
        time("last_seen", "Last observation with it"),
        known(),
    ]);
    Object::row(name, meaning, fields.chain(more))
}

pub(super) fn rare() -> Vec<Object> {
    let fields = [
        text("algorithm", "Algorithm of the digest"),
        text("digest", "Digest of the content, in hex"),
        count("hosts", "On how many hosts it ran or was loaded"),
        texts("host_names", "Which ones"),
        integer("observations", "How often it ran or was loaded; null where not all lie in the asked time").or_null(),
        integer("runs", "Execs of it that succeeded; null where not all could be told").or_null(),
        count("not_run", "Observations by which nothing ran"),
        count("opened_only", "Further hosts that only opened it"),
        count("attempted_only", "Further hosts where it was only tried, in vain"),
        count("doubtful_only", "Further hosts where each observation is doubtful"),
        count("paths", "Paths at which it ran or was loaded"),
        texts("first_paths", "The first ones of these"),
        time("first_seen", "First observation").or_null(),
        time("last_seen", "Last observation").or_null(),
        known(),
    ];
    let told = [
        count("rare", "Digests on so few hosts"),
        count("loaded", "Digests that ran or were loaded at all"),
        count(
            "only_opened",
            "Digests that were seen otherwise, as when they are opened, and not to run or to be loaded",
        ),
        count("only_attempted", "Digests that were only tried in vain"),
        count("hosts", "Hosts that recorded digests"),
        summary::doubtful(),
        summary::without_digest(),
        summary::written_while_mapped(),
        texts("host_names", "Hosts that recorded digests"),
        texts("hosts_without_digests", "Hosts that recorded none"),
        texts("algorithms", "Algorithms of the digests that were recorded"),
        texts("hooks_recorded_in_part", "Hooks by which contents run, and recordings that lacked them, in words"),
        texts("without_commits", "Recordings that do not tell execs that succeeded from others"),
        known_good(),
    ];
    vec![
        Object::row("rare", "A content that ran or was loaded on few hosts", fields),
        summary(told.into_iter().chain(summary::owned())),
    ]
}

pub(super) fn diff() -> Vec<Object> {
    let root = [
        text("boot_id", "Boot in which the numbers hold"),
        text("dev", "Device of the root"),
        integer("ino", "Inode of the root"),
    ];
    let fields = [
        words("kind", Kind::ALL.map(Kind::name), "How the sides differ, as far as they were observed"),
        text("path", "Path, where paths are compared").or_null(),
        object("root", Object::new("root", "A root of its own, as of a container", root), "Null is the host's root")
            .or_null(),
        text("algorithm", "Algorithm of the digests").or_null(),
        text("digest", "Digest, where digests are compared").or_null(),
        object("left", tally(), "What the left side observed").or_null(),
        object("right", tally(), "What the right side observed").or_null(),
        flag("execs_recorded", "Of a path that one side did not observe: whether each exec there was recorded")
            .or_null(),
    ];
    let counts = [
        count("only_left", "Observed on the left alone"),
        count("only_right", "Observed on the right alone"),
        count("different", "Observed on both, with different digests"),
        count("not_known", "Observed on both, on one without a certain digest"),
        count("not_comparable", "Observed on both, with digests of different algorithms"),
        count("same", "The same on both"),
        count("unrecorded_execs", "Paths that one side did not observe, and whose execs it did not all record"),
        count("other_roots", "Paths under a root of their own that one side alone observed"),
        object("left", told(), "What the left side may have missed"),
        object("right", told(), "What the right side may have missed"),
    ];
    let mut last = summary(counts.into_iter().chain(summary::owned()));
    // Each says of which side it is.
    let side = words("side", ["left", "right"], "Side of the comparison");
    let gaps = objects("gaps", gap_of_host("side_gap", [side]), "Times in which something of a side may be missing");
    last.fields.iter_mut().filter(|field| field.name == "gaps").for_each(|field| *field = gaps.clone());
    vec![Object::row("difference", "What one side has and the other has not", fields), last]
}

fn tally() -> Object {
    let fields = [
        texts("digests", "Digests that are certain"),
        texts("only", "Those of them that the other side has not"),
        texts("doubtful_digests", "Digests that are doubtful"),
        count("without_digest", "Observations without a digest that their policy asked for"),
        count("paths", "How many paths it was observed at"),
        texts("first_paths", "The first ones of these"),
        time("first_seen", "First observation").or_null(),
        time("last_seen", "Last observation").or_null(),
        integer("runs", "Execs that succeeded; null where not all could be told").or_null(),
        texts("hosts", "Hosts that observed it"),
    ];
    Object::new("tally", "What one side observed", fields)
}

fn told() -> Object {
    let fields = [
        flag("complete", "Whether nothing of it is missing, lost or doubtful"),
        objects("gaps", gap_of_host("told_gap", []), "Times in which something may be missing"),
        summary::doubtful(),
        summary::without_digest(),
        summary::written_while_mapped(),
        count("unsealed", "Journal segments that are not sealed yet"),
        count("unnamed", "Observations of files that no path names, which are not compared by path"),
        texts("hosts", "Its hosts"),
        texts("hosts_without_digests", "Hosts of it that recorded no digest"),
        texts("algorithms", "Algorithms of its digests"),
        texts("coverage", "Hooks that were recorded all of the time"),
        texts("missing_hooks", "Hooks that the other side had all of the time, and this one had not"),
    ];
    Object::new("side", "What one side cannot know", fields)
}
