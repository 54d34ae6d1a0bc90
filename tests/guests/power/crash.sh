# The recorder is killed. Before the next one begins, a program is rewritten and run, and nobody sees it.
. /data/scenarios/lib.sh

program original A
program other B
cp original tool
record
for run in 1 2 3; do act "before-$run" "$WORK/tool" ./tool; done
# What stands in the rings at the kill is lost; the acts do not.
sleep 1
fact before_kill_ns "$(now)"
kill -KILL "$RECORDER"
wait "$RECORDER" || [ "$?" = 137 ]
fact after_kill_ns "$(now)"
act write-b "$WORK/tool" overwrite tool other
act unseen "$WORK/tool" ./tool
record
for run in 1 2; do act "after-$run" "$WORK/tool" ./tool; done
stop
