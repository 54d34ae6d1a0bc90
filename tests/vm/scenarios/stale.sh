# Two changes that IMA's own cache can miss: truncate(2) by path, and a write through a descriptor that stays open.
. /data/scenarios/lib.sh

program victim 12
cp /data/bin/library.so library.so
record
act run-before "$WORK/victim" ./victim
act truncate "$WORK/victim" actor truncate victim "$(($(stat -c %s victim) - 1))"
act run-truncated "$WORK/victim" ./victim
act run-truncated-again "$WORK/victim" ./victim
act map-before "$WORK/library.so" actor map library.so
act map-while-written "$WORK/library.so" actor write-and-map library.so
act map-after "$WORK/library.so" actor map library.so
stop
