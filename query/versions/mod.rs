//! What contents a file had: rows of versions as series in their true order, and where the digest of a series changed.

pub(crate) mod change;
pub(crate) mod order;
pub(crate) mod prevalence;
pub(crate) mod reading;
pub(crate) mod run;
pub(crate) mod series;
pub(crate) mod sighting;
pub(crate) mod version;
