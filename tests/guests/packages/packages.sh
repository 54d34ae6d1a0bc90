# Debian's dpkg installs two packages, and rpm two others; then one of each is upgraded, a file of the other is tampered with,
# and a program that no package knows is changed. What dpkg and rpm say of each is written down.
. /data/scenarios/lib.sh

dpkg_path=/usr/bin:/bin
install_package="/usr/bin/dpkg --force-bad-path --install"
rpm="/usr/bin/rpm --dbpath /var/lib/rpm"

# changed_by NAME COMMAND: runs a program before and after a shell process does COMMAND, whose process id is written down.
changed_by() {
    local path="$WORK/usr/bin/$1"
    act "$1-before" "$path" "$path"
    act "$1-change" "$path" sh -c "printf '$1-pid\t%s\n' \$\$ >>'$OUT/facts.tsv'; $2"
    act "$1-after" "$path" "$path"
}

# As on a host whose `/bin` is a link: the packages say `bin/tool`, and what runs is `usr/bin/tool`.
mkdir -p usr/bin
ln -s usr/bin bin
cp -r /data/dpkg/root/. /
rm -rf /var/lib/dpkg/info /var/lib/dpkg/updates
mkdir -p /var/lib/dpkg/info
: >/var/lib/dpkg/status
PATH=$dpkg_path $install_package /data/dpkg/tools-1.deb /data/dpkg/steady-1.deb
cp -r /data/rpm/root/. /
$rpm --install --nodeps /data/rpm/rpmtools-1.rpm /data/rpm/rpmsteady-1.rpm
program usr/bin/dropped dropped-old
program new dropped-new
program tampered steady-tampered
program tampered-rpm rpmsteady-tampered
sync

record --max-hash-size 64KiB --policy /data/policies/default.yaml --policy /data/policies/unlinks.yaml
changed_by tool "PATH=$dpkg_path exec $install_package /data/dpkg/tools-2.deb"
changed_by steady "exec cat tampered >usr/bin/steady"
changed_by rpmtool "exec $rpm --upgrade --nodeps /data/rpm/rpmtools-2.rpm"
changed_by rpmsteady "exec cat tampered-rpm >usr/bin/rpmsteady"
changed_by dropped "exec cat new >usr/bin/dropped"
stop

PATH=$dpkg_path
for name in tool steady dropped; do
    fact "$name-owner" "$(dpkg-query -S "$WORK/bin/$name" 2>/dev/null || echo nobody)"
done
/usr/bin/dpkg --verify >"$OUT/verify.txt" 2>&1 || true
for name in rpmtool rpmsteady dropped; do
    fact "$name-rpm-owner" "$($rpm --query --file --queryformat '%{NAME}' "$WORK/bin/$name" || true)"
done
$rpm --verify --all --nodeps >"$OUT/rpm-verify.txt" 2>&1 || true
$rpm --query --all --queryformat '%{NAME}\t%{VERSION}-%{RELEASE}\n' >"$OUT/rpm-versions.tsv"
$rpm --query --all --queryformat '[%{FILENAMES}\t%{FILEDIGESTS}\n]' >"$OUT/rpm-digests.tsv"
dpkg-query -W -f '${Package}\t${Version}\n' >"$OUT/versions.tsv"
