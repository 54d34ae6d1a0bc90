# Many processes of an ordinary user make the kernel hash, more of them than the sensor has places to build paths in: a large
# file for a long time, then one whose server never answers. Meanwhile root replaces, removes and runs programs, and what a
# policy forbids a service is tried.
. /data/scenarios/lib.sh

hashing() { grep -ls ima_calc_file_hash /proc/[0-9]*/stack | wc -l; }

# prepare ROUND: what root acts on.
prepare() {
    mkdir -p "/usr/lib/flood/$1"
    for name in tool victim evil other; do program "/usr/lib/flood/$1/$name" "$1 $name"; done
}

# root_acts ROUND: while the others hash.
root_acts() {
    directory=/usr/lib/flood/$1
    until [ "$(hashing)" -gt 128 ]; do usleep 100000; done
    [ "$1" = hanging ] || echo 1000 100000 >$group/cpu.max
    act "$1-run-first" $directory/tool $directory/tool
    act "$1-replace" $directory/tool overwrite $directory/tool second
    act "$1-run-second" $directory/tool $directory/tool
    act_on second "$1-remove" $directory/victim rm $directory/victim
    act "$1-chmod" $directory/tool chmod 4755 $directory/tool
    act "$1-rename" $directory/moved mv $directory/evil $directory/moved
    act "$1-run-moved" $directory/moved $directory/moved
    fact "$1-denied" "$(/usr/sbin/nginx try-open wronly $directory/tool)"
    fact "$1-killed" "$(/usr/sbin/nginx try-exec $directory/other)"
    fact "$1-hashing" "$(hashing)"
}

modules fuse
mkdir served
actor serve-files served
server=$(pidof actor)
prepare flooded
prepare hanging
program second second
mkdir -p /usr/sbin
cp /data/bin/actor /usr/sbin/nginx
# On ext4: a read of tmpfs lets nobody else run before it is done.
truncate -s 4M sparse
truncate -s 1M served/sparse
chmod 755 sparse served/sparse "$WORK"
record --policy /data/policies/default.yaml --policy /data/policies/contain.yaml --enforce
group=/sys/fs/cgroup/flood
# A share of the CPUs, as an ordinary container may have it, so small that no hash comes to its end. Linux 7 holds a task back
# only where it returns to its program: there is no such flood there.
case $(uname -r) in
6.*)
    echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
    mkdir $group
    echo 20000 100000 >$group/cpu.max
    sh -c "echo \$\$ >$group/cgroup.procs; exec actor flood $WORK/sparse 150 1000"
    root_acts flooded
    echo max >$group/cpu.max
    echo 1 >$group/cgroup.kill
    ;;
esac
actor flood "$WORK/served/sparse" 150 1000 "$server"
root_acts hanging
stop
fact ended-hashing "$(hashing)"
killall -9 actor
umount -l served
