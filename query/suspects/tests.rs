//! Which events are suspects of which change, and as what. Times are microseconds; the intervals are from 20 to 30.

use super::*;
use crate::testing::{change_between, change_to, recordings, replaced, rewritten, version};
use hashtrail::versions::FileVersion;

const TOOL: &str = "/usr/bin/tool";
const OLD: i64 = 12;
const NEW: i64 = 13;
const OTHER: i64 = 99;

fn event(hook: &str, path: &str, ino: i64, at: i64) -> Event {
    Event {
        host: "web".into(),
        boot_id: "boot1".into(),
        hook: hook.into(),
        root_dev: "8:1".into(),
        root_ino: 2,
        path: Some(path.into()),
        dev: Some("8:1".into()),
        ino: Some(ino),
        ino_generation: Some(1),
        parent_ino: Some(50),
        open_flags: matches!(hook, "file_open" | "open_descriptor").then_some(1),
        boot_ns: at * 1000,
        ..Event::default()
    }
}

fn onto(hook: &str, path: &str, ino: i64, target: &str) -> Event {
    Event { target_path: Some(target.into()), ..event(hook, path, ino, 25) }
}

/// The act that the event is suspected of, `…, before` where it lies before the interval, or nothing.
fn suspected(change: &Change, event: &Event) -> String {
    let at = Mark { rank: 0, boot_ns: event.boot_ns };
    let Some(act) = Act::of(event) else { return String::new() };
    let found = reach(change, event, act, at);
    let candidates = Candidates::new(std::slice::from_ref(change), &recordings(&[])).of(event, act, at);
    assert!(found.is_none() || candidates == [0], "an index must not pass it over: {event:?}");
    match found {
        Some(When::Within) => act.name().to_owned(),
        Some(When::Before) => format!("{}, before", act.name()),
        None => String::new(),
    }
}

#[test]
fn an_open_for_writing_of_the_file_or_the_path_within_the_interval() {
    let change = rewritten();
    let open = |path, ino, at| suspected(&change, &event("file_open", path, ino, at));
    assert_eq!(open(TOOL, OTHER, 25), "write_open", "by path");
    assert_eq!(open("/other/hard/link", OLD, 25), "write_open", "by file");
    assert_eq!(open("/other", OTHER, 25), "");
    assert_eq!((open(TOOL, OLD, 15), open(TOOL, OLD, 35)), (String::new(), String::new()));
    assert_eq!((open(TOOL, OLD, 20).as_str(), open(TOOL, OLD, 30).as_str()), ("write_open", "write_open"));
    let in_chroot = |ino| Event { root_ino: 77, mnt_ns: 5, ..event("file_open", TOOL, ino, 25) };
    assert_eq!(suspected(&change, &in_chroot(OTHER)), "", "the same path under another root is another file");
    assert_eq!(suspected(&change, &in_chroot(OLD)), "write_open", "the file is the same wherever it is seen");
    let elsewhere = |boot_id: &str, root_dev: &str, root_ino| Event {
        boot_id: boot_id.into(),
        root_dev: root_dev.into(),
        root_ino,
        ..event("file_open", TOOL, OTHER, 25)
    };
    assert_eq!(suspected(&change, &elsewhere("boot1", "8:33", 2)), "", "a root on another filesystem");
    assert_eq!(
        suspected(&change, &elsewhere("between", "8:33", 2)),
        "write_open",
        "devices are dealt anew in each boot"
    );
    assert_eq!(suspected(&change, &elsewhere("between", "8:1", 77)), "", "another root in any boot");
    let reused = Event { ino_generation: Some(2), ..event("file_open", "/other", OLD, 25) };
    assert_eq!(suspected(&change, &reused), "", "the inode number was given to another file");
    let deleted = |ino| Event { path_flags: vec!["deleted".into()], ..event("file_open", TOOL, ino, 25) };
    assert_eq!(suspected(&change, &deleted(OTHER)), "", "another file had the path before");
    assert_eq!(suspected(&change, &deleted(OLD)), "write_open");
    let other_host = Event { host: "db".into(), ..event("file_open", TOOL, OLD, 25) };
    assert_eq!(suspected(&change, &other_host), "");
}

#[test]
fn a_write_beside_a_stacked_filesystem_is_one_of_its_file() {
    let beneath = |ino| FileVersion { real_dev: Some("8:2".into()), real_ino: Some(ino), ..version("bb", 30, 40) };
    let change = change_to(beneath(70), &recordings(&["r1"]));
    let on = |dev: &str, ino| Event { dev: Some(dev.into()), ..event("file_open", "/upper/tool", ino, 25) };
    let through = |dev: &str, ino| Event { real_dev: Some(dev.into()), real_ino: Some(ino), ..on("0:50", OTHER) };
    assert_eq!(suspected(&change, &on("8:2", 70)), "write_open", "the file beneath");
    assert_eq!(suspected(&change, &through("8:2", 70)), "write_open", "through another stack over it");
    assert_eq!(suspected(&change, &through("8:1", OLD)), "write_open", "through a stack over the file itself");
    assert_eq!(
        (suspected(&change, &on("8:2", 71)), suspected(&change, &on("8:3", 70))),
        (String::new(), String::new())
    );
    assert_eq!((suspected(&change, &through("8:2", 71)), suspected(&rewritten(), &on("8:2", 70))), Default::default());
    let renamed = Event { hook: "inode_rename".into(), target_ino: Some(70), ..on("8:2", OTHER) };
    assert_eq!(suspected(&change, &Event { hook: "inode_unlink".into(), ..on("8:2", 70) }), "");
    let FileVersion { real_dev, real_ino, .. } = beneath(70);
    let old = FileVersion { real_dev, real_ino, ..version("aa", 10, 20) };
    let change = change_between(old, FileVersion { ino: NEW, ..version("bb", 30, 40) }, &recordings(&["r1"]));
    assert_eq!(suspected(&change, &renamed), "rename", "over the old file, beneath");
    assert_eq!(suspected(&change, &Event { hook: "inode_unlink".into(), ..on("8:2", 70) }), "unlink");
}

#[test]
fn a_write_of_the_image_is_one_of_each_file_in_it() {
    let inside = FileVersion { image_dev: Some("8:2".into()), image_ino: Some(70), ..version("bb", 30, 40) };
    let change = change_to(inside, &recordings(&["r1"]));
    let on = |dev: &str, hook, ino| Event { dev: Some(dev.into()), ..event(hook, "/images/disk", ino, 25) };
    let by = |dev, hook, ino| suspected(&change, &on(dev, hook, ino));
    assert_eq!((by("8:2", "file_open", 70), by("8:2", "path_truncate", 70)), ("write_open".into(), "truncate".into()));
    let above = Event { real_dev: Some("8:2".into()), real_ino: Some(70), ..on("0:50", "file_open", OTHER) };
    assert_eq!(suspected(&change, &above), "write_open", "through a stack over the image");
    let others = [by("8:2", "file_open", 71), by("8:3", "file_open", 70), by("8:2", "inode_setattr", 70)];
    assert_eq!(others, [const { String::new() }; 3]);
    let beside = Event { image_dev: Some("8:2".into()), image_ino: Some(70), ..on("7:0", "file_open", OTHER) };
    assert_eq!(suspected(&change, &beside), "", "another file in the same image");
    assert_eq!(suspected(&rewritten(), &on("8:2", "file_open", 70)), "");
}

#[test]
fn truncations_and_attributes_of_the_file_or_the_path() {
    let change = rewritten();
    let by = |hook, path, ino| suspected(&change, &event(hook, path, ino, 25));
    assert_eq!(
        (by("path_truncate", "/other", OLD), by("file_truncate", TOOL, OTHER)),
        ("truncate".into(), "truncate".into())
    );
    let sized = Event { attributes: vec!["size".into()], ..event("inode_setattr", "/other", OLD, 25) };
    assert_eq!(suspected(&change, &sized), "truncate");
    let deleted = Event { path_flags: vec!["deleted".into()], ..event("inode_setxattr", TOOL, OTHER, 25) };
    assert_eq!(suspected(&change, &deleted), "");
    assert_eq!(
        (by("inode_setattr", "/other", OLD), by("inode_setxattr", TOOL, OTHER)),
        ("setattr".into(), "setxattr".into())
    );
    assert_eq!(
        (by("path_truncate", "/other", OTHER), by("inode_setattr", "/other", OTHER)),
        (String::new(), String::new())
    );
}

#[test]
fn renames_onto_the_path_of_the_new_file_and_of_the_old_one() {
    let change = replaced();
    let rename = |path, ino, target| suspected(&change, &onto("inode_rename", path, ino, target));
    assert_eq!(rename("/usr/bin/tool.new", OTHER, TOOL), "rename", "onto the path");
    assert_eq!(rename("/x", NEW, "/var/lib/container/usr/bin/tool"), "rename", "the new file, seen elsewhere");
    assert_eq!(rename(TOOL, OTHER, "/usr/bin/tool.bak"), "rename", "away from the path");
    assert_eq!(rename("/x", OLD, "/y"), "rename", "the old file");
    assert_eq!(rename("/x", OTHER, "/y"), "");
    let over = Event { target_ino: Some(OLD), ..onto("inode_rename", "/x", OTHER, "/y") };
    assert_eq!(suspected(&change, &over), "rename", "over the old file under another path");
    let over_another = Event { dev: Some("8:2".into()), ..over };
    assert_eq!(suspected(&change, &over_another), "", "inode numbers mean nothing on another device");
}

#[test]
fn renames_of_a_directory_above_replace_what_is_below() {
    let rename = |change: &Change, target| suspected(change, &onto("inode_rename", "/evil", OTHER, target));
    assert_eq!((rename(&replaced(), "/usr/bin"), rename(&replaced(), "/usr/bi")), ("rename".into(), String::new()));
    assert_eq!(rename(&rewritten(), "/usr/bin"), "", "the file itself stayed");
}

#[test]
fn links_of_the_new_file_and_unlinks_of_the_old_one() {
    let change = replaced();
    let link = |path, ino, target| suspected(&change, &onto("inode_link", path, ino, target));
    assert_eq!((link("/x", OTHER, TOOL), link("/x", NEW, "/y")), ("link".into(), "link".into()));
    assert_eq!((link(TOOL, OLD, "/backup"), link("/x", OTHER, "/y")), (String::new(), String::new()));
    let unlink = |path, ino| suspected(&change, &event("inode_unlink", path, ino, 25));
    assert_eq!((unlink(TOOL, OTHER), unlink("/x", OLD)), ("unlink".into(), "unlink".into()));
    assert_eq!((unlink("/tmp/x", NEW), unlink("/x", OTHER)), (String::new(), String::new()));
}

#[test]
fn paths_that_begin_at_the_filesystem_are_the_end_of_the_path() {
    let relative = |path: &str, dev: &str, parent_ino| Event {
        dev: Some(dev.into()),
        parent_ino: Some(parent_ino),
        path_flags: vec!["fs_relative".into()],
        ..event("inode_unlink", path, OTHER, 25)
    };
    let change = replaced();
    assert_eq!(suspected(&change, &relative("/bin/tool", "8:1", 50)), "unlink");
    assert_eq!(suspected(&change, &relative("/bin/tool", "8:1", 51)), "", "in another directory");
    assert_eq!(suspected(&change, &relative("/bin/tool", "8:2", 50)), "", "on another filesystem");
    let short = Event { path: Some("tool".into()), ..relative("", "8:1", 50) };
    assert_eq!(suspected(&change, &short), "", "a last component alone is no path");
}

#[test]
fn in_a_container_the_host_sees_a_longer_path() {
    let new = FileVersion { root_is_host: false, ino: NEW, ..version("bb", 30, 40) };
    let change = change_to(new, &recordings(&["r1"]));
    let unlink = |path: &str| suspected(&change, &event("inode_unlink", path, OTHER, 25));
    assert_eq!(
        (unlink("/run/container/usr/bin/tool"), unlink("/run/container/tool")),
        ("unlink".into(), String::new())
    );
    assert_eq!(suspected(&replaced(), &event("inode_unlink", "/mnt/usr/bin/tool", OTHER, 25)), "");
}

#[test]
fn the_new_file_may_have_been_written_under_another_name_before() {
    let write = |change: &Change, ino, at| suspected(change, &event("file_open", "/usr/bin/tool.dpkg-new", ino, at));
    assert_eq!(write(&replaced(), NEW, 15), "write_open, before");
    assert_eq!((write(&replaced(), OLD, 15), write(&rewritten(), OLD, 15)), (String::new(), String::new()));
    let day = 86_400_000_000;
    assert_eq!(
        (write(&replaced(), NEW, 20 - day).as_str(), write(&replaced(), NEW, 19 - day).as_str()),
        ("write_open, before", "")
    );
    let rename = Event { boot_ns: 15_000, ..onto("inode_rename", "/x", NEW, "/y") };
    assert_eq!(suspected(&replaced(), &rename), "", "only writes make content");
    let other_boot = Event { boot_id: "boot0".into(), ..event("file_open", "/x", NEW, 15) };
    assert_eq!(suspected(&replaced(), &other_boot), "");
}

#[test]
fn a_descriptor_that_was_open_at_the_start_stays_a_suspect_in_its_recording() {
    let change = rewritten();
    let held = |path, ino, at| event("open_descriptor", path, ino, at);
    assert_eq!(suspected(&change, &held("/x", OLD, 1)), "open_descriptor, before");
    assert_eq!(
        (suspected(&change, &held("/x", OLD, 25)), suspected(&change, &held("/x", OTHER, 1))),
        ("open_descriptor".into(), String::new())
    );
    assert_eq!(suspected(&change, &held(TOOL, OTHER, 1)), "", "the path alone says nothing of an earlier file");
    let in_later =
        change_to(FileVersion { recording_id: "r2".into(), ..version("bb", 30, 40) }, &recordings(&["r0", "r1", "r2"]));
    let reach_at = |rank| reach(&in_later, &held("/x", OLD, 5), Act::OpenDescriptor, Mark { rank, boot_ns: 5_000 });
    assert_eq!((reach_at(0), reach_at(1), reach_at(2)), (None, Some(When::Before), Some(When::Within)));
}

#[test]
fn a_flood_of_one_act_is_counted_and_hides_no_other_act() {
    let mut found = [Suspects::default()];
    let acts = std::iter::repeat_n(Act::WriteOpen, KEPT_OF_AN_ACT_MAX + 7).chain([Act::Rename]);
    let taken = acts.map(|act| {
        let seen = Seen::of(event("", TOOL, OLD, 25), 0);
        keep(&mut found, seen, act, vec![(0, When::Within)])
    });
    let taken: Vec<usize> = taken.collect();
    assert_eq!(taken.iter().filter(|bytes| **bytes == 0).count(), 7, "what is not kept takes nothing");
    let [suspects] = found;
    assert_eq!((suspects.list.len(), suspects.omitted), (1001, 7));
    assert_eq!(suspects.list.last().map(|suspect| suspect.act), Some(Act::Rename));
}

#[test]
fn a_suspect_says_who_what_and_when() {
    let event = Event { pid: 12, uid: 0, comm: "dpkg".into(), ..event("file_open", "/x", NEW, 15) };
    let suspect = Suspect { seen: Seen::of(event.clone(), 0).into(), act: Act::WriteOpen, when: When::Before };
    assert_eq!(suspect.text(), "write_open by dpkg (pid 12, uid 0, before the interval)");
    let event = Event { exe: Some("/usr/bin/dpkg".into()), parent_comm: "apt".into(), ..event };
    let suspect = Suspect { seen: Seen::of(event, 0).into(), act: Act::Rename, when: When::Within };
    assert_eq!(suspect.text(), "rename by /usr/bin/dpkg (pid 12, uid 0)");
    let shown = suspect.to_json();
    assert_eq!(
        (&shown["act"], &shown["before_interval"], &shown["parent_comm"]),
        (&json!("rename"), &json!(false), &json!("apt"))
    );
}

#[test]
fn the_columns_that_are_read_tell_all_that_is_asked() -> Result<()> {
    let full = Event {
        recording_id: "r1".into(),
        cpu: 3,
        seq: 4,
        time: Micros(25),
        hook: "inode_rename".into(),
        action: "deny".into(),
        enforced: true,
        open_flags: Some(1),
        pid: 5,
        tid: 6,
        ppid: 7,
        process_start_ns: 8,
        uid: 9,
        euid: 10,
        auid: Some(11),
        comm: "comm".into(),
        exe: Some("/exe".into()),
        parent_comm: "parent".into(),
        container_id: Some("c".repeat(64)),
        path_flags: vec!["fs_relative".into()],
        real_dev: Some("8:2".into()),
        real_ino: Some(15),
        mode: Some(0o100_755),
        attributes: vec!["size".into()],
        argv: Some(vec!["a".into()]),
        target_path: Some("/target".into()),
        target_ino: Some(16),
        ..event("inode_rename", TOOL, OLD, 25)
    };
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("rows.parquet");
    hashtrail::writer::write(&path, std::slice::from_ref(&full), "", Vec::new())?;
    let table = hashtrail::reader::SealedTable::<Event>::open(&path)?;
    let batch = table.batches(&Prune::default(), &seen::COLUMNS, &[])?.next().expect("a batch")?;
    let read = hashtrail::reader::rows::<Event>(&batch).next().expect("a row")?;
    assert_eq!(read, full, "this event has nothing but what is read");
    assert_eq!(Seen::of(read, 2), Seen::of(full, 2));
    Ok(())
}
