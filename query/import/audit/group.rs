//! All records of one audit event, and the rows that they make.

use super::super::record::{Record, blank, joined, set_digest, set_exe, set_path, set_target, set_time};
use super::arguments::set_arguments;
use super::calls::{Act, act_of};
use super::fields::Fields;
use hashtrail::event::Event;
use hashtrail::text::from_bytes;
use std::collections::{BTreeMap, BTreeSet};

/// Which event a record belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id {
    /// The host, where it is named.
    pub(super) node: String,
    pub(super) utc_ns: i64,
    pub(super) serial: u64,
}

impl Id {
    /// `seconds.milliseconds:serial`.
    pub(super) fn parse(node: &str, stamp: &str) -> Result<Self, String> {
        let wrong = || format!("`{stamp}` is no time and serial number");
        let (time, serial) = stamp.split_once(':').ok_or_else(wrong)?;
        let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let serial = serial.parse().map_err(|_| wrong())?;
        let is_plain =
            !fraction.is_empty() && fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let nanoseconds: i64 = format!("{fraction:0<9}").parse().ok().filter(|_| is_plain).ok_or_else(wrong)?;
        let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
        let utc_ns = seconds.checked_mul(1_000_000_000).and_then(|seconds| seconds.checked_add(nanoseconds));
        Ok(Self { node: node.to_owned(), utc_ns: utc_ns.ok_or_else(wrong)?, serial })
    }
}

/// Which of the two names a row of a rename begins with, by the order of their records.
#[derive(Debug, Clone, Copy)]
enum Way {
    Forth = 0,
    Back = 1,
}

/// All records of one event, each with its type.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) id: Id,
    pub(super) records: Vec<(String, Fields)>,
}

impl Group {
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Fields> + Clone {
        self.records.iter().filter(move |(known, _)| known == kind).map(|(_, fields)| fields)
    }

    /// The rows of the event, or why there are none.
    pub(super) fn rows(&self, source: &str) -> Vec<Record> {
        let measured = self.of_kind("INTEGRITY_RULE").map(|rule| Record::of(self.measured(source, rule)));
        let mut records: Vec<Record> = measured.collect();
        let mut calls = self.of_kind("SYSCALL");
        let call = calls.next();
        if calls.any(|other| Some(other) != call) {
            records
                .push(Record::Unusable("its records have several SYSCALL, and which was its call is not told".into()));
            return records;
        }
        match call.map(|call| self.called(source, call)) {
            Some(called) => {
                let is_told = !records.is_empty();
                records.extend(called.into_iter().filter(|record| !is_told || !matches!(record, Record::Skipped(_))));
            }
            None if records.is_empty() => records.push(self.without_call()),
            None => {}
        }
        records
    }

    /// Parts of an event whose call is not told, and records of other kinds.
    fn without_call(&self) -> Record {
        const PARTS: [&str; 4] = ["PATH", "EXECVE", "CWD", "PROCTITLE"];
        let is_part = self.records.iter().any(|(kind, _)| PARTS.contains(&kind.as_str()));
        if is_part {
            return Record::Unusable("its records have no SYSCALL: the log may be cut".into());
        }
        Record::Skipped("a record that tells of no call and no digest")
    }

    /// A digest that IMA took, and for whom.
    fn measured(&self, source: &str, rule: &Fields) -> Result<Event, String> {
        let mut row = self.row(source, "INTEGRITY_RULE", "integrity_rule", rule)?;
        set_path(&mut row, &rule.text("file").ok_or("it names no file")?);
        let hash = rule.text("hash").ok_or("it has no hash")?;
        let hash = String::from_utf8_lossy(&hash);
        let (algorithm, digits) = hash.rsplit_once(':').ok_or("its hash is not `algorithm:hex`")?;
        set_digest(&mut row, source, algorithm, digits)?;
        Ok(row)
    }

    /// A row, with the process that a record tells of.
    fn row(&self, source: &str, kind: &str, hook: &str, of: &Fields) -> Result<Event, String> {
        let mut row = blank(source, kind, hook);
        set_time(&mut row, self.id.utc_ns)?;
        row.host = self.id.node.clone();
        row.pid = of.small("pid").unwrap_or(-1);
        row.ppid = of.small("ppid").unwrap_or(-1);
        row.uid = of.id("uid").unwrap_or(row.uid);
        row.gid = of.id("gid").unwrap_or(row.gid);
        row.euid = of.id("euid").unwrap_or(row.euid);
        (row.auid, row.session_id) = (of.id("auid"), of.id("ses"));
        row.comm = of.text("comm").map(|comm| from_bytes(&comm).text.into_owned()).unwrap_or_default();
        set_exe(&mut row, &of.text("exe").unwrap_or_default());
        Ok(row)
    }

    /// A system call: one row, or one for each of two files that became each other.
    fn called(&self, source: &str, call: &Fields) -> Vec<Record> {
        if call.word("success") == Some("no") {
            return vec![Record::Skipped("a call that failed")];
        }
        let number = call.hex("arch").zip(call.number("syscall"));
        let Some((arch, number)) = number else {
            return vec![Record::Unusable(
                "its SYSCALL names no call: read the log as auditd wrote it, not through ausearch -i".into(),
            )];
        };
        match (act_of(arch, number), call.word("success")) {
            (None, _) => vec![Record::Skipped("another system call")],
            (Some(act), Some("yes")) => {
                let ways = if self.is_exchange(act) { &[Way::Forth, Way::Back][..] } else { &[Way::Forth] };
                ways.iter().map(|way| Record::of(self.acted(source, call, act, *way))).collect()
            }
            (Some(_), _) => vec![Record::Unusable("its SYSCALL does not tell whether the call succeeded".into())],
        }
    }

    /// Whether both names of a rename came to be: no record shows the flags of the call.
    fn is_exchange(&self, act: Act) -> bool {
        let created = self.of_kind("PATH").filter(|path| path.word("nametype") == Some("CREATE"));
        act == Act::RenameAt && created.filter_map(|path| path.number("item")).collect::<BTreeSet<_>>().len() > 1
    }

    fn acted(&self, source: &str, call: &Fields, act: Act, way: Way) -> Result<Event, String> {
        let argument = |name: &str| call.hex(name);
        let mut row = self.row(source, "SYSCALL", act.hook(argument), call)?;
        row.open_flags = act.open_flags(argument);
        let paths = self.paths(call)?;
        let named = |types: &[&str]| {
            let of_type = |path: &&&Fields| path.word("nametype").is_some_and(|found| types.contains(&found));
            paths.iter().filter(of_type).nth(way as usize).copied()
        };
        let (directory, target_directory) = match way {
            Way::Forth => (act.directory(), act.target_directory()),
            Way::Back => (act.target_directory(), act.directory()),
        };
        // The other files of an exec are its interpreters.
        let file = if act.is_exec() { paths.first().copied() } else { named(act.subject()) };
        let file = file.ok_or("its records name no file that it was about")?;
        let begins =
            |directory: Option<&str>| directory.is_none_or(|name| argument(name).is_some_and(is_working_directory));
        set_path(&mut row, &self.path(file, begins(directory)).ok_or("its file has no name")?);
        set_file(&mut row, file);
        if let Some(types) = act.target() {
            let target = named(types).ok_or("its records name no file that it became")?;
            set_target(&mut row, &self.path(target, begins(target_directory)).ok_or("its target has no name")?);
        }
        if act.is_exec() {
            set_arguments(&mut row, self.of_kind("EXECVE"));
        }
        Ok(row)
    }

    /// All records of the files that a call was about, in their order: any of them could be the one that a row is of.
    fn paths(&self, call: &Fields) -> Result<Vec<&Fields>, String> {
        let stated = call.number("items").ok_or("its SYSCALL does not say how many PATH records belong to it")?;
        let mut paths = BTreeMap::new();
        for path in self.of_kind("PATH") {
            let item = path.number("item").ok_or("one of its PATH records has no number")?;
            if paths.insert(item, path).is_some_and(|other| other != path) {
                return Err(format!("it has two PATH records with the number {item}"));
            }
        }
        if paths.keys().copied().ne(0..stated) {
            return Err(format!("it belongs to {stated} PATH records, of which {} are there", paths.len()));
        }
        Ok(paths.into_values().collect())
    }

    /// The name in a PATH record, from the working directory where it is relative to that.
    fn path(&self, path: &Fields, is_from_directory: bool) -> Option<Vec<u8>> {
        let name = path.text("name")?;
        let cwd = self.of_kind("CWD").next().filter(|_| is_from_directory).and_then(|cwd| cwd.text("cwd"));
        Some(joined(&cwd.unwrap_or_default(), &name))
    }
}

/// `AT_FDCWD`, as a register of 32 or 64 bits has it.
fn is_working_directory(descriptor: u64) -> bool {
    descriptor as u32 == 0xffff_ff9c
}

/// What a PATH record says of its file: neither generation, nor size, nor times.
fn set_file(row: &mut Event, path: &Fields) {
    let device = path.word("dev").and_then(|dev| dev.split_once(':')).and_then(|(major, minor)| {
        let number = |digits: &str| u32::from_str_radix(digits, 16).ok();
        Some(format!("{}:{}", number(major)?, number(minor)?))
    });
    row.ino = path.number("inode").filter(|_| device.is_some());
    row.dev = device.filter(|_| row.ino.is_some());
    row.mode = path.octal("mode");
    (row.owner_uid, row.owner_gid) = (path.id("ouid"), path.id("ogid"));
}
