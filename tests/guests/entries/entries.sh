# As many entries of one hook as there can be. Each has a file of its own, and all have one in common; the 50th denies its own.
. /data/scenarios/lib.sh

selectors() {
    [ "$1" -ne 50 ] || echo "    - {matchArgs: [{index: 0, operator: Equal, values: [$WORK/file-50]}], matchActions: [{action: Override, argError: -13}]}"
    echo "    - {matchArgs: [{index: 0, operator: Equal, values: [$WORK/file-$1, $WORK/common]}]}"
}

: >common
{
    printf '%s\n' 'apiVersion: cilium.io/v1alpha1' 'kind: TracingPolicy' 'metadata: {name: entries}' 'spec:' '  lsmhooks:'
    arguments='&first [{index: 00, type: file}]'
    for entry in $(seq 64); do
        : >"file-$entry"
        printf '  - hook: file_open\n    message: entry %s\n    args: %s\n    selectors:\n' "$entry" "$arguments"
        selectors "$entry"
        arguments='*first'
    done
} >policy.yaml
record --enforce --policy "$WORK/policy.yaml"
for entry in $(seq 64); do
    if cat "file-$entry" 2>/dev/null; then fact "file-$entry" opened; else fact "file-$entry" denied; fi
done
cat common
stop
