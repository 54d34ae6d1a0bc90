# Binaries that policies ask for, each by a hook of its own: run before the recording began, run before the policies were
# replaced, run later, and run by nobody.
. /data/scenarios/lib.sh

mkdir bin
for name in before later parent across grandparent; do ln /data/bin/actor "bin/$name"; done
for file in first second third fourth fifth sixth seventh; do
    echo content >"$file"
    echo content >"other-$file"
done
waiting go-before bin/before after go-before 0 read first
before=$WAITING
waiting go-still bin/before after go-still 0 lock fifth
still=$WAITING
cp /data/policies/seen-a.yaml active.yaml
record --policy active.yaml
sleep 1
actor do read other-first
wake go-before "$before"
actor do read other-second
bin/later do lock second
actor do lock other-second
waiting go-parent bin/parent after go-parent 2 unlink third
wake go-parent "$WAITING"
actor do unlink other-third
actor do chmod other-fourth

waiting go-across bin/across after go-across 0 read fourth
across=$WAITING
waiting go-grandparent bin/grandparent after go-grandparent 2 unlink sixth
grandparent=$WAITING
cp /data/policies/seen-b.yaml active.yaml
hashtrail-recorder reload
answered 1 'policies reloaded'
# By then all that runs was looked at under the new policies.
sleep 13
actor do read other-fourth
wake go-across "$across"
actor do lock other-fifth
wake go-still "$still"
actor do unlink other-sixth
wake go-grandparent "$grandparent"
bin/later do chmod seventh
actor do chmod other-seventh
stop
