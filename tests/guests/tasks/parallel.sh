# Sixteen workers run eight programs at once.
. /data/scenarios/lib.sh

execs=2000
mkdir programs
for name in 1 2 3 4 5 6 7 8; do program "programs/$name" "$name"; done
record --policy /data/policies/parallel.yaml
fact execs "$(actor parallel 16 "$execs" "$WORK"/programs/*)"
stop
for name in 1 2 3 4 5 6 7 8; do fact "$WORK/programs/$name" "$(digest "programs/$name")"; done
