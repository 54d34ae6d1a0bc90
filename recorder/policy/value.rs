//! Arguments and data that only the kernel's BTF explains: what they are, and whether the policy says so too.

use std::sync::Arc;

use super::document::Node;
use super::fields::{Fields, refuse_unknown};
use super::model::{AddressPart, ArgumentKind, Hook, NamedFile, Read, Text, Value};
use super::refusals::ARGUMENT_TYPES;
use super::report::{Position, Report, quoted};
use super::subject::{self, INTEGER_TYPES, SocketPart, Subject};
use crate::btf::{self, End, Kernel, Kind, Start, Walk};

/// Types whose values are structures: Tetragon's name, and the kernel's.
const STRUCTURES: [(&str, &str); 7] = [
    ("file", "file"),
    ("path", "path"),
    ("dentry", "dentry"),
    ("linux_binprm", "linux_binprm"),
    ("socket", "socket"),
    ("sock", "sock"),
    ("sockaddr", "sockaddr"),
];

/// What a type of a policy says.
#[derive(Clone, Copy)]
enum Declared {
    Auto,
    Integer { bits: u32, signed: bool },
    Text,
    Structure(&'static str),
}

/// A value that a policy asks for, before it is known what it is.
struct Asked<'a> {
    hook: &'a Hook,
    start: Start,
    /// As `resolve` writes it; empty for the argument itself.
    path: &'a str,
    cast: Option<&'a str>,
    at: Position,
    type_name: &'a str,
    type_at: Position,
}

impl Asked<'_> {
    /// In words.
    fn name(&self) -> String {
        match (self.start, self.path) {
            (Start::Argument(index), "") => format!("argument {index}"),
            (Start::Argument(index), path) => format!("`{path}` of argument {index}"),
            (Start::CurrentTask, path) => format!("`{path}` of the calling task"),
        }
    }
}

/// What an argument of a hook is, or what `resolve` leads to from it. `None` means that the report says why.
pub(super) fn argument(
    entry: &Node,
    fields: &Fields<'_>,
    hook: &Hook,
    index: u8,
    report: &mut Report,
) -> Option<Subject> {
    read(entry, fields, hook, Start::Argument(index), report)
}

/// What `resolve` leads to from the calling task.
pub(super) fn of_task(entry: &Node, fields: &Fields<'_>, hook: &Hook, report: &mut Report) -> Option<Subject> {
    read(entry, fields, hook, Start::CurrentTask, report)
}

fn read(entry: &Node, fields: &Fields<'_>, hook: &Hook, start: Start, report: &mut Report) -> Option<Subject> {
    let (type_name, type_at) = subject::type_name(entry, fields, report)?;
    let path = match fields.filled("resolve") {
        Some(node) => node.text("`resolve`", report)?,
        None => "",
    };
    let cast = match fields.filled("btfType") {
        Some(node) => Some(node.text("`btfType`", report)?),
        None => None,
    };
    let at = fields.filled("resolve").or(fields.get("index")).unwrap_or(entry).at;
    let asked = Asked { hook, start, path, cast, at, type_name, type_at };
    if !path.is_empty()
        && let Err(error) = btf::check_path(path)
    {
        report.refuse(at, format_args!("`resolve` {}: {error}; correct it", quoted(path)));
        return None;
    }
    let declared = declared(&asked, report)?;
    let Some(found) = look_up(&asked, report)? else {
        return without_btf(&asked, declared, report);
    };
    check_type(&asked, declared, &found.1.kind, report)?;
    subject(&asked, declared, Some(found), report)
}

fn declared(asked: &Asked<'_>, report: &mut Report) -> Option<Declared> {
    let (name, at) = (asked.type_name, asked.type_at);
    if let Some((_, bits, signed)) = INTEGER_TYPES.iter().find(|(known, ..)| *known == name) {
        return Some(Declared::Integer { bits: *bits, signed: *signed });
    }
    if let Some((known, _)) = STRUCTURES.iter().find(|(known, _)| *known == name) {
        return Some(Declared::Structure(known));
    }
    match name {
        "auto" => return Some(Declared::Auto),
        "string" => return Some(Declared::Text),
        _ => {}
    }
    let usable = || {
        let structures = STRUCTURES.iter().map(|(name, _)| *name);
        INTEGER_TYPES.iter().map(|(name, ..)| *name).chain(["auto", "string"]).chain(structures)
    };
    if ARGUMENT_TYPES.contains(&name) {
        let (name, what) = (quoted(name), asked.name());
        report.refuse(
            at,
            format_args!(
                "type {name} is not supported for {what} of `{}`; write `auto`, an integer type, `string`, `path`, \
                 `dentry`, `file`, `linux_binprm`, `sockaddr` or `socket`, or remove it",
                asked.hook.name()
            ),
        );
    } else {
        let offered: Vec<&str> = usable().collect();
        refuse_unknown(
            at,
            "type",
            name,
            offered.iter().copied().chain(ARGUMENT_TYPES.iter().copied()),
            &offered,
            report,
        );
    }
    None
}

/// What the kernel's BTF says; the inner `None`: this machine has none, or not this hook, which is seen at the load.
#[expect(clippy::option_option, reason = "the outer one is a fault that the report tells")]
fn look_up(asked: &Asked<'_>, report: &mut Report) -> Option<Option<(Walk, End)>> {
    let hook = asked.hook.name();
    let walked = {
        let Some(kernel) = report.totals.kernel() else { return Some(None) };
        match asked.start {
            Start::CurrentTask => kernel.walk_from_task(asked.cast, asked.path),
            Start::Argument(index) => match kernel.argument_count(hook) {
                None => return Some(None),
                Some(count) if usize::from(index) >= count => Err(no_argument(kernel, hook, index, count)),
                Some(_) => kernel.walk_from_argument(hook, index, asked.cast, asked.path),
            },
        }
    };
    match walked {
        Ok(found) => Some(Some(found)),
        Err(error) => {
            let what =
                if asked.path.is_empty() { "`args`".to_owned() } else { format!("`resolve` {}", quoted(asked.path)) };
            report.refuse(asked.at, format_args!("{what}: {error:#}, by this kernel's BTF; correct or remove it"));
            None
        }
    }
}

fn no_argument(kernel: &Kernel, hook: &str, index: u8, count: usize) -> anyhow::Error {
    let known = (0..5).map_while(|place| kernel.argument(hook, place)).enumerate();
    let known: Vec<String> = known.map(|(place, argument)| format!("{place} `{}`", argument.text)).collect();
    anyhow::anyhow!("`{hook}` has no argument {index}, but {count}: {}", known.join(", "))
}

/// Whether a type of a policy and one of the kernel can be the same.
fn check_type(asked: &Asked<'_>, declared: Declared, kind: &Kind, report: &mut Report) -> Option<()> {
    let agrees = match (declared, kind) {
        (Declared::Auto, _)
        | (Declared::Integer { .. }, Kind::Integer { .. })
        | (Declared::Text, Kind::Text | Kind::Characters { .. }) => true,
        // The kernel has several of these, of one beginning.
        (Declared::Structure("sockaddr"), Kind::Pointer(name)) => name.starts_with("sockaddr"),
        (Declared::Structure("path"), Kind::Structure(name)) => name == "path",
        (Declared::Structure(wanted), Kind::Pointer(name)) => {
            STRUCTURES.iter().any(|(tetragon, kernel)| *tetragon == wanted && kernel == name)
        }
        _ => false,
    };
    if agrees {
        return Some(());
    }
    let (type_name, what, hook) = (quoted(asked.type_name), asked.name(), asked.hook.name());
    let is = in_words(asked, kind, report);
    let way_out = match kind {
        Kind::Integer { bytes, signed } => {
            let sign = if *signed { "int" } else { "uint" };
            format!("write `auto` or `{sign}{}`", u32::from(*bytes) * 8)
        }
        Kind::Text | Kind::Characters { .. } => "write `auto` or `string`".to_owned(),
        Kind::Pointer(name) | Kind::Structure(name) => match STRUCTURES.iter().find(|(_, kernel)| kernel == name) {
            Some((known, _)) => format!("write `auto` or `{known}`"),
            None => "remove it, or use `resolve` to a member of it".to_owned(),
        },
        Kind::Other => "remove it".to_owned(),
    };
    report.refuse(
        asked.type_at,
        format_args!("type {type_name} contradicts the kernel's BTF: {what} of `{hook}` is {is}; {way_out}"),
    );
    None
}

fn in_words(asked: &Asked<'_>, kind: &Kind, report: &Report) -> String {
    if let (Start::Argument(index), "") = (asked.start, asked.path)
        && let Some(argument) = report.totals.kernel().and_then(|kernel| kernel.argument(asked.hook.name(), index))
    {
        let name = if argument.name.is_empty() { String::new() } else { format!(" ({})", argument.name) };
        return format!("`{}`{name}", argument.text);
    }
    match kind {
        Kind::Integer { bytes, signed } => {
            format!("a number of {bytes} bytes {} sign", if *signed { "with" } else { "without" })
        }
        Kind::Text | Kind::Characters { .. } => "a text".to_owned(),
        Kind::Pointer(name) => format!("a pointer to `struct {name}`"),
        Kind::Structure(name) => format!("a `struct {name}`"),
        Kind::Other => "of another kind".to_owned(),
    }
}

/// What the policy says has to do until the load, which asks the kernel.
fn without_btf(asked: &Asked<'_>, declared: Declared, report: &mut Report) -> Option<Subject> {
    if matches!(declared, Declared::Auto) {
        report.refuse(
            asked.type_at,
            format_args!(
                "the type of {} of `{}` is not known here: this machine has no BTF of that hook; write its `type`",
                asked.name(),
                asked.hook.name()
            ),
        );
        return None;
    }
    subject(asked, declared, None, report)
}

fn subject(asked: &Asked<'_>, declared: Declared, found: Option<(Walk, End)>, report: &mut Report) -> Option<Subject> {
    let by_kernel = found.as_ref().map(|(_, end)| match &end.kind {
        Kind::Integer { bytes, signed } => Declared::Integer { bits: u32::from(*bytes) * 8, signed: *signed },
        Kind::Text | Kind::Characters { .. } => Declared::Text,
        Kind::Pointer(name) if name.starts_with("sockaddr") => Declared::Structure("sockaddr"),
        Kind::Pointer(name) | Kind::Structure(name) => {
            let known = STRUCTURES.iter().find(|(_, kernel)| kernel == name);
            known.map_or(Declared::Auto, |(known, _)| Declared::Structure(known))
        }
        Kind::Other => Declared::Auto,
    });
    let is = if matches!(declared, Declared::Auto) { by_kernel.unwrap_or(Declared::Auto) } else { declared };
    let value = |read: Read, report: &Report| {
        let (name, place) = (asked.name(), report.place(asked.at));
        Arc::new(Value { name, place, start: asked.start, walk: found.clone(), read })
    };
    Some(match is {
        Declared::Integer { bits, signed } => {
            Subject::Number { value: value(Read::Number { bits, signed }, report), bits, signed }
        }
        Declared::Text => Subject::Text(value(Read::Text, report)),
        Declared::Structure("sockaddr") => {
            let part = AddressPart::Family;
            Subject::Address(value(Read::Address { part, length: length_of(asked, report) }, report))
        }
        Declared::Structure(name @ ("file" | "path" | "dentry" | "linux_binprm")) => named(asked, name, report)?,
        Declared::Structure(name @ ("socket" | "sock")) => {
            Subject::Socket(members(asked, name, found.is_some(), report))
        }
        Declared::Structure(_) | Declared::Auto => {
            Subject::Unfiltered("hashtrail knows no filter for its type; list a member of it by `resolve`")
        }
    })
}

/// The members of a socket that filters can be about, those that this kernel has.
fn members(asked: &Asked<'_>, name: &str, has_btf: bool, report: &Report) -> Arc<[(SocketPart, Arc<Value>)]> {
    let before: Vec<&str> =
        [asked.path, if name == "socket" { "sk" } else { "" }].into_iter().filter(|step| !step.is_empty()).collect();
    let number = |bits| Read::Number { bits, signed: false };
    let member = |(part, what, member, read): (SocketPart, &str, &str, Read)| {
        let path = [&before[..], &[member]].concat().join(".");
        let walk = report.totals.kernel().filter(|_| has_btf).map(|kernel| match asked.start {
            Start::CurrentTask => kernel.walk_from_task(asked.cast, &path),
            Start::Argument(index) => kernel.walk_from_argument(asked.hook.name(), index, asked.cast, &path),
        });
        let value = Value {
            name: format!("the {what} of {}", asked.name()),
            place: report.place(asked.at),
            start: asked.start,
            walk: walk.transpose().ok()?,
            read,
        };
        Some((part, Arc::new(value)))
    };
    let known = [
        (SocketPart::Family, "family", "__sk_common.skc_family", number(16)),
        (SocketPart::Protocol, "protocol", "sk_protocol", number(16)),
        (SocketPart::State, "state", "__sk_common.skc_state", number(8)),
        (SocketPart::SourcePort, "source port", "__sk_common.skc_num", number(16)),
        (SocketPart::DestinationPort, "destination port", "__sk_common.skc_dport", Read::Port),
    ];
    known.into_iter().filter_map(member).collect()
}

/// An argument that is a file, or leads to one, names the file of the hook's rows.
fn named(asked: &Asked<'_>, name: &str, report: &mut Report) -> Option<Subject> {
    let (Hook::Other(_), Start::Argument(index), "") = (asked.hook, asked.start, asked.path) else {
        report.refuse(
            asked.at,
            format_args!(
                "a {name} at the end of `resolve` {} is not supported: filters on paths are about what the hook itself is \
                 given; remove it, or list the argument",
                quoted(asked.path)
            ),
        );
        return None;
    };
    let kind = match name {
        "file" => ArgumentKind::File,
        "path" => ArgumentKind::Path,
        "dentry" => ArgumentKind::Dentry,
        _ => ArgumentKind::Binprm,
    };
    let has_file_type = kind != ArgumentKind::Dentry;
    let file = NamedFile { index, kind, place: report.place(asked.at) };
    Some(Subject::Path { text: Text::Path, has_file_type, file: Some(Arc::new(file)) })
}

/// The argument behind an address says how long it is, where it is a number.
fn length_of(asked: &Asked<'_>, report: &Report) -> Option<u8> {
    let (Start::Argument(index), "") = (asked.start, asked.path) else { return None };
    let next = report.totals.kernel()?.argument(asked.hook.name(), index + 1)?;
    matches!(next.kind, Kind::Integer { .. }).then_some(index + 1)
}
