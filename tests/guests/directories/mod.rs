//! Policies that ask for beginnings of paths: which opens are refused by the first names of their paths.

use crate::support::guest::{Guest, on_guests};
use crate::support::{integer, text};

/// As the tasks see them, in the order of their opens.
const WATCHED: [&str; 19] = [
    "/top/file",
    "/top/a/b/file",
    "/single",
    "/pair/deep/file",
    "/pair/part",
    "/pair/partial",
    "/whole/path",
    "/directories/longest/name",
    "/top/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/file",
    "/top/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/file",
    "/top/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32/33/file",
    "/top/linked",
    "/top/file",
    "/top/mount/file",
    "/top/moved/file",
    "/now/file",
    // Deleted.
    "/top/removed",
    // Opened to be locked.
    "/top/file",
    // In a root below that root.
    "/top/file",
];

on_guests!(opens_are_recorded_by_the_path_that_the_task_sees: linux_6_1, linux_6_12, linux_7);
fn opens_are_recorded_by_the_path_that_the_task_sees(guest: Guest) {
    let rows = guest.scenario("directories").rows("SELECT path FROM events WHERE message = 'watched' ORDER BY boot_ns");
    let found: Vec<&str> = rows.iter().map(|row| text(row, "path")).collect();
    assert_eq!(found, WATCHED);
}

on_guests!(locks_are_recorded_by_the_same: linux_6_1, linux_6_12, linux_7);
fn locks_are_recorded_by_the_same(guest: Guest) {
    let rows = guest.scenario("directories").rows("SELECT path FROM events WHERE message = 'locked'");
    assert_eq!(rows, [serde_json::json!({ "path": "/top/file" })]);
}

on_guests!(opens_elsewhere_are_stopped_before_they_are_counted: linux_6_1, linux_6_12, linux_7);
fn opens_elsewhere_are_stopped_before_they_are_counted(guest: Guest) {
    // A thousand opens of one file that is not watched, and as many through another mount.
    let accounting = guest.scenario("directories").accounting();
    assert!(integer(&accounting, "filtered") < 500, "{accounting}");
}
