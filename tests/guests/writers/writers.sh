# A program is run, changed by one process in one way, and run again: once for each way. The process is written down.
. /data/scenarios/lib.sh

# prepare DIRECTORY: a program to run and another content for it.
prepare() {
    mkdir "$1"
    program "$1/tool" "$1-old"
    program "$1/new" "$1-new"
}

# changed_by DIRECTORY COMMAND: runs the program before and after a shell process does COMMAND, which is to begin with
# `exec`, so that the process that is written down is the one that writes.
changed_by() {
    local path="$WORK/$1/tool"
    act "$1-before" "$path" "$path"
    act "$1-change" "$path" sh -c "printf '$1-pid\t%s\n' \$\$ >>'$OUT/facts.tsv'; cd $WORK/$1; $2"
    act "$1-after" "$path" "$path"
}

for way in in_place truncated moved copied mapped linked container raw gap; do prepare "$way"; done
truncated_to=$(stat -c %s /data/bin/tool)
ln linked/tool linked/other-name
mkdir container/mounted edited
printf '#!/bin/busybox sh\nexec cat %s/container/new >%s/container/mounted/tool\n' "$WORK" "$WORK" >container/write
chmod +x container/write
printf '#!/bin/busybox sh\n# old\n' >edited/tool
chmod +x edited/tool
cp -r /data/dpkg/root/. /
install_package="/usr/bin/dpkg --force-bad-path --install /data/dpkg/packaged"
dpkg_path=/usr/bin:/bin
: >/var/lib/dpkg/status
PATH=$dpkg_path $install_package-1.deb
sync

# Only the programs of the tests are that small: their digests are all that is needed here.
record --max-hash-size 64KiB --policy /data/policies/default.yaml --policy /data/policies/unlinks.yaml
changed_by in_place 'exec cat new >tool'
changed_by truncated "exec actor truncate tool $truncated_to"
changed_by moved 'exec mv new tool'
changed_by copied 'exec cp new tool'
changed_by mapped 'exec actor write-mapped tool'
changed_by linked 'exec cat new >other-name'
changed_by container "exec actor namespace $WORK/container $WORK/container/mounted $WORK/container/write"
changed_by edited 'exec sed -i s/old/new/ tool'
changed_by packaged "PATH=$dpkg_path exec $install_package-2.deb"
changed_by raw 'exec actor write-raw tool /dev/vda'
act gap-before "$WORK/gap/tool" "$WORK/gap/tool"
stop

act gap-change "$WORK/gap/tool" overwrite gap/tool gap/new
record --policy /data/policies/execs.yaml
act gap-after "$WORK/gap/tool" "$WORK/gap/tool"
stop
