#!/bin/sh
# Everything that must hold: style, types, import layers, tests. Does its own set-up; run as root on Debian 12.
set -eu
cd "$(dirname "$0")/.."
sh tests/setup.sh test mosquitto nats-server rabbitmq-server openssl dbus-daemon victoria-metrics shellcheck iproute2 nftables
.venv/bin/ruff check
.venv/bin/mypy
.venv/bin/lint-imports
.venv/bin/pytest --cov=gateway --cov=drivers --cov-branch --cov-report=term:skip-covered "$@"
sh tests/e2e/run.sh
