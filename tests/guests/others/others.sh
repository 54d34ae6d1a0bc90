# Hooks by name, each called by one act; and what is refused.
. /data/scenarios/lib.sh

# refused NAME HOOK...: the recorder must not start with a policy that names these hooks; keeps what it says.
refused() {
    name="$1"
    shift
    {
        printf 'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata:\n  name: %s\nspec:\n  lsmhooks:\n' "$name"
        printf '  - hook: %s\n' "$@"
    } >"$name.yaml"
    status=0
    timeout 60 hashtrail-recorder record --archive "$OUT/refused" --policy "$name.yaml" >"$OUT/$name.log" 2>&1 || status=$?
    fact "$name-status" "$status"
}

ln /data/bin/actor actor
echo content >file
mkdir mounted
ip link set lo up
refused unknown bprm_check_security no_such_hook
refused nine task_kill inode_mkdir ptrace_access_check sb_pivotroot file_permission inode_rmdir inode_mknod inode_create \
    inode_symlink
record --policy /data/policies/others.yaml --enforce
for act in signal trace; do ./actor do "$act" nothing; done
./actor do mkdir made
./actor do read file
# What the loopback device receives, it receives in an interrupt.
ping -q -c 3 127.0.0.1 >/dev/null
# The only denial: the recorder enforces at hooks by name too.
fact mount "$(./actor do mount mounted 2>&1 || true)"
actor do mkdir by-another
stop
fact file_ino "$(stat -c %i file)"
