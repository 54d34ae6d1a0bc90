//! What commands answer about archives themselves.

use super::shape::{Object, any, count, flag, integer, map, map_of_counts, object, objects, text, texts, time, words};
use super::summary::{gap_fields, summary};
use crate::evidence::finding::Severity;
use crate::evidence::ima::Relation;
use crate::evidence::verify::State;
use crate::import;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;

/// The tables of an archive.
const TABLES: [&str; 4] = [Event::TABLE, FileVersion::TABLE, LedgerEntry::TABLE, PackageFile::TABLE];

pub(super) fn import() -> Vec<Object> {
    let log = [
        text("file", "The log, by the name that it was given by"),
        words("source", import::names(), "The program that wrote it"),
        text("host", "Host that it tells of"),
        text("recording_id", "Id of the recording that it became: of source, host and content"),
        text("sha256", "SHA-256 of the log"),
        count("records", "Its records"),
        count("rows", "Rows of events that they became"),
        count("skipped", "Records that make no row: of other hosts, and what is no event here"),
        count("unusable", "Records that cannot be read"),
        time("from", "Time of its first row"),
        time("to", "Time of its last row"),
    ];
    vec![Object::row("import", "A log that became a recording", log)]
}

pub(super) fn export() -> Vec<Object> {
    let archive = [
        text("archive", "The new archive"),
        text("parent", "The archive that it was made of"),
        texts("kinds", "What was taken out"),
        count("recordings", "Its recordings"),
        count("files", "Its files"),
        count("rows", "Rows of these"),
        text("head", "Digest of the last line of its manifest"),
        text("parent_head", "The same of its parent"),
    ];
    vec![Object::row("export", "An archive without some of what its parent holds", archive)]
}

pub(super) fn info() -> Vec<Object> {
    let total = |name, meaning| integer(name, meaning).or_null();
    let recording = [
        text("archive", "Its archive; null where no manifest names it").or_null(),
        text("host", "Its host").or_null(),
        text("recording_id", "Its id"),
        text("kernel", "Release of the kernel").or_null(),
        text("start", "When it began").or_null(),
        text("stop", "When it ended, as far as its manifest says").or_null(),
        text("state", "How it ended; OPEN where the manifest does not say"),
        total("produced", "Events of all CPUs, as the last heartbeat says"),
        total("stored", "Those of them that are stored"),
        total("dropped", "Those that were lost"),
        total("suppressed", "Those that a policy's own limits suppressed"),
        total("missed", "Runs of programs that the kernel missed"),
        map_of_counts("skipped", "Runs of programs that the kernel skipped, by what they were for"),
        texts("hooks", "Hooks that its policies asked for"),
        any("policies", "Its policies, without their texts").sometimes(),
        map("facts", "What the recorder said of its host").sometimes(),
    ];
    let meaning =
        "A recording. What else the line of its start in the manifest says stands here too, as its recorder wrote it";
    let table = [
        text("archive", "Its archive"),
        words("table", TABLES, "Which table"),
        count("rows", "Its rows"),
        count("files", "Its files"),
        count("bytes", "Bytes of these"),
        time("from", "Time of its first row").or_null(),
        time("to", "Time of its last row").or_null(),
    ];
    vec![Object::row("recording", meaning, recording).open(), Object::row("table", "A table of an archive", table)]
}

pub(super) fn gaps() -> Vec<Object> {
    let gap = |name, meaning| {
        Object::row(name, meaning, [text("host", "Host whose recording it is")].into_iter().chain(gap_fields()))
    };
    vec![
        gap("gap", "A time in which something can be missing"),
        gap("skipped", "What the kernel skipped; contents and writers are complete"),
        summary([]),
    ]
}

pub(super) fn verify() -> Vec<Object> {
    let finding = [
        text("archive", "The archive"),
        words("severity", Severity::ALL.map(Severity::name), "How much it says"),
        text("kind", "What it is, in a word"),
        text("file", "File that it was found in"),
        text("place", "Where in the file"),
        text("detail", "What was found there"),
    ];
    let verdict = [
        text("archive", "The archive"),
        words("verdict", ["good", "NOT GOOD"], "Whether it is sealed, and all of it as it was sealed"),
        words("state", State::ALL.map(State::name), "How the recordings ended; the worst one"),
        text("signature", "What the signature is worth, in words"),
        count("recordings", "Recordings that the manifest names"),
        count("files", "Files whose digest is right"),
        count("size_bytes", "Bytes of these"),
        count("events", "Events in these"),
        text("head", "Digest of the manifest's last line"),
        count("damages", "Findings of damage"),
        count("notices", "Findings that are good to know"),
        object("measurements", measurements(), "What the kernel's own measurements say"),
    ];
    vec![
        Object::row("finding", "Something that who relies on the evidence should know", finding),
        Object::row("summary", "The verdict on an archive", verdict),
    ]
}

fn measurements() -> Object {
    let of_register = |name, value, what, meaning| {
        Object::new(
            name,
            meaning,
            [
                integer("pcr", "Number of the register"),
                text("bank", "Its bank"),
                match value {
                    "value" => text(value, what),
                    _ => count(value, what),
                },
            ],
        )
    };
    let list = [
        text("name", "Its name"),
        text("form", "`binary` or `ascii`; empty when it is neither"),
        text("bank", "Bank of its hashes; empty where it cannot be told"),
        count("entries", "Entries before the end or the first damage"),
        count("violations", "Entries of files that changed while they were measured"),
        count("wrong_hashes", "Entries whose hash is not that of their data"),
        count("unknown_templates", "Entries whose template is not known"),
        count("bare_names", "Entries of files of which only a name is known"),
        count("boots", "Boots that it spans"),
        flag("begins_with_boot", "Whether it begins with a boot"),
        flag("is_damaged", "Whether it ends at damage"),
        words(
            "relation",
            Relation::ALL.map(Relation::name),
            "Of a list from elsewhere: how it relates to a stored one",
        )
        .or_null(),
        text("related_to", "That stored one").or_null(),
        objects(
            "aggregates",
            of_register(
                "aggregate",
                "value",
                "What it must hold, in hex",
                "What a register must hold after all entries",
            ),
            "What each register must hold",
        ),
        objects(
            "matched",
            of_register(
                "matched_register",
                "entry",
                "After so many entries",
                "A register of the TPM that the list leads to",
            ),
            "Registers of the TPM that it leads to",
        ),
    ];
    let fields = [
        objects("lists", Object::new("measurement_list", "A measurement list", list), "The lists"),
        count("compared", "Digests that were compared with measurements"),
        count("agreed", "Those that agree"),
        count("not_measured", "Digests of files that were not measured"),
    ];
    Object::new("measurements", "What the kernel measured", fields)
}

pub(super) fn schema() -> Vec<Object> {
    let column = [
        words("table", TABLES, "Its table"),
        text("name", "Its name, with its unit"),
        text("type", "Its type in Parquet"),
        flag("nullable", "Whether it may be null"),
        text("meaning", "What it means"),
    ];
    vec![Object::new("column", "A column of a table", column)]
}
