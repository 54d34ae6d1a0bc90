# The same acts under policies that deny and signal, first without --enforce, then with it, and under Tetragon's examples.
. /data/scenarios/lib.sh

# outcome NAME COMMAND...: what the caller saw of one act.
outcome() {
    local name="$1"
    shift
    fact "$when-$name" "$("$@")"
}

program denied denied
program killed killed
program bad bad
cp bad renamed
program listed listed
cp listed listed-too
cp /data/bin/library.so library.so
cp library.so written.so
cp library.so bad.so
echo bad >>bad.so
cp bad.so renamed.so
for file in secret signalled silent twice watched protected; do echo content >"$file"; done
for directory in exec_deny file_open dup_hooks parent; do mkdir "/data/work/$directory"; done
program /data/work/exec_deny/nop nop
program /data/work/parent/tool parent
for file in passwd shadow group; do echo content >"/data/work/file_open/$file"; done
for file in first second third; do echo content >"/data/work/dup_hooks/$file"; done
sed -e "s/BAD_DIGEST/$(digest bad)/" -e "s/GOOD_DIGEST/$(digest library.so)/" /data/policies/enforce.yaml >enforce.yaml
sed "s/\"0\{64\}\"/$(digest bad.so)/" /data/policies/known-bad.yaml >known-bad.yaml
# Only the programs of the tests are that small: their digests are all that is needed here.
set -- --max-hash-size 64KiB --policy enforce.yaml --policy known-bad.yaml --policy /data/policies/enforce-monitor.yaml
# A published list: a name, a digest of another algorithm, and another kind of hash.
printf '%s  implant\nmd5:d41d8cd98f00b204e9800998ecf8427e\nimphash:d41d8cd98f00b204e9800998ecf8427f\n' "$(digest listed)" >listed.txt
set -- "$@" --policy /data/policies/ioc.yaml --ioc listed.txt
fact list "$(sha256sum <listed.txt | cut -d' ' -f1)"
for policy in /data/policies/tetragon-*.yaml; do set -- "$@" --policy "$policy"; done

for when in noted enforced; do
    if [ "$when" = noted ]; then record "$@"; else record "$@" --enforce; fi
    fact "$when-after" "$(now)"
    for name in denied killed bad renamed listed listed-too; do outcome "$name" actor try-exec "./$name"; done
    for name in secret silent twice watched; do outcome "$name" actor try-open rdonly "$name"; done
    outcome signalled actor try-signal signalled
    outcome mapped actor try-map 5 2 library.so
    outcome read-only actor try-map 1 2 library.so
    for name in bad.so renamed.so; do outcome "$name" actor try-map 5 2 "$name"; done
    outcome bad-as-data actor try-map 1 2 bad.so
    outcome bad-sealed-memfd actor try-memfd bad.so sealed
    outcome bad-open-memfd actor try-memfd bad.so
    outcome written sh -c 'actor write-and-map written.so && echo 0'
    echo "$when" >new
    outcome renamed-over actor try-rename new protected
    outcome protected cat protected

    # The shell is the caller here, as the examples ask for. It says 126 of a program that it may not run.
    outcome nop sh -c '/data/work/exec_deny/nop 2>/dev/null; echo $?'
    outcome nop-by-another actor try-exec /data/work/exec_deny/nop
    actor do read /data/work/file_open/passwd /data/work/file_open/shadow /data/work/file_open/group
    cat /data/work/file_open/passwd >/dev/null
    actor do read /data/work/dup_hooks/first /data/work/dup_hooks/second /data/work/dup_hooks/third
    outcome child actor try-exec /data/work/parent/tool
    outcome grandchild actor run /data/bin/actor run /data/work/parent/tool
    /data/work/parent/tool
    stop
    fact "$when-said" "$(grep -c '^LISTED: .* as implant$' "$OUT/recorder.log")"
    fact "$when-warned" "$(grep -c '1 digest(s) of md5 cannot be compared with those of sha256' "$OUT/recorder.log")"
done
for name in denied killed bad listed bad.so /data/work/exec_deny/nop /data/work/parent/tool; do
    fact "digest-${name##*/}" "$(digest "$name")"
done
