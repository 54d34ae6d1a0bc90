# What runs of programs cost, in instructions, under policies that people load, and opens that are merged with the first one: the
# rest of cost.sh, which is longer than each run of the tests should take. Runs under --icount.
. /data/scenarios/lib.sh

library=/lib/x86_64-linux-gnu/libc.so.6
cp /data/bin/tool tool
cp /bin/busybox true
echo content >file

# As in cost.sh, the recorder stands still, and the ring has room for all.
under() {
    record --policy "$2" --ring-size 32MiB
    kill -STOP "$RECORDER"
    "$3" "$1"
    kill -CONT "$RECORDER"
    stop
}

cost_of_runs() {
    fact "$1 exec" "$(actor cost-exec "$WORK/tool" 2)"
    fact "$1 busybox" "$(actor cost-exec "$WORK/true" 2)"
    fact "$1 dynamic" "$(chroot /data/dynamic /actor cost-exec /usr/bin/true 2)"
}

cost_of_opens() {
    fact "$1 root-library" "$(chroot /data/dynamic /actor cost rdonly "$library" 50)"
    fact "$1 name" "$(actor cost rdonly file 50)"
}

cost_of_runs none
cost_of_opens none
under runs /data/policies/cost-runs.yaml cost_of_runs
under checked /data/policies/execs.yaml cost_of_runs
under default /data/policies/default.yaml cost_of_runs
under merged /data/policies/cost-merged.yaml cost_of_opens
cost_of_runs none-again
cost_of_opens none-again
