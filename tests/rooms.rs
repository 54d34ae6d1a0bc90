//! The rooms of the house, from the top down: each uses only those below it, and no files use each other in a circle.
//! `docs/architecture.md` names the same rooms in the same order.

use crate::support::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each tree with the file that it begins with, and its rooms.
const TREES: [(&str, &str, &[&str]); 3] =
    [("recorder", "main", &RECORDER), ("schema", "lib", &SCHEMA), ("query", "main", &QUERY)];

const RECORDER: [&str; 14] = [
    "main",
    "cli",
    "commands",
    "recording",
    "sensor",
    "packages",
    "content",
    "journal",
    "policy",
    "btf",
    "record",
    "lists",
    "host",
    "manual",
];

const SCHEMA: [&str; 25] = [
    "lib",
    "compact",
    "seal",
    "row_digest",
    "manifest",
    "signature",
    "reader",
    "archive",
    "writer",
    "versions",
    "execs",
    "packages",
    "ledger",
    "event",
    "columns",
    "hooks",
    "clock",
    "digest_list",
    "digest",
    "sqlite",
    "cell",
    "chunks",
    "text",
    "escape",
    "hash",
];

const QUERY: [&str; 24] = [
    "main",
    "cli",
    "commands",
    "contract",
    "report",
    "export",
    "sql",
    "import",
    "redact",
    "investigate",
    "caveats",
    "suspects",
    "versions",
    "processes",
    "packages",
    "recordings",
    "known",
    "archives",
    "evidence",
    "arguments",
    "output",
    "sorter",
    "folder",
    "manual",
];

#[test]
fn a_room_uses_only_those_below_it() {
    for (tree, root, rooms) in TREES {
        let uses = Files::of(tree, root).uses();
        let place = |file: &Name| rooms.iter().position(|room| *room == room_of(file, root));
        let up: BTreeSet<_> = uses.into_iter().filter(|(user, used)| place(user) > place(used)).collect();
        assert!(up.is_empty(), "in {tree}/ these use a room above their own: {:#?}", in_words(&up));
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for (tree, root, _) in TREES {
        let circle = in_circles(&Files::of(tree, root), root);
        assert!(circle.is_empty(), "in {tree}/ these use each other in a circle: {:#?}", in_words(&circle));
    }
}

#[test]
fn the_page_and_the_list_name_the_rooms_that_there_are() {
    let page = read(&repository("docs/architecture.md"));
    for (tree, root, rooms) in TREES {
        let files = Files::of(tree, root);
        let found: BTreeSet<&str> = files.0.keys().map(|file| room_of(file, root)).collect();
        assert_eq!(found, rooms.iter().copied().collect(), "{tree}/");
        let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{tree}/`"))).expect(tree);
        let names = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let names: Vec<&str> = names.map(|name| name.trim_end_matches(".rs").trim_end_matches('/')).collect();
        assert_eq!(names, rooms, "docs/architecture.md, {tree}/");
    }
}

fn room_of<'a>(file: &'a Name, root: &'a str) -> &'a str {
    file.first().map_or(root, String::as_str)
}

fn in_words(uses: &BTreeSet<(Name, Name)>) -> Vec<String> {
    uses.iter().map(|(user, used)| format!("{} -> {}", user.join("/"), used.join("/"))).collect()
}

/// What is left of the uses within rooms when files that use no other, or that no other uses, are taken away, again and again.
fn in_circles(files: &Files, root: &str) -> BTreeSet<(Name, Name)> {
    let mut uses = files.uses();
    // Who uses a file rests on its parts too; a part may use what it is a part of.
    uses.extend(files.0.keys().filter_map(|file| Some((file[..file.len().checked_sub(1)?].to_vec(), file.clone()))));
    uses.retain(|(user, used)| room_of(user, root) == room_of(used, root) && !user.starts_with(used));
    loop {
        let (users, used): (BTreeSet<Name>, BTreeSet<Name>) = uses.iter().cloned().unzip();
        let before = uses.len();
        uses.retain(|(left, right)| used.contains(left) && users.contains(right));
        if uses.len() == before {
            return uses;
        }
    }
}

/// A file by the names of its modules.
type Name = Vec<String>;

/// The sources of a tree without tests and comments.
#[derive(Default)]
struct Files(BTreeMap<Name, String>);

impl Files {
    fn of(tree: &str, root: &str) -> Self {
        let mut files = Self::default();
        files.add(&repository(tree), &[], &repository(tree).join(root).with_extension("rs"));
        files
    }

    /// Takes a file, and the modules that it declares.
    fn add(&mut self, folder: &Path, name: &[String], path: &Path) {
        let source = read(path);
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
        let source: String = source.lines().map(code).collect();
        let mut is_test = false;
        let mut elsewhere = None;
        for line in source.lines() {
            let declared = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            if let Some(module) = declared.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
                && !is_test
            {
                let name = [name, &[module.to_owned()]].concat();
                let own = folder.join(module);
                let other = elsewhere.map(|path| folder.join(path));
                let file = other.or_else(|| Some(own.join("mod.rs")).filter(|file| file.is_file()));
                self.add(&own, &name, &file.unwrap_or_else(|| own.with_extension("rs")));
            }
            elsewhere = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
            is_test = line == "#[cfg(test)]" || is_test && line.starts_with("#[");
        }
        self.0.insert(name.to_vec(), source);
    }

    /// Which file uses which.
    fn uses(&self) -> BTreeSet<(Name, Name)> {
        let mut uses = BTreeSet::new();
        for (name, source) in &self.0 {
            for (start, _) in source.match_indices("crate::").chain(source.match_indices("super::")) {
                if !source[..start].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before)) {
                    each_path(&mut &source[start..], &[], &mut |path| {
                        uses.insert((name.clone(), self.named(name, path)));
                    });
                }
            }
        }
        uses.retain(|(user, used)| user != used);
        uses
    }

    /// The file of a path that is written in another one.
    fn named(&self, user: &[String], path: &[&str]) -> Name {
        let up = path.iter().take_while(|part| **part == "super").count();
        let above = if up == 0 { &[][..] } else { &user[..user.len().saturating_sub(up)] };
        let mut name: Name = above.to_vec();
        name.extend(path[up.max(1)..].iter().map(|part| (*part).to_owned()));
        while !self.0.contains_key(&name) {
            name.pop();
        }
        name
    }
}

/// The paths at the start of a text: `a::{b, c::d}` are two.
fn each_path<'a>(text: &mut &'a str, before: &[&'a str], each: &mut dyn FnMut(&[&'a str])) {
    let mut path = before.to_vec();
    loop {
        *text = text.trim_start();
        if let Some(group) = text.strip_prefix('{') {
            *text = group;
            loop {
                *text = text.trim_start_matches([',', '*', ' ', '\n']);
                let left = text.len();
                if let Some(rest) = text.strip_prefix('}') {
                    *text = rest;
                    return;
                }
                each_path(text, &path, each);
                if text.len() == left {
                    return;
                }
            }
        }
        let end = text.find(|end: char| !end.is_alphanumeric() && end != '_').unwrap_or(text.len());
        path.push(&text[..end]);
        *text = &text[end..];
        match text.strip_prefix("::") {
            Some(rest) => *text = rest,
            None => break,
        }
    }
    let renamed = text
        .strip_prefix(" as ")
        .map(|rest| rest.trim_start_matches(|part: char| part.is_alphanumeric() || part == '_'));
    *text = renamed.unwrap_or(text);
    each(&path);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
