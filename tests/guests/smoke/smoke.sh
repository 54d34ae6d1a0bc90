# What this guest is: the ground that the other scenarios stand on. Records nothing.
. /data/scenarios/lib.sh

fact kernel "$(uname -r)"
fact lsm "$(cat /sys/kernel/security/lsm)"
fact ima_measurements "$(cat /sys/kernel/security/ima/runtime_measurements_count)"
program first A
program second B
act run-first "$WORK/first" ./first
act run-second "$WORK/second" ./second
act memfd "$WORK/first" actor memfd first
act map "$WORK/first" actor map first
cp first gone
act_on first deleted "$WORK/gone" actor deleted gone
[ ! -e gone ]
[ "$(actor open wronly first 3)" = 3 ]
[ "$(actor parallel 4 40 ./first ./second)" = 40 ]
[ "$(actor pinned 20 ./first ./second)" = 40 ]
act ima-xattr "$WORK/first" actor ima-xattr first 1
time actor parallel 1 200 ./first
time sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do busybox true; done'
