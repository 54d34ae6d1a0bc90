# Each operator of each filter with files and processes that it selects and others that it does not. A file is acted on
# once, so its name is the act.
. /data/scenarios/lib.sh

files() { for file; do echo content >"$file"; done; }

# padded LENGTH TEXT: the text, filled up with its last character.
padded() { awk -v length_wanted="$1" -v text="$2" 'BEGIN {
    while (length(text) < length_wanted) text = text substr(text, length(text))
    printf "%s", text }'; }

# listed COUNT BEFORE FIRST: many values that no file or number here has.
listed() { awk -v count="$1" -v before="$2" -v first="$3" 'BEGIN {
    for (i = 0; i < count; i++) printf "%s%s%d", i ? ", " : "", before, first + i }'; }

mkdir bin paths types lengths numbers protection binaries pids users attributes namespaces capabilities mask
for name in one two three deep; do ln /data/bin/actor "bin/$name"; done
files paths/alpha paths/alphabet paths/beta paths/Gamma.TXT paths/gamma.txt paths/moved types/regular
mkdir types/directory
mkfifo types/fifo
mknod types/char c 1 3
mknod types/block b 254 0

path_255=$(padded 255 "$WORK/lengths/e")
path_254=${path_255%?} path_256=${path_255}f path_257=${path_255}fg
deep=$WORK/lengths/deep
while [ ${#deep} -lt 3600 ]; do deep=$deep/$(padded 190 "level-${#deep}-"); done
deep=$deep/$(padded $((3899 - ${#deep})) last-)
path_4094=$deep/$(padded $((4093 - ${#deep})) file-) path_4095=${path_4094}x
too_long=$(padded 250 too-long)
mkdir -p "$deep"
files "$path_254" "$path_255" "$path_256" "$path_257" "$path_4094" "$path_4095"
(cd "$deep" && files "$too_long")
binary_255=$(padded 255 "$WORK/bin/l")
ln /data/bin/actor "$binary_255"
ln /data/bin/actor "${binary_255}m"
fact lengths "${#path_255} ${#path_256} ${#path_4095} $((${#deep} + ${#too_long})) ${#binary_255}"

for name in 1 2 2002 4002 8002; do files "numbers/$name"; done
files protection/read protection/executable protection/implied
for name in one two child grandchild fork exec thread longest longer waiting waiting-longer; do files "binaries/$name"; done
for name in a b itself grandchild plain namespace-1 namespace-2 namespace-3; do files "pids/$name"; done
for name in root real-1000 effective-1000 both-3000 login; do files "users/$name"; done
chown 1000 users/effective-1000
chown 3000 users/both-3000
files attributes/size attributes/mode attributes/owner attributes/times
for name in uts ipc mnt net cgroup user pid time; do files "namespaces/$name"; done
files namespaces/pid-children namespaces/time-children namespaces/uts-waiting namespaces/plain
for name in plain effective permitted inheritable user; do files "capabilities/$name"; done
files mask/rdonly mask/wronly mask/rdwr

waiting go-a actor after go-a 0 chmod pids/a
pid_a=$WAITING
waiting go-b actor after go-b 0 chmod pids/b
pid_b=$WAITING
waiting go-itself actor after go-itself 0 chmod pids/itself
itself=$WAITING
waiting go-parent actor after go-parent 2 chmod pids/grandchild
parent=$WAITING
waiting go-uts unshare -u actor after go-uts 0 unlink namespaces/uts-waiting
in_uts=$WAITING
uts=$(readlink /proc/$in_uts/ns/uts | tr -cd 0-9)
waiting go-binary bin/one after go-binary 0 lock binaries/waiting
of_binary=$WAITING
waiting go-longer "${binary_255}m" after go-longer 0 lock binaries/waiting-longer
of_longer=$WAITING

mkdir policies
sed -e "s|MANY_PATHS|$(listed 300 /none/ 1)|" -e "s|PATH_255|$path_255|" -e "s|PATH_256|$path_256|" \
    -e "s|PATH_4095|$path_4095|" -e "s|PREFIX_256|$path_256|" -e "s|TOO_LONG_NAME|$(padded 20 g)|" \
    -e "s|POSTFIX_127|$(printf %s "$path_4095" | tail -c 127)|" -e "s|MANY_SUBSTRINGS|$(listed 99 filler- 100)|" \
    -e "s|SUBSTRING_99|$(printf %s "$deep" | tail -c 99)|" \
    /data/policies/filters-lengths.yaml >policies/lengths.yaml
sed "s|MANY_NUMBERS|$(listed 200 '' 100000)|" /data/policies/filters-numbers.yaml >policies/numbers.yaml
sed "s|BINARY_255|$binary_255|" /data/policies/filters-binaries.yaml >policies/binaries.yaml
sed -e "s/PID_A/$pid_a/" -e "s/PID_B/$pid_b/" -e "s/PID_OF_PARENT/$parent, $itself/" \
    /data/policies/filters-pids.yaml >policies/pids.yaml
sed "s/UTS_NAMESPACE/$uts/" /data/policies/filters-namespaces.yaml >policies/namespaces.yaml
cp /data/policies/filters-paths.yaml /data/policies/filters-users.yaml policies/
! grep -q bpf_lsm_file_post_open /proc/kallsyms || cp /data/policies/filters-mask.yaml policies/

set --
for policy in policies/*; do set -- "$@" --policy "$policy"; done
record "$@"

actor do read paths/alpha paths/alphabet paths/beta paths/Gamma.TXT paths/gamma.txt \
    types/regular types/directory types/fifo types/char types/block \
    "$path_254" "$path_255" "$path_256" "$path_257" "$path_4094" "$path_4095"
(cd "$deep" && "$WORK/bin/deep" do read "$too_long")
(cd "$deep" && ln /data/bin/actor "${too_long%???}run" &&
    "./${too_long%???}run" try-rename "$WORK/paths/moved" "${too_long%???}new")

for flags in 1 2 2002 4002 8002; do actor try-map 1 "0x$flags" "numbers/$flags"; done
actor try-map 1 2 protection/read
actor try-map 5 2 protection/executable
actor try-map-implied protection/implied

bin/one do lock binaries/one
bin/two do lock binaries/two
bin/one run bin/two do lock binaries/child
bin/one run bin/two run bin/three do lock binaries/grandchild
bin/one enter uts 1 lock binaries/fork
bin/one exec bin/two do lock binaries/exec
bin/one run bin/two exec-in-thread bin/three do lock binaries/thread
"$binary_255" do lock binaries/longest
"${binary_255}m" do lock binaries/longer
wake go-binary $of_binary
wake go-longer $of_longer

wake go-a $pid_a
wake go-b $pid_b
wake go-itself $itself
wake go-parent $parent
actor do chmod pids/plain
for forks in 1 2 3; do actor enter pid "$forks" chmod "pids/namespace-$forks"; done

actor do chmod users/root
actor user 1000 0 chmod users/real-1000
actor user 0 1000 chmod users/effective-1000
actor user 3000 3000 chmod users/both-3000
(echo 1001 >/proc/self/loginuid && exec actor do chmod users/login)
actor truncate attributes/size 1
chmod 700 attributes/mode
chown 1 attributes/owner
touch -d @1700000000 attributes/times

for kind in uts ipc mnt net cgroup user; do actor enter "$kind" 0 unlink "namespaces/$kind"; done
for kind in pid time; do
    actor enter "$kind" 1 unlink "namespaces/$kind"
    actor enter "$kind" 0 unlink "namespaces/$kind-children"
done
wake go-uts $in_uts
actor do unlink namespaces/plain capabilities/plain
for set in effective permitted inheritable; do actor capability "$set" unlink "capabilities/$set"; done
actor enter user 0 unlink capabilities/user

for flags in rdonly wronly rdwr; do actor open "$flags" "mask/$flags" 1; done
stop
