use super::*;
use crate::suspects::reach::reach;
use crate::testing::{change_between, recordings, replaced, version};
use anyhow::Result;
use arrow::array::BooleanArray;

fn relative() -> Vec<String> {
    vec![FS_RELATIVE.to_owned()]
}

/// Else as many events as there are such files would be compared with each of them.
#[test]
fn of_many_files_of_one_name_only_one_is_compared() {
    let recordings = recordings(&["r1"]);
    let at = |digest, first, number: i64, ino| FileVersion {
        path: Some(format!("/data/{number}/tool")),
        ino,
        ..version(digest, first, first + 10)
    };
    let change = |number| change_between(at("aa", 10, number, number), at("bb", 30, number, -number), &recordings);
    let changes: Vec<Change> = (1..=2000).map(change).collect();
    let candidates = Candidates::new(&changes, &recordings);
    let found = |name: &str, dev: &str, path_flags| {
        let hook = "inode_rename".to_owned();
        let (path, target_path) = (Some("/data/new".to_owned()), Some(name.to_owned()));
        let event = Event { hook, dev: Some(dev.to_owned()), path, target_path, path_flags, ..Event::default() };
        candidates.of(&event, Act::Rename, Mark { rank: 0, boot_ns: 25_000 })
    };
    for number in [1, 8, 2000] {
        let name = format!("/data/{number}/tool");
        assert_eq!(found(&name, "8:2", Vec::new()), [number - 1]);
        assert_eq!(found(&name, "8:1", relative()), [number - 1]);
        assert_eq!(found(&format!("/{number}/tool"), "8:1", relative()), [number - 1]);
        assert_eq!(found(&format!("/data/{number}"), "8:2", Vec::new()), [number - 1]);
    }
    for (name, dev, path_flags) in [("/tool", "8:1", Vec::new()), ("/tool", "8:2", relative())] {
        assert!(found(name, dev, path_flags).is_empty(), "{name} on {dev}");
    }
    assert_eq!(found("/tool", "8:1", relative()).len(), 2000, "it can be any of them");
}

#[test]
fn rows_that_share_nothing_with_a_change_are_not_read() -> Result<()> {
    let candidates = Candidates::new(&[replaced()], &recordings(&["r1"]));
    let rename = |ino: i64, target_ino: Option<i64>, path: &str, target: &str| Event {
        recording_id: "r1".into(),
        boot_ns: 25_000,
        hook: "inode_rename".into(),
        ino: Some(ino),
        target_ino,
        path: Some(path.into()),
        target_path: Some(target.into()),
        ..Event::default()
    };
    let events = [
        rename(13, None, "/x/a", "/x/b"),
        rename(99, Some(12), "/x/a", "/x/b"),
        Event { dev: Some("8:1".into()), path_flags: relative(), ..rename(99, None, "/tool", "/x/b") },
        rename(99, None, "/x/a", "/usr/bin"),
        rename(99, Some(98), "/x/a", "/x/tools"),
        Event { real_ino: Some(12), ..rename(99, Some(98), "/x/a", "/x/b") },
        Event { path: None, ..rename(99, None, "/x/a", "/x/b") },
        Event { path_flags: vec!["no_scratch".into()], ..rename(99, None, "/x/a", "/x/b") },
        Event { hook: "mmap_file".into(), ..rename(13, None, "/x/a", "/x/b") },
        Event { hook: "file_open".into(), open_flags: Some(0), ..rename(13, None, "/x/a", "/x/b") },
        Event { hook: "inode_unlink".into(), ..rename(99, None, "/usr/bin", "/x/b") },
        rename(99, None, "/mnt/usr/bin/tool", "/mnt/usr/bin"),
    ];
    let kept = candidates.keep(&crate::testing::batch(&events)?)?;
    assert_eq!(
        kept,
        BooleanArray::from(vec![true, true, true, true, false, true, true, true, false, false, false, false])
    );
    let others = [
        events[0].clone(),
        Event { boot_ns: 35_000, ..events[0].clone() },
        Event { recording_id: "r2".into(), ..events[0].clone() },
        Event { hook: "inode_unlink".into(), ino: None, path: None, boot_ns: 35_000, ..Event::default() },
        Event { recording_id: "r1".into(), hook: "inode_setattr".into(), ..Event::default() },
        Event { recording_id: "r1".into(), hook: "inode_setxattr".into(), ..Event::default() },
    ];
    let kept = candidates.keep(&crate::testing::batch(&others)?)?;
    let expected = vec![true, false, false, false, true, false];
    assert_eq!(kept, BooleanArray::from(expected), "what was at another time, and what changes no content");
    let found = |event: &Event, boot_ns| {
        Act::of(event).map_or(0, |act| candidates.of(event, act, Mark { rank: 0, boot_ns }).len())
    };
    assert_eq!(events.each_ref().map(|event| found(event, 25_000)), [1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(events.each_ref().map(|event| found(event, 35_000)), [0; 12]);
    Ok(())
}

/// A small world in which numbers and names meet often.
struct World(u64);

impl World {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    fn number(&mut self) -> i64 {
        self.of(&[12, 13, 14])
    }

    fn version(&mut self, digest: &str, first: i64) -> FileVersion {
        let beneath = self.of(&[None, None, Some(12), Some(15)]);
        let image = self.of(&[None, None, Some(13)]);
        FileVersion {
            ino: self.number(),
            ino_generation: self.of(&[1, 1, 2]),
            real_dev: beneath.map(|_| "8:1".into()),
            real_ino: beneath,
            image_dev: image.map(|_| "8:1".into()),
            image_ino: image,
            path: Some(self.of(&["/usr/bin/tool", "/usr/tool", "/bin/usr"]).into()),
            ..version(digest, first, first + 10)
        }
    }

    fn event(&mut self) -> Event {
        let hooks = ["file_open", "open_descriptor", "path_truncate", "inode_rename", "inode_link", "inode_unlink"];
        let others = ["sb_mount", "sb_umount", "inode_setattr", "inode_setxattr"];
        let paths =
            ["/usr/bin/tool", "/usr/tool", "/tool", "/usr", "/bin/usr", "/bin", "/other", "/var/usr/bin/tool", ""];
        let beneath = self.of(&[None, None, Some(12), Some(15)]);
        Event {
            host: "web".into(),
            boot_id: "boot1".into(),
            hook: self.of(&[&hooks[..], &others].concat()).into(),
            root_dev: "8:1".into(),
            root_ino: self.of(&[2, 2, 9]),
            path: Some(self.of(&paths).into()),
            path_flags: self.of(&[None, Some("fs_relative")]).map(str::to_owned).into_iter().collect(),
            target_path: Some(self.of(&paths).into()),
            dev: self.of(&[Some("8:1"), Some("8:1"), Some("8:2"), None]).map(str::to_owned),
            ino: Some(self.number()),
            ino_generation: self.of(&[Some(1), Some(2), None]),
            target_ino: self.of(&[None, Some(12), Some(15)]),
            real_dev: beneath.map(|_| "8:1".into()),
            real_ino: beneath,
            open_flags: Some(1),
            boot_ns: self.of(&[5, 15, 20, 25, 30, 35, 60]) * 1000,
            ..Event::default()
        }
    }
}

#[test]
fn no_event_that_reaches_a_change_is_passed_over() {
    let mut world = World(1);
    let (mut reached, mut passed_over) = (0, 0);
    for _ in 0..crate::mutate::count() {
        let changes: Vec<Change> = (0..4)
            .map(|_| {
                let first = world.of(&[10, 20, 30]);
                let (old, new) = (world.version("aa", first), world.version("bb", first + 20));
                let old = FileVersion { root_is_host: world.below(2) == 0, ..old };
                let new = FileVersion { path: old.path.clone(), root_is_host: old.root_is_host, ..new };
                change_between(old, new, &recordings(&["r0", "r1", "r2"]))
            })
            .collect();
        let candidates = Candidates::new(&changes, &recordings(&["r0", "r1", "r2"]));
        let event = world.event();
        let Some(act) = Act::of(&event) else { continue };
        let at = Mark { rank: world.of(&[0, 1, 1, 1, 2]), boot_ns: event.boot_ns };
        let found = candidates.of(&event, act, at);
        for (number, change) in changes.iter().enumerate() {
            if reach(change, &event, act, at).is_some() {
                reached += 1;
                assert!(found.contains(&number), "{event:?} {change:?}");
            } else {
                passed_over += usize::from(!found.contains(&number));
            }
        }
    }
    assert!(reached > 100 && passed_over > 100, "{reached} reached, {passed_over} passed over");
}
