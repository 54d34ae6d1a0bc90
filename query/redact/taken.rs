//! What is taken out, and where it shows.

use hashtrail::event::FS_RELATIVE;
use serde_json::Value;
use std::collections::HashSet;

/// What stands for a text that was taken out, where the column or the object needs one.
pub(super) const REDACTED: &str = "[redacted]";
/// In `path_flags`: the path was taken out. It is of no series then.
pub(super) const FLAG: &str = "redacted";
/// Paths with these do not begin at the root, so that nobody knows what they are below.
const ROOTLESS: [&str; 4] = [FS_RELATIVE, "too_long", "unreachable", "no_scratch"];
/// A thread's name has no more bytes.
const COMM_BYTES: usize = 15;

/// What is asked to be taken out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redaction {
    /// Directories, without a slash at their end.
    pub(crate) prefixes: Vec<String>,
    pub(crate) has_arguments: bool,
    pub(crate) has_users: bool,
}

/// The same, with the names of all files that it hides.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) by: Redaction,
    /// Last parts of hidden paths.
    names: HashSet<String>,
    /// Those among them that can stand in the middle of a word.
    odd_names: Vec<String>,
    /// Names that threads have of them.
    comms: HashSet<String>,
}

impl Redaction {
    /// Words for what was taken out.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let kinds =
            [(!self.prefixes.is_empty(), "paths"), (self.has_arguments, "arguments"), (self.has_users, "users")];
        kinds.into_iter().filter(|(is_asked, _)| *is_asked).map(|(_, kind)| kind).collect()
    }

    pub(super) fn hides_path(&self, path: &[u8], flags: &[String]) -> bool {
        if self.prefixes.is_empty() {
            return false;
        }
        let is_rootless = !path.starts_with(b"/") || flags.iter().any(|flag| ROOTLESS.contains(&flag.as_str()));
        is_rootless || self.has_prefix(path)
    }

    /// Whether a text has one of the directories, however it is spelt. What goes back to a directory above may come out anywhere.
    fn has_prefix(&self, text: &[u8]) -> bool {
        let plain = plain(text);
        text.split(|byte| !is_of_name(*byte)).any(|word| word == b"..")
            || self.prefixes.iter().any(|prefix| holds(&plain, prefix.as_bytes()))
    }
}

/// A path without the parts that lead nowhere: `/a//b/./c` is `/a/b/c`. Backslashes count once, because columns may double them.
pub(crate) fn plain(path: &[u8]) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((byte, after)) = rest.split_first() {
        plain.push(*byte);
        rest = after;
        while *byte == b'/' && (rest.starts_with(b"/") || rest.starts_with(b"./")) {
            rest = &rest[rest.iter().position(|byte| *byte == b'/').unwrap_or(0) + 1..];
        }
        while *byte == b'\\' && rest.starts_with(b"\\") {
            rest = &rest[1..];
        }
    }
    plain
}

/// Whether a directory, or something below it, stands in a text: not only at its begin, for there are other ways to a root.
fn holds(text: &[u8], prefix: &[u8]) -> bool {
    let mut windows = text.windows(prefix.len().max(1)).enumerate();
    windows.any(|(at, window)| window == prefix && text.get(at + prefix.len()).is_none_or(|next| !is_of_name(*next)))
}

/// Whether a byte goes on with the name before it, so that the name is another one.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-+~".contains(&byte) || byte >= 0x80
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(is_of_name)
}

impl Taken {
    pub(super) fn new(by: Redaction) -> Self {
        Self { by, ..Self::default() }
    }

    /// Learns the name of a file that is hidden.
    pub(super) fn learn(&mut self, path: &str) {
        let name = path.trim_end_matches(" (deleted)").trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if name.is_empty() || self.names.contains(name) {
            return;
        }
        let end = (0..=COMM_BYTES.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        self.comms.insert(name[..end].to_owned());
        if !is_plain(name) {
            self.odd_names.push(name.to_owned());
        }
        self.names.insert(name.to_owned());
    }

    /// Learns the name of a thread that runs such a file.
    pub(super) fn learn_comm(&mut self, comm: &str) {
        self.comms.insert(comm.to_owned());
    }

    pub(super) fn hides_comm(&self, comm: &str) -> bool {
        self.comms.contains(comm) || self.hides_text(comm)
    }

    /// Whether a text tells of a hidden path: by its directory, or by the name of the file.
    pub(super) fn hides_text(&self, text: &str) -> bool {
        if self.by.prefixes.is_empty() {
            return false;
        }
        let mut words =
            text.split(|character: char| !u8::try_from(character).is_ok_and(is_of_name) && character.is_ascii());
        self.by.has_prefix(text.as_bytes())
            || words.any(|word| self.names.contains(word))
            || self.odd_names.iter().any(|name| text.contains(name.as_str()))
    }

    /// Takes hidden texts, and users where they are, out of what the ledger or the manifest says.
    pub(super) fn scrub(&self, value: &mut Value) {
        const USERS: [&str; 9] =
            ["uid", "gid", "euid", "auid", "session_id", "owner_uid", "owner_gid", "operator", "user"];
        match value {
            Value::String(text) if self.hides_text(text) => *text = REDACTED.to_owned(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub(item)),
            Value::Object(members) => {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(name, mut member)| {
                        self.scrub(&mut member);
                        if self.by.has_users && USERS.contains(&name.as_str()) && !member.is_null() {
                            member = REDACTED.into();
                        }
                        if self.by.has_arguments && ["argv", "arguments"].contains(&name.as_str()) {
                            member = REDACTED.into();
                        }
                        (if self.hides_text(&name) { REDACTED.to_owned() } else { name }, member)
                    })
                    .collect();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn taken() -> Taken {
        let by = Redaction { prefixes: vec!["/home/ana".into()], ..Redaction::default() };
        let mut taken = Taken::new(by);
        taken.learn("/home/ana/love letter.sh");
        taken.learn("/home/ana/secret-plan.sh");
        taken
    }

    #[test]
    fn a_directory_hides_what_is_below_it_and_no_other() {
        let taken = taken();
        let hides = |path: &str, flags: &[&str]| {
            taken.by.hides_path(path.as_bytes(), &flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>())
        };
        for path in [
            "/home/ana",
            "/home/ana/x",
            "/proc/1/root/home/ana/x",
            "x",
            "/home/ana (deleted)",
            "/home//ana/x",
            "/home/./ana/x",
            "//home/././/ana",
            "/home/bob/../ana/x",
            "/tmp/..",
        ] {
            assert!(hides(path, &[]), "{path}");
        }
        assert!(!hides("/home/anabel/x", &[]) && !hides("/usr/bin/x", &[]) && hides("/ana/x", &[FS_RELATIVE]));
        assert!(!Redaction::default().hides_path(b"x", &[]));
    }

    #[test]
    fn names_of_hidden_files_are_hidden_too() {
        let taken = taken();
        for text in
            ["cat secret-plan.sh", "--in=./secret-plan.sh", "play 'love letter.sh'", "ls /home/ana", "a:/home/ana/b"]
                .into_iter()
                .chain(["--in=/home//ana/b", "../ana/b", "cat /home/./ana/b", "/home/bob/../ana"])
        {
            assert!(taken.hides_text(text), "{text}");
        }
        assert!(!taken.hides_text("1..5 a...b HEAD..main http://x/y"));
        assert!(!taken.hides_text("cat plan.sh") && !taken.hides_text("/home/anabel"));
        assert!(taken.hides_comm("secret-plan.sh") && taken.hides_comm("love letter.sh") && !taken.hides_comm("sh"));
        let mut value = json!({"a": ["/home/ana/x", 1], "/home/ana": {"b": "secret-plan.sh"}, "uid": 7});
        taken.scrub(&mut value);
        assert_eq!(value, json!({"a": [REDACTED, 1], REDACTED: {"b": REDACTED}, "uid": 7}));
    }
}
