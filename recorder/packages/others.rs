//! Databases of package managers that are not read: an answer must not take what they own for nobody's.

use std::fs;
use std::path::Path;

/// Managers, and where their databases stand.
const OTHERS: [(&str, &str); 9] = [
    ("rpm", "var/lib/rpm/rpmdb.sqlite"),
    ("rpm", "var/lib/rpm/Packages.db"),
    ("rpm", "var/lib/rpm/Packages"),
    ("rpm", "usr/lib/sysimage/rpm/rpmdb.sqlite"),
    ("rpm", "usr/lib/sysimage/rpm/Packages.db"),
    ("rpm", "usr/share/rpm/rpmdb.sqlite"),
    ("apk", "lib/apk/db/installed"),
    ("pacman", "var/lib/pacman/local"),
    ("portage", "var/db/pkg"),
];

/// Those that stand below a root, in words.
pub(super) fn databases(root: &Path) -> Vec<String> {
    let stands = |place: &&(&str, &str)| fs::symlink_metadata(root.join(place.1)).is_ok();
    OTHERS.iter().filter(stands).map(|(manager, place)| format!("{manager} (/{place})")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn databases_that_are_not_read_are_named() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        assert_eq!(super::databases(root.path()), [""; 0]);
        std::fs::create_dir_all(root.path().join("var/lib/rpm"))?;
        std::fs::write(root.path().join("var/lib/rpm/rpmdb.sqlite"), "")?;
        assert_eq!(super::databases(root.path()), ["rpm (/var/lib/rpm/rpmdb.sqlite)"]);
        Ok(())
    }
}
