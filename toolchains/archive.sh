#!/usr/bin/env bash
# Packs what a board needs into one archive: the program, the kernel checker, the demo, and the libraries they load.
#
#   toolchains/archive.sh aarch64|armv7 BUILD [FOLDER]   from the build folder BUILD into FOLDER (BUILD/packages);
#                                                        prints the archive's path
#
# The idea: everything lies in one folder that can stand anywhere. The programs look for libraries in ../lib as seen
# from themselves (a run path of cross builds); what they need is read from the files, again and again until nothing is
# new. The C library is the board's own: the oldest version that will do is written into README.txt.
set -euo pipefail
say() { echo "toolchains/archive.sh: $*" >&2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
arch=${1:-}
build=${2:-}
case "$arch" in
    aarch64) tools=aarch64-linux-gnu ;;
    armv7) tools=arm-linux-gnueabihf ;;
    *) build="" ;;
esac
if [ -z "$build" ] || [ $# -gt 3 ]; then
    sed -n '4,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
for program in infoplane check-kernels; do
    if [ ! -x "$build/bin/$program" ]; then
        say "no $build/bin/$program: build it first (cmake --preset board-$arch, cmake --build --preset board-$arch)"
        exit 1
    fi
done
for tool in "$tools-readelf" "$tools-strip" zstd; do
    command -v "$tool" >/dev/null || { say "needs $tool: run toolchains/setup.sh"; exit 1; }
done
sysroot=$("$root/toolchains/sysroot.sh" --path "$arch")
version=$(sed -n 's/.*define INFOPLANE_VERSION *"\([0-9.]*\)".*/\1/p' "$root/core/infoplane.h")
name=infoplane-$version-$arch-board
folder=${3:-$build/packages}
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/$name
mkdir -p "$tree/bin" "$tree/lib" "$tree/demo" "$tree/licenses"
for program in infoplane check-kernels; do
    "$tools-strip" -o "$tree/bin/$program" "$build/bin/$program"
    # CMake ends the run path in an empty entry, which means the folder that one happens to be in: it is cut off.
    LC_ALL=C sed -i 's|\(\$ORIGIN/\.\./lib\):\x00|\1\x00\x00|' "$tree/bin/$program"
    if ! "$tools-readelf" -d "$tree/bin/$program" | grep -qE '\(RPATH\) +Library rpath: \[\$ORIGIN/\.\./lib\]$'; then
        say "$build/bin/$program does not look for libraries in ../lib beside itself"
        exit 1
    fi
done

# What a file needs: the names of libraries.
needed() { "$tools-readelf" -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u; }
# The C library in all its parts, with the loader, belongs to the system.
of_system() {
    case "$1" in
        ld-linux*.so.* | libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | librt.so.*) return 0 ;;
        *) return 1 ;;
    esac
}
queue=$(needed "$tree"/bin/*)
while [ -n "$queue" ]; do
    more=""
    for library in $queue; do
        if of_system "$library" || [ -e "$tree/lib/$library" ]; then continue; fi
        file=$(find "$sysroot/usr/lib" "$sysroot/lib" -name "$library" 2>/dev/null | head -1)
        [ -n "$file" ] || { say "$library is needed and not in $sysroot"; exit 1; }
        cp -L "$file" "$tree/lib/$library"
        chmod 644 "$tree/lib/$library"
        more+=" $(needed "$tree/lib/$library")"
    done
    queue=$more
done
glibc=$(for file in "$tree"/bin/* "$tree"/lib/*; do "$tools-readelf" -V "$file"; done |
    sed -n 's/.*Name: GLIBC_\([0-9.]*\) .*/\1/p' | sort -Vu | tail -1)

cp "$root"/models/demo/{demo.q8_0.gguf,heldout.jsonl} "$root/toolchains/demo.awk" "$tree/demo/"
cp "$root/LICENSE" "$tree/licenses/infoplane"
# The licences of what is passed on: the packages that .depends names, but for the C library.
for package in $(tr ',' '\n' <"$sysroot/.depends" | sed 's/ *(.*//; s/^ *//; /^libc6$/d'); do
    cp "$sysroot/usr/share/doc/$package/copyright" "$tree/licenses/$package"
done
cat >"$tree/demo.sh" <<'DEMO'
#!/bin/sh
# A small model reads a text whose information is known: what it needed per document stands beside what is there.
#   demo.sh [OPTION...]    options for infoplane analyze
cd "$(dirname "$0")" || exit 1
run=$(mktemp -d) || exit 1
trap 'rm -rf "$run"' EXIT
bin/infoplane analyze demo/demo.q8_0.gguf demo/heldout.jsonl --loss --loss-end 0 -o "$run" "$@" &&
    LC_ALL=C awk -f demo/demo.awk "$run/run.json" demo/heldout.jsonl
DEMO
chmod +x "$tree/demo.sh"
cat >"$tree/README.txt" <<TEXT
infoplane $version for $arch boards with Linux and glibc $glibc or newer

  ./demo.sh             a small model reads a text whose information is known
  bin/check-kernels     proves every kernel of this board equal to the law, bit for bit (--bench times them)
  bin/infoplane         the program: bin/infoplane --help

The folder may stand anywhere; the libraries in lib/ are found from bin/. Their licences are in licenses/.
TEXT
stamp=${SOURCE_DATE_EPOCH:-$(date +%s)}
archive=$folder/$name.tar.zst
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -cf - "$name" |
    zstd -q -19 -T1 -f -o "$archive"
say "$name: $(ls "$tree/lib" | wc -l) libraries beside the programs, glibc $glibc or newer on the board"
echo "$archive"
