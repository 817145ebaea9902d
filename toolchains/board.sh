#!/usr/bin/env bash
# Tries infoplane on a board: builds for it, copies the archive over ssh, and runs the kernel checker and the demo there.
#
#   toolchains/board.sh HOST [--arch aarch64|armv7] [--build FOLDER] [--bench FILE.json] [--keep]
#
#   HOST       as ssh takes it (user@host, or a name of ~/.ssh/config)
#   --arch     else the board is asked (uname -m); armv7 for a 32-bit system on a 64-bit kernel
#   --build    takes this build folder instead of building the preset board-ARCH
#   --bench    also times the kernels there and brings the figures back, for check-kernels --against
#   --keep     leaves the folder on the board
#
# The board needs Linux, a shell with tar and awk, and glibc as the archive's README.txt says; nothing is installed.
# Exit status: 0 when checker and demo did well, else 1.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
say() { echo "toolchains/board.sh: $*"; }
usage() {
    sed -n '4,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
host="" arch="" build="" bench="" keep=no
while [ $# -gt 0 ]; do
    case "$1" in
        --arch) arch=${2:-}; shift ;;
        --build) build=${2:-}; shift ;;
        --bench) bench=${2:-}; shift ;;
        --keep) keep=yes ;;
        -*) usage ;;
        *)
            [ -z "$host" ] || usage
            host=$1
            ;;
    esac
    shift || usage
done
[ -n "$host" ] || usage
command -v ssh >/dev/null || { say "needs ssh"; exit 1; }
there() { ssh "$host" "$@"; }

system=$(there uname -m </dev/null) || { say "cannot reach $host by ssh (see above)"; exit 1; }
case "${arch:-$system}" in
    aarch64 | arm64) arch=aarch64 ;;
    armv7* | armv8l) arch=armv7 ;;
    *)
        say "$host is ${arch:-$system}: archives are made for aarch64 and armv7 (--arch)"
        exit 2
        ;;
esac
if [ -z "$build" ]; then
    build=$root/build/board-$arch
    say "building for $arch in $build"
    "$root/toolchains/sysroot.sh" "$arch" >/dev/null
    (cd "$root" && "${CMAKE_COMMAND:-cmake}" --preset "board-$arch" >/dev/null &&
        "${CMAKE_COMMAND:-cmake}" --build --preset "board-$arch" >/dev/null) ||
        { say "the build failed: cmake --build --preset board-$arch shows how"; exit 1; }
fi
archive=$("$root/toolchains/archive.sh" "$arch" "$build")

folder=$(there 'mktemp -d "${TMPDIR:-/tmp}/infoplane-board.XXXXXX"' </dev/null) || { say "no temporary folder on $host"; exit 1; }
# It goes into command lines over there.
[[ "$folder" =~ ^[A-Za-z0-9/._-]+$ ]] || { say "$host answered with a strange folder"; exit 1; }
leave() {
    if [ $keep = yes ]; then say "left on $host: $folder"; else there "rm -rf $folder" </dev/null; fi
}
trap leave EXIT
say "copying $(basename "$archive"), $(($(stat -c %s "$archive") / 1024)) KiB"
# Unpacked on the way: a board may have no zstd.
zstd -dc "$archive" | there "tar -C $folder -xf -" || { say "could not copy to $host: is there room in $folder?"; exit 1; }
here="cd $folder/$(basename "$archive" .tar.zst)"

if ! there "$here && bin/infoplane --version" </dev/null; then
    say "the program does not start on $host; its README.txt: $(there "$here && head -1 README.txt" </dev/null)"
    exit 1
fi
failed=0
# step NAME COMMAND: runs it there, shows its output and how long it took.
step() {
    local name=$1 start=$SECONDS status=0
    echo "-- $name"
    there "$here && $2" </dev/null || status=$?
    echo "-- $name: $([ $status = 0 ] && echo well || echo "FAILED, status $status"), $((SECONDS - start)) s"
    [ $status = 0 ] || failed=$((failed + 1))
}
step "the machine" "bin/infoplane cpu"
step "kernels" "bin/check-kernels --quick"
step "demo" "./demo.sh --quiet"
if [ -n "$bench" ]; then
    step "kernel times" "bin/check-kernels --bench-only --save bench.json"
    there "$here && cat bench.json" </dev/null >"$bench" || failed=$((failed + 1))
    say "figures in $bench"
fi
[ $failed = 0 ] || { say "$failed of the steps failed on $host"; exit 1; }
say "all well on $host"
