//! `selectorsMacros`: filters and actions with a name, which selectors take in.

use super::document::{Node, Value};
use super::fields::{Fields, refuse_unknown};
use super::refusals::{MACRO, SELECTOR};
use super::report::{Report, quoted};

/// Most macros of a policy, and most that one selector takes in.
const MAX_MACROS: usize = 64;

/// Keys of a selector that a macro may have too.
const MACRO_KEYS: [&str; 10] = [
    "matchPIDs",
    "matchNamespaces",
    "matchCapabilities",
    "matchBinaries",
    "matchParentBinaries",
    "matchArgs",
    "matchData",
    "matchActions",
    "label",
    "hashtrail",
];

/// The macros of one policy.
#[derive(Default)]
pub(super) struct Macros<'a> {
    /// `None` is a macro that was refused.
    named: Vec<(&'a str, Option<Fields<'a>>)>,
}

impl<'a> Macros<'a> {
    /// Reads `spec.selectorsMacros`. Their filters are checked where they are used, because they depend on the hook.
    pub(super) fn read(node: &'a Node, report: &mut Report) -> Self {
        let Value::Mapping(entries) = &node.value else {
            report.refuse(node.at, "`selectorsMacros` must be a mapping; write `name:` and the filters below it");
            return Self::default();
        };
        if let Some(first_too_many) = entries.get(MAX_MACROS) {
            report.refuse(first_too_many.at, format_args!("more than {MAX_MACROS} macros; remove or split"));
        }
        let mut macros = Self::default();
        for entry in entries {
            let fields = Fields::of(&entry.value, "a macro", report);
            if let Some(fields) = &fields {
                fields.check(&MACRO_KEYS, &[MACRO, SELECTOR].concat(), report);
            }
            macros.named.push((&entry.key, fields));
        }
        macros
    }

    /// Takes into a selector what the macros hold that it names.
    pub(super) fn expand(&self, selector: &mut Fields<'a>, report: &mut Report) {
        let Some(names) = selector.get("macros") else {
            return;
        };
        for item in names.items("`macros`", MAX_MACROS, report) {
            let Some(name) = item.text("a macro", report) else {
                continue;
            };
            match self.named.iter().find(|(known, _)| *known == name) {
                Some((_, Some(fields))) => take_in(name, fields, selector, report),
                Some((_, None)) => {}
                None if self.named.is_empty() => {
                    let name = quoted(name);
                    report.refuse(item.at, format_args!("macro {name} is not defined; add it to `selectorsMacros`"));
                }
                None => {
                    let names: Vec<&str> = self.named.iter().map(|(name, _)| *name).collect();
                    refuse_unknown(item.at, "macro", name, names.iter().copied(), &names, report);
                }
            }
        }
    }
}

fn take_in<'a>(name: &str, fields: &Fields<'a>, selector: &mut Fields<'a>, report: &mut Report) {
    for entry in fields.set().filter(|entry| MACRO_KEYS.contains(&entry.key.as_str())) {
        // A label is no filter: the selector's own counts, then the first macro's, as in Tetragon.
        if let Some(present) = selector.add(entry).filter(|present| present.key != "label") {
            let (name, line) = (quoted(name), present.at.line);
            report.refuse(
                entry.at,
                format_args!("`{}` of macro {name} stands on line {line} too; keep one of them", entry.key),
            );
        }
    }
}
