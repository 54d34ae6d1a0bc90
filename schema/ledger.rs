//! The `ledger` table: what the recording covers, and what it lost.

use crate::cell::Micros;
use crate::columns::table;

table! {
    /// One fact about the coverage of a recording.
    #[derive(serde::Serialize, serde::Deserialize)]
    LedgerEntry in "ledger" {
        recording_id: String, Dictionary, "Random UUID of one start of the recorder";
        host: String, Dictionary, "Node name at start, or --host; also the partition";
        time: Micros, Delta, "When it was noted, UTC";
        boot_ns: i64, Delta, "When it was noted, nanoseconds since boot";
        kind: String, Dictionary, "start, stop, heartbeat, policy, loss, blind, gap, corrupt, tamper, suspect, clock, violation or error";
        cause: Option<String>, Dictionary, "Why: a signal, ring_full, journal_full, disk_full, recursion, ftrace_disabled, crash, sync_failed, …";
        cpu: Option<i32>, Dictionary, "CPU that it concerns";
        first_seq: Option<i64>, Dictionary, "First sequence number that it concerns";
        last_seq: Option<i64>, Dictionary, "Last sequence number that it concerns";
        from_ns: Option<i64>, Dictionary, "Begin of the span, nanoseconds since boot";
        to_ns: Option<i64>, Dictionary, "End of the span, nanoseconds since boot";
        count: Option<i64>, Dictionary, "Number of events";
        policy: Option<String>, Dictionary, "Policy that it concerns";
        detail: Option<String>, Dictionary, "More, as one JSON object";
    }
}
