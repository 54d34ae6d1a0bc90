# A binary is run, overwritten in place with another, run, restored in place, run.
. /data/scenarios/lib.sh

program original A
program other B
cp original tool
record
act run-a "$WORK/tool" ./tool
act write-b "$WORK/tool" overwrite tool other
act run-b "$WORK/tool" ./tool
act write-a "$WORK/tool" overwrite tool original
act run-a-again "$WORK/tool" ./tool
stop
fact shell_pid "$$"
fact shell_comm "$(cat /proc/$$/comm)"
measurements
