# What acts cost, in instructions: without a recorder, with policies that filter every one out, and recorded. Runs under
# --icount, where the clock counts instructions. A library by its full path is what programs open most, on a filesystem of
# its own or on the root's; a bare name is the cheapest open that there is.
. /data/scenarios/lib.sh

opens=50
library=/usr/lib/x86_64-linux-gnu/libc.so.6
mkdir -p "$WORK${library%/*}"
echo content >"$WORK$library"
echo content >file
echo content >locked
cp /data/bin/actor actor
cp actor other
cp /data/bin/tool tool
cp /data/bin/library.so small
cp small large
head -c 2000000 /dev/zero >>large

cost() {
    fact "$1 library" "$(actor cost rdonly "$WORK$library" "$opens")"
    fact "$1 root-library" "$(chroot "$WORK" /actor cost rdonly "$library" "$opens")"
    fact "$1 name" "$(actor cost rdonly file "$opens")"
}

cost_of_code() {
    fact "$1 small" "$(actor cost-map small 20)"
    fact "$1 large" "$(actor cost-map large 20)"
    fact "$1 exec" "$(actor cost-exec "$WORK/tool" 2)"
}

# recording POLICY [ARGUMENTS]: what is measured then is the kernel's part alone. The one CPU would run the recorder in
# between, and what a record costs it is no cost of the act: it stands still, and the ring has room for all.
recording() {
    policy=$1
    shift
    record --policy "/data/policies/$policy.yaml" --ring-size 32MiB "$@"
    kill -STOP "$RECORDER"
}

end_recording() {
    kill -CONT "$RECORDER"
    stop
}

cost none
cost_of_code none
for filter in mode binary other path; do
    record --policy "/data/policies/cost-$filter.yaml"
    [ "$filter" != other ] || ./other do lock locked
    cost "$filter"
    stop
done
# What the kernel itself takes: a program that does nothing, and one that asks for the path.
for floor in empty path; do
    actor "floor-$floor" >"$floor.said" &
    holder=$!
    until grep -q attached "$floor.said"; do sleep 0.1; done
    cost "floor-$floor"
    kill "$holder"
    wait "$holder" || true
done
recording cost-recorded
cost recorded
cost_of_code recorded
end_recording
recording cost-digest
cost_of_code digest
end_recording
cost none-again
