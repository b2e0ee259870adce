#!/bin/sh
# Installs the Debian packages of a purpose where they are missing, asking nothing. Safe to repeat.
#   deploy/packages.sh build     what building and running needs
#   deploy/packages.sh test      that, and what tests/run.sh needs
#   deploy/packages.sh bench     that, and what tests/bench/figures.py needs
set -eu

BUILD="build-essential cmake ninja-build pkg-config ca-certificates kcat
    librdkafka-dev libcurl4-openssl-dev libssl-dev libcjson-dev libyaml-dev libuv1-dev libmicrohttpd-dev"
TEST="libcmocka-dev clang clang-format-14 libclang-rt-14-dev openjdk-17-jdk-headless maven python3 python3-venv git"
BENCH="nginx libnginx-mod-http-echo"

case "${1:-build}" in
build) wanted="$BUILD" ;;
test) wanted="$BUILD $TEST" ;;
bench) wanted="$BUILD $TEST $BENCH" ;;
*)
    echo "usage: deploy/packages.sh build|test|bench" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "packages: this is not Debian; please see to it that these are there:" $wanted >&2
    exit 0
fi

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case "$state" in
    ii*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "packages: these are missing, and neither root nor sudo is at hand:$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi
echo "packages: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() {
    if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        return 1
    fi
}
if ! run apt-get install -y -q --no-install-recommends $missing; then
    echo "packages: trying again with a fresh package list"
    run apt-get update -q
    run apt-get install -y -q --no-install-recommends $missing
fi
