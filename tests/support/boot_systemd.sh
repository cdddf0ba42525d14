# Becomes systemd as process 1 of namespaces of its own, with no units but those in $UNITS, and /srv as it is in $SRV.
# Started in a control group of its own by support/systemd.py. Nothing of the machine is changed: what is mounted here is
# seen here alone, and the kernel's settings cannot be written.
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind -o ro /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /run
mount --bind "$SRV" /srv
mount --bind "$PASSWD" /etc/passwd
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin NOTIFY_SOCKET="$NOTIFY_SOCKET" SYSTEMD_UNIT_PATH="$UNITS" \
    "$SYSTEMD" --system --log-target=console --log-level=info --show-status=0 --unit=basic.target
