#!/bin/sh
# Fuzzes every format and framing, guided by the code that is reached. Usage: tests/fuzz/run.sh [SECONDS each; 60]
set -eu
cd "$(dirname "$0")/../.."
sh tests/setup.sh fuzz
for target in profiles framings; do
    .venv/bin/python -m tests.fuzz "$target" -max_total_time="${1:-60}" -print_final_stats=1
done
