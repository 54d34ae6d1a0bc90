# What acts cost, in instructions, beside the peers that Debian has, in one boot: bare, recorded here, printed by bpftrace,
# logged by auditd. Of each it is the part of the task that acts: what a daemon does with it later is not counted. Runs under
# --icount, on 6.1: Debian's bpftrace is as old, and has no d_path on newer kernels.
. /data/scenarios/lib.sh

echo content >file
cp /data/bin/tool tool
cp /data/bin/library.so small

cost() {
    fact "$1 open" "$(actor cost rdonly "$WORK/file" 50)"
    fact "$1 small" "$(actor cost-map small 20)"
    fact "$1 exec" "$(actor cost-exec "$WORK/tool" 2)"
}

# The recorder stands still, and the ring has room for all: see cost.sh.
recorded() {
    record --policy "/data/policies/$2.yaml" --ring-size 32MiB
    kill -STOP "$RECORDER"
    cost "$1"
    kill -CONT "$RECORDER"
    stop
}

printed() {
    BPFTRACE_PERF_RB_PAGES=4096 bpftrace -o printed.txt /data/bin/peer.bt >bpftrace.log 2>&1 &
    tracer=$!
    until grep -q '^open' printed.txt; do
        kill -0 "$tracer" || { cat bpftrace.log printed.txt; exit 1; }
        cat file >/dev/null
        sleep 1
    done
    kill -STOP "$tracer"
    cost printed
    kill -CONT "$tracer"
    kill -INT "$tracer"
    wait "$tracer" || true
    fact "printed lost" "$(sed -n 's/^Lost \([0-9]*\) events$/\1/p' bpftrace.log printed.txt | awk '{ sum += $1 } END { print sum + 0 }')"
    tail -n 3 printed.txt
}

logged() {
    mkdir -p /var/log/audit
    auditd -n >auditd.log 2>&1 &
    daemon=$!
    until auditctl -s | grep -q "^pid $daemon"; do sleep 1; done
    auditctl -b 1000000
    auditctl -a always,exit -F arch=b64 -S open -S openat -S execve
    auditctl -a always,exit -F arch=b64 -S mmap -F 'a2&4'
    kill -STOP "$daemon"
    cost logged
    kill -CONT "$daemon"
    auditctl -D
    kill "$daemon"
}

cost none
recorded recorded cost-recorded
recorded digest cost-digest
cost none-again
printed
logged
