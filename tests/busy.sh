#!/bin/bash
# Proves that the suite holds on a busy machine: runs tests/run.sh with four busy loops beside it. No test may fail that
# passes on a quiet machine; the suite may only become slower.
#
#   tests/busy.sh             all parts
#   tests/busy.sh io tsan     only these; all arguments go to tests/run.sh
#
# Prints the machine's load (processes that want to run; compare it with the number of cores) and ends as tests/run.sh
# does. LOOPS (4) sets how many loops there are. It always ends everything that it has started, and nothing else.
set -u
cd "$(dirname "$0")/.."

case ${1:-} in -h | --help)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac

LOOPS=${LOOPS:-4}
STARTED=()
PAUSE=

say() { printf '%s\n' "busy: $*"; }

# The process and its descendants.
with_descendants() {
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do with_descendants "$child"; done
}

end_all() {
    local pid ids=()
    trap '' INT TERM HUP
    for pid in "${STARTED[@]}" $PAUSE; do
        mapfile -t -O "${#ids[@]}" ids < <(with_descendants "$pid")
    done
    kill -TERM "${ids[@]}" 2>/dev/null
    wait "${STARTED[@]}" 2>/dev/null
}

trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for ((i = 0; i < LOOPS; i++)); do
    while :; do :; done &
    STARTED+=($!)
done

# On a quiet machine the worlds give way to everything else; beside busy loops they would never end that way.
WORLDS_NICE=0 tests/run.sh "$@" &
SUITE=$!
STARTED+=("$SUITE")

say "$LOOPS busy loops beside tests/run.sh $*, $(nproc) cores"
sum=0 count=0 most=0
while kill -0 "$SUITE" 2>/dev/null; do
    sleep 5 &
    PAUSE=$!
    wait "$PAUSE"
    read -r _ _ _ running _ </proc/loadavg
    running=${running%/*}
    sum=$((sum + running)) count=$((count + 1))
    ((running > most)) && most=$running
done
wait "$SUITE"
code=$?
say "$((sum / count)) processes wanted to run on average, $most at most; load of the last minutes: $(cut -d' ' -f1-3 /proc/loadavg)"
exit $code
