# What an open and close costs, in instructions: without a recorder, and with policies that filter every open out. Runs
# under --icount, where the clock counts instructions. A library by its full path is what programs open most, on a
# filesystem of its own or on the root's; a bare name is the cheapest open that there is.
. /data/scenarios/lib.sh

opens=50
library=/usr/lib/x86_64-linux-gnu/libc.so.6
mkdir -p "$WORK${library%/*}"
echo content >"$WORK$library"
echo content >file
echo content >locked
cp /data/bin/actor actor
cp actor other

cost() {
    fact "$1 library" "$(actor cost rdonly "$WORK$library" "$opens")"
    fact "$1 root-library" "$(chroot "$WORK" /actor cost rdonly "$library" "$opens")"
    fact "$1 name" "$(actor cost rdonly file "$opens")"
}

cost none
for filter in mode binary other path; do
    record --policy "/data/policies/cost-$filter.yaml"
    [ "$filter" != other ] || ./other do lock locked
    cost "$filter"
    stop
done
cost none-again
