# A small server at work, recorded: a C project is configured and built with gcc and make while cron runs its jobs, users log
# in, packages come and go, programs are deployed and logs are rotated. What happens when is drawn from a seed. The segments
# of the journal are kept beside the archive, so that they can be sealed again.
. /data/scenarios/lib.sh

seed=1
acts=80
users='alice bob carol'
export HOME=/root LC_ALL=C

prepare() {
    ldconfig
    uid=1000
    for user in $users; do
        echo "$user:x:$uid:$uid::/home/$user:/bin/bash" >>/etc/passwd
        echo "$user:x:$uid:" >>/etc/group
        mkdir -p "/home/$user"
        cp /etc/skel/.bashrc /etc/skel/.profile "/home/$user/"
        chown -R "$uid:$uid" "/home/$user"
        uid=$((uid + 1))
    done
    mkdir -p /var/log/app /var/lib/logrotate /usr/local/bin
    printf '%s\n' '/var/log/app/*.log {' 'rotate 5' 'create' 'compress' 'missingok' 'sharedscripts' \
        'postrotate' 'echo rotated >/run/app.reloaded' 'endscript' '}' >/etc/logrotate.d/app
    printf '#!/bin/sh\nfind /var/log -name "*.gz" -mtime +7 -delete\ndf / | tail -n 1 >>/var/log/app/disk.log\n' \
        >/etc/cron.hourly/clean
    printf '#!/bin/sh\ndpkg --audit | wc -l >>/var/log/app/packages.log\nid www-data >/dev/null\n' >/etc/cron.hourly/audit
    chmod 755 /etc/cron.hourly/clean /etc/cron.hourly/audit
    : >/var/log/app/access.log
    echo '* * * * * root run-parts --report /etc/cron.hourly' >/etc/cron.d/trace
}

# login NUMBER: a session as a server of logins makes it: its login user, its own session and a login shell.
login() {
    user=$(echo $users | cut -d' ' -f$((1 + $1 % 3)))
    (
        echo $((1000 + $1 % 3)) >/proc/self/loginuid
        cd "/home/$user"
        HOME=/home/$user exec setsid --wait setpriv --reuid "$user" --regid "$user" --init-groups /bin/bash -l -c "
            id; ls -l /etc | sort | head -n 5; grep -r nobody /etc/passwd /etc/group; find /usr/share/perl5 -name '*.pm' | wc -l
            printf '#!/bin/sh\necho script $1 | sed s/script/ran/\n' >job-$1.sh; chmod +x job-$1.sh; ./job-$1.sh
            cp /bin/true own-tool; printf $1 >>own-tool; ./own-tool; tail -n 3 /var/log/app/access.log"
    )
}

# package NUMBER: one of the packages is installed, or removed where it is.
package() {
    set -- "$1" /data/packages/*.deb
    shift $((1 + $1 % ($# - 1)))
    name=$(dpkg-deb --field "$1" Package)
    if [ -e "/var/lib/dpkg/info/$name.list" ]; then dpkg --remove "$name"; else dpkg --install "$1"; fi
}

# rotation NUMBER: what was logged is rotated.
rotation() {
    seq 1 500 | sed "s/^/GET \/page\/$1\//" >>/var/log/app/access.log
    logrotate --force /etc/logrotate.d/app
}

# deployment NUMBER: a new version of one of five programs, over the old one.
deployment() {
    app=/usr/local/bin/app-$(($1 % 5))
    program "$app.new" "version $1"
    mv "$app.new" "$app"
    "$app"
}

# Acts one after the other, logins far more often than packages.
day() {
    awk -v seed="$seed" -v acts="$acts" 'BEGIN {
        srand(seed)
        for (i = 1; i <= acts; i++) {
            r = rand()
            print r < .5 ? "login" : r < .7 ? "deployment" : r < .85 ? "rotation" : "package", int(rand() * 1000), int(rand() * 5)
        }
    }' >day.list
    while read -r act number pause; do
        "$act" "$number" </dev/null || fact "failed $act" "$number"
        sleep "$pause"
    done <day.list
}

build() {
    mkdir build-0000 &&
        tar xf /data/source/*.orig.tar.* -C build-0000 --strip-components 1 &&
        cd build-0000 && ./configure && make
}

# A segment that is sealed is removed: a second name keeps it. One takes minutes to fill; to look seldom adds few rows.
keep_segments() {
    mkdir -p "$OUT/journal"
    while sleep 15; do
        for segment in "$OUT"/archive/.journal/*.journal; do
            [ -e "$OUT/journal/${segment##*/}" ] || ln "$segment" "$OUT/journal/" || true
        done
    done
}

prepare
hashtrail-recorder record --archive "$OUT/archive" --seal-interval 24h \
    --policy /data/policies/default.yaml --policy /data/policies/trace.yaml 2>"$OUT/recorder.log" &
RECORDER=$!
actor await "$OUT/recorder.log" recording "$RECORDER"
keep_segments &
keeper=$!
cron -f >cron.log 2>&1 &
cron=$!
day >"$OUT/day.log" 2>&1 &
day=$!
(build) >"$OUT/build.log" 2>&1 || { tail "$OUT/build.log"; exit 1; }
fact built_after_s "$(cut -d' ' -f1 /proc/uptime)"
wait "$day"
kill "$cron"
sleep 20
kill "$keeper"
stop
fact ended_after_s "$(cut -d' ' -f1 /proc/uptime)"
