# A disk is written past its filesystem without an open for writing that the recorder can see, and a small file on it is run
# again: each way in a recording of its own, because from then on the disk stays suspect.
. /data/scenarios/lib.sh

mkdir nvme
mount -t ext4 /dev/nvme0n1 nvme
for way in ioctl generic ring scsi flight registered; do program "nvme/$way" "$way"; done
sync

# run LABEL WAY
run() { act "$1" "$WORK/nvme/$2" "./nvme/$2"; }

# recorded WAY COMMAND...: runs its program before and after the command.
recorded() {
    way="$1"
    shift
    record --policy /data/policies/kept.yaml
    run "$way" "$way"
    actor ask-disk /dev/nvme0n1
    run "$way-again" "$way"
    "$@"
    run "$way-after" "$way"
    run "$way-after-again" "$way"
    stop
}

recorded ioctl actor command-disk ioctl nvme/ioctl /dev/nvme0n1
recorded generic actor command-disk ioctl nvme/generic /dev/ng0n1
recorded ring actor command-disk ring nvme/ring /dev/ng0n1
recorded scsi actor scsi /dev/vda

# A descriptor that no process had when the recording began.
woken() { : >fifo; wait "$WAITING"; }
mkfifo fifo
actor write-in-flight nvme/flight /dev/nvme0n1 flight-ready fifo &
WAITING=$!
until [ -f flight-ready ]; do usleep 20000; done
recorded flight woken
actor write-in-ring nvme/registered /dev/nvme0n1 registered-ready fifo &
WAITING=$!
until [ -f registered-ready ]; do usleep 20000; done
recorded registered woken
umount nvme
