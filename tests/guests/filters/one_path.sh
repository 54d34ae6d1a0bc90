# A policy that matches one path, among many other execs.
. /data/scenarios/lib.sh

program watched watched
program other other
record --policy /data/policies/one_path.yaml
act watched "$WORK/watched" ./watched
fact other_execs "$(actor parallel 2 200 "$WORK/other")"
act watched-again "$WORK/watched" ./watched
stop
