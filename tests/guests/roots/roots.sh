# One path that names three files: on the host, in a chroot, and in a mount namespace with a bind mount.
. /data/scenarios/lib.sh

program tool host
program bound namespace
mkdir -p "chroot$WORK"
program "chroot$WORK/tool" chroot
record
act host "$WORK/tool" ./tool
act_on "chroot$WORK/tool" chroot "$WORK/tool" chroot chroot "$WORK/tool"
act_on bound namespace "$WORK/tool" actor namespace "$WORK/bound" "$WORK/tool" "$WORK/tool"
act host-again "$WORK/tool" ./tool
stop
fact host_ino "$(stat -c %i tool)"
fact chroot_root_ino "$(stat -c %i chroot)"
