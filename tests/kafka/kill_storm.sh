#!/bin/sh
# The kill storm for as long as one likes, in as many runs as it takes: tests/kafka/kill_storm.sh [CYCLES], 1000 when not
# said. Each line of build/kill_storm.txt is a part that lost and doubled nothing, with its seed; another run goes on
# behind it. Needs what tests/run.sh made: the release preset and the tests' venv.
exec "$(dirname "$0")/storm.sh" build/kill_storm.txt "${1:-1000}" 100 "%s cycles have lost and doubled nothing" --cycles \
    tests/kafka/test_kills.py -k kill_9_of_workers_and_broker
