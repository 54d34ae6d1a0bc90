# Write-only opens under an IMA rule that measures them. A rule can be loaded once in a boot and stays, so this
# scenario is the last of its boot.
. /data/scenarios/lib.sh

opens=${FULL:+500}
opens=${opens:-50}
program target target
echo 'measure func=FILE_CHECK mask=MAY_WRITE' >/sys/kernel/security/ima/policy
record --policy /data/policies/write_only.yaml
(
    actor open wronly target "$opens"
    for append in 1 2 3 4 5 6 7 8 9 10; do printf x >>target; done
) &
opener=$!
waited=0
while kill -0 "$opener" 2>/dev/null && [ "$waited" -lt 120 ]; do
    sleep 1
    waited=$((waited + 1))
done
if kill -0 "$opener" 2>/dev/null; then
    echo "the opener hangs:"
    ps -o pid,stat,args
    exit 1
fi
wait "$opener"
stop
fact opens "$((opens + 10))"
