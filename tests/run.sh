#!/bin/bash
# Runs the tests, everything from a fresh clone on, and ends with one line of counts. Idempotent and non-interactive.
#
#   tests/run.sh              all of it (under 19 minutes on 2 cores)
#   tests/run.sh unit kafka   only these parts
#
# Parts: unit (with property and torture tests) · sim (simulated worlds) · fuzz (the corpora again) · io (against real
# libraries on the loopback) · identity (AWS keys, beside botocore) · cli (commands) · checks (schemas, LangChain, the source's own rules) · kafka (a real
# Apache Kafka, kill -9, audits) · library (the core of that with the system's librdkafka, where the worker is built with
# another one) · clang (the other compiler, warnings are errors) · asan · tsan ·
# arm64 (compiles for 64-bit ARM) · compose (docker-compose.yml and the image, on a Docker daemon of its own)
# `sanitizers` is asan and tsan. Minutes, when it is named: tidy (clang-tidy over the worker's sources).
# WORLDS (20000) and CYCLES (20) scale the long ones; WORLDS_NICE (19) is what the worlds give way with.
#
# A part that does not build counts as failed. One that cannot run here is skipped with the reason; with CI=true that fails,
# except for what needs a Docker daemon where none can run.
set -u
cd "$(dirname "$0")/.."

ALL="unit sim fuzz io identity cli kafka compose library checks clang tsan asan arm64"
NAMED="tidy"
WORLDS=${WORLDS:-20000}
CYCLES=${CYCLES:-20}
OUT=$PWD/build/tests
export BEDROCK_OUTPUT_DIR=$OUT/outputs

say() { printf '%s\n' "tests: $*"; }

# note PART PASSED FAILED SKIPPED
note() { echo "$*" >>"$TALLY"; }

fail() {
    say "$1: FAILED: $2"
    note "$1" 0 1 0
}

skip() {
    say "$1: skipped: $2"
    if [ "${CI:-}" = true ]; then
        say "$1: nothing may be skipped with CI=true"
        note "$1" 0 1 0
    else
        note "$1" 0 0 1
    fi
}

# bounded SECONDS LOG COMMAND…: shows the end of the log when the command fails.
bounded() {
    local seconds=$1 log=$2
    shift 2
    timeout --kill-after=20 "$seconds" "$@" >"$log" 2>&1 </dev/null
    local code=$?
    [ $code -eq 0 ] && return 0
    tail -n 60 "$log"
    [ $code -eq 124 ] && say "stopped after $seconds s: $*"
    say "whole log: $log"
    return $code
}

# compile PRESET
compile() {
    [ "$1" != arm64 ] || bounded 300 "$OUT/arm64-headers.log" tests/arm64/headers.sh || return
    bounded 600 "$OUT/$1-configure.log" cmake --preset "$1" -DBEDROCK_WERROR=ON &&
        bounded 3600 "$OUT/$1-build.log" cmake --build --preset "$1" -j "$(nproc)"
}

# build PRESET: builds it once a run; a failed build is not repeated.
declare -A BUILT=()
declare -A AHEAD=() # preset -> process that builds it already
SIMS=()
build() {
    if [ -z "${BUILT[$1]:-}" ]; then
        say "building $1"
        BUILT[$1]=yes
        if [ -n "${AHEAD[$1]:-}" ]; then
            wait "${AHEAD[$1]}" || BUILT[$1]=no
        else
            compile "$1" || BUILT[$1]=no
        fi
    fi
    [ "${BUILT[$1]}" = yes ]
}

# build_ahead PRESET…: builds one after the other, at the lowest priority, beside a part that mostly waits.
build_ahead() {
    local preset
    for preset in "$@"; do
        (
            flock 9
            renice -n 19 "$BASHPID" >/dev/null
            if [ "$preset" = images ]; then tests/compose/docker prepare >"$OUT/images.log" 2>&1; else compile "$preset"; fi
        ) 9>"$OUT/ahead.lock" &
        AHEAD[$preset]=$!
    done
}

# with_ctest PART PRESET LABELS SECONDS
with_ctest() {
    build "$2" || {
        fail "$1" "preset $2 does not build"
        return
    }
    rm -f "$OUT/$1.log"
    bounded "$4" "$OUT/$1.log" ctest --test-dir "build/$2" -L "$3" -V -j 6 --no-tests=error
    python3 tests/tally.py ctest "$1" "$OUT/$1.log" "$?" >>"$TALLY"
}

# beside PART COMMAND…: runs it beside the parts that follow; await_beside waits for its end and shows what it printed.
declare -A BESIDE=()
beside() {
    local part=$1
    shift
    "$@" >"$OUT/$part.out" 2>&1 &
    BESIDE[$part]=$!
}

await_beside() {
    local part
    for part in "${!BESIDE[@]}"; do
        say "=== $part, its end"
        wait "${BESIDE[$part]}"
        cat "$OUT/$part.out"
    done
}

# The tests' own venv, recreated when the list of packages changes.
VENV=$PWD/build/venv
venv() {
    cmp -s tests/requirements.txt "$VENV/.requirements" && return 0
    say "installing the tests' Python packages"
    rm -rf "$VENV"
    bounded 120 "$OUT/venv.log" /usr/bin/env python3 -m venv "$VENV" &&
        bounded 600 "$OUT/venv.log" "$VENV/bin/pip" install -q --disable-pip-version-check -r tests/requirements.txt &&
        cp tests/requirements.txt "$VENV/.requirements"
}

# with_pytest PART PRESETS SECONDS ARGUMENTS…
with_pytest() {
    local part=$1 presets=$2 seconds=$3 code preset
    shift 3
    for preset in $presets; do
        build "$preset" || {
            fail "$part" "preset $preset does not build"
            return
        }
    done
    venv || {
        skip "$part" "the Python packages of tests/requirements.txt cannot be installed"
        return
    }
    rm -f "$OUT/$part.xml"
    pytest "$part" "$seconds" "$@"
    code=$?
    if [[ $part =~ ^(kafka|library)$ ]] && [ $code -eq 1 ]; then
        say "$part: failed tests run once more, one at a time: brokers and time-outs shared two cores"
        pytest "$part-again" "$seconds" "$@" --lf -n 0
        code=$?
        python3 tests/tally.py junit "$part" "$OUT/$part.xml" "$code" "$OUT/$part-again.xml" >>"$TALLY"
        return
    fi
    python3 tests/tally.py junit "$part" "$OUT/$part.xml" "$code" >>"$TALLY"
}

# pytest NAME SECONDS ARGUMENTS…
pytest() {
    local name=$1 seconds=$2
    shift 2
    rm -f "$OUT/$name.xml"
    PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=60 "$seconds" "$VENV/bin/python" -m pytest \
        -o cache_dir="$OUT/${name%-again}-cache" --junitxml="$OUT/$name.xml" -o junit_family=xunit2 "$@" </dev/null
}

# The seconds end a hanging part; a busy machine needs several times as long as a quiet one.
part_unit() { with_ctest unit dev unit 1200; }
part_fuzz() { with_ctest fuzz dev fuzz 1200; }
part_io() { with_ctest io dev io 1200; }

# The worlds are built with optimization; checks stay on. They run on every core and give way to the other parts, which
# mostly wait; run.sh waits for them at the very end.
part_sim() {
    local log=$OUT/sim-build.log cores share i
    say "building the simulated worlds"
    if ! bounded 600 "$log" cmake -S . -B build/worlds -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBEDROCK_TESTS=ON ||
        ! bounded 3600 "$log" cmake --build build/worlds -j "$(nproc)" --target world pace_worlds; then
        fail sim "the simulated worlds do not build"
        return
    fi
    cores=$(nproc)
    share=$(((WORLDS + cores - 1) / cores))
    say "$WORLDS simulated worlds, each run twice, in the background"
    for ((i = 0; i < cores; i++)); do
        bounded "${WORLDS_SECONDS:-7200}" "$OUT/sim-$i.log" nice -n "${WORLDS_NICE:-19}" \
            build/worlds/tests/world --worlds "$share" --from $((1 + i * share)) &
        SIMS+=($!)
    done
    bounded "${WORLDS_SECONDS:-7200}" "$OUT/sim-$cores.log" nice -n "${WORLDS_NICE:-19}" build/worlds/tests/pace_worlds &
    SIMS+=($!)
}

await_sim() {
    local i code=0
    [ ${#SIMS[@]} -eq 0 ] && return
    say "=== sim, its end"
    for i in "${!SIMS[@]}"; do
        wait "${SIMS[$i]}" || code=1
        tail -n 2 "$OUT/sim-$i.log"
    done
    if [ $code -eq 0 ]; then note sim 1 0 0; else fail sim "a simulated world broke a promise, or missed a goal"; fi
}

part_cli() {
    if compgen -G 'tests/cli/test_*.py' >/dev/null; then
        with_pytest cli 'dev release' 1200 -q -n 8 --dist worksteal tests/cli
    else
        skip cli "there is no tests/cli"
    fi
}

part_checks() {
    if compgen -G 'tests/checks/test_*.py' >/dev/null; then
        with_pytest checks 'dev release' 1200 -q -n 2 --dist worksteal tests/checks
    else
        skip checks "there is no tests/checks"
    fi
}

part_identity() { with_pytest identity dev 1200 -q -n 4 --dist worksteal tests/identity; }

# has_kafka PART
has_kafka() {
    local why
    why=$(tests/kafka/broker fetch 2>&1) || [ -n "${KAFKA_BOOTSTRAP_SERVERS:-}" ] || {
        skip "$1" "$why"
        return 1
    }
}

part_kafka() {
    has_kafka kafka || return
    rm -rf "$BEDROCK_OUTPUT_DIR"
    mkdir -p "$BEDROCK_OUTPUT_DIR"
    with_pytest kafka 'dev release' 3600 -v -rs --timeout 900 -n "${KAFKA_JOBS:-5}" --dist loadfile \
        --no-loadscope-reorder --cycles "$CYCLES" tests/kafka
}

# Whether the worker is built with the system's librdkafka, which the other parts then test.
uses_system_library() {
    build release && build/release/bedrock-worker version | grep -qx "librdkafka $(pkg-config --modversion rdkafka)"
}

part_library() {
    if uses_system_library; then
        say "library: the worker is built with the system's librdkafka; the other parts tested it"
        return
    fi
    has_kafka library || return
    BEDROCK_PROGRAMS=$PWD/build/system with_pytest library system 600 -q --timeout 300 -n "${KAFKA_JOBS:-4}" \
        --cycles 4 -m core tests/kafka tests/cli/test_library.py
}

part_clang() {
    if build clang; then with_ctest clang clang unit 1200; else fail clang "preset clang does not build without warnings"; fi
}

part_arm64() {
    if build arm64; then note arm64 1 0 0; else fail arm64 "the worker does not compile for 64-bit ARM"; fi
}

# Its images are made ahead: they are packages and a build, and what goes wrong there shows here again. It waits for
# containers most of the time, so it runs beside the parts that follow, which use their own folders only.
part_compose() {
    build release || {
        fail compose "preset release does not build"
        return
    }
    venv || {
        skip compose "the Python packages of tests/requirements.txt cannot be installed"
        return
    }
    [ -z "${AHEAD[images]:-}" ] || wait "${AHEAD[images]}"
    beside compose with_pytest compose release 3600 -q -rs tests/compose
}

# One process for each file: clang-tidy 14 takes va_list for uninitialized when several files share one.
part_tidy() {
    if ! command -v clang-tidy >/dev/null; then
        skip tidy "clang-tidy is not installed"
    elif ! build clang; then
        fail tidy "preset clang does not build"
    elif printf '%s\n' worker/*.c worker/*/*.c worker/*/*/*.c worker/*/*/*/*.c |
        timeout --kill-after=20 1800 xargs -P "$(nproc)" -n 1 clang-tidy -p build/clang --quiet >"$OUT/tidy.log" 2>&1; then
        note tidy 1 0 0
    else
        grep -E '(error|warning):' "$OUT/tidy.log" | sort -u
        fail tidy "clang-tidy complains; whole log: $OUT/tidy.log"
    fi
}

part_asan() {
    ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
        with_ctest asan asan 'unit|io|sim|fuzz' 3600
}

# It mostly waits, so asan runs beside it.
part_tsan() {
    build tsan || {
        fail tsan "preset tsan does not build"
        return
    }
    TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp second_deadlock_stack=1" beside tsan with_ctest tsan tsan io 1800
}

# presets_after_kafka PARTS: what the parts behind kafka build.
presets_after_kafka() {
    local part
    for part in ${1#*kafka}; do
        case $part in
        library) uses_system_library >/dev/null || echo system ;;
        compose) echo images ;;
        clang | arm64 | asan | tsan) echo "$part" ;;
        esac
    done
}

main() {
    local parts="" part
    for part in "${@:-all}"; do
        case $part in
        all) parts="$parts $ALL" ;;
        sanitizers) parts="$parts asan tsan" ;;
        -h | --help)
            sed -n '2,17s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *)
            if [[ " $ALL $NAMED " != *" $part "* ]]; then
                say "unknown part $part; parts are: $ALL $NAMED, sanitizers, all"
                exit 2
            fi
            parts="$parts $part"
            ;;
        esac
    done
    mkdir -p "$OUT"
    TALLY=$(mktemp)
    trap 'rm -f "$TALLY"' EXIT
    deploy/packages.sh test || fail packages "the Debian packages cannot be installed"
    [[ " $parts " != *" compose "* ]] || deploy/packages.sh compose || say "Docker cannot be installed"
    for part in $parts; do
        [ "$part" != kafka ] || build_ahead $(presets_after_kafka "$parts")
        say "=== $part"
        local began=$SECONDS
        "part_$part"
        say "$part took $((SECONDS - began)) s"
    done
    await_beside
    await_sim
    say "=== summary ($SECONDS s)"
    awk '{ printf "%-10s %5d passed %3d failed %3d skipped\n", $1, $2, $3, $4 }' "$TALLY"
    awk '{ p += $2; f += $3; s += $4 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' \
        "$TALLY"
}

main "$@"
