# Policies are replaced while programs run: by the command, by the command with a file that is refused, and by a signal.
. /data/scenarios/lib.sh

program tool tool
cp /data/policies/reload-a.yaml active.yaml
record --policy active.yaml
actor run-until stop-running ./tool >runs &
runner=$!
# The recorder has programs to load meanwhile.
renice -n 5 -p "$runner"
usleep 300000
cp /data/policies/reload-b.yaml active.yaml
hashtrail-recorder reload --archive "$OUT/archive"
answered 1 'policies reloaded'
usleep 300000
sed 's/operator: Equal/operator: Equals/' /data/policies/reload-a.yaml >active.yaml
hashtrail-recorder reload
answered 1 'not reloaded'
cp /data/policies/reload-a.yaml active.yaml
kill -HUP "$RECORDER"
answered 2 'policies reloaded'
usleep 300000
: >stop-running
wait "$runner"
fact runs "$(cat runs)"
fact shell_pid $$
fact recorder_pid "$RECORDER"
cp "$OUT/recorder.log" "$OUT/said.log"
stop
