#!/bin/sh
# Measures the gateway and ThingsBoard's on the same work; the latter gets an environment of its own.
set -eu
cd "$(dirname "$0")/../../.."
sh tests/setup.sh test mosquitto
[ -x .venv-peers/bin/python ] || python3 -m venv .venv-peers
.venv-peers/bin/pip install --quiet --disable-pip-version-check thingsboard-gateway==3.8.5
.venv/bin/python -m tests.bench.peers "$@"
