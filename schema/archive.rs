//! Where things stand in an archive directory.

use crate::columns::Row;
use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Folder of what is not yet sealed. The leading dot hides it from Spark; no file in it may end in `.parquet`, which
/// hides it from DuckDB's `**/*.parquet`.
pub const JOURNAL: &str = ".journal";
/// A folder's name may have 255 bytes, and `host=` stands before the name of the host.
const HOST_BYTES_MAX: usize = 250;

/// The archive of one host.
#[derive(Debug, Clone)]
pub struct Archive {
    root: PathBuf,
}

impl Archive {
    /// Creates the directory (mode 0700) where it is missing, and its journal folder. Nobody but this user can plant a
    /// link or a FIFO below it then.
    ///
    /// # Errors
    /// When a directory cannot be made, `root` is something else, or others can write to it.
    pub fn create(root: &Path) -> Result<Self> {
        let archive = Self { root: root.to_owned() };
        make_directory(root)?;
        secure_directory(root)?;
        make_directory(&archive.journal())?;
        secure_directory(&archive.journal())?;
        Ok(archive)
    }

    /// Opens an existing archive.
    ///
    /// # Errors
    /// When `root` is not a directory.
    pub fn open(root: &Path) -> Result<Self> {
        let metadata = fs::metadata(root).with_context(|| format!("cannot open archive `{}`", root.display()))?;
        if !metadata.is_dir() {
            bail!("archive `{}` is not a directory", root.display());
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of what is not yet sealed.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join(JOURNAL)
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.jsonl")
    }

    /// The manifest's signature.
    #[must_use]
    pub fn signature(&self) -> PathBuf {
        self.root.join("manifest.jsonl.minisig")
    }

    /// The folder of one table.
    #[must_use]
    pub fn table<R: Row>(&self) -> PathBuf {
        self.root.join(R::TABLE)
    }

    /// Path, relative to the archive, of one sealed file.
    #[must_use]
    pub fn sealed_name<R: Row>(host: &str, date: &str, file_stem: &str) -> PathBuf {
        PathBuf::from(R::TABLE)
            .join(format!("host={host}"))
            .join(format!("date={date}"))
            .join(format!("{file_stem}.parquet"))
    }
}

/// A host name that can stand in a folder's name: bytes outside `[A-Za-z0-9._-]` become `_`.
#[must_use]
pub fn host_label(name: &str) -> String {
    let label: String = name
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) { byte.into() } else { '_' })
        .collect();
    if label.is_empty() { "_".into() } else { label }
}

/// Refuses a host's label that no folder can be named after: before anything is written.
///
/// # Errors
/// When it is too long.
pub fn check_host_label(label: &str) -> Result<()> {
    ensure!(
        label.len() <= HOST_BYTES_MAX,
        "the name of the host has {} bytes: a folder is named after it, which can have {HOST_BYTES_MAX} of them",
        label.len()
    );
    Ok(())
}

/// Makes a directory and its parents (mode 0700) and makes the new entries durable. The directory itself may not be a
/// link; links among its parents are the user's own.
///
/// # Errors
/// Names the directory that could not be made.
pub fn make_directory(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(metadata) if metadata.is_symlink() => {
            bail!("`{}` is a link, which is not followed: name the directory itself", path.display())
        }
        Ok(_) => bail!("`{}` is not a directory", path.display()),
        Err(_) => {}
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir()) {
        make_directory(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
        result => result.with_context(|| format!("cannot make directory `{}`", path.display()))?,
    }
    sync_directory(path.parent().unwrap_or(path))
}

/// Makes a folder below a directory, and those between; none of them may be a link.
///
/// # Errors
/// Names the folder that could not be made.
pub fn make_directory_below(root: &Path, relative: &Path) -> Result<()> {
    let mut path = root.to_owned();
    for part in relative {
        path.push(part);
        make_directory(&path)?;
    }
    Ok(())
}

/// Takes all rights on a directory from everybody but its owner, who must be this user.
fn secure_directory(path: &Path) -> Result<()> {
    let named = || format!("cannot use directory `{}`", path.display());
    let metadata = fs::symlink_metadata(path).with_context(named)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        bail!("{}: it belongs to user {}, who could change the evidence", named(), metadata.uid());
    }
    if metadata.mode() & 0o077 != 0 {
        // Some filesystems keep no modes; what they show after this is what counts.
        let _ = fs::set_permissions(path, Permissions::from_mode(0o700));
        let mode = fs::symlink_metadata(path).with_context(named)?.mode() & 0o777;
        if mode & 0o022 != 0 {
            bail!("{}: others can write to it (mode {mode:o}); use mode 0700, or mount with umask=077", named());
        }
    }
    Ok(())
}

/// Opens a file that must be regular and no link; never waits for a FIFO's other end.
///
/// # Errors
/// When it is something else, or cannot be opened.
pub fn open_regular(path: &Path, options: &mut OpenOptions) -> Result<File> {
    // The clear word for most cases; what is opened in the end is looked at again.
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        bail!("it is not a regular file");
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        bail!("it is not a regular file");
    }
    Ok(file)
}

/// As [`open_regular`], for files of the recorder: those have no second name.
///
/// # Errors
/// When it is something else, or cannot be opened.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> Result<File> {
    let file = open_regular(path, options)?;
    if file.metadata()?.nlink() > 1 {
        bail!("it has another name too (a hard link)");
    }
    Ok(file)
}

/// Writes a file whole: under a temporary name, synced, renamed in, the directory synced. Gives it, open for appending.
///
/// # Errors
/// When a step fails; what stood there before then still stands.
pub fn replace_file(temporary: &Path, path: &Path, bytes: &[u8]) -> Result<File> {
    remove_if_there(temporary)?;
    let attempt = || -> Result<File> {
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        Ok(file)
    };
    let file = attempt().with_context(|| format!("cannot write `{}`", path.display()))?;
    sync_directory(path.parent().unwrap_or(path))?;
    Ok(file)
}

/// Renames a file to a name that nothing has.
///
/// # Errors
/// When something has the name, or the rename fails.
pub fn rename_new(from: &Path, to: &Path) -> Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every filesystem knows the flag. Nobody else can write below the archive's mode 0700.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if fs::symlink_metadata(to).is_err() => {
            fs::rename(from, to)?;
        }
        result => result?,
    }
    Ok(())
}

/// Removes a file; that there is none is fine.
///
/// # Errors
/// Names the file that could not be removed.
pub fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

/// Makes renames in a directory durable.
///
/// # Errors
/// When the directory cannot be opened or synced.
pub fn sync_directory(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .with_context(|| format!("cannot sync directory `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn refusal(root: &Path) -> String {
        Archive::create(root).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn host_names_become_safe_folder_names() {
        assert_eq!(host_label("web-1.example"), "web-1.example");
        assert_eq!(host_label("a/b c\u{e9}\0\n"), "a_b_c____");
        assert_eq!(host_label(""), "_");
    }

    #[test]
    fn host_names_that_are_taken_can_name_a_folder() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let is_made = |label: &str| {
            let name = Archive::sealed_name::<crate::event::Event>(label, "2026-01-02", "11111111-000000");
            make_directory_below(directory.path(), name.parent().unwrap_or(&name)).is_ok()
        };
        for length in [HOST_BYTES_MAX, HOST_BYTES_MAX + 1] {
            let label = "a".repeat(length);
            assert_eq!(check_host_label(&label).is_ok(), is_made(&label), "{length}");
        }
        Ok(())
    }

    #[test]
    fn only_directories_of_our_own_are_written_to() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let (real, link, file) =
            (directory.path().join("real"), directory.path().join("link"), directory.path().join("f"));
        DirBuilder::new().mode(0o777).create(&real)?;
        fs::set_permissions(&real, Permissions::from_mode(0o777))?;
        Archive::create(&real)?;
        assert_eq!(fs::metadata(&real)?.mode() & 0o777, 0o700);
        symlink(&real, &link)?;
        assert!(refusal(&link).contains("is a link"), "{}", refusal(&link));
        fs::write(&file, "")?;
        assert!(refusal(&file).contains("not a directory"), "{}", refusal(&file));
        fs::remove_dir(real.join(JOURNAL))?;
        symlink(directory.path(), real.join(JOURNAL))?;
        assert!(refusal(&real).contains("is a link"), "{}", refusal(&real));
        Ok(())
    }

    #[test]
    fn only_regular_files_with_one_name_are_opened() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name);
        let refusal = |name: &str| {
            let opened = open_own(&path(name), OpenOptions::new().read(true).write(true));
            opened.err().map(|error| error.to_string()).unwrap_or_default()
        };
        fs::write(path("file"), "")?;
        assert_eq!(refusal("file"), "");
        symlink(path("file"), path("link"))?;
        assert!(!refusal("link").is_empty());
        rustix::fs::mknodat(CWD, path("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)?;
        assert_eq!(refusal("fifo"), "it is not a regular file");
        fs::hard_link(path("file"), path("second"))?;
        assert_eq!(refusal("file"), "it has another name too (a hard link)");
        assert!(rename_new(&path("file"), &path("link")).is_err());
        Ok(())
    }
}
