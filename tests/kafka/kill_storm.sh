#!/bin/sh
# The kill storm for as long as one likes: tests/kafka/kill_storm.sh [CYCLES], 300 when not said.
# Needs what tests/run.sh made: the release preset and the tests' venv.
set -eu
cd "$(dirname "$0")/../.."
exec build/venv/bin/python -m pytest -p no:cacheprovider -s -q --cycles "${1:-300}" --timeout 0 \
    tests/kafka/test_kills.py -k kill_9_of_workers_and_broker
