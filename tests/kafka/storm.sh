#!/bin/sh
# A long proof in as many runs as it takes: tests/kafka/storm.sh LOG CYCLES PART CLOSING OPTION TESTS…, which kill_storm.sh
# and ledger_storm.sh call. Runs the tests by PART cycles (OPTION N) and with another seed each time, until LOG has CYCLES
# of them; each of its lines is a part that passed. CLOSING is a format for printf with the number of cycles.
set -eu
cd "$(dirname "$0")/../.."
log=$1 cycles=$2 part=${PART:-$3} closing=$4 option=$5
shift 5
touch "$log"
done=$(awk '$1 == "seed" { cycles += $3 } END { print cycles + 0 }' "$log")
seed=$(awk '$1 == "seed" && $2 >= seed { seed = $2 } END { print seed + 1 }' "$log")
while [ "$done" -lt "$cycles" ]; do
    size=$((cycles - done < part ? cycles - done : part))
    echo "seed $seed: $size cycles"
    found=$(build/venv/bin/python -m pytest -p no:cacheprovider -s -q "$option" "$size" --storm-seed "$seed" --timeout 0 \
        "$@") ||
        { printf '%s\nseed %s: failed\n' "$found" "$seed"; exit 1; }
    printf 'seed %s %s\n' "$seed" "$(printf '%s\n' "$found" | grep -o '[0-9]* cycles, .*')" | tee -a "$log"
    done=$((done + size)) seed=$((seed + 1))
done
# shellcheck disable=SC2059
printf "$closing; $log has their parts\n" "$done"
