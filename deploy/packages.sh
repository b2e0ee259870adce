#!/bin/sh
# Installs the Debian packages of a purpose where they are missing, asking nothing. Safe to repeat.
#   deploy/packages.sh build     what building and running needs
#   deploy/packages.sh test      that, and what tests/run.sh needs
#   deploy/packages.sh bench     that, and what tests/bench/figures.py needs
#   deploy/packages.sh compose   a Docker daemon for tests/compose
#
# Where the system's librdkafka is older than 2.8.0 (Debian 12), `build` also builds that version
# once, from Debian 13's source package. It lands outside the clone, where CMake looks for it:
# /usr/local/lib/bedrock-worker as root, ~/.local/lib/bedrock-worker as another user.
set -eu

BUILD="build-essential cmake ninja-build pkg-config ca-certificates kcat librdkafka-dev
    libsasl2-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev libssl-dev libcjson-dev libyaml-dev
    libuv1-dev libmicrohttpd-dev libprotobuf-c-dev protobuf-c-compiler"
TEST="libcmocka-dev clang libclang-rt-dev default-jdk-headless maven python3 python3-venv git jq
    groff-base mandoc chromium fonts-dejavu-core prometheus systemd"
DOCKER="docker.io iptables iproute2 debootstrap"
BENCH="nginx libnginx-mod-http-echo"
# The measure of the C files' layout; where another release lacks it, that test is skipped.
[ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" != bookworm ] || TEST="$TEST clang-format-14"

KAFKA_VERSION=2.8.0
KAFKA_SHA256=5bd1c46f63265f31c6bfcedcde78703f77d28238eadf23821c2b43fc30be3e25
KAFKA_RELEASE=trixie

say() { echo "packages: $*"; }

missing_of() {
    for package in "$@"; do
        case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" in
        ii*) ;;
        *) printf ' %s' "$package" ;;
        esac
    done
}

# quietly COMMAND…: the end of its output is shown when it fails.
quietly() {
    if ! "$@" </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        return 1
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

install_packages() {
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        say "these packages are missing, and you are neither root nor have sudo:$missing" >&2
        say "run as root: apt-get install$missing; then repeat this command" >&2
        return 1
    fi
    say "installing$missing"
    if ! quietly as_root apt-get install -y -q --no-install-recommends $missing 2>/dev/null; then
        say "refreshing the package lists and trying again"
        quietly as_root apt-get update -q
        quietly as_root apt-get install -y -q --no-install-recommends $missing
    fi
}

# ---- librdkafka ----

# The addresses from which apt takes packages of this machine's Debian release, one a line.
mirrors() {
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    apt-get --print-uris update |
        sed -n -E "s,^'(.+)/dists/($codename|stable|oldstable)/InRelease' .*,\\1,p" | sort -u
}

# download FOLDER: the source's archive into FOLDER, by apt with lists that live only there.
download() {
    mkdir -p "$1/lists" "$1/cache"
    cat >"$1/apt.conf" <<CONF
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$1/lists";
Dir::Cache "$1/cache";
CONF
    for mirror in $(mirrors); do
        echo "deb-src $mirror $KAFKA_RELEASE main" >"$1/sources.list"
        if (
            export APT_CONFIG="$1/apt.conf" LC_ALL=C
            cd "$1" && apt-get update -q -o APT::Update::Error-Mode=any &&
                apt-get source -q --download-only --tar-only librdkafka &&
                echo "$KAFKA_SHA256  librdkafka_$KAFKA_VERSION.orig.tar.gz" | sha256sum -c
        ); then
            return 0
        fi
    done
    return 1
}

# compile FOLDER PREFIX: make installs below FOLDER/root.
compile() {
    CFLAGS=$(dpkg-buildflags --get CFLAGS)
    CPPFLAGS=$(dpkg-buildflags --get CPPFLAGS)
    LDFLAGS=$(dpkg-buildflags --get LDFLAGS)
    export CFLAGS CPPFLAGS LDFLAGS
    tar -C "$1" -xf "$1/librdkafka_$KAFKA_VERSION.orig.tar.gz" &&
        cd "$1/librdkafka-$KAFKA_VERSION" &&
        ./configure --prefix="$2" --no-download --enable-ssl --enable-curl --enable-zstd \
            --enable-gssapi --disable-lz4-ext &&
        make -C src -j "$(nproc)" lib &&
        make -C src install DESTDIR="$1/root" &&
        rm "$1/root$2/lib/librdkafka-static.a" # the same as librdkafka.a
}

build_kafka() {
    work=$(mktemp -d "$home/building.XXXXXX")
    chmod 755 "$work" # apt downloads as a user of its own
    if ! download "$work" >"$log" 2>&1; then
        why=$(grep -m 1 -E '^E: |: FAILED$' "$log" || echo "apt names no mirror of this release")
        say "Debian's source of librdkafka $KAFKA_VERSION is out of reach ($why);" \
            "the system's $system serves, and bedrock-worker check says what does not work with it"
        return 0
    fi
    quietly compile "$work" "$prefix" || return 1
    mv "$work/root$prefix" "$prefix"
}

install_kafka() {
    system=$(pkg-config --modversion rdkafka)
    ! dpkg --compare-versions "$system" ge "$KAFKA_VERSION" || return 0
    home=/usr/local/lib/bedrock-worker
    if [ "$(id -u)" -ne 0 ] && [ ! -d "$home/librdkafka-$KAFKA_VERSION" ]; then
        home=$HOME/.local/lib/bedrock-worker
    fi
    prefix=$home/librdkafka-$KAFKA_VERSION
    [ ! -d "$prefix" ] || return 0
    mkdir -p "$home"
    exec 9>"$home/lock"
    if ! flock -n 9; then
        say "waiting for another run that builds librdkafka"
        flock 9
    fi
    [ ! -d "$prefix" ] || return 0
    say "building librdkafka $KAFKA_VERSION from Debian's source into $prefix, once (a minute or two)"
    build_kafka
}

case "${1:-build}" in
build) wanted="$BUILD" ;;
test) wanted="$BUILD $TEST" ;;
bench) wanted="$BUILD $TEST $BENCH" ;;
compose) wanted="$BUILD $TEST $DOCKER" ;;
*)
    echo "usage: deploy/packages.sh build|test|bench|compose" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    say "this is not Debian; please install the like of:" $wanted >&2
    exit 0
fi
log=$(mktemp)
work=""
trap 'rm -rf "$log" "$work"' EXIT
trap 'exit 1' HUP INT TERM
install_packages $wanted
install_kafka
