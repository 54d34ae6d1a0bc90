# What an open and close costs, in instructions: without a recorder, and with policies that filter every open out. Runs
# under --icount, where the clock counts instructions.
. /data/scenarios/lib.sh

opens=500
echo content >file
cost() { fact "$1" "$(actor cost rdonly file "$opens")"; }

cost none
for filter in mode binary path; do
    record --policy "/data/policies/cost-$filter.yaml"
    cost "$filter"
    stop
done
cost none-again
