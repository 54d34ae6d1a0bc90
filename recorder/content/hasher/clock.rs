//! Whether the wall clock was set, however shortly: the kernel says so at the next question.

use rustix::fd::OwnedFd;
use rustix::io::{Errno, read};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

/// A timer that never ends and is cancelled by each step of the clock.
pub(super) struct ClockSteps(OwnedFd);

impl ClockSteps {
    /// Begins to watch.
    pub(super) fn watch() -> Result<Self, Errno> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        // A time that no clock reaches, and that the kernel takes.
        let never = Timespec { tv_sec: i64::MAX / 2_000_000_000, tv_nsec: 0 };
        let end = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: never };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &end)?;
        Ok(Self(timer))
    }

    /// Whether it was set since the last question. What is not known counts as a step.
    pub(super) fn has_stepped(&self) -> bool {
        read(&self.0, &mut [0; 8]) != Err(Errno::AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_nobody_sets_does_not_step() {
        let steps = ClockSteps::watch().expect("the system has timers");
        assert!(!steps.has_stepped() && !steps.has_stepped());
    }
}
