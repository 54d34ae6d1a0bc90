//! What goes to stderr. The terminal may be gone (a lost SSH session), which must not end a recording.

/// Writes one line to stderr, like `eprintln!`, and does not mind when nobody can read it.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}
pub(crate) use say;
