# What the recorder says on a kernel that lets it record nothing.
. /data/scenarios/lib.sh

hashtrail-recorder doctor --format json >"$OUT/doctor.jsonl" || true
if hashtrail-recorder record --archive "$OUT/archive" --duration 1s 2>"$OUT/record.txt"; then status=0; else status=$?; fi
fact record "$status"
