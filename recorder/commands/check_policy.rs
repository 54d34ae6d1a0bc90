//! The `check-policy` command: what policies record and do, in words.

use crate::policy;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Describes the policies.
///
/// # Errors
/// Each fault of the files, with file, line and reason.
pub(crate) fn run(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let policies = policy::load(files)?;
    std::io::stdout().lock().write_all(policy::describe(&policies).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
