# Three programs, run by the shell and by the actor, and a library, under a policy with one entry for each operator.
. /data/scenarios/lib.sh

for name in alpha-1 alpha-2 beta-1; do program "$name" "$name"; done
cp /data/bin/library.so library.so
record --policy /data/policies/operators.yaml
for name in alpha-1 alpha-2 beta-1; do
    act "shell-$name" "$WORK/$name" "./$name"
    act "actor-$name" "$WORK/$name" actor parallel 1 1 "./$name"
done
act library "$WORK/library.so" actor map library.so
stop
