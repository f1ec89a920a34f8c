#!/bin/sh
# The station on a whole Debian 12 of its own: builds the machine, boots it, tries it, and leaves nothing running.
# Needs root, for the packages and the image. Skipped, with a word, only where qemu cannot be installed.
set -eu
cd "$(dirname "$0")/../.."
if ! sh tests/setup.sh test mosquitto qemu-system-x86 qemu-utils mmdebstrap busybox-static e2fsprogs kmod cpio; then
    if command -v qemu-system-x86_64 >/dev/null; then exit 1; fi
    echo "tests/e2e: skipped, qemu cannot be installed here: nothing was tried on a real kernel, BlueZ and systemd"
    exit 0
fi

try() {
    PATH="$PWD/.venv/bin:$PATH" .venv/bin/pytest -o cache_dir=.pytest_cache/e2e -rA --capture=tee-sys --durations=0 --timeout=1800 "$@" tests/e2e
}

try "$@" && exit 0
[ -z "${POWER_CUTS:-}" ] || exit 1  # what is lost once in many cuts is not tried again until it is not
echo "tests/e2e: an emulated machine can be slow at the wrong moment: what failed is tried once more, on a fresh one"
try --last-failed --last-failed-no-failures none
