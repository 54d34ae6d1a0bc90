# A binary is replaced by rename; another is rewritten in place with the same size, and its mtime is set back.
. /data/scenarios/lib.sh

program renamed A
program new B
program rewritten A
program other B
touch -d @1700000000 rewritten
rewrite() {
    overwrite rewritten other
    touch -d @1700000000 rewritten
}
record
act run-old "$WORK/renamed" ./renamed
act rename "$WORK/renamed" mv new renamed
act run-new "$WORK/renamed" ./renamed
act run-before "$WORK/rewritten" ./rewritten
act rewrite "$WORK/rewritten" rewrite
act run-after "$WORK/rewritten" ./rewritten
stop
fact mtime "$(stat -c %Y rewritten)"
