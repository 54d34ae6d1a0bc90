# Files that are run or mapped again: unchanged, changed in each way that must be noticed, and after the time for which a
# digest is kept.
. /data/scenarios/lib.sh

run() { act "$1" "$WORK/tool" ./tool; }
map() { act "$1" "$WORK/library.so" actor map library.so; }

program tool one
head -c 1000000 /dev/zero >>tool
cp tool one
program two two
head -c 1000000 /dev/zero >>two
program raw raw
head -c 1000000 /dev/zero >>raw
program small small
cp /data/bin/library.so library.so
head -c 1000000 /dev/zero >>library.so
record --policy /data/policies/kept.yaml
run first
run again
run once-more
overwrite tool two
touch -r one tool
run rewritten
overwrite tool one
run restored
map mapped
map mapped-again
actor write-mapped library.so
map stored-to
exec 3<>library.so
map while-writable
map while-still-writable
exec 3<&-
map closed
# Hashed while it is open for writing, so not kept; and then the counter is as settled as it was before.
exec 3<>library.so
printf x >&3
map written-while-open
exec 3<&-
map closed-changed
truncate -s 1000000 tool
run truncated
act small "$WORK/small" ./small
act small-again "$WORK/small" ./small
act raw-before "$WORK/raw" ./raw
act raw-unchanged "$WORK/raw" ./raw
actor write-raw raw /dev/vda
act raw-after "$WORK/raw" ./raw
# Who has opened the disk for writing may write it.
act small-after "$WORK/small" ./small
act small-after-again "$WORK/small" ./small
sleep 11
run late
map mapped-late
stop

record --policy /data/policies/kept.yaml --no-digest-cache
run not-kept
run not-kept-again
stop

# Somebody has the disk open for writing when the recording begins.
exec 4<>/dev/vda
record --policy /data/policies/kept.yaml
act held "$WORK/small" ./small
act held-again "$WORK/small" ./small
stop
exec 4<&-
