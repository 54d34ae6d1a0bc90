# What ran and wrote before the recording, forks, containers, and digests that user space takes.
. /data/scenarios/lib.sh

# until_done COMMAND...: waits until the command succeeds.
until_done() {
    local left=300
    until "$@" 2>/dev/null; do
        [ "$left" -gt 0 ]
        left=$((left - 1))
        usleep 100000
    done
}

# A name that begins with busybox is busybox.
mkdir opened jail jail/bin
cp /bin/busybox busybox-early
cp /bin/busybox jail/bin/busybox-jailed
program contained A
program mapped B
printf old >held
printf old >dropped
printf kept >opened/kept
printf old >opened/replaced
printf new >next

./busybox-early sh -c 'exec 5>>held 6>>dropped; rm dropped; : >ready; until [ -e go ]; do usleep 100000; done; (exit 0)' &
early=$!
actor hold-mapping mapped &
mapper=$!
chroot jail /bin/busybox-jailed sleep 1000 &
jailed=$!
id=$(sha256sum </bin/busybox | cut -d' ' -f1)
cgroup=/sys/fs/cgroup/docker-$id.scope
mkdir "$cgroup"
sh -c "echo \$\$ >$cgroup/cgroup.procs; exec ./busybox-early sleep 1000" &
contained=$!
until_done test -e ready
until_done grep -q mapped "/proc/$mapper/maps"
until_done grep -q jailed "/proc/$jailed/cmdline"
until_done grep -q 1000 "/proc/$contained/cmdline"

fact early "$early"
fact early_start_ticks "$(cut -d' ' -f22 "/proc/$early/stat")"
fact early_digest "$(sha256sum <busybox-early | cut -d' ' -f1)"
fact mapper "$mapper"
fact jailed "$jailed"
fact jail_ino "$(stat -c %i jail)"
fact contained "$contained"
fact container "$id"

record --policy /data/policies/context.yaml
fact recorder "$RECORDER"
: >go
wait "$early"
act contained "$WORK/contained" sh -c "echo \$\$ >$cgroup/cgroup.procs; exec ./contained"
act kept "$WORK/opened/kept" actor open rdonly opened/kept 1
# The recorder sleeps while the file is replaced, so it comes too late.
kill -STOP "$RECORDER"
act replaced "$WORK/opened/replaced" actor open rdonly opened/replaced 1
mv next opened/replaced
kill -CONT "$RECORDER"
usleep 1000000
stop
kill "$mapper" "$jailed" "$contained"
