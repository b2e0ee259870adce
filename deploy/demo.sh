#!/bin/sh
# One command from a fresh clone to the seed page's conversations going through Kafka, a worker and a local Bedrock.
# Installs what is missing, builds `release`, runs the demo; what is given on the command line goes to it.
set -eu
cd "$(dirname "$0")/.."

stage() {
    what=$1
    shift
    echo "demo: $what"
    if ! "$@"; then
        echo "demo: failed at: $what ($*)" >&2
        exit 1
    fi
}

build() {
    mkdir -p build
    for step in "cmake --preset release" "cmake --build --preset release"; do
        if ! $step >build/demo.log 2>&1 </dev/null; then
            tail -n 30 build/demo.log >&2
            return 1
        fi
    done
}

stage "Debian packages" deploy/packages.sh build
stage "building (some seconds the first time)" build
exec build/release/bedrock-worker demo "$@"
