# Opens of things that have no content to hash, under a policy that asks for the digest of each.
. /data/scenarios/lib.sh

program regular regular
mkdir directory
mkfifo fifo
record --policy /data/policies/special.yaml
act_on /dev/null device /dev/null actor open rdonly /dev/null 1
act_on /dev/null fifo "$WORK/fifo" actor open rdwr fifo 1
act_on /dev/null directory "$WORK/directory" actor open rdonly,directory directory 1
act_on /dev/null proc /proc/version actor open rdonly /proc/version 1
act_on /dev/null regular "$WORK/regular" actor open rdonly regular 1
act_on /dev/null o_path "$WORK/regular" actor open path regular 1
stop
fact regular_digest "$(digest regular)"
