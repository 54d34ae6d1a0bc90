//! What happens in a history: steps that mean something whatever came before them, so that any of them can be left out.

use crate::mutate::random::Random;
use std::fmt;

/// Numbers that repeat from run to run.
pub(super) struct Numbers(Random);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0.below(limit)
    }

    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// A program runs, with or without its script.
    Run,
    RunScript,
    /// An exec that fails behind its check, or is denied.
    FailRun,
    DenyRun,
    /// A process maps a file, the one that it runs, or is not let.
    Map,
    MapOwn,
    DenyMap,
    Open,
    Load,
    RunMemfd,
    /// Another content in the same inode.
    Rewrite,
    /// The same, past the filesystem: nobody opens anything.
    WriteDevice,
    /// A new file takes the name.
    Replace,
    Copy,
    Rename,
    Exchange,
    Link,
    Unlink,
    Fork,
    Exit,
    /// The next rows are lost.
    Lose,
    /// The recorder sees nothing for a time.
    Blind,
    StepClock,
    /// The recorder ends, and the next one begins with other settings.
    Restart,
    Reboot,
    /// The journal goes on in another segment.
    Cut,
}

/// What was taken of a file's content for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Digest {
    Certain,
    /// Of an earlier reading, since when nothing changed.
    Kept,
    /// The same, and nobody says when that was.
    Undated,
    /// Perhaps of the content before.
    Doubtful,
    /// There is none, and a policy asked for it.
    Missing,
    /// There is nothing that could have one.
    NoContent,
    NotAsked,
    /// User space took it.
    ByUser,
}

/// One step of a machine. The numbers choose among what there is.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) machine: usize,
    pub(super) act: Act,
    pub(super) who: usize,
    pub(super) place: usize,
    pub(super) other: usize,
    pub(super) content: usize,
    pub(super) digest: Digest,
    /// Its rows leave the kernel later than others do; in the middle of an exec, the journal goes on in another segment.
    pub(super) is_late: bool,
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, act, who, place, other, content, digest, is_late } = self;
        let late = if *is_late { ", late" } else { "" };
        write!(
            formatter,
            "machine {machine} {act:?} who {who} place {place} other {other} content {content} {digest:?}{late}"
        )
    }
}

/// How a machine's recordings stand in archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Archives {
    One,
    /// A second archive is a copy of the first.
    Copied,
    /// Every other recording stands in a second archive, where the clock tells how they follow each other.
    Split,
}

/// Machines and what they do.
#[derive(Debug, Clone)]
pub(super) struct Story {
    /// The first and the last machine have one name.
    pub(super) has_twins: bool,
    pub(super) archives: Archives,
    /// A process in a container and one in a mount namespace of its own live from the beginning.
    pub(super) has_views: bool,
    /// The hook of which a policy leaves out rows that say again what another one said just before.
    pub(super) merges: Option<&'static str>,
    pub(super) steps: Vec<Step>,
}

/// More often what tells something.
const ACTS: [Act; 48] = [
    Act::Run,
    Act::Run,
    Act::Run,
    Act::Run,
    Act::Run,
    Act::RunScript,
    Act::FailRun,
    Act::DenyRun,
    Act::Map,
    Act::Map,
    Act::Map,
    Act::Map,
    Act::Map,
    Act::MapOwn,
    Act::DenyMap,
    Act::Open,
    Act::Open,
    Act::Load,
    Act::RunMemfd,
    Act::Rewrite,
    Act::Rewrite,
    Act::Rewrite,
    Act::Rewrite,
    Act::WriteDevice,
    Act::Replace,
    Act::Replace,
    Act::Replace,
    Act::Copy,
    Act::Copy,
    Act::Rename,
    Act::Rename,
    Act::Exchange,
    Act::Link,
    Act::Unlink,
    Act::Unlink,
    Act::Fork,
    Act::Fork,
    Act::Fork,
    Act::Exit,
    Act::Lose,
    Act::Blind,
    Act::StepClock,
    Act::Restart,
    Act::Restart,
    Act::Reboot,
    Act::Cut,
    Act::Cut,
    Act::Cut,
];

/// Of a story in which one thing follows the other so fast that segments interleave.
const QUICK: [Act; 14] = [
    Act::Map,
    Act::Map,
    Act::Map,
    Act::Map,
    Act::Map,
    Act::Run,
    Act::FailRun,
    Act::Open,
    Act::Rewrite,
    Act::Rewrite,
    Act::Rewrite,
    Act::Replace,
    Act::Cut,
    Act::Cut,
];

const DIGESTS: [Digest; 16] = [
    Digest::Certain,
    Digest::Certain,
    Digest::Certain,
    Digest::Certain,
    Digest::Certain,
    Digest::Certain,
    Digest::Certain,
    Digest::Kept,
    Digest::Kept,
    Digest::Undated,
    Digest::Doubtful,
    Digest::Missing,
    Digest::NoContent,
    Digest::NotAsked,
    Digest::ByUser,
    Digest::ByUser,
];

impl Story {
    /// Of one to three machines that do few things or many. Some stories are of one kind only: without doubts, or without losses.
    pub(super) fn random(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let machines = 1 + numbers.below(3);
        let most = numbers.pick(&[24, 24, 48, 80]);
        let count = 2 + numbers.below(most);
        let is_certain = numbers.below(3) == 0;
        let is_whole = numbers.below(3) == 0;
        let is_lossy = |act: &Act| matches!(act, Act::Lose | Act::Blind | Act::Restart | Act::Reboot | Act::StepClock);
        let acts: Vec<Act> = ACTS.into_iter().filter(|act| !is_whole || !is_lossy(act)).collect();
        let digests = if is_certain { &DIGESTS[..8] } else { &DIGESTS[..] };
        let has_late = numbers.below(2) == 0;
        // Where most of it happens.
        let favourite = numbers.below(16);
        let steps = (0..count).map(|_| Step {
            machine: numbers.below(machines),
            act: numbers.pick(&acts),
            who: numbers.below(16),
            place: if numbers.below(3) > 0 { favourite } else { numbers.below(16) },
            other: numbers.below(16),
            content: numbers.below(16),
            digest: numbers.pick(digests),
            is_late: has_late && numbers.below(4) == 0,
        });
        let steps = steps.collect();
        let has_twins = numbers.below(4) == 0;
        let archives = numbers.pick(&[Archives::One, Archives::One, Archives::Copied, Archives::Split]);
        let merges = numbers.pick(&[None, None, Some("mmap_file"), Some("file_open")]);
        let has_views = numbers.below(3) == 0;
        let mut story = Self { has_twins, archives, has_views, merges, steps };
        if numbers.below(4) == 0 {
            story.hurry(&mut numbers);
        }
        if has_views {
            // Where the trees of the views differ.
            let steps = story.steps.iter_mut().filter(|_| numbers.below(2) == 0);
            steps.for_each(|step| step.place = 4);
        }
        story
    }

    /// One machine does few things with few contents, one right after the other.
    fn hurry(&mut self, numbers: &mut Numbers) {
        for step in &mut self.steps {
            (step.machine, step.act) = (0, numbers.pick(&QUICK));
            (step.other, step.content) = (numbers.below(3), numbers.below(2));
            step.is_late = numbers.below(3) == 0;
        }
    }
}
