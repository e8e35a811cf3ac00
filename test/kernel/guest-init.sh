#!/bin/sh
# PID 1 of the test kernel: lays a RAM overlay over the host's files, mounts what a Linux system has, runs the command.
#
# The kernel hands its unknown arguments on as environment: guest_run (the run's directory on the host, see boot.sh) and
# guest_mode (command or systemd). Root is the host's /, read-only.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
TERM=dumb
export PATH HOME TERM

# Until this mount /proc is the host's own, and so is its sysrq-trigger.
mount -t proc proc /proc || exit 1

power_off() {
  sync
  echo o >/proc/sysrq-trigger
  while :; do sleep 1; done
}

fail() {
  echo "guest-init: $*" >&2
  power_off
}

root=/mnt/root
mount -t tmpfs -o mode=755,size=75% ram /mnt && mkdir /mnt/upper /mnt/work $root || fail 'no RAM for the overlay'
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay $root || fail 'no overlay'
mount -t devtmpfs dev $root/dev || fail 'no devtmpfs'
mount -t hostfs -o "$guest_run/result" result "$root$guest_run/result" || fail "cannot mount $guest_run/result"
if [ -e "$guest_run/out" ]; then
  out=$(cat "$guest_run/out")
  mount -t hostfs -o "$out" out "$root$out" || fail "cannot mount $out"
fi

# The host may be a container and may name disks that are not here.
rm -f $root/.dockerenv $root/run/.containerenv
: >$root/etc/fstab
echo guest >/proc/sys/kernel/hostname

# What runs the command. It writes to a pipe as any batch job does; stty waits until the console has passed all of it on.
cat >"$root$guest_run/start" <<EOF
stty -F /dev/tty1 raw
{ setsid /bin/bash $guest_run/command </dev/null; echo \$? >$guest_run/status; } 2>&1 | cat >/dev/tty1
stty -F /dev/tty1 raw
cp $guest_run/status $guest_run/result/status
sync
EOF

if [ "$guest_mode" = command ]; then
  mount -t proc proc $root/proc
  mount -t sysfs sys $root/sys
  mount -t tmpfs -o mode=755 run $root/run
  mkdir -p $root/dev/pts $root/dev/shm
  mount -t devpts devpts $root/dev/pts
  mount -t tmpfs shm $root/dev/shm
  mount -t cgroup2 cgroup $root/sys/fs/cgroup
  mount -t configfs config $root/sys/kernel/config
  mount -t debugfs debug $root/sys/kernel/debug
  ip link set lo up
  chroot $root /bin/sh "$guest_run/start"
  power_off
fi

# systemd: none of the host's own units. Debian's tmpfiles.d would empty /tmp, where $guest_run is.
mkdir -p $root/etc/tmpfiles.d
ln -sf /dev/null $root/etc/tmpfiles.d/tmp.conf
: >$root/etc/machine-id
units=$root/etc/systemd/system
mount -t tmpfs units $units
for unit in systemd-udev-trigger.service systemd-hwdb-update.service systemd-firstboot.service systemd-update-done.service ldconfig.service \
  systemd-networkd.service systemd-resolved.service systemd-timesyncd.service getty.target console-getty.service; do
  ln -s /dev/null $units/$unit
done
cat >$units/guest.target <<EOF
[Unit]
Description=The command in the test kernel
Requires=basic.target guest.service
After=basic.target
EOF
cat >$units/guest.service <<EOF
[Unit]
Description=The command in the test kernel
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=-/bin/sh $guest_run/start
ExecStart=systemctl poweroff --force --force
EOF
cp -R "$guest_run/units/." $units/
umount /proc
cd $root || fail "no $root"
exec switch_root $root /lib/systemd/systemd --show-status=no --unit=guest.target
