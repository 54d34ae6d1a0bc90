# One of each kind of code that can run: script, library, memfd, deleted file, hard link, odd and long paths.
. /data/scenarios/lib.sh

program interpreter interpreter
printf '#!%s\n' "$WORK/interpreter" >script
chmod +x script
cp /data/bin/library.so library.so
program payload memfd
program gone deleted
cp gone gone-copy
program 'named (deleted)' literal
program plain linked
ln plain hard-link
odd=$(printf 'new\nline\033[2J\377\\end')
program "$odd" odd
long=$WORK
while [ ${#long} -lt 2900 ]; do long=$long/$(printf '%0150d' ${#long}); done
mkdir -p "$long"
program "$long/tool" long
echo 'neither a program nor a script' >garbage
chmod +x garbage

record
act script "$WORK/script" ./script
act interpreter "$WORK/interpreter" ./script
act library "$WORK/library.so" actor map library.so
act module /data/bin/module.ko insmod /data/bin/module.ko
act_on payload memfd - actor memfd payload
act_on gone-copy deleted - actor deleted gone
act literal "$WORK/named (deleted)" './named (deleted)'
act plain "$WORK/plain" ./plain
act hard-link "$WORK/hard-link" ./hard-link
act_on "$odd" odd - "./$odd"
act long "$long/tool" "$long/tool"
act garbage "$WORK/garbage" actor parallel 1 1 ./garbage
stop

fact odd_path_hex "$(printf %s "$WORK/$odd" | od -An -v -tx1 | tr -d ' \n')"
fact linked_ino "$(stat -c %i plain)"
