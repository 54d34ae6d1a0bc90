//! What goes to stderr. The terminal may be gone (a lost SSH session), which must not end a recording; and what is said may hold
//! names that somebody chose to drive it.

use std::fmt;

/// Writes one line to stderr, like `eprintln!`, with all control characters escaped, and does not mind when nobody can read it.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "{}", hashtrail::escape::escape(&format!($($argument)*)));
    }};
}
pub(crate) use say;

/// An error of several lines: a text that holds line ends is one.
#[derive(Debug)]
pub(crate) struct Lines(pub(crate) Vec<String>);

impl fmt::Display for Lines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Lines {}

/// Says an error, with this before it.
pub(crate) fn say_error(before: &str, error: &anyhow::Error) {
    let contexts: String =
        error.chain().take_while(|cause| !cause.is::<Lines>()).map(|context| format!("{context}: ")).collect();
    match error.downcast_ref::<Lines>() {
        Some(Lines(lines)) => {
            for (number, line) in lines.iter().enumerate() {
                if number == 0 { say!("{before}{contexts}{line}") } else { say!("{line}") }
            }
        }
        None => say!("{before}{error:#}"),
    }
}
