//! An archive of files, programs, arguments, packages and lists whose names want to be more than names.

use crate::archives::timeline::made;
use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::columns::Row as _;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::packages::{PackageFile, Snapshot};
use hashtrail::seal::{LooseFile, SegmentName, seal};
use hashtrail::text::from_bytes;
use hashtrail::versions::VersionContext;
use serde_json::json;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Names of files, programs, arguments, memory and packages.
pub(super) fn names() -> Vec<Vec<u8>> {
    let short: [&[u8]; 20] = [
        b"new\nline\rback\0x",
        b"\x1b]52;c;aGk=\x07\x1b[2J\x08",
        "\u{9b}31m\u{85}\u{9d}0;owned\u{9c}".as_bytes(),
        "\u{202e}gnp.exe\u{2066}\u{2028}\u{200f}\u{feff}".as_bytes(),
        b"=cmd|' /C calc'!A0",
        b"+1",
        b"-2+3",
        b"@SUM(1)",
        b"\t=1",
        b"\r=1",
        b" =1",
        "\u{ff1d}1".as_bytes(),
        b"\";=cmd;\"",
        b"a;=cmd;-1; \"+2",
        b"</script></style><script>document.title='owned';alert(1)</script>",
        b"<img src=x onerror=\"document.title='owned'\">",
        b"\xff\xfe\x80\xc3",
        b"\\xff\\xfe\\x80\\xc3",
        b"\\n\\x1b\\\\\x7f|%0a%7c",
        b"'a,b\"c' -- $(id)",
    ];
    short.into_iter().map(<[u8]>::to_vec).chain([[b"</b>long\xff".repeat(420), b"end".to_vec()].concat()]).collect()
}

/// The name of a file on the disk of this test, which must be one component.
const ON_DISK: &[u8] = b"new\nline\x1b[2J\xc2\x9b\xe2\x80\xae\xff;=cmd|<img src=x>";

const HOOKS: [&str; 6] =
    ["bprm_check_security", "bprm_committed_creds", "file_open", "inode_rename", "inode_setxattr", "mmap_file"];

pub(super) struct World {
    pub(super) directory: TempDir,
    /// One archive of each of two hosts, and one in which every text is hostile.
    pub(super) archives: [PathBuf; 3],
    /// Known-bad digests with hostile names, in a file with one.
    pub(super) list: PathBuf,
    /// What a kernel measured.
    pub(super) measured: PathBuf,
}

impl World {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(OsStr::from_bytes(&[name.as_bytes(), ON_DISK].concat()));
        let archives = ["web", "db", "forged"].map(path);
        seal_all(&archives[0], "web", "11111111-0000-4000-8000-000000000000", &histories());
        seal_all(&archives[1], "db", "22222222-0000-4000-8000-000000000000", &histories()[..40]);
        let forged: Vec<Event> = (0..).zip(histories()).map(|(at, event)| forged(at, event)).collect();
        seal_all(&archives[2], "forged", "33333333-0000-4000-8000-000000000000", &forged);
        let (list, measured) = (path("list"), path("measured"));
        let lines = (0..).zip(names()).map(|(at, name)| {
            let name = from_bytes(&name).text.replace(['\n', '\r', '\0'], " ");
            format!("{}  {name}\n", digest(2 * at + 1))
        });
        let unusable = "\u{1b}]52;c;aGk=\u{7} is no digest\nsha256:\u{202e}\n";
        std::fs::write(&list, lines.chain([unusable.to_owned()]).collect::<String>()).expect("a list");
        let entries = names().into_iter().filter(|name| !name.contains(&b'\n')).map(|name| {
            let head = format!("10 {} ima-ng sha256:{} /usr/bin/", "a".repeat(40), digest(1));
            [head.as_bytes(), &name, b"\n"].concat()
        });
        std::fs::write(&measured, entries.flatten().collect::<Vec<u8>>()).expect("a list of measurements");
        Self { directory, archives, list, measured }
    }
}

/// The path of the file with a name.
pub(super) fn path_of(name: &[u8]) -> Vec<u8> {
    [b"/usr/bin/", name].concat()
}

/// A digest of its own for each number.
fn digest(number: usize) -> String {
    format!("{:064x}", number + 0xabcd_0000)
}

/// Text for a column, and its bytes where it needs them.
fn text(bytes: &[u8]) -> (String, Option<Vec<u8>>) {
    let text = from_bytes(bytes);
    (text.text.into_owned(), text.bytes.map(<[u8]>::to_vec))
}

/// What a thread can be called: 15 bytes.
fn comm(name: &[u8]) -> String {
    text(&name[..name.len().min(15)]).0
}

/// Each file runs, is written by a program with a hostile name, gets an attribute and another name, and runs again.
fn histories() -> Vec<Event> {
    let names = names();
    let story = |at: usize| Story {
        at: i64::try_from(at).expect("a number"),
        name: &names[at],
        other: &names[(at + 1) % names.len()],
    };
    (0..names.len()).flat_map(|at| story(at).events()).collect()
}

/// What happens to one file.
struct Story<'a> {
    at: i64,
    name: &'a [u8],
    /// Of who acts on it.
    other: &'a [u8],
}

impl Story<'_> {
    fn events(&self) -> Vec<Event> {
        let (target_path, target_path_bytes) = text(&path_of(self.other));
        let written = Event { open_flags: Some(1), ..self.event(2, "file_open") };
        let renamed = Event { target_path: Some(target_path), target_path_bytes, ..self.event(3, "inode_rename") };
        let labelled = Event { attributes: vec![text(self.name).0], ..self.event(4, "inode_setxattr") };
        let [first, second] =
            [2 * self.at, 2 * self.at + 1].map(|number| digest(usize::try_from(number).expect("a number")));
        let between = [written, renamed, labelled, self.memory(&first)];
        [&self.runs(1, &first)[..], &between, &self.runs(6, &second)].concat()
    }

    fn second(&self, after: i64) -> i64 {
        10 * (self.at + 1) + after
    }

    fn event(&self, after: i64, hook: &str) -> Event {
        let ((path, path_bytes), (exe, exe_bytes)) = (text(&path_of(self.name)), text(&path_of(self.other)));
        let pid = 1000 + i32::try_from(self.at).expect("a number");
        Event {
            hook: hook.into(),
            pid,
            process_start_ns: self.second(0) * 1_000_000_000,
            ppid: pid - 1,
            parent_start_ns: self.second(-10) * 1_000_000_000,
            comm: comm(self.name),
            parent_comm: comm(self.other),
            exe: Some(exe),
            exe_bytes,
            path: Some(path),
            path_bytes,
            ino: Some(100 + self.at),
            policy: Some(text(self.name).0),
            selector: Some(text(self.name).0),
            message: Some(text(self.name).0),
            tags: vec![text(self.name).0, text(self.other).0],
            digest: None,
            digest_algorithm: None,
            digest_status: "not_requested".into(),
            ..made::event(self.second(after))
        }
    }

    fn hashed(event: Event, digest: &str) -> Event {
        Event {
            digest_algorithm: Some("sha256".into()),
            digest: Some(digest.into()),
            digest_status: "ok".into(),
            ..event
        }
    }

    fn runs(&self, after: i64, digest: &str) -> [Event; 2] {
        let arguments: [&[u8]; 4] = [self.name, b"-c", self.other, b";"];
        let of_exec = |hook| Event { exec_id: Some(self.second(after)), ..self.event(after, hook) };
        let ran = Event {
            argv: Some(arguments.map(|argument| text(argument).0).to_vec()),
            argv_bytes: Some(arguments.map(<[u8]>::to_vec).to_vec()),
            ..of_exec("bprm_committed_creds")
        };
        [Self::hashed(of_exec("bprm_check_security"), digest), ran]
    }

    /// The content of the file, mapped from memory that has its name.
    fn memory(&self, digest: &str) -> Event {
        let (path, path_bytes) = text(self.name);
        let mapped = Event {
            path: Some(path),
            path_bytes,
            path_flags: vec!["memfd".into()],
            ino: Some(1100 + self.at),
            mmap_prot: Some(5),
            ..self.event(5, "mmap_file")
        };
        Self::hashed(mapped, digest)
    }
}

/// As only an archive that somebody made up can be: no text is what it should be.
fn forged(at: usize, event: Event) -> Event {
    let names = names();
    let text = || text(&names[at % names.len()]).0;
    let some = || Some(text());
    Event {
        host: text(),
        boot_id: text(),
        hook: if at.is_multiple_of(2) { text() } else { event.hook.clone() },
        served_by: text(),
        action: text(),
        unenforced: some(),
        container_id: some(),
        root_dev: text(),
        path_flags: if at.is_multiple_of(3) { vec![text()] } else { event.path_flags.clone() },
        dev: some(),
        fs_type: some(),
        real_dev: some(),
        image_dev: some(),
        real_fs_type: some(),
        digest_algorithm: event.digest_algorithm.as_ref().map(|_| text()),
        digest: event.digest.as_ref().map(|_| text()),
        digest_status: text(),
        digest_reason: some(),
        digest_source: some(),
        digest_doubt: if at.is_multiple_of(5) { vec![text()] } else { Vec::new() },
        ..event
    }
}

/// Seals events of a host, with what the ledger, the manifest and the packages say.
fn seal_all(directory: &Path, host: &str, id: &str, events: &[Event]) {
    let texts: Vec<String> = names().iter().map(|name| text(name).0).collect();
    let of_host = |(seq, event): (i64, &Event)| {
        let host = if event.host == "web" { host.to_owned() } else { event.host.clone() };
        Event { recording_id: id.to_owned(), seq, host, ..event.clone() }
    };
    let archive = Archive::create(directory).expect("an archive");
    let mut manifest = Manifest::open(&archive, None).expect("a manifest");
    let start = json!({
        "recording_id": id, "host": host, "kernel": texts[1], "case": texts[3], "operator": texts[14],
        "facts": {"machine_id": texts[2], "boot_id": texts[0]},
    });
    manifest.append(&[("start", start)]).expect("a start");
    seal_packages(&archive, &mut manifest, (host, id));
    let name = SegmentName { recording_id: id.to_owned(), host: host.to_owned(), segment: 0 };
    let context = VersionContext {
        host_root_dev: "8:1".into(),
        host_root_ino: 2,
        commits_recorded: true,
        ..VersionContext::default()
    };
    let events = (0..).zip(events).map(of_host).collect();
    seal(&archive, &mut manifest, &name, &context, events, ledger(&texts, (host, id))).expect("a sealed segment");
    manifest.append(&[("stop", json!({"recording_id": id, "state": "SEALED"}))]).expect("a stop");
}

/// Losses, errors and what else can be told, each with every text.
fn ledger(texts: &[String], (host, id): (&str, &str)) -> Vec<LedgerEntry> {
    let entry = |second: i64, kind: &str, cause: Option<&str>, detail: serde_json::Value| LedgerEntry {
        recording_id: id.to_owned(),
        host: host.to_owned(),
        time: Micros((1_767_312_000 + second) * 1_000_000),
        boot_ns: second * 1_000_000_000,
        kind: kind.to_owned(),
        cause: cause.map(str::to_owned),
        from_ns: Some(second * 1_000_000_000),
        to_ns: Some((second + 1) * 1_000_000_000),
        count: Some(1),
        policy: Some(texts[1].clone()),
        detail: Some(detail.to_string()),
        ..LedgerEntry::default()
    };
    let problems = texts.to_vec();
    let taken = Snapshot { full: true, settled: true, packages: 1, problems, problem_count: 9, ..Snapshot::default() };
    let mut ledger = vec![
        entry(0, "start", None, json!({})),
        entry(0, "policy", None, json!({"hooks": HOOKS, "suppressing": {"rate_limit": HOOKS}})),
        entry(1, "packages", Some("snapshot"), json!(taken)),
        entry(900, "packages", Some("unchanged"), json!({"snapshot": 0})),
    ];
    for text in texts {
        let told = |kind: &str| entry(40, kind, Some(text), json!({"text": text, "path": text}));
        ledger.extend(["loss", "error", "blind", "suspect", "violation", "listed", "tamper"].map(told));
    }
    ledger.push(entry(900, "stop", None, json!({"cpus": []})));
    ledger
}

/// Each file is owned by a package of its name, which says that it has another content.
fn seal_packages(archive: &Archive, manifest: &mut Manifest, (host, id): (&str, &str)) {
    let time = Micros(1_767_312_001 * 1_000_000);
    let name = SegmentName { recording_id: id.to_owned(), host: host.to_owned(), segment: 0 };
    let mut file = LooseFile::<PackageFile>::create(archive, name, time).expect("a file");
    for (at, name) in names().iter().enumerate() {
        let row = PackageFile {
            recording_id: id.to_owned(),
            host: host.to_owned(),
            time,
            boot_ns: 1_000_000_000,
            manager: "dpkg".into(),
            package: text(name).0,
            version: Some(text(name).0),
            architecture: Some(text(name).0),
            state: Some(text(name).0),
            path: Some(text(&path_of(name)).0),
            real_path: Some(text(&path_of(name)).0),
            stated_algorithm: Some("md5".into()),
            stated_digest: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
            status: "ok".into(),
            digest_algorithm: Some("sha256".into()),
            digest: Some(digest(2 * at)),
            dev: Some("8:1".into()),
            ..PackageFile::default()
        };
        file.push(time, &row.view()).expect("a row");
    }
    file.place(archive, manifest).expect("a table of packages");
}
