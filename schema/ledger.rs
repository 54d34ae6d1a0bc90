//! The `ledger` table: what the recording covers, and what it lost.
//!
//! # What `detail` holds
//! - `policy`: `{"hooks":[HOOK,…],"coverage":{HOOK:[PREFIX,…],…}}`. `hooks` names what the policy records. `coverage` says
//!   of which paths each hook records every call: those that begin with one of the prefixes, so `[""]` is every path. A
//!   hook stands there only when no selector, rate limit or dedupe can leave out a call of the kind that is meant: of the
//!   open hooks every open for writing, of `inode_setattr` every change of the size, of a rename or link every one whose
//!   new path has the prefix. A hook that does not stand there is not covered, and no `coverage` covers nothing.
//!   `"suppressing":{CAUSE:[HOOK,…],…}` says for each cause of `suppressed`, `rate_limit` and `dedupe`, of which hooks the
//!   policy has rows stopped for it.
//! - `reload`: the policies were swapped. The `policy` rows of the new ones follow; those before it no longer hold. With
//!   the cause `refused` the new ones could not be loaded, and those before went on.
//! - `suppressed`: rows that the policies' own rate limits and merges stopped since the last heartbeat, or a filter on
//!   the digest.
//! - `skipped`: runs of programs that the kernel's recursion guard skipped, since the last heartbeat, where no call that a
//!   policy asked for is missing for it. With the cause `fork` so many new processes have no row, so process trees are
//!   incomplete. With `hash_probe` those of programs that see IMA begin and end a hash, of which there are two each. Where
//!   both are skipped, a digest that is certain only because IMA was seen to read the file is marked `not_revalidated`, and
//!   IMA's own second open of a write-only file can stand as an open of the task. A skipped program that records calls is a
//!   `loss`, with the cause `recursion`.
//! - `snapshot`: a look at the running processes, noted when it was done, so after the hooks were attached:
//!   `{"processes":N,"descriptors":N,"descriptors_unseen":N}`. `descriptors` were open for writing and are rows of the
//!   events, one for each process and file; those of shared mappings have `mmap_prot`. `descriptors_unseen` could not be
//!   looked at; null: their number is not known. Where the kernel gives no exact list, `/proc` was read and `"exact":false`
//!   stands there too: starts of processes are then rounded to 10 ms, and mappings were not looked at.
//! - `listed`: the first row of a content and hook whose digest a list of `record --ioc` has: the row by its CPU and number,
//!   `{"algorithm":…,"digest":…,"doubtful":BOOL,"hook":…,"path":…,"pid":N,"lists":[{"list":NAME,"sha256":…,"labels":[…]},…],
//!   "stored":BOOL}`. `sha256` is of the list as it was read at the start, whose line in the manifest has it too; `stored` is
//!   false where the journal had no place for the row. The `stop` counts all such rows (`listed`).
//! - `packages`: what became of the package baseline, by its cause. `snapshot`: a look at the package manager's database, from
//!   `from_ns` to `to_ns`, has `count` rows in the table `packages`; its detail is a [`crate::packages::Snapshot`].
//!   `unchanged`: from `from_ns`, when that snapshot began, to `to_ns` the database did not change. `none`: there is no
//!   database that is read. `off`: it was not asked for. `failed`, `unfinished`: a snapshot has no rows, and why.
//! - `imported`: the recording is the log of another program, whose detail says what it is: `{"source":SOURCE,"file":NAME,
//!   "sha256":…,"size_bytes":N,"records":N,"rows":N,"unusable":N,"skipped":{WHY:N,…},"cannot_know":[WORD,…],"host":NAME,
//!   "host_from":"log" or "user","time_from":"log" or "user"}`. `host` is the name as the log or the user has it. A `gap` with the cause
//!   `imported` lies over all of it, because nobody counted what is not in it; `loss` with the cause `unusable` counts the records that no row was made of, and `error` with that cause names the
//!   first ones: `{"place":"line N","reason":…}`.
//! - `gap` with the cause `redacted`: from all of the recording something was taken out, of the kinds that its detail names.
//! - `heartbeat`, `stop`: the counts of each CPU since the start. `skipped` are the runs of programs that the kernel skipped,
//!   `{"events":N,"forks":N,"hash_probes":N}`. `user_digests` are the rows `user_digest`, of which
//!   `user_digests_remembered` were answered without a look at the file, which had been hashed before;
//!   `user_digests_dropped` found no place in the queue or were not done at the stop, which is a `loss` too.

use crate::cell::Micros;
use crate::columns::table;

table! {
    /// One fact about the coverage of a recording.
    #[derive(serde::Serialize, serde::Deserialize)]
    LedgerEntry, LedgerView, LedgerChunks in "ledger" {
        recording_id: String, Dictionary, "Random UUID of one start of the recorder";
        host: String, Dictionary, "Node name at start, or --host; also the partition";
        time: Micros, Delta, "When it was noted, UTC";
        boot_ns: i64, Delta, "When it was noted, nanoseconds since boot";
        kind: String, Dictionary, "start, stop, heartbeat, policy, reload, snapshot, packages, loss, suppressed, skipped, blind, gap, corrupt, tamper, suspect, clock, violation, listed, imported or error";
        cause: Option<String>, Dictionary, "Why: a signal, ring_full, journal_full, disk_full, recursion, ftrace_disabled, switched_off, crash, sync_failed, …";
        cpu: Option<i32>, Dictionary, "CPU that it concerns; -1: the rows of user space";
        first_seq: Option<i64>, Dictionary, "First sequence number that it concerns";
        last_seq: Option<i64>, Dictionary, "Last sequence number that it concerns";
        from_ns: Option<i64>, Dictionary, "Begin of the span, nanoseconds since boot";
        to_ns: Option<i64>, Dictionary, "End of the span, nanoseconds since boot";
        count: Option<i64>, Dictionary, "Number of events";
        policy: Option<String>, Dictionary, "Policy that it concerns";
        detail: Option<String>, Dictionary, "More, as one JSON object";
    }
}
