# The programs are switched off for some seconds, in which a program is rewritten and run, and another one is run that
# runs at no other time. Then the wall clock is stepped an hour forward and back.
. /data/scenarios/lib.sh

ftrace=/proc/sys/kernel/ftrace_enabled
# By function tracing, or where the kernel refuses that while programs are attached (7.x), by the map that they all ask.
switch_off() {
    if echo 0 2>/dev/null >$ftrace; then cause=ftrace_disabled; else cause=switched_off generation=$(actor generation 0); fi
}
switch_on() {
    if [ $cause = ftrace_disabled ]; then echo 1 >$ftrace; else actor generation "$generation"; fi
}
step_clock() { date -s "@$(($(date +%s) + $1))" >/dev/null; }

program original A
program other B
program hidden C
cp original tool
record
act run-a "$WORK/tool" ./tool
fact before_off_ns "$(now)"
switch_off
fact cause $cause
fact off_ns "$(now)"
act write-b "$WORK/tool" overwrite tool other
act run-unseen "$WORK/tool" ./tool
act run-hidden "$WORK/hidden" ./hidden
act rewrite-hidden "$WORK/hidden" overwrite hidden original
act run-hidden-again "$WORK/hidden" ./hidden
sleep 5
fact before_on_ns "$(now)"
switch_on
fact on_ns "$(now)"
sleep 3
act run-b "$WORK/tool" ./tool
step_clock 3600
sleep 2
act run-in-an-hour "$WORK/tool" ./tool
step_clock -3600
sleep 2
act run-now "$WORK/tool" ./tool
# The recorder says by its exit code that it was blind.
stop 1
