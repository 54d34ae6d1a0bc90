# IMA's measurement lists, with both kinds of violation, a file that goes A to B to A, and names with a space and, in a
# second copy of the lists, with a newline. With a TPM also its PCR 10 in each bank: list, PCR, list, because the two
# are not read together. Needs `ima_policy=tcb`.
. /data/scenarios/lib.sh

ima=/sys/kernel/security/ima

# lists DIRECTORY: copies every form of the list.
lists() {
    mkdir "$OUT/$1"
    for list in binary_runtime_measurements ascii_runtime_measurements violations \
        "$ima"/binary_runtime_measurements_* "$ima"/ascii_runtime_measurements_*; do
        list=$ima/${list##*/}
        [ ! -f "$list" ] || cat "$list" >"$OUT/$1/${list##*/}"
    done
}

# pcrs TABLE: PCR 10 of each bank, lower-case.
pcrs() {
    for bank in /sys/class/tpm/tpm0/pcr-*; do
        [ ! -f "$bank/10" ] || printf '%s\t%s\n' "${bank##*/pcr-}" "$(tr A-F a-f <"$bank/10")" >>"$OUT/$1"
    done
}

program original A
program other B
cp original tool
cp original 'with a space'
echo text >held
echo text >read-first
record
act run-a "$WORK/tool" ./tool
act write-b "$WORK/tool" overwrite tool other
act run-b "$WORK/tool" ./tool
act write-a "$WORK/tool" overwrite tool original
act run-a-again "$WORK/tool" ./tool
act run-space "$WORK/with a space" './with a space'
# Open writers: read while somebody holds it open for writing.
exec 3>>held
cat held >/dev/null
exec 3>&-
# Time of measure, time of use: opened for writing while a reader that was measured holds it.
exec 3<read-first
echo more >>read-first
exec 3<&-
stop
lists early
pcrs pcrs.tsv
lists late
program 'new
line' newline
'./new
line'
lists newline
pcrs pcrs-newline.tsv
fact boot_id "$(cat /proc/sys/kernel/random/boot_id)"
fact kernel "$(uname -r)"
fact tpm "$([ -d /sys/class/tpm/tpm0 ] && echo yes || echo no)"
