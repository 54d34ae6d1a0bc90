//! Tetragon's events as lines of JSON, as `tetra getevents -o json` and its export write them.

use super::input::{Input, first_line};
use super::json::{Object, each_object, id, names, number, object, small, text};
use super::record::{
    Place, Record, blank, nanoseconds, set_arguments, set_digest, set_exe, set_path, set_target, set_time,
};
use super::source::{Each, Given, Source};
use anyhow::Result;
use hashtrail::event::Event;
use hashtrail::hooks;
use serde_json::Value;

const NAME: &str = "tetragon";

pub(super) const SOURCE: Source = Source {
    name: NAME,
    help: "Tetragon's JSON lines: process_exec, process_lsm, process_kprobe with a file",
    cannot_know: &["loss", "file", "boot", "root", "arguments_apart", "paths_not_utf8", "reading"],
    resolution_ns: 0,
    is_undated: false,
    is_mine: |head| names(first_line(head)).iter().any(|name| KINDS.contains(&name.as_str())),
    read,
};

/// Kinds of events, of which the first three can make rows.
const KINDS: [&str; 11] = [
    "process_exec",
    "process_lsm",
    "process_kprobe",
    "process_exit",
    "process_tracepoint",
    "process_uprobe",
    "process_usdt",
    "process_loader",
    "process_throttle",
    "rate_limit_info",
    "test",
];
/// Hooks whose paths are those of the directories in which something is done to a name.
const OF_DIRECTORIES: [&str; 8] = [
    hooks::PATH_RENAME,
    hooks::PATH_UNLINK,
    hooks::PATH_LINK,
    "path_symlink",
    "path_mknod",
    "path_mkdir",
    "path_rmdir",
    "path_post_mknod",
];
/// Of a path of which not all parts could be read.
const INCOMPLETE: &str = "unresolvedPathComponents";

fn read(input: &Input, _: &Given, each: Each<'_>) -> Result<()> {
    each_object(input, each, |place: Place, line, each| each(place, record(&line)))
}

fn record(line: &Object) -> Record {
    let Some((kind, event)) = KINDS.iter().find_map(|kind| Some((*kind, object(line, kind)?))) else {
        return Record::Unusable("it is no event of Tetragon that is known here".into());
    };
    let made = match kind {
        "process_exec" => exec(event),
        "process_lsm" | "process_kprobe" => match hooked(kind, event) {
            Some(made) => made,
            None => return Record::Skipped("a call that no file is an argument of"),
        },
        "rate_limit_info" | "process_throttle" => return Record::Skipped("a note of events that Tetragon left out"),
        "process_exit" => return Record::Skipped("the end of a process"),
        _ => return Record::Skipped("another kind of event"),
    };
    Record::of(made.and_then(|row| finished(row, line)))
}

/// What all events have.
fn finished(mut row: Event, line: &Object) -> Result<Event, String> {
    let time = text(line, "time").and_then(nanoseconds).ok_or("it has no time that can be read")?;
    set_time(&mut row, time)?;
    row.host = text(line, "node_name").unwrap_or_default().to_owned();
    Ok(row)
}

/// A program that a process has become, or that one ran already when Tetragon began.
fn exec(event: &Object) -> Result<Event, String> {
    let process = object(event, "process").ok_or("it has no process")?;
    let has_flag = |flag: &str| text(process, "flags").is_some_and(|flags| flags.split(' ').any(|one| one == flag));
    let hook = if has_flag("procFS") { hooks::RUNNING_PROCESS } else { hooks::BPRM_COMMITTED_CREDS };
    let mut row = blank(NAME, "process_exec", hook);
    set_process(&mut row, event, process);
    set_path(&mut row, text(process, "binary").ok_or("its process has no binary")?.as_bytes());
    if let Some(arguments) = text(process, "arguments") {
        set_arguments(&mut row, &[arguments.as_bytes().to_vec()]);
        row.argv_truncated = Some(has_flag("truncArgs"));
    }
    if has_flag("truncFilename") {
        row.path_flags = vec!["unreachable".to_owned()];
    }
    Ok(row)
}

/// A call of a hook or function; `None` where no file is an argument of it.
fn hooked(kind: &str, event: &Object) -> Option<Result<Event, String>> {
    let ima_hash = text(event, "ima_hash");
    let mut files = files(event);
    let first = files.next();
    if first.is_none() && ima_hash.is_none() {
        return None;
    }
    let second = files.next();
    Some(hooked_row(kind, event, first, second, ima_hash))
}

fn hooked_row(
    kind: &str,
    event: &Object,
    file: Option<File<'_>>,
    second: Option<File<'_>>,
    ima_hash: Option<&str>,
) -> Result<Event, String> {
    let function = text(event, "function_name").ok_or("it names no function")?;
    let hook = function.strip_prefix("security_").unwrap_or(function);
    let mut row = blank(NAME, kind, hook);
    let process = object(event, "process").ok_or("it has no process")?;
    set_process(&mut row, event, process);
    let owned = |name: &str| text(event, name).map(str::to_owned);
    (row.policy, row.message) = (owned("policy_name"), owned("message"));
    let tags = event.get("tags").and_then(Value::as_array).into_iter().flatten();
    row.tags = tags.filter_map(Value::as_str).map(str::to_owned).collect();
    // What Tetragon did is told in its own word: whether the call took place, it does not say.
    row.tags.extend(owned("action").filter(|action| action != "KPROBE_ACTION_POST"));
    let (file, second) = if OF_DIRECTORIES.contains(&hook) {
        // Which of them the file was, the call does not tell.
        row.tags.extend([&file, &second].into_iter().flatten().map(|file| format!("argument:{}", file.path)));
        (None, None)
    } else {
        (file, second)
    };
    // A path that could not be built stands there as that of the root.
    if let Some(file) = file.filter(|file| file.path != "/") {
        set_path(&mut row, file.path.as_bytes());
        // Hooks of inodes have entries of directories, whose paths begin at their filesystem.
        if file.is_incomplete || hook.starts_with("inode_") {
            row.path_flags = vec!["unreachable".to_owned()];
        }
    }
    if let Some(second) = second.filter(|file| file.path != "/") {
        set_target(&mut row, second.path.as_bytes());
    }
    if let Some(hash) = ima_hash {
        let (algorithm, digits) = hash.split_once(':').ok_or("its ima_hash is not `algorithm:hex`")?;
        set_digest(&mut row, NAME, algorithm, digits)?;
    }
    Ok(row)
}

struct File<'a> {
    path: &'a str,
    is_incomplete: bool,
}

/// The files among the arguments of a call. A text counts as one where a file is opened by it.
fn files(event: &Object) -> impl Iterator<Item = File<'_>> {
    const ARGUMENTS: [&str; 3] = ["file_arg", "path_arg", "linux_binprm_arg"];
    let opens = text(event, "function_name").is_some_and(|name| name.contains("open"));
    let arguments = event.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    arguments.filter_map(move |argument| {
        let file = ARGUMENTS.iter().find_map(|name| object(argument, name));
        let by_name = || text(argument, "string_arg").filter(|_| opens);
        let path = file.map_or_else(by_name, |file| text(file, "path"))?;
        let flags = file.and_then(|file| text(file, "flags")).unwrap_or_default();
        Some(File { path, is_incomplete: flags.contains(INCOMPLETE) })
    })
}

/// The process of an event. `uid` is the effective user; the others are told only where Tetragon is asked for credentials.
fn set_process(row: &mut Event, event: &Object, process: &Object) {
    let start = |process: &Object| text(process, "start_time").and_then(nanoseconds);
    row.pid = small(process, "pid").unwrap_or(-1);
    row.tid = small(process, "tid").unwrap_or(-1);
    row.process_start_ns = start(process).unwrap_or(row.process_start_ns);
    row.euid = id(process, "uid").unwrap_or(row.euid);
    if let Some(credentials) = object(process, "process_credentials") {
        row.uid = id(credentials, "uid").unwrap_or(row.uid);
        row.gid = id(credentials, "gid").unwrap_or(row.gid);
    }
    row.auid = id(process, "auid");
    set_exe(row, text(process, "binary").unwrap_or_default().as_bytes());
    row.container_id = text(process, "docker").map(str::to_owned);
    let namespace = |name: &str| number(object(object(process, "ns")?, name)?, "inum");
    row.mnt_ns = namespace("mnt").unwrap_or(row.mnt_ns);
    row.pid_ns = namespace("pid").unwrap_or(row.pid_ns);
    if let Some(parent) = object(event, "parent") {
        row.ppid = small(parent, "pid").unwrap_or(-1);
        row.parent_start_ns = start(parent).unwrap_or(row.parent_start_ns);
    }
}
