# The archive is copied while the recorder still writes it, after at least one seal.
. /data/scenarios/lib.sh

program tool tool
record --seal-interval 1s
for run in 1 2 3; do
    act "run-$run" "$WORK/tool" ./tool
    sleep 2
done
ls -A "$OUT/archive"
[ -d "$OUT/archive/.journal" ]
[ -d "$OUT/archive/events" ]
# Files of the journal may go while they are copied. The manifest comes last: a copy in which it has grown meanwhile lacks files
# that it names, and is no copy of any moment.
until
    cp "$OUT/archive/manifest.jsonl" before
    rm -rf "$OUT/archive-while-recording"
    cp -a "$OUT/archive" "$OUT/archive-while-recording" || true
    cmp -s before "$OUT/archive/manifest.jsonl"
do :; done
act run-4 "$WORK/tool" ./tool
stop
