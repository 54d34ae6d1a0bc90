//! All records of one audit event, and the rows that they make.

use super::super::record::{Record, blank, joined, set_arguments, set_digest, set_exe, set_path, set_target, set_time};
use super::calls::{Act, act_of};
use hashtrail::event::Event;
use hashtrail::text::from_bytes;
use std::collections::HashMap;

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

/// The fields of a record. A name can stand there twice; the first one is the kernel's.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, Vec<u8>, bool)>);

impl Fields {
    /// `is_text`: the value is the text itself, and no hex of it.
    pub(super) fn push(&mut self, name: String, value: Vec<u8>, is_text: bool) {
        self.0.push((name, value, is_text));
    }

    fn raw(&self, name: &str) -> Option<(&[u8], bool)> {
        let (_, value, is_text) = self.0.iter().find(|(known, ..)| known == name)?;
        Some((value, *is_text))
    }

    /// A text, which is told as hex digits where it is not in quotes.
    pub(super) fn text(&self, name: &str) -> Option<Vec<u8>> {
        let (value, is_text) = self.raw(name)?;
        text_of(value, is_text)
    }

    fn word(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.raw(name)?.0).ok()
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.word(name)?.parse().ok()
    }

    fn small(&self, name: &str) -> Option<i32> {
        self.word(name)?.parse().ok()
    }

    /// Unset is told as the largest number.
    fn id(&self, name: &str) -> Option<i64> {
        self.number(name).filter(|id| (0..i64::from(u32::MAX)).contains(id))
    }

    /// A number in hex digits, as arguments of system calls are.
    fn hex(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.word(name)?, 16).ok()
    }

    fn octal(&self, name: &str) -> Option<i32> {
        i32::from_str_radix(self.word(name)?, 8).ok()
    }
}

fn text_of(value: &[u8], is_text: bool) -> Option<Vec<u8>> {
    if is_text {
        return Some(value.to_vec());
    }
    let is_none = [&b"(null)"[..], b"(none)", b"?"].contains(&value);
    (!is_none).then(|| from_hex(value).unwrap_or_else(|| value.to_vec()))
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let is_hex = !digits.is_empty() && digits.len().is_multiple_of(2);
    is_hex.then_some(())?;
    digits.chunks_exact(2).map(|pair| u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok()).collect()
}

/// All records of one event, each with its type.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) id: Id,
    pub(super) records: Vec<(String, Fields)>,
}

impl Group {
    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Fields> {
        self.records.iter().filter(move |(known, _)| known == kind).map(|(_, fields)| fields)
    }

    /// The rows of the event, or why there are none.
    pub(super) fn rows(&self, source: &str) -> Vec<Record> {
        let measured = self.of_kind("INTEGRITY_RULE").map(|rule| Record::of(self.measured(source, rule)));
        let mut records: Vec<Record> = measured.collect();
        let call = self.of_kind("SYSCALL").next().map(|call| self.called(source, call));
        match call {
            Some(Record::Skipped(_)) if !records.is_empty() => {}
            Some(record) => records.push(record),
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

    /// A system call.
    fn called(&self, source: &str, call: &Fields) -> Record {
        if call.word("success") == Some("no") {
            return Record::Skipped("a call that failed");
        }
        let number = call.hex("arch").zip(call.number("syscall"));
        let Some((arch, number)) = number else {
            return Record::Unusable(
                "its SYSCALL names no call: read the log as auditd wrote it, not through ausearch -i".into(),
            );
        };
        match act_of(arch, number) {
            Some(act) => Record::of(self.acted(source, call, act)),
            None => Record::Skipped("another system call"),
        }
    }

    fn acted(&self, source: &str, call: &Fields, act: Act) -> Result<Event, String> {
        let mut row = self.row(source, "SYSCALL", act.hook(), call)?;
        row.open_flags = act.open_flags(|name| call.hex(name));
        let named = |types: &[&str]| {
            let mut paths = self.of_kind("PATH");
            paths.find(|path| path.word("nametype").is_some_and(|found| types.contains(&found)))
        };
        let file = named(act.subject()).ok_or("its records name no file that it was about")?;
        let is_from_directory = act.directory().is_none_or(|name| call.hex(name).is_some_and(is_working_directory));
        set_path(&mut row, &self.path(file, is_from_directory).ok_or("its file has no name")?);
        set_file(&mut row, file);
        if let Some(target) = act.target().and_then(named) {
            let is_from_directory =
                act.target_directory().is_none_or(|name| call.hex(name).is_some_and(is_working_directory));
            set_target(&mut row, &self.path(target, is_from_directory).ok_or("its target has no name")?);
        }
        if act == Act::Exec {
            self.set_arguments(&mut row);
        }
        Ok(row)
    }

    /// The name in a PATH record, from the working directory where it is relative to that.
    fn path(&self, path: &Fields, is_from_directory: bool) -> Option<Vec<u8>> {
        let name = path.text("name")?;
        let cwd = self.of_kind("CWD").next().filter(|_| is_from_directory).and_then(|cwd| cwd.text("cwd"));
        Some(joined(&cwd.unwrap_or_default(), &name))
    }

    /// The arguments of an exec; a long one stands in pieces, and one can stand over several records.
    fn set_arguments(&self, row: &mut Event) {
        let Some(count) = self.of_kind("EXECVE").find_map(|execve| execve.small("argc")) else { return };
        let fields = self.of_kind("EXECVE").flat_map(|fields| &fields.0);
        let texts: HashMap<&str, Vec<u8>> =
            fields.filter_map(|(name, value, is_text)| Some((&**name, text_of(value, *is_text)?))).collect();
        let text = |name: String| texts.get(&*name).cloned();
        let pieces = |argument: i32| -> Option<Vec<u8>> {
            let pieces: Vec<Vec<u8>> = (0..).map_while(|number| text(format!("a{argument}[{number}]"))).collect();
            (!pieces.is_empty()).then(|| pieces.concat())
        };
        let argument = |number: i32| text(format!("a{number}")).or_else(|| pieces(number));
        let arguments: Vec<Vec<u8>> = (0..count).map_while(argument).collect();
        row.argc = Some(count);
        row.argv_truncated = Some(i32::try_from(arguments.len()).ok() != Some(count));
        set_arguments(row, &arguments);
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
