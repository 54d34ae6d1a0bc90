//! The `check-policy` command: what policies record and do, in words.

use crate::lists::Lists;
use crate::policy;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

/// Describes the policies.
///
/// # Errors
/// Each fault of the files, with file, line and reason.
pub(crate) fn run(files: &[PathBuf], ioc: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let policies = policy::load_with(files, &Rc::new(Lists::read(ioc)?))?;
    std::io::stdout().lock().write_all(policy::describe(&policies).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
