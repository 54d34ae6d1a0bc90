# What the recorder says about this guest.
. /data/scenarios/lib.sh

hashtrail-recorder doctor --format json >"$OUT/doctor.jsonl"
fact kernel "$(uname -r)"
fact lsm "$(cat /sys/kernel/security/lsm)"
