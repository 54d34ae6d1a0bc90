# Content that changes without a trace in the counters of its inode: a memfd that is stored to through a mapping, and
# a library that is changed while it is mapped, and changed back.
. /data/scenarios/lib.sh

# code FILE VALUE: machine code that returns VALUE (mov eax, VALUE; ret).
code() { printf "\\270\\$(printf %o "$2")\\0\\0\\0\\303" >"$1"; }

# As large as what is kept, so that a kept digest could be used.
program first first
program second other
truncate -s 400000 first
truncate -s 400000 second
code library 43
code changed 44
code original 43
code ended 0
mkfifo again
record
act_on first memfd memfd actor stored-memfd first second
fact first "$(digest first)"
fact second "$(digest second)"
actor hold-code library again >returned &
holder=$!
until [ "$(cat returned)" = 43 ]; do usleep 20000; done
act change "$WORK/library" overwrite library changed
: >again
until grep -q 44 returned; do usleep 20000; done
act change-back "$WORK/library" overwrite library original
: >again
until [ "$(grep -c 43 returned)" = 2 ]; do usleep 20000; done
overwrite library ended
: >again
wait $holder
fact returned "$(echo $(cat returned))"
act write-unmapped "$WORK/library" overwrite library original
stop
