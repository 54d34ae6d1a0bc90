//! `resolve`: what a walk through kernel structures leads to, as far as rows or filters know it by itself.

use super::document::Node;
use super::fields::Fields;
use super::model::{Argument, ArgumentKind, Hook, Text};
use super::report::{Report, quoted};
use super::subject::{Subject, refuse_type, type_name};
use super::value;

/// Most members of structures that `resolve` may name.
const MAX_STEPS: usize = 10;

impl ArgumentKind {
    /// The structure that an argument points to, as `btfType` would name it.
    pub(super) const fn structure(self) -> &'static str {
        match self {
            Self::Binprm => "linux_binprm",
            Self::File => "file",
            Self::Dentry => "dentry",
            Self::Path => "path",
            Self::Text | Self::Integer | Self::Opaque => "",
        }
    }
}

/// A cast to what the start of `resolve` is anyway changes nothing; any other is refused.
pub(super) fn check_cast(fields: &Fields<'_>, structure: &str, report: &mut Report) -> Option<()> {
    let Some(node) = fields.filled("btfType") else {
        return Some(());
    };
    let name = node.text("`btfType`", report)?;
    if name == structure {
        return Some(());
    }
    let name = quoted(name);
    report.refuse(node.at, format_args!("`btfType` {name} is not supported; remove it"));
    None
}

/// What `resolve` gives on an argument: the program's own file, or names of tasks.
pub(super) fn from_argument(
    entry: &Node,
    path: &Node,
    hook: &Hook,
    (index, argument): (u8, Argument),
    fields: &Fields<'_>,
    report: &mut Report,
) -> Option<Subject> {
    let steps = path.text("`resolve`", report)?;
    let cast = fields.filled("btfType");
    if cast.is_some_and(|cast| !cast.is_word(argument.kind.structure())) {
        return value::argument(entry, fields, hook, index, report);
    }
    let file = Subject::Path { text: Text::Path, has_file_type: true, file: None };
    let (subject, wanted) = match steps {
        "file" if argument.kind == ArgumentKind::Binprm => (file, "file"),
        "file.f_path" if argument.kind == ArgumentKind::Binprm => (file, "path"),
        _ => {
            let chain = steps.strip_prefix("mm.owner.").filter(|_| argument.kind == ArgumentKind::Binprm);
            let Some(name) = chain.and_then(|chain| task_name(chain, count_steps(steps))) else {
                return value::argument(entry, fields, hook, index, report);
            };
            let has_memory = !matches!(hook, Hook::BprmCommittingCreds | Hook::BprmCommittedCreds);
            (if has_memory { name } else { Subject::Unfiltered("`mm` is already taken over at this hook") }, "string")
        }
    };
    check_resolved_type(path, fields, wanted, report)?;
    Some(subject)
}

/// `source: current_task`: the same, but the chain starts at the calling task.
pub(super) fn from_task(node: &Node, fields: &Fields<'_>, hook: &Hook, report: &mut Report) -> Option<Subject> {
    let Some(path) = fields.filled("resolve") else {
        report.refuse(node.at, "`source` needs `resolve`; add `resolve: comm` or `resolve: real_parent.comm`");
        return None;
    };
    let steps = path.text("`resolve`", report)?;
    let is_task = fields.filled("btfType").is_none_or(|cast| cast.is_word("task_struct"));
    let Some(name) = task_name(steps, count_steps(steps)).filter(|_| is_task) else {
        return value::of_task(node, fields, hook, report);
    };
    check_resolved_type(path, fields, "string", report)?;
    Some(name)
}

fn count_steps(steps: &str) -> usize {
    steps.split('.').count()
}

/// The name at the end of `real_parent.real_parent.comm`, if it is such a chain and not too long in all.
fn task_name(chain: &str, all_steps: usize) -> Option<Subject> {
    let mut steps: Vec<&str> = chain.split('.').collect();
    if steps.pop() != Some("comm") || steps.iter().any(|step| *step != "real_parent") || all_steps > MAX_STEPS {
        return None;
    }
    Some(match steps.len() {
        0 => Subject::Name(Text::Comm),
        1 => Subject::Name(Text::ParentComm),
        2 => Subject::Name(Text::GrandparentComm),
        _ => return None,
    })
}

/// The type of what `resolve` gives.
fn check_resolved_type(entry: &Node, fields: &Fields<'_>, wanted: &str, report: &mut Report) -> Option<()> {
    let (name, at) = type_name(entry, fields, report)?;
    if name == "auto" || name == wanted {
        return Some(());
    }
    refuse_type(at, name, "what `resolve` gives", wanted, report);
    None
}
