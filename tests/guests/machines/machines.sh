# One path on two machines with one host name, and on the second again under a name that was given.
. /data/scenarios/lib.sh

# recorded_on LABEL MACHINE_ID [ARGUMENTS]: records a run of content that only this machine has.
recorded_on() {
    local label="$1"
    echo "$2" >/etc/machine-id
    shift 2
    program program "$label"
    record --policy /data/policies/execs.yaml "$@"
    act "$label" "$WORK/program" ./program
    stop
}

mkdir -p /etc
recorded_on one 11112222333344445555666677778888
recorded_on other aaaabbbbccccddddeeeeffff00001111
recorded_on named aaaabbbbccccddddeeeeffff00001111 --host rack-7
rm /etc/machine-id
