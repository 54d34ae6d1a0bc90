# Arguments, data and what `resolve` leads to: for each entry of the policy acts that match and acts that do not.
. /data/scenarios/lib.sh

# refused NAME TEXT: the recorder must not start with a policy of this one hook entry; keeps what it says.
refused() {
    printf 'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: %s\nspec:\n  lsmhooks:\n%s\n' "$1" "$2" >"$1.yaml"
    status=0
    timeout 60 hashtrail-recorder record --archive "$OUT/refused" --policy "$1.yaml" >"$OUT/$1.log" 2>&1 || status=$?
    fact "$1-status" "$status"
}

ln /data/bin/actor actor
mkdir kept
cp /data/bin/tool tool
for name in free limited kept/file user named other bit plain low high gone; do echo content >"$name"; chmod 666 "$name"; done
chmod 755 . kept
ip link set lo up
refused mistyped '  - hook: inode_mkdir
    args: [{index: 0, type: file}]'
refused misresolved '  - hook: file_open
    data: [{source: current_task, resolve: cred.nobody, type: uint32}]'
record --policy /data/policies/values.yaml --enforce

mode() { fact "mode-$1" "$(./actor mode "$1" "$2") $(stat -c %a "$2")"; }
mode 4755 free
mode 2750 kept/file
mode 640 free
mode 600 kept/file
mode 755 kept/file
actor mode 4700 free >/dev/null
for mode in 600 640 600 640 600; do ./actor mode "$mode" limited >/dev/null; done

fact traced "$(./actor look-at attach)"
fact read "$(./actor look-at read)"
actor look-at attach >/dev/null

for command in 5 0 1 3; do fact "bpf-$command" "$(./actor bpf "$command")"; done

./actor do mkdir asked
./actor do mkdir not

./actor run kept/../tool
./actor run ./tool
sh -c 'kept/../tool'

./actor user 1234 1234 read user
./actor user 0 1234 read user
./actor user 1234 0 read user
./actor do read named other
./actor reset-on-fork read bit
./actor do read plain

(echo -500 >/proc/self/oom_score_adj; exec ./actor do lock low)
(echo 500 >/proc/self/oom_score_adj; exec ./actor do lock high)

# The descriptor 50 is not open: what stands behind it is not known, so nothing is denied, and the row says so.
fact unlinked "$(./actor do unlink gone 2>&1 || true)"

connect() { fact "connect-$1-$2-$3" "$(./actor connect "$1" "$2" "$3")"; }
connect 127.0.0.1 4242 0
connect 127.0.0.1 4999 0
connect ::1 4100 0
connect 127.1.2.3 5000 0
connect 127.2.2.3 5001 0
connect ::ffff:127.1.2.3 5002 0
connect fd00::1 5003 0
connect 10.1.2.3 5004 0
connect 10.1.2.3 53 0
connect 127.0.0.1 4243 0
connect 127.0.0.1 4244 0
connect /nowhere 0 0
for port in 4300 4301; do for backlog in 7 8; do fact "listen-$port-$backlog" "$(./actor listen $port $backlog)"; done; done
# Too short for a port and an address.
connect 127.0.0.1 4242 2
stop
