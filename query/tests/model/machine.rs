//! A machine with all that really happened on it, and the rows that its recorder made of that.

mod acts;
mod rows;

use super::files::{Files, INTERPRETER, PLACES, tree_of};
use super::recorded::{ClockStep, Loss, Recorded, Settings};
use super::story::{Act, Digest, Step, Story};
use crate::tests::START;
use hashtrail::cell::Micros;
use hashtrail::event::Event;

const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000_000_000;

/// A process that lives.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pid: i32,
    start_ns: i64,
    parent: (i32, i64),
    /// 0 as the host, 1 in a container, 2 in a mount namespace of its own.
    view: usize,
    exe: String,
    /// The file that it runs, and the tree that this stands in.
    own: Option<(usize, usize)>,
}

/// What really became other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Content(usize),
    Name(usize, String),
}

/// Something that became other, and the row that tells it.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) what: What,
    pub(super) boot: usize,
    pub(super) at_ns: i64,
    /// (Recording, CPU, number).
    pub(super) row: Option<(usize, i32, i64)>,
    /// Nothing that a hook could see was done.
    pub(super) is_silent: bool,
}

/// A machine.
pub(super) struct Machine {
    pub(super) number: usize,
    pub(super) host: &'static str,
    pub(super) machine_id: &'static str,
    pub(super) recordings: Vec<Recorded>,
    pub(super) done: Vec<Done>,
    pub(super) files: Files,
    living: Vec<Process>,
    pub(super) boot: usize,
    now_ns: i64,
    offset_ns: i64,
    is_recording: bool,
    execs: i64,
    losing: usize,
    blind_until_ns: i64,
    has_views: bool,
    merges: Option<&'static str>,
}

impl Machine {
    pub(super) fn new(number: usize, story: &Story) -> Self {
        let hosts = if story.has_twins { ["web", "db", "web"] } else { ["web", "db", "mail"] };
        let ids = [
            "11112222333344445555666677778888",
            "aaaabbbbccccddddeeeeffff00001111",
            "99990000aaaabbbbccccddddeeee2222",
        ];
        let mut machine = Self {
            number,
            host: hosts[number],
            machine_id: ids[number],
            recordings: Vec::new(),
            done: Vec::new(),
            files: Files::new(),
            living: Vec::new(),
            boot: 0,
            now_ns: SECOND,
            offset_ns: START * SECOND + i64::try_from(number).expect("a small number") * 7 * MILLISECOND,
            is_recording: false,
            execs: 0,
            losing: 0,
            blind_until_ns: 0,
            has_views: story.has_views,
            merges: story.merges,
        };
        machine.living = machine.first_processes();
        machine.record(Settings::default(), Digest::Certain);
        machine
    }

    /// Init, and where there are views from the beginning, one process in each.
    fn first_processes(&self) -> Vec<Process> {
        let process = |view: usize| {
            let (tree, pid) = (tree_of(view, INTERPRETER), i32::try_from(view).expect("a small number") + 1);
            let own = self.files.at(tree, INTERPRETER).map(|file| (file, tree));
            let parent = if view == 0 { (0, 0) } else { (1, SECOND / 2) };
            let start_ns = SECOND / 2 + i64::from(pid - 1) * MILLISECOND;
            Process { pid, start_ns, parent, view, exe: INTERPRETER.into(), own }
        };
        (0..if self.has_views { 3 } else { 1 }).map(process).collect()
    }

    /// Whether times say nothing of the order of its recordings, or of what one recorded.
    pub(super) fn has_steps(&self) -> bool {
        self.recordings.iter().any(|recorded| !recorded.steps.is_empty())
            || self.recordings.windows(2).any(|pair| pair[1].start <= pair[0].end)
    }

    pub(super) fn perform(&mut self, step: Step) {
        self.now_ns += 20 * MILLISECOND + i64::try_from(step.other).expect("a small number") * 15 * MILLISECOND;
        let who = self.living[step.who % self.living.len()].clone();
        let path = PLACES[step.place % PLACES.len()];
        let other = PLACES[step.other % PLACES.len()];
        let tree = tree_of(who.view, path);
        let file = self.files.at(tree, path);
        match (step.act, file) {
            (Act::Run | Act::RunScript | Act::FailRun | Act::DenyRun, Some(file)) => self.exec(step, &who, path, file),
            (Act::Map | Act::DenyMap | Act::Open | Act::Load, Some(file)) => {
                let hook = match step.act {
                    Act::Open => "file_open",
                    Act::Load => "kernel_read_file",
                    _ => "mmap_file",
                };
                self.see(step, &who, hook, (file, tree, path));
            }
            (Act::MapOwn, _) => {
                if let Some((file, tree)) = who.own {
                    self.see(step, &who, "mmap_file", (file, tree, &who.exe));
                }
            }
            (Act::RunMemfd, _) => self.run_memfd(step, &who),
            (Act::Rewrite, Some(file)) => self.rewrite(&who, (file, tree, path), step.content),
            (Act::WriteDevice, Some(file)) => {
                self.files.write(file, step.content);
                self.note(What::Content(file), None, true);
            }
            (Act::Replace, _) => self.replace(&who, (tree, path), step.content),
            (Act::Copy, Some(file)) => {
                self.see(step, &who, "file_open", (file, tree, path));
                self.now_ns += MILLISECOND * 3;
                let content = self.files.list[file].content;
                self.replace(&who, (tree_of(who.view, other), other), content);
            }
            (Act::Rename | Act::Exchange | Act::Link, Some(_)) => self.name(step.act, &who, path, other),
            (Act::Unlink, Some(file)) => self.unlink(&who, (file, tree, path)),
            (Act::Fork, _) => self.fork(&who, step),
            (Act::Exit, _) => self.exit(&who),
            (Act::Lose, _) => self.losing = 1 + step.content % 4,
            (Act::Blind, _) => self.go_blind(step),
            (Act::StepClock, _) => self.step_clock(step),
            (Act::Restart, _) => self.restart(step),
            (Act::Reboot, _) => self.reboot(step),
            (Act::Cut, _) => {
                // What came of all execs is known then.
                self.now_ns += if step.content == 15 { 70 * SECOND } else { 0 };
                self.cut();
            }
            _ => {}
        }
        self.now_ns += 3 * MILLISECOND;
    }

    /// Ends the last recording.
    pub(super) fn stop(&mut self) {
        self.now_ns += 10 * MILLISECOND;
        if self.is_recording {
            let (end_ns, end) = (self.now_ns, self.time(self.now_ns));
            let recorded = self.recorded();
            (recorded.end_ns, recorded.end) = (end_ns, end);
        }
        self.is_recording = false;
        self.losing = 0;
        self.blind_until_ns = 0;
    }

    fn recorded(&mut self) -> &mut Recorded {
        self.recordings.last_mut().expect("a recording")
    }

    fn record(&mut self, settings: Settings, digest: Digest) {
        self.now_ns += 10 * MILLISECOND;
        let number = self.recordings.len();
        let id = format!("{:08x}-0000-4000-8000-000000000000", 0x100 * (self.number + 1) + number);
        let (boot_id, host) = (self.boot_id(), self.host);
        let (start_ns, start) = (self.now_ns, self.time(self.now_ns));
        let root_dev = self.device(false);
        let settings = Settings { merges: self.merges, ..settings };
        self.recordings.push(Recorded {
            id,
            host,
            boot_id,
            boot: self.boot,
            root_dev,
            ..Recorded::new(settings, (start_ns, start))
        });
        self.is_recording = true;
        self.files.forget_readings();
        for process in self.living.clone() {
            self.now_ns += 2 * MILLISECOND;
            if let Some((file, tree)) = process.own {
                let row = Event { cpu: -1, exe: None, ..self.row(&process, "running_process") };
                self.put_digest(row, (file, tree, &process.exe), digest, false);
            }
        }
        self.now_ns += MILLISECOND;
        let look = (self.now_ns, self.time(self.now_ns));
        self.recorded().look = look;
    }

    fn restart(&mut self, step: Step) {
        self.stop();
        self.now_ns += SECOND * 5;
        // What happens while nobody records leaves no row.
        if step.content.is_multiple_of(3) {
            let who = self.living[0].clone();
            self.replace(&who, (0, PLACES[step.place % PLACES.len()]), step.content);
            self.now_ns += SECOND;
        }
        if step.content % 4 == 1 {
            self.offset_ns -= 9 * SECOND;
        }
        self.record(Settings::chosen(step), step.digest);
    }

    fn reboot(&mut self, step: Step) {
        self.stop();
        self.boot += 1;
        self.offset_ns += self.now_ns + 60 * SECOND;
        // The clock of the hardware is behind.
        if step.content % 4 == 1 {
            self.offset_ns -= 70 * SECOND;
        }
        self.now_ns = SECOND;
        self.living = self.first_processes();
        self.record(Settings::chosen(step), step.digest);
    }

    fn boot_id(&self) -> String {
        format!("boot {} of machine {}", self.boot, self.number)
    }

    /// Numbers of devices are dealt anew with each boot.
    fn device(&self, is_usb: bool) -> String {
        let devices = [["8:1", "8:17"], ["8:33", "8:1"]][self.boot % 2];
        devices[usize::from(is_usb)].into()
    }

    fn time(&self, boot_ns: i64) -> Micros {
        Micros((self.offset_ns + boot_ns) / 1000)
    }

    fn step_clock(&mut self, step: Step) {
        let steps = [-40 * SECOND, 3 * SECOND, -2 * SECOND, 3000 * SECOND];
        let before_ns = self.offset_ns;
        self.offset_ns += steps[step.content % steps.len()];
        let noted = ClockStep { at: (self.now_ns, self.time(self.now_ns)), before_ns, after_ns: self.offset_ns };
        if self.is_recording {
            self.recorded().steps.push(noted);
        }
    }

    fn cut(&mut self) {
        let now_ns = self.now_ns;
        if self.is_recording {
            self.recorded().cuts.push(now_ns);
        }
    }

    fn go_blind(&mut self, step: Step) {
        if self.is_recording && self.blind_until_ns < self.now_ns {
            let to_ns = self.now_ns + 100 * MILLISECOND * i64::try_from(1 + step.content).expect("a small number");
            let (from_ns, time) = (self.now_ns, self.time(self.now_ns));
            self.blind_until_ns = to_ns;
            let loss = Loss { kind: "blind", cause: "ftrace_disabled", cpu: None, from_ns, to_ns, count: None, time };
            self.recorded().losses.push(loss);
        }
    }
}

/// Each content has a digest of its own.
pub(super) fn digest_of(content: usize, algorithm: &str) -> String {
    ["a", "b", "c", "d", "e"][content % 5].repeat(if algorithm == "sha1" { 40 } else { 64 })
}
