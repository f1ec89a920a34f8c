#!/bin/sh
# Compares our decoding of the vectors with that of independent programs, which get an environment of their own.
set -eu
cd "$(dirname "$0")/../.."
sh tests/setup.sh test
[ -x .venv-independent/bin/python ] || python3 -m venv .venv-independent
.venv-independent/bin/pip install --quiet --disable-pip-version-check \
    bthome-ble==3.25.0 xiaomi-ble==1.21.2 ruuvitag-sensor==4.1.0
.venv/bin/python -m tests.independent.compare
