//! Databases of package managers that are not read: an answer must not take what they own for nobody's.

use std::fs;
use std::path::Path;

/// Managers, and where their databases stand.
const OTHERS: [(&str, &str); 6] = [
    ("rpm with Berkeley DB", "var/lib/rpm/Packages"),
    ("rpm with Berkeley DB", "usr/lib/sysimage/rpm/Packages"),
    ("rpm with Berkeley DB", "usr/share/rpm/Packages"),
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
        std::fs::write(root.path().join("var/lib/rpm/Packages"), "")?;
        assert_eq!(super::databases(root.path()), ["rpm with Berkeley DB (/var/lib/rpm/Packages)"]);
        Ok(())
    }
}
