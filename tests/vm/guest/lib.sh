# Words that scenarios are written in. A scenario runs with `sh -eu` in $WORK, an empty directory on ext4, and leaves
# what the host is to see in $OUT: the archive, the recorder's log and the oracle, two tables:
#   acts.tsv   label, before_ns, after_ns, digest, path: one act each; the digest is that of the content in the act
#   facts.tsv  name, value: counts and states

now() { actor boottime; }

# digest FILE: what the kernel's own digest of FILE must be.
digest() {
    if grep -q ima_hash=sha1 /proc/cmdline; then sha1sum <"$1"; else sha256sum <"$1"; fi | cut -d' ' -f1
}

fact() { printf '%s\t%s\n' "$1" "$2" >>"$OUT/facts.tsv"; }

# act LABEL PATH COMMAND...: does one act on the file at PATH and writes it down.
act() {
    act_on "$2" "$@"
}

# act_on CONTENT LABEL PATH COMMAND...: as act, where PATH cannot be read afterwards and the file CONTENT equals it.
act_on() {
    local content="$1" label="$2" path="$3" before after
    shift 3
    before=$(now)
    "$@"
    after=$(now)
    printf '%s\t%s\t%s\t%s\t%s\n' "$label" "$before" "$after" "$(digest "$content")" "$path" >>"$OUT/acts.tsv"
}

# program FILE CONTENT: a new small program whose content differs for each CONTENT.
program() {
    cp /data/bin/tool "$1"
    printf '%s' "$2" >>"$1"
}

# overwrite FILE FROM: puts the content of FROM into FILE in place, through one write-only open.
overwrite() { cat "$2" >"$1"; }

# modules NAME...: loads what the kernel needs for filesystems (overlay, loop, xfs, btrfs, squashfs, fuse, binfmt_misc).
modules() {
    for name in "$@"; do
        if [ ! -f "/data/modules/$name.order" ]; then
            echo "no module \`$name\`; there are: $(cd /data/modules && ls *.order | sed s,.order,,)"
            exit 1
        fi
        while read -r module; do
            loaded=$(basename "$module" .ko | tr - _)
            [ -d "/sys/module/$loaded" ] || insmod "/data/modules/$module"
        done <"/data/modules/$name.order"
    done
}

# measurements: the kernel's own measurement list and, where there is a TPM, PCR 10 of its banks, as measured.list and
# pcrs.tsv. What is measured between the two would be in only one of them; then both are read again.
measurements() {
    ima=/sys/kernel/security/ima
    until [ "${counted:-}" = "$(cat $ima/runtime_measurements_count)" ]; do
        counted=$(cat $ima/runtime_measurements_count)
        cat $ima/binary_runtime_measurements >"$OUT/measured.list"
        : >"$OUT/pcrs.tsv"
        for bank in sha1 sha256; do
            pcr=/sys/class/tpm/tpm0/pcr-$bank/10
            [ ! -f "$pcr" ] || printf '%s\t%s\n' "$bank" "$(tr A-F a-f <"$pcr")" >>"$OUT/pcrs.tsv"
        done
    done
}

# record [ARGUMENTS]: starts the recorder and returns when it records.
record() {
    # Emptied here, not only by the child: what an earlier recorder said must not be taken for the answer.
    : >"$OUT/recorder.log"
    hashtrail-recorder record --archive "$OUT/archive" --journal-size 64MiB "$@" 2>"$OUT/recorder.log" >&2 &
    RECORDER=$!
    if ! actor await "$OUT/recorder.log" recording "$RECORDER"; then
        echo "the recorder did not begin to record:"
        cat "$OUT/recorder.log"
        exit 1
    fi
}

# stop [STATUS]: ends the recording; the recorder must drain, seal and exit 0, or as is said.
stop() {
    kill -TERM "$RECORDER"
    if wait "$RECORDER"; then status=0; else status=$?; fi
    if [ "$status" -ne "${1:-0}" ]; then
        echo "the recorder ended with $status:"
        cat "$OUT/recorder.log"
        exit 1
    fi
}

# answered COUNT TEXT: waits until the recorder has said it so often.
answered() {
    waited=0
    until [ "$(grep -c "$2" "$OUT/recorder.log")" -ge "$1" ]; do
        if [ "$waited" -ge 600 ]; then
            echo "the recorder did not say it $1 times: $2"
            cat "$OUT/recorder.log"
            exit 1
        fi
        usleep 100000
        waited=$((waited + 1))
    done
}

# waiting FIFO COMMAND...: starts a process that acts when it is woken, and returns when it waits.
waiting() {
    mkfifo "$1"
    shift
    "$@" &
    WAITING=$!
    while case "$(cat /proc/$WAITING/comm)" in sh | busybox | unshare) ;; *) false ;; esac; do usleep 20000; done
}

# wake FIFO PID: lets it act, and returns when it has.
wake() {
    : >"$1"
    wait "$2"
}
