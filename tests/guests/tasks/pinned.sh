# Two tasks on one CPU, each runs its own program again and again.
. /data/scenarios/lib.sh

execs=${FULL:+2000}
execs=${execs:-400}
for name in first second; do
    program "$name" "$name"
    head -c 16384 /dev/zero >>"$name"
done
record
fact execs "$(actor pinned "$execs" "$WORK/first" "$WORK/second")"
stop
fact first "$(digest first)"
fact second "$(digest second)"
