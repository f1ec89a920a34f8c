#!/bin/sh
# The station on a whole Debian 12 of its own: builds the machine, boots it, tries it, and leaves nothing running.
# Needs root, for the packages and the image. Skipped, with a word, only where qemu cannot be installed.
set -eu
cd "$(dirname "$0")/../.."
if ! sh tests/setup.sh test qemu-system-x86 qemu-utils mmdebstrap busybox-static e2fsprogs kmod cpio; then
    if command -v qemu-system-x86_64 >/dev/null; then exit 1; fi
    echo "tests/e2e: skipped, qemu cannot be installed here: nothing was tried on a real kernel, BlueZ and systemd"
    exit 0
fi
PATH="$PWD/.venv/bin:$PATH" exec .venv/bin/pytest -p no:cacheprovider -rA --capture=tee-sys --durations=0 tests/e2e "$@"
