//! Command lines that show again what a report says, to be pasted into a shell.

use crate::archives::Scope;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

/// A line for bash, zsh and every shell that knows `$'…'`; without bytes that need it, for any POSIX shell.
#[derive(Debug, Clone)]
pub(super) struct CommandLine(String);

impl CommandLine {
    /// `hashtrail VERB`.
    pub(super) fn new(verb: &str) -> Self {
        Self(format!("hashtrail {verb}"))
    }

    /// With one more argument.
    fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.push(' ');
        quote(argument.as_ref().as_encoded_bytes(), &mut self.0);
        self
    }

    /// With an option and its value, which may begin with a dash.
    pub(super) fn option(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref().as_encoded_bytes();
        let mark = if value.starts_with(b"-") && value.len() > 1 { '=' } else { ' ' };
        let _ = write!(self.0, " {name}{mark}");
        quote(value, &mut self.0);
        self
    }

    /// With an option that takes no value.
    pub(super) fn flag(mut self, name: &str) -> Self {
        let _ = write!(self.0, " {name}");
        self
    }

    /// With the archives, hosts and times of a question.
    pub(super) fn scope(self, scope: &Scope) -> Self {
        let Scope { archive, host, since, until } = scope;
        let line = archive.iter().fold(self, |line, path| line.option("--archive", path));
        let line = host.iter().fold(line, |line, name| line.option("--host", name));
        let times = [("--since", since), ("--until", until)];
        let times = times.into_iter().filter_map(|(name, time)| Some((name, time.as_ref()?)));
        times.fold(line, |line, (name, time)| line.option(name, time.rfc3339()))
    }

    /// With paths or globs, at its end.
    pub(super) fn paths(mut self, paths: &[String]) -> Self {
        if paths.iter().any(|path| path.starts_with('-')) {
            self.0.push_str(" --");
        }
        paths.iter().fold(self, Self::argument)
    }

    /// With several files for one option.
    pub(super) fn files<'a>(self, name: &str, files: impl IntoIterator<Item = &'a Path>) -> Self {
        files.into_iter().fold(self, |line, file| line.option(name, file))
    }

    /// With the last line of what is printed alone.
    pub(super) fn last_line(mut self) -> Self {
        self.0.push_str(" | tail -n 1");
        self
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// Writes bytes so that a shell takes them as one word and nothing else, and a page shows each of them.
fn quote(bytes: &[u8], line: &mut String) {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:,@%=".contains(byte);
    let is_shown = |text: &str| matches!(hashtrail::escape::escape(text), std::borrow::Cow::Borrowed(_));
    match std::str::from_utf8(bytes) {
        // A `=` or `~` at the begin means something to zsh.
        Ok(text) if !bytes.is_empty() && bytes[0] != b'=' && bytes.iter().all(is_plain) => line.push_str(text),
        Ok(text) if is_shown(text) => {
            let _ = write!(line, "'{}'", text.replace('\'', "'\\''"));
        }
        _ => {
            line.push_str("$'");
            for byte in bytes {
                let _ = match byte {
                    b'\\' | b'\'' => write!(line, "\\{}", char::from(*byte)),
                    b' '..=b'~' => write!(line, "{}", char::from(*byte)),
                    _ => write!(line, "\\{byte:03o}"),
                };
            }
            line.push('\'');
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    #[test]
    fn a_shell_takes_each_argument_as_it_was() {
        let arguments: [&[u8]; 12] = [
            b"/usr/bin/tool",
            b"",
            b"it's; rm -rf $HOME `id` $(id)",
            b"a\nb\tc\x1b]52;c;aGk=\x07",
            "\u{202e}x\u{9b}'\\".as_bytes(),
            b"/\xff\xfe\x01" as &[u8],
            b"=cmd|x",
            b"~root",
            b"*?[a]{b,c}",
            b"\"double\" \\ back",
            b"\\x41\x0141",
            b"!history",
        ];
        let argued = |line: CommandLine, argument: &&[u8]| line.argument(OsStr::from_bytes(argument));
        let line = arguments.iter().fold(CommandLine::new("changes"), argued);
        assert!(matches!(hashtrail::escape::escape(line.text()), std::borrow::Cow::Borrowed(_)), "{}", line.text());
        let script = format!("hashtrail() {{ shift; printf '%s\\0' \"$@\"; }}; {}", line.text());
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash");
        let expected: Vec<u8> = arguments.iter().flat_map(|argument| [argument, &b"\0"[..]].concat()).collect();
        assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&expected), "{script}");
    }

    #[test]
    fn what_begins_with_a_dash_is_no_option() {
        let line = CommandLine::new("changes").option("--key", "-x").paths(&["-n".to_owned()]);
        assert_eq!(line.text(), "hashtrail changes --key=-x -- -n");
    }
}
