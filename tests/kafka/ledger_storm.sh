#!/bin/sh
# The books through kill -9 and faults for as long as one likes, in as many runs as it takes: tests/kafka/ledger_storm.sh
# [CYCLES], 200 when not said. Each line of build/ledger_storm.txt is a part in which the simulator's ledger times the price
# files was the usage topic's sum to the last digit, with its seed; another run goes on behind it. Needs what tests/run.sh
# made: the release preset and the tests' venv.
set -eu
cd "$(dirname "$0")/../.."
cycles=${1:-200} part=${PART:-20} log=build/ledger_storm.txt
touch "$log"
done=$(awk '$1 == "seed" { cycles += $3 } END { print cycles + 0 }' "$log")
seed=$(awk '$1 == "seed" && $2 >= seed { seed = $2 } END { print seed + 1 }' "$log")
while [ "$done" -lt "$cycles" ]; do
    size=$((cycles - done < part ? cycles - done : part))
    echo "seed $seed: $size cycles"
    found=$(build/venv/bin/python -m pytest -p no:cacheprovider -s -q --ledger-cycles "$size" --storm-seed "$seed" \
        --timeout 0 tests/kafka/test_ledger.py) ||
        { printf '%s\nseed %s: failed\n' "$found" "$seed"; exit 1; }
    printf 'seed %s %s\n' "$seed" "$(printf '%s\n' "$found" | grep -o '[0-9]* cycles, .*')" | tee -a "$log"
    done=$((done + size)) seed=$((seed + 1))
done
echo "the books of $done cycles agree; $log has their parts"
