# Each kind of filter where nothing else has looked at the call: what it must not match comes first, what it must match
# next, and the other again.
. /data/scenarios/lib.sh

mkdir bin one other
for name in one parent runner; do ln /data/bin/actor "bin/$name"; done
for file in locked unlinked gone changed mapped moved; do
    echo content >"one/$file"
    echo content >"other/$file"
    cp "other/$file" "other/$file-again"
done
mkfifo one/linked
echo content >other/linked
chown 1000 one/changed
program tool tool
cp tool one/tool
cp tool other/tool
record --policy /data/policies/alone.yaml
actor do read other/locked one other/locked
ln other/linked other/link
ln one/linked one/link
mv other/moved other/elsewhere
mv one/moved one/renamed
actor do chmod other/changed
actor user 1000 0 chmod one/changed
actor do chmod other/changed-again
actor xattr user.security. other/locked
actor xattr security.one one/locked
actor xattr security.two other/locked
exec 3<one/gone
rm one/gone
actor user 1000 0 chmod /proc/self/fd/3
exec 3<&-
actor do unlink other/unlinked
actor enter uts 0 unlink one/unlinked
actor do unlink other/unlinked-again
actor do lock other/locked
bin/one do lock one/locked
actor do lock other/locked-again
actor try-map 1 0x2 other/mapped
actor try-map 1 0x8002 one/mapped
actor try-map 1 0x2 other/mapped-again
actor parallel 1 1 ./tool
bin/parent parallel 1 1 ./tool
actor parallel 1 1 ./other/tool
bin/runner parallel 1 1 ./one/tool
stop
