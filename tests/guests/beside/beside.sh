# Acts on a file by other ways than its path: the upper file of an overlay, another name, a file handle, a mount over it, a mount
# that hangs nowhere. First with the built-in policy, then with one that asks for writes by their paths.
. /data/scenarios/lib.sh

modules overlay
program first A
program second B
mkdir lower upper work merged other
cp first lower/program
cp first linked
cp first handled
cp first covered
cp first hung
cp first alone
cp first reached
ln linked other/name
actor handle-of handled handled.handle
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
overwrite merged/program first

record
act default-run "$WORK/merged/program" merged/program
act default-write "$WORK/merged/program" overwrite upper/program second
act default-run-changed "$WORK/merged/program" merged/program
act run-covered "$WORK/covered" ./covered
act mount-over "$WORK/covered" mount -o bind second covered
act run-mounted "$WORK/covered" ./covered
umount covered
act run-uncovered "$WORK/covered" ./covered
stop

# Written below the filesystem, where no hook sees it: one was run through a detached mount too, the other was not. The built-in
# policy leaves out that names are removed.
record --policy /data/policies/default.yaml --policy /data/policies/unlinks.yaml
act run-hung "$WORK/hung" ./hung
act run-detached "$WORK/hung" actor run-detached "$WORK" hung
act raw-hung "$WORK/hung" actor write-raw hung /dev/vda
act run-hung-changed "$WORK/hung" ./hung
act run-alone "$WORK/alone" ./alone
act raw-alone "$WORK/alone" actor write-raw alone /dev/vda
act run-alone-changed "$WORK/alone" ./alone
stop

record --policy /data/policies/beside.yaml
act run-merged "$WORK/merged/program" merged/program
act write-upper "$WORK/merged/program" overwrite upper/program first
act run-merged-changed "$WORK/merged/program" merged/program
act run-linked "$WORK/linked" ./linked
act write-linked "$WORK/linked" overwrite other/name second
act run-linked-changed "$WORK/linked" ./linked
act run-handled "$WORK/handled" ./handled
sync
echo 3 >/proc/sys/vm/drop_caches
act write-handled "$WORK/handled" actor write-handle /data handled.handle written
act run-handled-changed "$WORK/handled" sh -c './handled 2>/dev/null || true'
act run-reached "$WORK/reached" ./reached
act write-detached "$WORK/reached" actor write-detached "$WORK" reached written
act run-reached-changed "$WORK/reached" sh -c './reached 2>/dev/null || true'
stop
umount merged
