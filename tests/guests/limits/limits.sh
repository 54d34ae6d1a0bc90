# Rows that are stopped, merged or dropped after a selector matched, and what is recorded by default.
. /data/scenarios/lib.sh

mkdir -p limited modes merged contents repeated/asked repeated/aside
for file in limited/first limited/second limited/a limited/longer-one limited/LONGER-TWO again; do echo content >"$file"; done
for mode in rdonly wronly rdwr append trunc creat; do echo content >"modes/$mode"; done
cp /data/bin/library.so merged/library.so
cp merged/library.so original
{ printf a; cat original; } >repeated/asked/file
{ printf b; cat original; } >repeated-other
ln repeated/asked/file repeated/aside/link
{ cat original; echo other; } >other
program contents/known known
cp contents/known contents/renamed
program contents/unknown unknown
known=$(digest contents/known)
sed "s/KNOWN_DIGEST/$known/" /data/policies/limits.yaml >policy.yaml
echo "$known  contents/known" >known.txt
record --policy "$WORK/policy.yaml"

actor threads 2 3 limited/first
actor threads 1 2 limited/first
actor threads 1 1 limited/second
# Paths of other lengths in between leave their ends behind the shorter one.
actor do read limited/a limited/longer-one limited/a limited/LONGER-TWO limited/a
actor open rdonly again 2
actor open wronly again 2

for mode in rdonly wronly rdwr; do actor open "$mode" "modes/$mode" 1; done
actor open wronly,append modes/append 1
actor open wronly,trunc modes/trunc 1
actor open rdwr,creat modes/creat 1

map_thrice() { actor do map merged/library.so merged/library.so merged/library.so; }
map_thrice
map_thrice
overwrite merged/library.so other
map_thrice
overwrite merged/library.so original
map_thrice

actor repeat-opens repeated
actor open rdonly,append repeated/asked/file 3

for name in known renamed unknown; do actor try-exec "contents/$name"; done
stop
fact known "$known"
fact unknown "$(digest contents/unknown)"
fact original "$(digest original)"
fact other "$(digest other)"
fact repeated "$(digest repeated/asked/file)"
fact repeated-other "$(digest repeated-other)"
