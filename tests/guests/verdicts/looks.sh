# Programs that are run, changed in one way each, and run again. What an answer must say of a change is what its name says.
. /data/scenarios/lib.sh

# prepare NAME [DIRECTORY]: a program to run and another content for it.
prepare() {
    program "${2:-$WORK}/$1" "$1-old"
    program "${2:-$WORK}/$1.new" "$1-new"
}

# changed_by NAME COMMAND [DIRECTORY]: runs the program before and after a shell does COMMAND.
changed_by() {
    local path="${3:-$WORK}/$1"
    act "$1-before" "$path" "$path"
    act "$1-change" "$path" sh -c "cd ${3:-$WORK}; $2"
    act "$1-after" "$path" "$path"
}

for name in in_place moved mtime setuid setgid capability copied masked rooted memory deleted; do prepare "$name"; done
mkdir .hidden volatile place other shells
prepare concealed "$WORK/.hidden"
mount -t tmpfs none volatile
prepare fleeting "$WORK/volatile"
prepare beside "$WORK/place"
program other/beside elsewhere
program shells/sh masked-new
mkdir -p "chroot$WORK"
program "chroot$WORK/rooted" chroot
program interpreter interpreter
printf '#!%s\n# old\n' "$WORK/interpreter" >script
chmod +x script
cp /data/bin/library.so library.so
cp /data/bin/library.so library.new
printf new >>library.new
cp deleted.new gone
sync

# What packages own, the story of packages is about.
record --no-packages --policy /data/policies/default.yaml --policy /data/policies/attributes.yaml
changed_by in_place 'cat in_place.new >in_place'
changed_by moved 'mv moved.new moved'
changed_by mtime 'cat mtime.new >mtime; touch -d @1700000000 mtime'
changed_by setuid 'cat setuid.new >setuid; chmod 4755 setuid'
changed_by setgid 'cat setgid.new >setgid; chmod 2755 setgid'
changed_by capability 'cat capability.new >capability; actor file-capability capability'
act library-before "$WORK/library.so" actor map library.so
act library-change "$WORK/library.so" actor map-while library.so /bin/sh -c 'cat library.new >library.so'
act library-after "$WORK/library.so" actor map library.so
act copied-origin "$WORK/copied.new" ./copied.new
changed_by copied 'cat copied.new >copied'
act masked-origin "$WORK/shells/sh" ./shells/sh
changed_by masked 'cat shells/sh >masked'
act_on "chroot$WORK/rooted" chroot "$WORK/rooted" chroot chroot "$WORK/rooted"
changed_by rooted 'cat rooted.new >rooted'
act beside-earlier "$WORK/place/beside" ./place/beside
act_on other/beside beside-namespace "$WORK/place/beside" actor namespace "$WORK/other" "$WORK/place" "$WORK/place/beside"
changed_by beside 'cat beside.new >beside' "$WORK/place"
act_on memory.new memfd - actor memfd memory.new
changed_by memory 'cat memory.new >memory'
act_on deleted.new gone - actor deleted gone
changed_by deleted 'cat deleted.new >deleted'
changed_by concealed 'cat concealed.new >concealed' "$WORK/.hidden"
changed_by fleeting 'cat fleeting.new >fleeting' "$WORK/volatile"
changed_by script "printf '#!%s\n# new\n' '$WORK/interpreter' >script"
stop
umount volatile
