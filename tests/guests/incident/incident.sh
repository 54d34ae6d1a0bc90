# An incident: a system binary is overwritten in place, its mtime is set back, it runs, and the original is put back
# by a rename. Its directory is on ext4, bind-mounted at /usr/sbin.
. /data/scenarios/lib.sh

mkdir -p sbin /usr/sbin
program sbin/backup-agent original
touch -d @1700000000 sbin/backup-agent
program implant implanted
implant() {
    overwrite /usr/sbin/backup-agent implant
    touch -d @1700000000 /usr/sbin/backup-agent
}
mount -o bind sbin /usr/sbin
hashtrail-recorder keygen --out "$OUT/key"
record --sign-key "$OUT/key"
act run-original /usr/sbin/backup-agent /usr/sbin/backup-agent
act copy /usr/sbin/backup-agent cp -p /usr/sbin/backup-agent /usr/sbin/.backup-agent
act implant /usr/sbin/backup-agent implant
act run-implant /usr/sbin/backup-agent /usr/sbin/backup-agent
act run-implant-again /usr/sbin/backup-agent /usr/sbin/backup-agent
act restore /usr/sbin/backup-agent mv /usr/sbin/.backup-agent /usr/sbin/backup-agent
act run-restored /usr/sbin/backup-agent /usr/sbin/backup-agent
stop
umount /usr/sbin
