#!/bin/sh
# Gathers what install.sh --wheels needs, on a machine that reaches PyPI: this checkout and all it depends on, as wheels.
# Usage: systemd/wheels.sh FOLDER [x86_64|aarch64]; for Debian 12, that is CPython 3.11
set -eu
[ $# -ge 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
machine=${2:-x86_64}
cd "$(dirname "$0")/.."
rm -f "$folder"/station_gateway-*.whl
python3 -m pip wheel --quiet --no-deps --wheel-dir "$folder" .
set --
for tag in 2_36 2_34 2_31 2_28 2_17; do set -- "$@" --platform "manylinux_${tag}_$machine"; done
python3 -m pip download --quiet --dest "$folder" --only-binary=:all: --python-version 3.11 --implementation cp \
    --abi cp311 --abi abi3 --abi none "$@" --platform "manylinux2014_$machine" --platform any \
    "$(echo "$folder"/station_gateway-*.whl)[influx,metrics]"
echo "$(find "$folder" -name '*.whl' | wc -l) wheels in $folder"
