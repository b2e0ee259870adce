#!/bin/bash
# Fuzzes the readers of foreign bytes with libFuzzer under address and undefined sanitizers, each RUNS times (10,000,000)
# and for SECONDS at most (none), starting from the corpora in the tree, which it does not change. Needs clang.
#
#   tests/fuzz/run.sh                            all of them
#   RUNS=100000 tests/fuzz/run.sh json request   these two
#
# Says how often each reader really ran. A finding is kept in build/fuzz/findings and ends the script with 1.
set -u
cd "$(dirname "$0")/../.."
RUNS=${RUNS:-10000000}
SECONDS_MAX=${SECONDS_MAX:-0}
LOGS=build/fuzz/logs
FINDINGS=build/fuzz/findings
# Little freed memory is kept to be watched, and a finding says little of where memory came from: both cost a third of the time.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=4:malloc_context_size=1}

# Bytes of an input; 4096 for the others. What is longer takes the same paths, slower.
declare -A longest=([eventstream]=1300 [settings]=1500)

mkdir -p "$LOGS" "$FINDINGS"
readers=("$@")
if [ ${#readers[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        readers+=("${name#fuzz_}")
    done
fi

cmake --preset fuzz >/dev/null && cmake --build --preset fuzz --target "${readers[@]/#/fuzz_}" || exit 1

found=0
for reader in "${readers[@]}"; do
    grown=build/fuzz/corpus/$reader
    mkdir -p "$grown"
    build/fuzz/tests/"fuzz_$reader" -runs="$RUNS" -max_total_time="$SECONDS_MAX" \
        -max_len="${longest[$reader]:-4096}" -timeout=10 -rss_limit_mb=4096 \
        -print_final_stats=1 -artifact_prefix="$FINDINGS/$reader-" "$grown" "tests/fuzz/corpus/$reader" \
        >"$LOGS/$reader.log" 2>&1
    code=$?
    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$LOGS/$reader.log")
    if [ $code -eq 0 ]; then
        printf '%-12s %12s executions, nothing found\n' "$reader" "$count"
    else
        printf '%-12s %12s executions, FOUND something: %s\n' "$reader" "${count:-?}" "$LOGS/$reader.log"
        found=1
    fi
done
exit $found
