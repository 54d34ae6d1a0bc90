//! What the recorder looks at once a second: whether its programs run at all, the clock, and what IMA counts.

use crate::host;
use crate::host::lock::Lock;
use crate::host::say::say;
use crate::sensor::Sensor;
use anyhow::Result;
use hashtrail::ledger::LedgerEntry;
use serde_json::json;

/// A step of the wall clock against the time since boot; slewing moves it by far less in a second.
const CLOCK_STEP_NS: i64 = 100_000_000;

/// What was seen at the last look.
#[derive(Debug)]
pub(crate) struct Watch {
    last_look_ns: i64,
    /// Why the programs do not run, while they do not.
    blind_cause: Option<&'static str>,
    was_blind: bool,
    utc_offset_ns: i64,
    violations: Option<u64>,
}

/// What a look found.
#[derive(Debug, Default)]
struct Finding {
    kind: &'static str,
    cause: &'static str,
    from_ns: Option<i64>,
    count: Option<i64>,
    detail: Option<serde_json::Value>,
}

impl Watch {
    /// Begins with this moment.
    pub(crate) fn start() -> Self {
        let clock = host::clock_anchor();
        Self {
            last_look_ns: clock.boot_ns,
            blind_cause: None,
            was_blind: false,
            utc_offset_ns: clock.offset_ns(),
            violations: host::ima_violations(),
        }
    }

    /// Whether programs were silent at any time.
    pub(crate) fn was_blind(&self) -> bool {
        self.was_blind
    }

    /// Looks; gives ledger entries for what is not as it should be. `now` is an empty entry of this moment.
    ///
    /// # Errors
    /// When the counters cannot be read.
    pub(crate) fn look(&mut self, sensor: &Sensor, lock: &Lock, now: &LedgerEntry) -> Result<Vec<LedgerEntry>> {
        let findings = [self.programs(sensor, lock, now.boot_ns)?, self.clock(), self.violations()];
        let entry = |finding: Finding| LedgerEntry {
            kind: finding.kind.into(),
            cause: Some(finding.cause.into()),
            from_ns: finding.from_ns,
            to_ns: finding.from_ns.map(|_| now.boot_ns),
            count: finding.count,
            detail: finding.detail.map(|detail| detail.to_string()),
            ..now.clone()
        };
        Ok(findings.into_iter().flatten().map(entry).collect())
    }

    /// A lock of the recorder's own file must run the canary program. Where it does not, everything since the last look
    /// is blind.
    fn programs(&mut self, sensor: &Sensor, lock: &Lock, now_ns: i64) -> Result<Option<Finding>> {
        let Some(before) = sensor.canaries()? else { return Ok(None) };
        lock.again()?;
        let runs = sensor.canaries()?.is_some_and(|after| after > before) && sensor.lost_links() == 0;
        let from_ns = std::mem::replace(&mut self.last_look_ns, now_ns);
        let cause_before = self.blind_cause;
        // While they come back, the cause may be gone before they run.
        let cause = (!runs).then(|| blind_cause(sensor).or(cause_before).unwrap_or("programs_silent"));
        self.blind_cause = cause;
        match (cause_before, cause) {
            (None, Some(cause)) => {
                say!("warning: BLIND: the programs do not run ({cause}); nothing is recorded until they do");
            }
            (Some(_), None) => {
                say!("warning: the programs run again; the time without them is in the ledger");
            }
            _ => {}
        }
        self.was_blind |= !runs;
        // The programs came back at some time since the last look: until now it is blind for the same cause.
        Ok(cause.or(cause_before).map(|cause| Finding {
            kind: "blind",
            cause,
            from_ns: Some(from_ns),
            ..Finding::default()
        }))
    }

    fn clock(&mut self) -> Option<Finding> {
        let offset_ns = host::clock_anchor().offset_ns();
        let before_ns = std::mem::replace(&mut self.utc_offset_ns, offset_ns);
        let step_ns = offset_ns.saturating_sub(before_ns);
        let detail = json!({ "step_ns": step_ns, "offset_before_ns": before_ns, "offset_ns": offset_ns });
        (step_ns.saturating_abs() >= CLOCK_STEP_NS).then(|| Finding {
            kind: "clock",
            cause: "step",
            detail: Some(detail),
            ..Finding::default()
        })
    }

    fn violations(&mut self) -> Option<Finding> {
        let count = host::ima_violations()?;
        let before = self.violations.replace(count)?;
        let new = i64::try_from(count.checked_sub(before)?).ok().filter(|new| *new > 0)?;
        let detail = json!({ "violations": count });
        Some(Finding { kind: "violation", cause: "ima", count: Some(new), detail: Some(detail), ..Finding::default() })
    }
}

/// Why the programs do not run, where it can be told.
fn blind_cause(sensor: &Sensor) -> Option<&'static str> {
    if host::ftrace_enabled() == Some(false) {
        Some("ftrace_disabled")
    } else if sensor.is_switched_off() {
        Some("switched_off")
    } else {
        (sensor.lost_links() > 0).then_some("links_gone")
    }
}
