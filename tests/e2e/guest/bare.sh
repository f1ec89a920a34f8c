#!/bin/sh
# The machine's first process where systemd is not wanted: it answers after few seconds, and nothing else runs in it.
set -e
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
modprobe -a virtio_console 9pnet_virtio virtio_net
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
    ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done
exec python3 -I -S /usr/local/sbin/e2e-agent
