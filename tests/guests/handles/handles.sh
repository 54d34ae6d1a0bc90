# Files that are reached by file handles after the kernel has forgotten their names, or through a mount that does not show
# them, and mounts that are moved, replaced and detached while they are recorded. The disk's mount point is /data.
. /data/scenarios/lib.sh

forget() {
    sync
    echo 3 >/proc/sys/vm/drop_caches
}

mkdir -p deep/er part chroot first second third
echo written >content
echo other >other
program deep/er/run run
cp deep/er/run run
program deep/er/tool tool
for file in tool run beside; do
    [ -f "deep/er/$file" ] || echo beside >"deep/er/$file"
    actor handle-of "deep/er/$file" "$file.handle"
done
mount --bind chroot part
mount -t tmpfs one first
echo a >first/a
cp /data/bin/actor actor
record --policy /data/policies/default.yaml --policy /data/policies/handles.yaml
forget
act_on content write-by-handle "$WORK/deep/er/tool" actor write-handle /data tool.handle written
forget
act_on run run-by-handle "$WORK/deep/er/run" actor run-handle /data run.handle
cat deep/er/beside >/dev/null
act_on content write-through-another "$WORK/deep/er/beside" actor write-handle part beside.handle written
act by-name "$WORK/deep/er/tool" overwrite deep/er/tool content

# What a task has open that is not below its root.
cp /data/bin/actor chroot/actor
mkdir chroot/proc
mount -t proc proc chroot/proc
exec 3<other
act write-from-chroot "$WORK/other" chroot chroot /actor open wronly /proc/self/fd/3 1
exec 3<&-
umount chroot/proc

act_on content before-move "$WORK/first/b" mv first/a first/b
mount -o move first second
act_on content after-move "$WORK/second/c" mv second/b second/c
act_on content write-after-move "$WORK/second/c" overwrite second/c content
umount second
mkdir twice again
mount -t tmpfs twice twice
mount --bind twice again
echo a >twice/a
act_on content twice-mounted /b mv twice/a twice/b
umount again
umount twice
mount -t tmpfs two third
echo a >third/a
act_on content reused-device "$WORK/third/b" mv third/a third/b
mkdir -p third/usr/lib
echo a >third/usr/lib/a
cd third
umount -l "$WORK/third"
act_on "$WORK/content" detached /usr/lib/b mv usr/lib/a usr/lib/b
act_on "$WORK/content" write-detached /usr/lib/b sh -c 'echo b >usr/lib/b'
cd "$WORK"

# A path that is longer than any buffer.
name=$(printf 'a%.0s' $(seq 200)) long=$WORK
while [ ${#long} -lt 3850 ]; do long=$long/$name; done
mkdir -p "$long"
cd "$long"
echo a >"$name-of-a-file"
act_on "$WORK/content" too-long "$WORK/b" mv "$name-of-a-file" b
cd "$WORK"
stop
umount part
