#!/usr/bin/env bash
# Makes the folder of headers and libraries that a cross build compiles against and an emulator loads from.
#
#   toolchains/sysroot.sh aarch64|armv7          makes it unless it is there; prints its path
#   toolchains/sysroot.sh --path aarch64|armv7   prints the path only
#
# The idea: apt can resolve and download the packages of a foreign architecture into a folder of its own (its own
# lists, an empty status file), and dpkg -x unpacks them there. Nothing of the running system changes and no root is
# needed. The folder lives in the user's cache, so that a fresh clone finds it again; its name carries a hash of the
# package list and of the libraries below, so that a changed list makes a new one. It appears under its name only when it
# is whole. Beside the unpacked files it holds .depends: the Debian packages, with versions, of the libraries that the
# program is linked with, in the words of a package's Depends field (toolchains/install.cmake).
#
# Exit status: 4 when the packages cannot be had here (no apt, no network), 1 when anything else goes wrong.
set -euo pipefail
trap 'echo "toolchains/sysroot.sh: failed in line $LINENO" >&2' ERR

packages="libc6-dev libsleef-dev libxxhash-dev libpcre2-dev libjansson-dev zlib1g-dev libzstd-dev libutf8proc-dev
libmimalloc-dev"
# What programs load: the names behind -l (xxHash is compiled in from its header).
libraries="c sleef pcre2-8 jansson z zstd utf8proc mimalloc"

path_only=no
if [ "${1:-}" = --path ]; then
    path_only=yes
    shift
fi
case "${1:-}" in
    aarch64) debian=arm64 ;;
    armv7) debian=armhf ;;
    *)
        echo "usage: toolchains/sysroot.sh [--path] aarch64|armv7" >&2
        exit 2
        ;;
esac
release=$(. /etc/os-release 2>/dev/null && echo "${ID:-linux}-${VERSION_CODENAME:-any}")
key=$(echo $packages depends of $libraries | cksum | cut -d' ' -f1)
cache="${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/infoplane"
root="$cache/sysroot-$debian-$release-$key"

if [ $path_only = yes ] || [ -e "$root/.complete" ]; then
    echo "$root"
    exit 0
fi
for tool in apt-get dpkg; do
    if ! command -v $tool >/dev/null; then
        echo "toolchains/sysroot.sh: needs $tool (a Debian or Ubuntu system)" >&2
        exit 4
    fi
done

mkdir -p "$cache"
work=$(mktemp -d "$cache/sysroot-$debian.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/log" "$work/root"
apt() {
    apt-get -q -oAPT::Architecture=$debian -oAPT::Architectures=$debian -oDir::State="$work/state" \
        -oDir::State::status=/dev/null -oDir::Cache="$work/cache" -oDir::Log="$work/log" -oDebug::NoLocking=1 \
        -oAPT::Sandbox::User="$(id -un)" -oAcquire::Retries=3 -oAcquire::Languages=none \
        -oAPT::Get::List-Cleanup=0 "$@"
}
echo "toolchains/sysroot.sh: downloading the $debian packages of $(echo $packages | wc -w) libraries to $root" >&2
# An index that fails (a mirror in the middle of its sync) need not matter: what counts is that the packages arrive.
whole=no
for attempt in 1 2 3; do
    apt update >"$work/log/update" 2>&1 || true
    if apt -y --no-install-recommends --download-only install $packages >"$work/log/install" 2>&1; then
        whole=yes
        break
    fi
    [ $attempt = 3 ] || sleep $((attempt * 5))
done
if [ $whole = no ]; then
    cat "$work/log/update" "$work/log/install" >&2
    echo "toolchains/sysroot.sh: could not download $debian packages (see above; is the network reachable, and does" \
        "the mirror hold $debian?)" >&2
    exit 4
fi
for package in "$work"/cache/archives/*.deb; do
    dpkg -x "$package" "$work/root"
done
# Packages of Debian 13 know /usr/lib alone; the loader of a program is /lib/ld-linux-*.
[ -e "$work/root/lib" ] || ln -s usr/lib "$work/root/lib"
# Links such as libz.so -> /lib/<triplet>/libz.so.1 would lead out of the sysroot: they are made relative.
find "$work/root" -type l | while read -r link; do
    target=$(readlink "$link")
    case "$target" in
        /*) ln -sfn "$(realpath -sm --relative-to="$(dirname "$link")" "$work/root$target")" "$link" ;;
    esac
done
# The package of each library: the one whose list of files has what the link libNAME.so leads to.
depends=""
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -t >"$work/files"
    for library in $libraries; do
        # libc.so is a linker script; its library has the name in all systems.
        target=libc.so.6
        if [ "$library" != c ]; then
            link=$(find "$work/root/usr/lib" "$work/root/lib" -name "lib$library.so" 2>/dev/null | head -1)
            target=$(basename "$(readlink -f "$link")")
        fi
        grep -q "/$target\$" "$work/files" || continue
        # Upstream's version is the least: an update by the distribution must not be refused.
        version=$(dpkg-deb -f "$package" Version)
        depends+="${depends:+, }$(dpkg-deb -f "$package" Package) (>= ${version%-*})"
        found="${found:-} $library"
    done
done
for library in $libraries; do
    [[ " ${found:-} " == *" $library "* ]] && continue
    echo "toolchains/sysroot.sh: no package of $debian holds lib$library" >&2
    exit 1
done
printf '%s' "$depends" >"$work/root/.depends"
touch "$work/root/.complete"
rm -rf "$root"
mv -T "$work/root" "$root" 2>/dev/null || [ -e "$root/.complete" ]
echo "$root"
