# Every way of changing a program, in every place where one can lie: it is run twice, changed and run again. See
# actor_matrix.c.
. /data/scenarios/lib.sh

# stacked NAME LOWER: an overlay at NAME/merged over that directory.
stacked() {
    mkdir -p "$1/upper" "$1/work" "$1/merged"
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/merged"
}

# cells PLACE MADE_IN CHANGED_IN RUN_IN [IMAGE DEVICE]: all ways and sizes there.
cells() {
    actor matrix "$OUT" "$@"
    fact "$1_seconds" "$(cut -d' ' -f1 /proc/uptime)"
}

modules overlay loop xfs btrfs squashfs fuse
until [ -b /dev/vdb ] && [ -b /dev/vdc ]; do usleep 20000; done
mkdir contents ext4 xfs btrfs tmpfs loop squashfs fuse fuse-beneath lower
actor matrix-contents contents
(cd contents && sha256sum *) | sed 's/  /\t/' >"$OUT/contents.tsv"
mount -t xfs /dev/vdb xfs
mount -t btrfs /dev/vdc btrfs
mount -t tmpfs tmpfs tmpfs
losetup /dev/loop0 /data/images/ext4.img
mount -t ext4 /dev/loop0 loop
losetup /dev/loop1 /data/images/squashfs.img
mount -t squashfs -o ro /dev/loop1 squashfs
actor serve-files fuse
actor serve-files fuse-beneath
stacked overlay "$WORK/lower"
stacked overlay-fuse "$WORK/fuse-beneath"
mkdir lower/lower lower/up overlay/upper/upper overlay/upper/merged

record
fact begun_seconds "$(cut -d' ' -f1 /proc/uptime)"
merged=$WORK/overlay/merged upper=$WORK/overlay/upper
cells ext4 "$WORK/ext4" "$WORK/ext4" "$WORK/ext4"
cells xfs "$WORK/xfs" "$WORK/xfs" "$WORK/xfs"
cells btrfs "$WORK/btrfs" "$WORK/btrfs" "$WORK/btrfs"
cells tmpfs "$WORK/tmpfs" "$WORK/tmpfs" "$WORK/tmpfs"
cells memfd memfd memfd memfd
cells overlay-lower "$WORK/lower/lower" "$WORK/lower/lower" "$merged/lower"
cells overlay-upper "$upper/upper" "$upper/upper" "$merged/upper"
cells overlay-merged "$merged/merged" "$merged/merged" "$merged/merged"
cells overlay-copy-up "$WORK/lower/up" "$merged/up" "$merged/up"
cells overlay-fuse "$WORK/fuse-beneath" "$WORK/fuse-beneath" "$WORK/overlay-fuse/merged"
cells squashfs "$WORK/squashfs" "$WORK/squashfs" "$WORK/squashfs" /data/images/squashfs.img /dev/loop1
cells loop "$WORK/loop" "$WORK/loop" "$WORK/loop" /data/images/ext4.img /dev/loop0
cells fuse "$WORK/fuse" "$WORK/fuse" "$WORK/fuse"
stop

umount overlay/merged overlay-fuse/merged fuse fuse-beneath squashfs loop xfs btrfs tmpfs
losetup -d /dev/loop0
losetup -d /dev/loop1
