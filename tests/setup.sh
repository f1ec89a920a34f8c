#!/bin/sh
# What a bare Debian 12 needs: Debian's packages where they are missing, and .venv with this project and an extra.
# Usage: tests/setup.sh EXTRA [PACKAGE…]
set -eu
cd "$(dirname "$0")/.."
extra=$1
shift
missing=
for package in python3-venv "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -e ".[$extra]"
