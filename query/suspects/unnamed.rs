//! Acts whose names could not be built: whether they reached a path cannot be known. That they reached a file, its key says.

use super::act::Act;
use super::reach::is_within;
use crate::recordings::gaps::Mark;
use crate::versions::change::Change;
use hashtrail::event::{Event, names_a_file};

const S_IFMT: i32 = 0o170_000;
const S_IFREG: i32 = 0o100_000;

/// Whether an event whose names are not known may have made the change though the file's key does not say so.
pub(super) fn may_reach(change: &Change, event: &Event, act: Act, at: Mark) -> bool {
    may_reach_any(event, act) && is_within(change, event, at) && (event.ino.is_none() || change.is_of_another_file())
}

/// Whether there is a change that such an event may have made.
pub(super) fn may_reach_any(event: &Event, act: Act) -> bool {
    may_reach_without(act, event.ino) && (event.ino.is_none() || may_move_directory(event))
}

/// The same, as far as its inode number tells.
pub(super) fn may_reach_without(act: Act, ino: Option<i64>) -> bool {
    act.changes_content() && (ino.is_none() || act == Act::Rename)
}

/// Whether a name of the act is not known.
pub(super) fn is_unnamed(act: Act, [path, target]: [Option<&str>; 2], path_flags: &[String]) -> bool {
    let is_known = |name: Option<&str>| name.is_some_and(|name| name.starts_with('/'));
    let has_target = matches!(act, Act::Rename | Act::Link);
    !is_known(path) || has_target && !is_known(target) || !names_a_file(path_flags)
}

/// What it moved, or exchanged with it, may be a directory above the path.
fn may_move_directory(event: &Event) -> bool {
    event.target_ino.is_some() || event.mode.is_none_or(|mode| mode & S_IFMT != S_IFREG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{replaced, rewritten};

    fn act(hook: &str, ino: Option<i64>) -> Event {
        Event {
            host: "web".into(),
            boot_id: "boot1".into(),
            hook: hook.into(),
            ino,
            dev: Some("8:1".into()),
            open_flags: Some(1),
            boot_ns: 25_000,
            path_flags: vec!["no_scratch".into()],
            ..Event::default()
        }
    }

    fn may(change: &Change, event: &Event) -> bool {
        let at = Mark { rank: 0, boot_ns: event.boot_ns };
        let names = [event.path.as_deref(), event.target_path.as_deref()];
        Act::of(event).is_some_and(|act| is_unnamed(act, names, &event.path_flags) && may_reach(change, event, act, at))
    }

    #[test]
    fn a_rename_without_names_may_be_of_a_directory_above() {
        let rename = |mode| Event { mode: Some(mode), ..act("inode_rename", Some(99)) };
        assert!(may(&replaced(), &rename(0o040_755)) && may(&replaced(), &act("inode_rename", Some(99))));
        assert!(!may(&rewritten(), &rename(0o040_755)), "the file itself stayed");
        assert!(!may(&replaced(), &rename(0o100_755)), "a file has its key");
        let onto = Event { target_ino: Some(98), ..rename(0o100_755) };
        assert!(may(&replaced(), &onto), "a file can be exchanged with a directory");
        assert!(!may(&replaced(), &Event { boot_ns: 15_000, ..onto.clone() }), "before");
        assert!(!may(&replaced(), &Event { host: "db".into(), ..onto.clone() }));
        let named = Event { path: Some("/a".into()), target_path: Some("/b".into()), path_flags: Vec::new(), ..onto };
        assert!(!may(&replaced(), &named), "its names say where");
        assert!(may(&replaced(), &Event { target_path: None, ..named }));
    }

    #[test]
    fn other_acts_are_known_by_the_file() {
        for hook in ["file_open", "inode_unlink", "inode_link", "path_truncate"] {
            assert!(!may(&replaced(), &act(hook, Some(99))), "{hook}");
            assert!(may(&rewritten(), &act(hook, None)), "{hook}");
            let named = Event {
                path: Some("/a".into()),
                target_path: Some("/b".into()),
                path_flags: Vec::new(),
                ..act(hook, None)
            };
            assert!(!may(&rewritten(), &named), "{hook}");
        }
        assert!(!may(&rewritten(), &act("inode_setxattr", None)), "no content");
    }
}
