# Ways to run code that are no plain exec and no plain mapping of a file as executable memory, and an open for writing that no
# system call makes. What a program ends with says which content ran.
. /data/scenarios/lib.sh

# code FILE VALUE: machine code that returns VALUE (mov eax, VALUE; ret).
code() { printf "\\270\\$(printf %o "$2")\\0\\0\\0\\303" >"$1"; }

# ends_with STATUS COMMAND...: the command must end so.
ends_with() {
    local expected="$1" ended=0
    shift
    "$@" || ended=$?
    [ "$ended" = "$expected" ] || { echo "it ended with $ended instead of $expected: $*"; exit 1; }
}

piped() { ends_with "$1" sh <"$2"; }

code late 42
cp late changing
code other 43
code shared 44
code implied 45
code changed 46
program emulator emulator
printf 'UNSEEN content' >emulated
chmod +x emulated
printf 'exit 50\n' >script
printf 'exit 51\n' >sourced
printf 'exit 52\n' >piped
echo 'no kernel' >image
gzip -c /data/bin/module.ko >module.ko.gz
echo first >written
echo second >content
# Another scenario of this boot may have left it.
[ ! -d /sys/module/dummy ] || rmmod dummy
modules binfmt_misc
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
echo ":unseen:M::UNSEEN::$WORK/emulator:" >/proc/sys/fs/binfmt_misc/register

record --policy /data/policies/default.yaml --policy /data/policies/scripts.yaml
act late "$WORK/late" ends_with 42 actor late-code late
act late-then-changed "$WORK/changing" ends_with 42 actor late-code changing
overwrite changing changed
act_on other late-memfd memfd ends_with 43 actor late-memfd other
act_on shared shared memory ends_with 44 actor shared-code shared
act implied "$WORK/implied" ends_with 45 actor implied-code implied

act load-module /data/bin/module.ko actor load-module /data/bin/module.ko
rmmod dummy
act insmod /data/bin/module.ko insmod /data/bin/module.ko
rmmod dummy
act insmod-compressed "$WORK/module.ko.gz" insmod module.ko.gz
rmmod dummy
act kexec-file "$WORK/image" actor kexec-file image >errno
fact kexec-errno "$(cat errno)"
act_on image kexec-memory memory actor kexec-memory

act script "$WORK/script" ends_with 50 sh script
act sourced "$WORK/sourced" ends_with 51 sh -c ". $WORK/sourced"
act piped "$WORK/piped" piped 52 piped
act emulated "$WORK/emulated" ./emulated

act ring-write "$WORK/written" actor ring-write written content
act ring-write-by-thread "$WORK/written" actor ring-write written content async
stop
echo -1 >/proc/sys/fs/binfmt_misc/unseen
umount /proc/sys/fs/binfmt_misc
rmmod binfmt_misc
