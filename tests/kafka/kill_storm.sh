#!/bin/sh
# The kill storm for as long as one likes, in as many runs as it takes: tests/kafka/kill_storm.sh [CYCLES], 1000 when not
# said. Each line of build/kill_storm.txt is a part that lost and doubled nothing, with its seed; another run goes on
# behind it. Needs what tests/run.sh made: the release preset and the tests' venv.
set -eu
cd "$(dirname "$0")/../.."
cycles=${1:-1000} part=${PART:-100} log=build/kill_storm.txt
touch "$log"
done=$(awk '$1 == "seed" { cycles += $3 } END { print cycles + 0 }' "$log")
seed=$(awk '$1 == "seed" && $2 >= seed { seed = $2 } END { print seed + 1 }' "$log")
while [ "$done" -lt "$cycles" ]; do
    size=$((cycles - done < part ? cycles - done : part))
    echo "seed $seed: $size cycles"
    found=$(build/venv/bin/python -m pytest -p no:cacheprovider -s -q --cycles "$size" --storm-seed "$seed" --timeout 0 \
        tests/kafka/test_kills.py -k kill_9_of_workers_and_broker) ||
        { printf '%s\nseed %s: failed\n' "$found" "$seed"; exit 1; }
    printf 'seed %s %s\n' "$seed" "$(printf '%s\n' "$found" | grep -o '[0-9]* cycles, .*')" | tee -a "$log"
    done=$((done + size)) seed=$((seed + 1))
done
echo "$done cycles have lost and doubled nothing; $log has their parts"
