# Two changes that IMA's own cache can miss: truncate(2) by path, and a write through a descriptor that stays open. And
# one that is none: the times of a file that was hashed before.
. /data/scenarios/lib.sh

program victim 12
cp /data/bin/library.so library.so
program touched touched
record
act run-before "$WORK/victim" ./victim
act truncate "$WORK/victim" actor truncate victim "$(($(stat -c %s victim) - 1))"
act run-truncated "$WORK/victim" ./victim
act run-truncated-again "$WORK/victim" ./victim
act map-before "$WORK/library.so" actor map library.so
act map-while-written "$WORK/library.so" actor write-and-map library.so
act map-after "$WORK/library.so" actor map library.so
act run-untouched "$WORK/touched" ./touched
touch -d @1700000000 touched
act run-touched "$WORK/touched" ./touched
stop
