#!/bin/bash
# Builds the machine that a station is tried in: Debian 12 with its stock kernel, systemd, bluetoothd and Mosquitto.
# Usage: image.sh FOLDER; needs root. Debian's mirror and PyPI's index are the host's own configuration.
# Makes FOLDER/{vmlinuz,initrd.gz,root.img}. The gateway itself is not in it: its install script brings it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
cd "$out"
sources=$(find /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1 || true)

# The system. No manuals and no translations: they double its size.
packages=systemd,systemd-sysv,udev,dbus,kmod,procps,iproute2,util-linux,rfkill,socat,dmsetup
packages=$packages,bluez,python3,python3-venv,mosquitto,mosquitto-clients
rm -rf root && mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm root "$sources"

# The kernel, with the few modules that a machine without hardware needs.
apt-cache show linux-image-amd64 >/dev/null 2>&1 || apt-get -qq update
package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/{print $2; exit}')
release=${package#linux-image-}
rm -rf kernel && mkdir kernel
apt-get -qq download "$package"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x -C kernel ./boot ./lib
cp "kernel/boot/vmlinuz-$release" vmlinuz
depmod -b "$PWD/kernel" "$release"
needed() {  # the files of these modules and of all that they depend on, in loading order
    for module in "$@"; do
        modprobe -d "$PWD/kernel" -S "$release" -D "$module" 2>/dev/null | awk '$1 == "insmod" {print $2}'
    done | awk '!seen[$0]++'
}
modules=root/lib/modules/$release
mkdir -p "$modules"
cp kernel/lib/modules/"$release"/modules.{builtin,builtin.modinfo,order} "$modules"
needed hci_vhci bluetooth rfkill uhid cmac ecb ccm ecdh_generic drbg hmac sha256_generic sha512_generic \
    algif_hash algif_skcipher virtio_blk virtio_pci virtio_console virtio-rng virtio_net ext4 crc32c_generic \
    9p 9pnet_virtio autofs4 xhci_pci usbserial ftdi_sio cdc-acm dm_log_writes | while read -r file; do
    install -D -m644 "$file" "$modules/${file#*"/lib/modules/$release/"}"
done
depmod -b "$PWD/root" "$release"

# An initial RAM disk that finds the disk and no more.
rm -rf early && mkdir -p early/{bin,lib,proc,dev,root}
cp "$(command -v busybox)" early/bin/busybox
ln -s busybox early/bin/sh
needed virtio_pci virtio_blk crc32c_generic ext4 | while read -r file; do
    cp "$file" early/lib/
    basename "$file"
done > early/lib/order
cat > early/init <<'INIT'
#!/bin/sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
for module in $($b cat /lib/order); do $b insmod "/lib/$module" 2>/dev/null; done
until [ -b /dev/vda ]; do $b usleep 50000; done
$b mount -t ext4 -o rw,noatime /dev/vda /root
$b mount --move /dev /root/dev
$b umount /proc
exec $b switch_root /root "${begin:-/lib/systemd/systemd}"  # the kernel hands on what its command line says
INIT
chmod +x early/init
(cd early && find . | cpio -o -H newc --quiet) | gzip -1 > initrd.gz

# The radio world lives beside the system, so that nothing of it helps the gateway.
# shellcheck disable=SC2046  # a list of options
pip install --quiet --disable-pip-version-check --no-compile --target root/opt/world --python-version 3.11 \
    --implementation cp --abi cp311 --abi abi3 --abi none --only-binary=:all: \
    $(for tag in 2_36 2_34 2_28 2_17; do echo "--platform manylinux_${tag}_x86_64"; done) \
    --platform manylinux2014_x86_64 --platform any 'bumble==0.0.236'

# What makes it a machine to be asked: an agent, quick boots, a log that is kept in memory.
echo station > root/etc/hostname
echo "127.0.0.1 localhost station" > root/etc/hosts
echo "/dev/vda / ext4 rw,noatime 0 0" > root/etc/fstab
echo uninitialized > root/etc/machine-id
install -m755 "$here/guest/agent.py" root/usr/local/sbin/e2e-agent
install -m755 "$here/guest/bare.sh" root/usr/local/sbin/e2e-bare
cat > root/etc/systemd/system/e2e-agent.service <<'UNIT'
[Unit]
Description=Runs what the tests ask for
After=basic.target

[Service]
ExecStart=/usr/bin/python3 -I -S /usr/local/sbin/e2e-agent
Restart=always

[Install]
WantedBy=multi-user.target
UNIT
units=root/etc/systemd/system
mkdir -p $units/multi-user.target.wants $units/../journald.conf.d root/etc/modules-load.d
ln -sf ../e2e-agent.service $units/multi-user.target.wants/
ln -sf /lib/systemd/system/multi-user.target $units/default.target
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=64M\nRateLimitIntervalSec=0\n' > $units/../journald.conf.d/e2e.conf
printf 'hci_vhci\n9pnet_virtio\nvirtio_net\n' > root/etc/modules-load.d/e2e.conf
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service systemd-hwdb-update.service systemd-journal-catalog-update.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pstore.service \
    getty@tty1.service getty.target serial-getty@ttyS0.service dev-hugepages.mount dev-mqueue.mount \
    sys-kernel-debug.mount sys-kernel-tracing.mount modprobe@drm.service modprobe@efi_pstore.service \
    systemd-firstboot.service systemd-networkd.service systemd-networkd.socket systemd-logind.service \
    modprobe@loop.service modprobe@dm_mod.service mosquitto.service; do
    ln -sf /dev/null "$units/$unit"
done
chroot root python3 -m compileall -q /opt/world /usr/lib/python3.11 >/dev/null || true
rm -rf root/var/lib/apt/lists/* root/var/cache/apt/* root/usr/share/{doc,man,locale,info,i18n}/*
rm -f root/etc/apt/sources.list root/etc/apt/sources.list.d/* root.img

mke2fs -q -t ext4 -d root -L root -m 0 -E lazy_itable_init=0,lazy_journal_init=0 -J size=16 root.img 1200M
rm -rf root kernel early ./*.deb
