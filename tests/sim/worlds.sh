#!/bin/sh
# As many simulated worlds as one likes, in as many runs as it takes: tests/sim/worlds.sh [COUNT [FROM]], a million from
# seed 20001 when not said (the suite has those before). Each line of build/worlds.txt is a part that kept all promises,
# with the hash of its traces; another run goes on behind it. Needs build/dev (cmake --build --preset dev).
set -eu
cd "$(dirname "$0")/../.."
count=${1:-1000000} from=${2:-20001} part=${PART:-1000} log=build/worlds.txt
touch "$log"
next=$(awk -v seed="$from" '$1 == "seeds" { split($2, s, "-"); if (s[1] == seed) seed = s[2] + 1 } END { print seed }' "$log")
end=$((from + count))
while [ "$next" -lt "$end" ]; do
    size=$((end - next < part ? end - next : part))
    found=$(nice -n 19 build/dev/tests/world --worlds "$size" --from "$next") ||
        { printf '%s\nseeds %s-%s: a promise was broken\n' "$found" "$next" "$((next + size - 1))"; exit 1; }
    printf 'seeds %s-%s %s %s\n' "$next" "$((next + size - 1))" "$(git rev-parse --short HEAD 2>/dev/null || echo -)" \
        "$(printf '%s\n' "$found" | tail -n 1)" | tee -a "$log"
    next=$((next + size))
done
echo "$((next - from)) worlds from seed $from on have kept all promises; $log has their parts"
