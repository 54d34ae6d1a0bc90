//! The arguments that a hook entry lists, and what filters on them are about.

use super::document::Node;
use super::fields::Fields;
use super::model::{Argument, ArgumentKind, Hook, NamedFile, Text, Value};
use super::refusals::ARGUMENT;
use super::report::{Position, Report, listed};
use super::subject::{INTEGER_TYPES, ListedArgument, Subject, argument_index, refuse_type, type_name};
use super::{data, resolve, value};
use std::sync::Arc;

const MAX_ARGUMENTS: usize = 5;

/// An integer whose type is not written: any value that is not negative.
const ANY_INTEGER: Subject = Subject::Integer { bits: u64::BITS, signed: false };

/// The arguments that a hook entry lists, which its filters may refer to.
pub(super) struct Arguments {
    /// The entry's hook.
    pub(super) hook: Hook,
    /// In the order of the file; `None` is an argument that was refused.
    pub(super) listed: Vec<Option<ListedArgument>>,
    /// `data`, as `listed`.
    pub(super) data: Vec<Option<ListedArgument>>,
}

impl Arguments {
    /// Reads `args` and `data` of a hook entry.
    pub(super) fn read(hook: Hook, node: Option<&Node>, data_node: Option<&Node>, report: &mut Report) -> Self {
        let items = node.map_or(&[][..], |node| node.items("`args`", MAX_ARGUMENTS, report));
        let listed: Vec<_> = items.iter().map(|item| listed_argument(item, &hook, report)).collect();
        let is_file =
            |argument: &Option<ListedArgument>| argument.as_ref().is_some_and(|argument| argument.file().is_some());
        let mut files = items.iter().zip(&listed).filter(|(_, argument)| is_file(argument));
        if let (Some(_), Some((second, _))) = (files.next(), files.next()) {
            let hook = hook.name();
            report.refuse(
                second.at,
                format_args!("a second file among the arguments of `{hook}` is not supported; list one of them"),
            );
        }
        let data = data::read(&hook, data_node, report);
        Self { hook, listed, data }
    }

    /// The argument that names the file of a hook without a program of its own.
    pub(super) fn file(&self) -> Option<Arc<NamedFile>> {
        self.listed.iter().flatten().find_map(ListedArgument::file)
    }

    /// The values that are no files.
    pub(super) fn values(&self) -> Vec<Arc<Value>> {
        let values = self.listed.iter().chain(&self.data).flatten().filter_map(|argument| match &argument.subject {
            Subject::Number { value, .. } | Subject::Text(value) | Subject::Address(value) => Some(Arc::clone(value)),
            _ => None,
        });
        values.collect()
    }

    /// Whether the hook is about a file, as far as it is known before the kernel is asked.
    pub(super) fn have_file(&self) -> bool {
        let listed = self.listed.iter().flatten();
        !matches!(self.hook, Hook::Other(_) | Hook::KernelLoadData)
            || listed.into_iter().any(|argument| matches!(argument.subject, Subject::Path { .. }))
    }
}

fn listed_argument(node: &Node, hook: &Hook, report: &mut Report) -> Option<ListedArgument> {
    let fields = Fields::of(node, "an entry of `args`", report)?;
    fields.check(&["index", "type", "label", "resolve", "btfType", "source"], ARGUMENT, report);
    if let Some(label) = fields.get("label") {
        label.text("`label`", report);
    }
    let index_node = fields.get("index");
    let index = index_node.map(|node| argument_index(node, report));
    if let Some(source) = fields.filled("source") {
        source.choice("`source`", &[("current_task", ())], report)?;
        let subject = resolve::from_task(node, &fields, hook, report)?;
        return Some(ListedArgument { index: index.unwrap_or(Some(0))?, subject });
    }
    let Some(index) = index else {
        report.refuse(node.at, "`index` is missing; add `index:` with the argument's place, from 0");
        return None;
    };
    let index = index?;
    if matches!(hook, Hook::Other(_)) {
        return Some(ListedArgument { index, subject: value::argument(node, &fields, hook, index, report)? });
    }
    let argument = prototype(hook, index, index_node.unwrap_or(node), report)?;
    let subject = match fields.filled("resolve") {
        Some(path) => resolve::from_argument(node, path, hook, (index, argument), &fields, report)?,
        None => {
            resolve::check_cast(&fields, argument.kind.structure(), report)?;
            plain_subject(hook, index, argument, type_name(node, &fields, report)?, report)?
        }
    };
    Some(ListedArgument { index, subject })
}

/// The argument of a hook that has a program of its own.
fn prototype(hook: &Hook, index: u8, at: &Node, report: &mut Report) -> Option<Argument> {
    let argument = hook.argument(index);
    if argument.is_none() {
        let names = listed(hook.arguments().iter().map(|argument| argument.name));
        let last = hook.arguments().len().saturating_sub(1);
        report.refuse(at.at, format_args!("`{}` has no argument {index}; use 0 to {last}: {names}", hook.name()));
    }
    argument
}

/// What an argument is without `resolve`.
fn plain_subject(
    hook: &Hook,
    index: u8,
    argument: Argument,
    (type_name, at): (&str, Position),
    report: &mut Report,
) -> Option<Subject> {
    let wanted = match argument.kind {
        ArgumentKind::Integer => match INTEGER_TYPES.iter().find(|(name, ..)| *name == type_name) {
            Some((_, bits, signed)) => return Some(Subject::Integer { bits: *bits, signed: *signed }),
            None => "uint64",
        },
        ArgumentKind::Binprm => "linux_binprm",
        ArgumentKind::File => "file",
        ArgumentKind::Dentry => "dentry",
        ArgumentKind::Path => "path",
        ArgumentKind::Text => "string",
        ArgumentKind::Opaque => {
            let usable =
                hook.arguments().iter().enumerate().filter(|(_, argument)| argument.kind != ArgumentKind::Opaque);
            let usable = usable.map(|(index, argument)| format!("{index} `{}`", argument.name));
            let (name, hook, usable) = (argument.name, hook.name(), usable.collect::<Vec<_>>().join(", "));
            report.refuse(
                at,
                format_args!(
                    "argument {index} `{name}` of `{hook}` is not supported; remove it, or use one of {usable}"
                ),
            );
            return None;
        }
    };
    if type_name != "auto" && type_name != wanted {
        refuse_type(at, type_name, &format!("argument `{}`", argument.name), wanted, report);
        return None;
    }
    if argument.kind == ArgumentKind::Integer {
        return Some(ANY_INTEGER);
    }
    if argument.kind == ArgumentKind::Text {
        return hook.text_of(index).map(Subject::Name);
    }
    let has_file_type = matches!(argument.kind, ArgumentKind::File | ArgumentKind::Path);
    Some(Subject::Path { text: hook.text_of(index).unwrap_or(Text::Path), has_file_type, file: None })
}
