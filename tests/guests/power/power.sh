# Records synthetic events and says on the console, about ten times a second, how late it is, until the power is cut.
. /data/scenarios/lib.sh

exec 3>/dev/console
hashtrail-recorder loadtest --archive "$OUT/archive" --rate 2000 --duration 600s --seal-interval 3s \
    --sync-interval 250ms --journal-size 16MiB 2>"$OUT/recorder.log" >&2 &
until grep -q '^recording' "$OUT/recorder.log"; do
    kill -0 "$!" || { cat "$OUT/recorder.log"; exit 1; }
    usleep 100000
done
echo "power: recording" >&3
while kill -0 "$!"; do
    read -r uptime _ </proc/uptime
    echo "power: on at $uptime s" >&3
    usleep 100000
done
# The load test must outlive the power.
cat "$OUT/recorder.log"
exit 1
