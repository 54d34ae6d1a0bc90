//! What `tree` and `who` answer: processes, what they ran, and who stands above a writer.

use super::changes::{attribution, of_package, path_and_host, suspect};
use super::shape::{Field, Object, columns, count, flag, integer, object, objects, text, texts, time, words};
use super::summary::{self, gap, summary};
use crate::processes::ParentSource;
use crate::processes::family::Root;
use crate::versions::change::ChangeKind;
use hashtrail::event::Event;

pub(super) fn tree() -> Vec<Object> {
    let counts = [
        count("processes", "Processes that were found"),
        count("programs_omitted", "Programs of processes that ran very many, which are not shown"),
    ];
    let asked = summary::asked_digest_sometimes(&[]);
    vec![process(), summary(counts.into_iter().chain(of_processes()).chain(asked))]
}

pub(super) fn who() -> Vec<Object> {
    let content = || {
        let fields = [text("algorithm", "Algorithm of the digest"), text("digest", "Digest of the content, in hex")];
        Object::new("content", "A content", fields)
    };
    let change = [
        words("kind", ChangeKind::ALL.map(ChangeKind::name), "How it came about"),
        object("from", content(), "The content before; null of a first sight").or_null(),
        object("to", content(), "The content after"),
        time("changed_after", "The last real reading of the old content").or_null(),
        time("changed_before", "When the new content had been hashed for its first observation"),
        attribution(),
        flag("unnamed_acts", "Whether acts whose names are not known can have made it"),
        flag("complete", "Whether nothing of the interval was lost"),
        objects("gaps", gap("interval_gap", []), "What the interval lacks"),
        texts("coverage", "Hooks that were recorded in the whole interval"),
        texts("doubts", "Doubts of observations in the interval"),
        objects("writers", writer(), "Processes that can have made it, each with those above it"),
        count("omitted", "Acts and writers that are not told"),
    ];
    let change = Object::row(
        "who",
        "A change, and who can have made it",
        path_and_host().into_iter().chain(change).chain(of_package()),
    );
    let counts = [
        count("changes_omitted", "Changes that are counted and not told"),
        count("omitted", "Acts and writers that are not told"),
    ];
    let told = counts.into_iter().chain(of_processes()).chain(summary::of_changes()).chain(summary::observed());
    let told = told.chain(summary::narrowed()).chain(summary::compared_sometimes());
    vec![change, summary(told)]
}

fn writer() -> Object {
    let origin = [
        words("kind", ["login", "container", "service", "unknown"], "What it is"),
        flag("certain", "Whether each process from there on is known by its fork"),
        integer("pid", "Its process").or_null(),
        integer("process_start_ns", "Start of that process").or_null(),
        integer("auid", "Its login user").or_null(),
        integer("session_id", "Its login session").or_null(),
        text("container_id", "Its container").or_null(),
    ];
    let fields = [
        objects("acts", suspect("act"), "What it did that can have made the change"),
        object("origin", Object::new("origin", "Where a writer came from", origin), "Where it came from"),
        count("not_shown_above", "Processes that stand above those of the chain"),
        objects("chain", process(), "From the root down to the writer"),
    ];
    Object::new("writer", "A process that can have made a change", fields)
}

fn process() -> Object {
    let parent = [integer("pid", "Its pid"), integer("process_start_ns", "Its start, in nanoseconds since boot")];
    let fields = [
        flag("start_in_ticks", "Whether the start is known to 10 ms only"),
        count("depth", "How many processes stand above it"),
        flag("asked", "Whether it is one that was asked for"),
        object("parent", Object::new("parent", "A process by pid and start", parent), "Its parent").or_null(),
        words("parent_source", ParentSource::ALL.map(ParentSource::name), "How its parent is known").or_null(),
        words("root", Root::ALL.map(Root::name), "Why no process stands above it").or_null(),
        flag("ran_before", "Whether it ran when a recording began, and no fork says since when"),
        time("first_seen", "Time of its first row; null where it has none").or_null(),
        time("last_seen", "Time of its last row, which is not its end").or_null(),
        text("comm", "Name of its thread in its last row").or_null(),
        text("parent_comm", "Name of its parent in its first row").or_null(),
        text("exe_before", "What it ran before the first of its programs").or_null(),
        objects("programs", program(), "The programs that it ran or tried to, in order"),
        count("programs_omitted", "How many more there were"),
    ];
    let key = columns::<Event>(&["host", "boot_id", "pid", "process_start_ns"]);
    let of_whom = credentials().into_iter().map(Field::sometimes);
    Object::row("process", "A process, below the one that forked it", key.into_iter().chain(fields).chain(of_whom))
}

fn credentials() -> Vec<Field> {
    columns::<Event>(&["uid", "gid", "euid", "auid", "session_id", "container_id"])
}

fn program() -> Object {
    let file = columns::<Event>(&[
        "path",
        "path_flags",
        "dev",
        "ino",
        "digest",
        "digest_status",
        "digest_reason",
        "digest_doubt",
    ]);
    let file = file.into_iter().chain([text("algorithm", "Algorithm of the digest").or_null()]);
    let file = Object::new("program_file", "A file that was read to be run", file);
    let fields = [
        flag("ran", "Whether the exec succeeded; null where that was not recorded").or_null(),
        flag("was_running", "Whether it ran already when the recording began"),
        objects("files", file, "Files that were read for it: of a script, its interpreter too"),
    ];
    let row = columns::<Event>(&["time", "boot_ns", "path", "argv", "argc"]);
    Object::new(
        "program",
        "A program that a process ran or tried to",
        row.into_iter().chain(fields).chain(credentials()),
    )
}

/// What is not known of processes.
fn of_processes() -> Vec<Field> {
    vec![
        count("without_parent", "Processes whose parent is not known"),
        count("ran_before", "Processes that ran when a recording began"),
        count("without_fork", "Processes whose fork has no row although it ought to"),
        count("starts_in_ticks", "Processes whose start is known to 10 ms only"),
        count("programs_doubtful", "Files that ran whose digest is doubtful"),
        count("programs_without_digest", "Files that ran without a digest that a policy asked for"),
        texts("without_forks", "Recordings without rows of forks"),
        texts("without_look", "Recordings without a whole look at what ran when they began"),
        texts("without_execs", "Recordings that had not every exec"),
    ]
}
