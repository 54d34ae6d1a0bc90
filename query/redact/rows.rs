//! What is taken out of a row of each table.

use super::taken::{FLAG, REDACTED, Redaction, Taken};
use anyhow::{Context, Result, bail};
use hashtrail::archive::Archive;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::SealedFile;
use hashtrail::packages::PackageFile;
use hashtrail::reader::{Prune, SealedTable, rows};
use hashtrail::versions::{FileVersion, NOT_TOLD};
use serde_json::Value;

/// A row that can hold what is taken out.
pub(super) trait Redact: Row {
    /// Takes it out.
    fn redact(&mut self, taken: &Taken);
}

/// What shows elsewhere too.
pub(super) enum Hidden<'a> {
    Path(&'a str),
    Comm(&'a str),
}

/// Hands on what a row hides.
pub(super) trait Hides {
    fn hidden(&self, by: &Redaction, each: &mut dyn FnMut(Hidden<'_>));
}

/// Hands on each row of a sealed file.
///
/// # Errors
/// When it cannot be read, or `take` fails.
pub(super) fn each<R: Row>(archive: &Archive, file: &SealedFile, mut take: impl FnMut(R) -> Result<()>) -> Result<()> {
    let path = archive.root().join(&file.path);
    let named = || format!("cannot read `{}`", path.display());
    for batch in SealedTable::<R>::open(&path)?.batches(&Prune::default(), &[], None)? {
        for row in rows::<R>(&batch.with_context(named)?) {
            take(row.with_context(named)?)?;
        }
    }
    Ok(())
}

/// A path, and its bytes where it is not UTF-8.
fn raw<'a>(text: &'a Option<String>, bytes: &'a Option<Vec<u8>>) -> Option<&'a [u8]> {
    bytes.as_deref().or(text.as_deref().map(str::as_bytes))
}

fn is_path_hidden(event: &Event, by: &Redaction) -> bool {
    raw(&event.path, &event.path_bytes).is_some_and(|path| by.hides_path(path, &event.path_flags))
}

fn is_exe_hidden(event: &Event, by: &Redaction) -> bool {
    raw(&event.exe, &event.exe_bytes).is_some_and(|path| by.hides_path(path, &[]))
}

fn is_target_hidden(event: &Event, by: &Redaction) -> bool {
    raw(&event.target_path, &event.target_path_bytes).is_some_and(|path| by.hides_path(path, &event.path_flags))
}

impl Hides for Event {
    fn hidden(&self, by: &Redaction, each: &mut dyn FnMut(Hidden<'_>)) {
        for (path, is_hidden) in [
            (&self.path, is_path_hidden(self, by)),
            (&self.exe, is_exe_hidden(self, by)),
            (&self.target_path, is_target_hidden(self, by)),
        ] {
            path.iter().filter(|_| is_hidden).for_each(|path| each(Hidden::Path(path)));
        }
        if is_exe_hidden(self, by) {
            each(Hidden::Comm(&self.comm));
        }
    }
}

impl Redact for Event {
    fn redact(&mut self, taken: &Taken) {
        let by = &taken.by;
        // The flags are those of the path and of the second one.
        let (is_path, is_target) = (is_path_hidden(self, by), is_target_hidden(self, by));
        if is_exe_hidden(self, by) {
            (self.exe, self.exe_bytes) = (None, None);
        }
        if is_target {
            (self.target_path, self.target_path_bytes) = (None, None);
        }
        if is_path {
            (self.path, self.path_bytes) = (None, None);
        }
        if is_path || is_target {
            self.path_flags.push(FLAG.to_owned());
        }
        for comm in [&mut self.comm, &mut self.parent_comm] {
            if taken.hides_comm(comm) {
                comm.clear();
            }
        }
        let texts = [&mut self.policy, &mut self.selector, &mut self.message, &mut self.container_id];
        texts.into_iter().flatten().filter(|text| taken.hides_text(text)).for_each(|text| *text = REDACTED.to_owned());
        let lists = [&mut self.tags, &mut self.attributes];
        lists.into_iter().flatten().filter(|text| taken.hides_text(text)).for_each(|text| *text = REDACTED.to_owned());
        redact_arguments(self, taken);
        if by.has_users {
            (self.uid, self.gid, self.euid) = (NOT_TOLD, NOT_TOLD, NOT_TOLD);
            (self.auid, self.session_id, self.owner_uid, self.owner_gid) = (None, None, None, None);
        }
    }
}

fn redact_arguments(event: &mut Event, taken: &Taken) {
    if taken.by.has_arguments {
        (event.argv, event.argv_bytes) = (None, None);
        return;
    }
    let mut is_hidden = false;
    for argument in event.argv.iter_mut().flatten().filter(|argument| taken.hides_text(argument)) {
        *argument = REDACTED.to_owned();
        is_hidden = true;
    }
    if is_hidden {
        event.argv_bytes = None;
    }
}

impl Hides for FileVersion {
    fn hidden(&self, by: &Redaction, each: &mut dyn FnMut(Hidden<'_>)) {
        let path = self.path.iter().filter(|path| by.hides_path(path.as_bytes(), &self.path_flags));
        path.for_each(|path| each(Hidden::Path(path)));
    }
}

impl Redact for FileVersion {
    fn redact(&mut self, taken: &Taken) {
        if self.path.as_ref().is_some_and(|path| taken.by.hides_path(path.as_bytes(), &self.path_flags)) {
            self.path = None;
            self.path_flags.push(FLAG.to_owned());
        }
        if taken.by.has_users {
            (self.owner_uid, self.owner_gid) = (NOT_TOLD, NOT_TOLD);
        }
    }
}

impl Hides for PackageFile {
    fn hidden(&self, by: &Redaction, each: &mut dyn FnMut(Hidden<'_>)) {
        let paths = [&self.path, &self.real_path].into_iter().flatten();
        paths.filter(|path| by.hides_path(path.as_bytes(), &[])).for_each(|path| each(Hidden::Path(path)));
    }
}

impl Redact for PackageFile {
    fn redact(&mut self, taken: &Taken) {
        for path in [&mut self.path, &mut self.real_path] {
            if path.as_ref().is_some_and(|path| taken.by.hides_path(path.as_bytes(), &[])) {
                *path = None;
            }
        }
        if taken.hides_text(&self.package) {
            self.package = REDACTED.to_owned();
        }
    }
}

impl Redact for LedgerEntry {
    fn redact(&mut self, taken: &Taken) {
        let texts = [&mut self.policy, &mut self.cause];
        texts.into_iter().flatten().filter(|text| taken.hides_text(text)).for_each(|text| *text = REDACTED.to_owned());
        let Some(detail) = self.detail.take() else { return };
        self.detail = Some(match serde_json::from_str::<Value>(&detail) {
            Ok(mut value) => {
                let before = value.clone();
                taken.scrub(&mut value);
                // What holds nothing of it stays as it was written.
                if value == before { detail } else { value.to_string() }
            }
            Err(_) if taken.hides_text(&detail) => REDACTED.to_owned(),
            Err(_) => detail,
        });
    }
}

/// By which column the files of a table are sorted.
pub(super) fn sorted_by(table: &str) -> Result<&'static str> {
    Ok(match table {
        Event::TABLE | LedgerEntry::TABLE => "boot_ns",
        // Where paths are taken out, rows are no more in their order.
        FileVersion::TABLE | PackageFile::TABLE => "",
        _ => bail!("there is no table `{table}`"),
    })
}
