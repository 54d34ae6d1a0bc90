//! Which names are those of shells and interpreters.

/// Names of shells and interpreters, as they are without the version behind them.
const SHELLS: [&str; 23] = [
    "ash", "awk", "bash", "busybox", "csh", "dash", "fish", "gawk", "ksh", "lua", "luajit", "mawk", "mksh", "node",
    "nodejs", "perl", "php", "python", "ruby", "sh", "tclsh", "tcsh", "zsh",
];

/// Whether a path ends with the name of a shell or an interpreter: `/bin/dash`, `/usr/bin/python3.11`.
pub(super) fn is_name_of_shell(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.trim_end_matches(|part: char| part.is_ascii_digit() || ".-".contains(part));
    SHELLS.contains(&name)
}
