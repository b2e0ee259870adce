#!/bin/sh
# The headers of Debian's arm64 packages that the build needs, in build/arm64-headers: nothing is installed, and this
# machine needs to know no second architecture. tests/arm64/toolchain.cmake compiles with them.
set -eu
cd "$(dirname "$0")/../.."

home=$PWD/build/arm64-headers
wanted="libc6-dev linux-libc-dev $(sed -n '/^BUILD="/,/"$/p' deploy/packages.sh | grep -oE '[a-z0-9.+-]+-dev' | tr '\n' ' ')"
[ "$(cat "$home/list" 2>/dev/null)" != "$wanted" ] || exit 0

rm -rf "$home"
mkdir -p "$home/apt/lists/partial" "$home/apt/cache/archives/partial" "$home/apt/packages"
: >"$home/apt/status"
cat >"$home/apt/conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Etc::SourceList "$home/apt/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$home/apt/lists";
Dir::State::status "$home/apt/status";
Dir::Cache "$home/apt/cache";
CONF
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
apt-get --print-uris update 2>/dev/null | sed -n -E "s,^'(.+)/dists/($codename|stable|oldstable)/InRelease' .*,deb \\1 $codename main,p" |
    sort -u >"$home/apt/sources.list"
export APT_CONFIG="$home/apt/conf" LC_ALL=C
apt-get update -q >"$home/apt/log" 2>&1
# shellcheck disable=SC2086
(cd "$home/apt/packages" && apt-get download -q $wanted >>"$home/apt/log" 2>&1) || {
    tail -n 5 "$home/apt/log" >&2
    exit 1
}
for package in "$home"/apt/packages/*.deb; do
    dpkg-deb -x "$package" "$home"
done
rm -rf "$home/apt"
# Only headers are used: what a library is linked with need not be there.
sed -i '/^Requires/d' "$home"/usr/lib/*/pkgconfig/*.pc
echo "$wanted" >"$home/list"
