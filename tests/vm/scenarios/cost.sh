# What an open and close costs, in instructions: without a recorder, and with policies that filter every open out. Runs
# under --icount, where the clock counts instructions. A library by its full path is what programs open most; a bare name
# is the cheapest open that there is.
. /data/scenarios/lib.sh

opens=50
library=$WORK/usr/lib/x86_64-linux-gnu/libc.so.6
mkdir -p "${library%/*}"
echo content >"$library"
echo content >file

cost() {
    fact "$1 library" "$(actor cost rdonly "$library" "$opens")"
    fact "$1 name" "$(actor cost rdonly file "$opens")"
}

cost none
for filter in mode binary path; do
    record --policy "/data/policies/cost-$filter.yaml"
    cost "$filter"
    stop
done
cost none-again
