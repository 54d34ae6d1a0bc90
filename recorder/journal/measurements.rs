//! The kernel's own measurement list, stored as it grows: a second witness for the archive's digests.

use crate::host;
use crate::record::session::Session;
use anyhow::{Context, Result};
use hashtrail::archive::{Archive, remove_if_there};
use hashtrail::manifest::{Manifest, MeasurementList};
use hashtrail::seal::place;
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Where the kernel shows the list.
const LIST: &str = "/sys/kernel/security/ima/binary_runtime_measurements";
/// Banks of a TPM whose PCR 10 is read, where there is one.
const BANKS: [&str; 4] = ["sha1", "sha256", "sha384", "sha512"];

/// What was stored so far.
#[derive(Debug)]
pub(crate) struct Measurements {
    recording_id: String,
    boot_id: String,
    number: u32,
    stored_bytes: usize,
    stored_digest: [u8; 32],
}

impl Measurements {
    /// Nothing is stored yet.
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            recording_id: session.recording_id.clone(),
            boot_id: session.facts.boot_id.clone(),
            number: 0,
            stored_bytes: 0,
            stored_digest: Sha256::digest(b"").into(),
        }
    }

    /// Stores what the list has grown by since the last time; all of it where it does not begin as it did, because newer
    /// kernels let user space trim it. A kernel without IMA has no list, which is no error.
    ///
    /// # Errors
    /// When the list cannot be read or stored.
    pub(crate) fn store(&mut self, archive: &Archive, manifest: &mut Manifest) -> Result<()> {
        // Before the list: then the list holds every entry that the PCR knows of, and the PCR is that of a prefix.
        let pcr10 = pcr10();
        let list = match fs::read(LIST) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            list => list.with_context(|| format!("cannot read `{LIST}`"))?,
        };
        let continues = list
            .get(..self.stored_bytes)
            .is_some_and(|begin| self.stored_digest == <[u8; 32]>::from(Sha256::digest(begin)));
        let from_byte = if continues { self.stored_bytes } else { 0 };
        if from_byte == list.len() && self.number > 0 {
            return Ok(());
        }
        let path = PathBuf::from("ima").join(format!("{}-{:06}.measurements", &self.recording_id[..8], self.number));
        let staging = archive.journal().join("measurements.tmp");
        remove_if_there(&staging)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&staging)?;
        file.write_all(&list[from_byte..]).and_then(|()| file.sync_all())?;
        // Reading it back while it is open for writing would be a violation for IMA.
        drop(file);
        let entry = MeasurementList {
            content: place(archive, manifest, &staging, &path)?,
            path,
            recording_id: self.recording_id.clone(),
            boot_id: self.boot_id.clone(),
            from_byte: from_byte as u64,
            violations: host::ima_violations(),
            pcr10,
        };
        manifest.append(&[("ima", serde_json::to_value(&entry)?)])?;
        self.number += 1;
        self.stored_bytes = list.len();
        self.stored_digest = Sha256::digest(&list).into();
        Ok(())
    }
}

/// PCR 10 of the TPM, by bank; empty without a TPM.
fn pcr10() -> Vec<(String, String)> {
    let value = |bank: &str| host::read_line(&format!("/sys/class/tpm/tpm0/pcr-{bank}/10"));
    BANKS.iter().filter_map(|bank| Some(((*bank).to_owned(), value(bank)?.to_ascii_lowercase()))).collect()
}
