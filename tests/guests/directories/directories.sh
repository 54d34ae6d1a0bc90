# Opens of files below the root of the task and elsewhere, where policies ask for beginnings of paths.
. /data/scenarios/lib.sh

# in_root COMMAND...: in a root of its own, which is on this filesystem.
in_root() { chroot "$WORK/root" "$@"; }

# content FILE...: makes the files below that root.
content() {
    for file; do
        mkdir -p "root${file%/*}"
        echo content >"root$file"
    done
}

levels=/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29
content /top/file /top/a/b/file /topmost/file /to/file /single /singles /file /single-directory/single \
    /pair/deep/file /pair/deeper/file /pair/part /pair/partial /pair/pa /other/deep/file \
    /whole/path /whole/paths /whole/pat /directories/longest/name /directories/longest/names /directorie2/longest/name \
    "/top$levels/file" "/top$levels/30/file" "/top$levels/30/31/32/33/file" "/other$levels/file" \
    "/other$levels/30/file" "/other$levels/30/31/32/33/file" \
    /longer-name/file /other/linked /other/moved/file /top/leaves/file /jail/top/file /jail/other/file /mounted/file /other/removed
cp /data/bin/actor root/actor
cp /data/bin/actor root/jail/actor
cp /data/bin/actor root/top/actor
cd root
ln other/linked top/linked
ln -s /top/file other/to-top
ln -s /other/linked top/to-other
mkdir top/mount other/mount proc
mount -t proc proc proc
mount --bind mounted top/mount
mount --bind top other/mount
cd ..
record --policy /data/policies/directories.yaml
in_root /actor do read /top/file /top/a/b/file /topmost/file /to/file /single /singles /file /single-directory/single \
    /pair/deep/file /pair/deeper/file /pair/part /pair/partial /pair/pa /other/deep/file \
    /whole/path /whole/paths /whole/pat /directories/longest/name /directories/longest/names \
    /directorie2/longest/name
in_root /actor do read "/top$levels/file" "/top$levels/30/file" "/top$levels/30/31/32/33/file" "/other$levels/file" \
    "/other$levels/30/file" "/other$levels/30/31/32/33/file"
in_root /actor do read /other/linked /top/linked /other/to-top /top/to-other /top/mount/file /other/mount/file
mv root/other/moved root/top/moved
mv root/top/leaves root/other/leaves
# The end of a longer name stays behind the shorter one.
mv root/longer-name root/now
in_root /actor do read /top/moved/file /other/leaves/file /now/file
exec 3<root/other/removed
mv root/other/removed root/top/removed
rm root/top/removed
in_root /actor do read /proc/self/fd/3
exec 3<&-
in_root /actor do lock /top/file /other/linked
chroot root/jail /actor do read /top/file /other/file
chroot root/top /actor do read /file
# None of these is watched: nearly all must be stopped before anything is counted.
in_root /actor cost rdonly /other/linked 10 >/dev/null
in_root /actor cost rdonly /other/mount/file 10 >/dev/null
stop
umount root/top/mount root/other/mount root/proc
