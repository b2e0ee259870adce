#!/bin/sh
# The books through kill -9 and faults for as long as one likes, in as many runs as it takes: tests/kafka/ledger_storm.sh
# [CYCLES], 200 when not said. Each line of build/ledger_storm.txt is a part in which the simulator's ledger times the price
# files was the usage topic's sum to the last digit, with its seed; another run goes on behind it. Needs what tests/run.sh
# made: the release preset and the tests' venv.
exec "$(dirname "$0")/storm.sh" build/ledger_storm.txt "${1:-200}" 20 "the books of %s cycles agree" --ledger-cycles \
    tests/kafka/test_ledger.py
