# The security.ima attribute makes IMA hash one file with md5. IMA looks at it when it hashes anew, so the file is also
# written again, with the content that it has. Needs an IMA policy.
. /data/scenarios/lib.sh

program tool tool
program same tool
record
act run-sha256 "$WORK/tool" ./tool
act switch "$WORK/tool" actor ima-xattr tool 1
act write-same "$WORK/tool" overwrite tool same
for run in 1 2 3; do act "run-md5-$run" "$WORK/tool" ./tool; done
stop
fact sha256 "$(sha256sum <tool | cut -d' ' -f1)"
fact md5 "$(md5sum <tool | cut -d' ' -f1)"
