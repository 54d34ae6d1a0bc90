//! Sealed files to rows.
