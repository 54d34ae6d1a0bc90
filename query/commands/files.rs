//! Options about files beside their paths: which package owns them.

use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scope};
use crate::packages::owned::Owned;
use anyhow::Result;
use clap::Args;

/// Whose files are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PackageOptions {
    /// Only at paths of this package, as the package manager of a host in the question says; repeated, of any of them
    #[arg(long, value_name = "NAME")]
    pub(super) package: Vec<String>,
}

impl PackageOptions {
    /// Patterns that match no other paths, and what is to be told of that.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(super) fn narrow(
        &self,
        paths: PathPatterns,
        archives: &Archives<'_>,
        scope: &Scope,
    ) -> Result<(PathPatterns, Owned)> {
        let owned = Owned::find(&self.package, archives, scope)?;
        Ok((owned.narrow(paths), owned))
    }
}
