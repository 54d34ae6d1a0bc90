//! Whether an archive is what was sealed, and what the kernel's own measurements say of it. Nothing here trusts what it reads.

pub(crate) mod finding;
pub(crate) mod ima;
pub(crate) mod verify;
