#!/usr/bin/env bash
# What boards get: the archive (complete without any library but the C library, the same figures as here), board.sh from
# copying to the last check (over an ssh that is a script: this machine plays the board, programs run in the emulator),
# and the package of the distribution (unpacked into a root, run there).
# variants: aarch64 armv7
set -euo pipefail
root=$INFOPLANE_ROOT
arch=$INFOPLANE_VARIANT
build=$root/build/$arch
native=$INFOPLANE_BUILD/bin/infoplane
case "$arch" in
    aarch64) tools=aarch64-linux-gnu triplet=aarch64-linux-gnu debian=arm64 emulator=qemu-aarch64 cpu=max system=aarch64 ;;
    armv7) tools=arm-linux-gnueabihf triplet=arm-linux-gnueabihf debian=armhf emulator=qemu-arm cpu=cortex-a7 system=armv7l ;;
    *) echo "board.sh: no archive for $arch"; exit 2 ;;
esac
skip() { echo "SKIPPED: $*"; exit 77; }
command -v $emulator >/dev/null || emulator+=-static
for tool in $emulator $tools-readelf $tools-strip zstd dpkg-deb; do
    command -v $tool >/dev/null || skip "needs $tool: run toolchains/setup.sh"
done
sysroot=$("$root/toolchains/sysroot.sh" --path "$arch")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
pass() { passed=$((passed + 1)); }
fail() { echo "FAIL: $*" >&2; exit 1; }

# -- the archive
archive=$("$root/toolchains/archive.sh" "$arch" "$build" "$work" 2>"$work/err") || fail "$(cat "$work/err")"
mkdir "$work/unpacked"
zstd -dc "$archive" | tar -C "$work/unpacked" -xf -
tree=$work/unpacked/$(basename "$archive" .tar.zst)
for file in bin/infoplane bin/check-kernels demo.sh demo/demo.q8_0.gguf demo/heldout.jsonl README.txt licenses/infoplane; do
    [ -e "$tree/$file" ] || fail "the archive lacks $file"
done
for library in "$tree"/lib/*; do
    case "$(basename "$library")" in
        libc.so* | libm.so* | ld-linux*) fail "$library belongs to the board" ;;
    esac
done
[ "$(ls "$tree/licenses" | wc -l)" -ge "$(ls "$tree/lib" | wc -l)" ] || fail "a library without its licence"
pass
# No symbol of a newer C library than the one that README.txt names.
named=$(sed -n '1s/.*glibc \([0-9.]*\) or newer$/\1/p' "$tree/README.txt")
newest=$(cat "$tree"/bin/* "$tree"/lib/* | grep -aoE 'GLIBC_2\.[0-9]+' | sort -Vu | tail -1)
[ -n "$named" ] && [ "GLIBC_$named" = "$newest" ] || fail "README.txt names glibc $named, the files have $newest"
pass

# A root with the C library and nothing else: the libraries can only come from the archive. The current folder holds
# broken ones of the same names, which must not be looked at.
mkdir -p "$work/bare/usr/lib" "$work/traps"
if [ -L "$sysroot/lib" ]; then ln -s usr/lib "$work/bare/lib"; fi
for part in ld-linux libc.so libm.so libpthread.so libdl.so; do
    find "$sysroot/lib" "$sysroot/usr/lib" -name "$part*.so.*" -o -name "$part.*" | grep -E 'so\.[0-9]+$' |
        while read -r file; do
            to=$work/bare/${file#"$sysroot"/}
            mkdir -p "$(dirname "$to")"
            cp -L "$file" "$to"
        done
done
for library in "$tree"/lib/*; do echo trap >"$work/traps/$(basename "$library")"; done
board() { (cd "$work/traps" && $emulator -L "$work/bare" -cpu $cpu "$@"); }
demo="$root/models/demo/demo.q8_0.gguf $root/models/demo/heldout.jsonl --documents 12 --loss --loss-end 0 --quiet"
board "$tree/bin/infoplane" analyze $demo -o "$work/there" >/dev/null || fail "the archive's program does not run alone"
"$native" analyze $demo -o "$work/here" >/dev/null
cmp "$work/there/layers.csv" "$work/here/layers.csv" || fail "other figures than here"
cmp "$work/there/token-loss.npy" "$work/here/token-loss.npy" || fail "other losses than here"
pass

# -- board.sh, with an ssh that is this script: the board's programs are wrapped when they have arrived
mkdir "$work/path" "$work/board"
cat >"$work/path/uname" <<FAKE
#!/bin/sh
echo $system
FAKE
cat >"$work/path/ssh" <<FAKE
#!/bin/bash
echo "\$*" >>"$work/ssh.log"
[ "\$1" = a-board ] || { echo "ssh: \$1: no such host" >&2; exit 255; }
shift
export TMPDIR=$work/board INFOPLANE_EMULATED=1
for program in "$work"/board/*/*/bin/{infoplane,check-kernels}; do
    [ -e "\$program" ] && [ ! -e "\$program.arm" ] || continue
    mv "\$program" "\$program.arm"
    # The checker in full is a test of its own.
    # Nor do all documents have to be read in an emulator.
    text=\$(dirname "\$program")/../demo/heldout.jsonl
    head -12 "\$text" >"\$text.some" && mv "\$text.some" "\$text"
    { echo '#!/bin/sh'; echo "exec $emulator -L $work/bare -cpu $cpu \$program.arm \"\\\$@\" \${CHECK_ONLY:+\\\$([ \${program##*/} = check-kernels ] && echo \$CHECK_ONLY)}"; } >"\$program"
    chmod +x "\$program"
done
exec sh -c "\$*"
FAKE
chmod +x "$work/path/uname" "$work/path/ssh"
export CHECK_ONLY="--kernel add"
# try ARGUMENT...: board.sh, its output in $work/out.
try() {
    status=0
    PATH="$work/path:$PATH" "$root/toolchains/board.sh" "$@" --build "$build" >"$work/out" 2>&1 </dev/null || status=$?
}
try a-board --bench "$work/bench.json"
[ $status = 0 ] || fail "board.sh: $(cat "$work/out")"
for line in '^-- kernels: well' '^-- demo: well' '^kernels: [0-9]* checks passed, 0 failed' 'in the text itself' \
    'needed by this model' 'all well on a-board'; do
    grep -qE -- "$line" "$work/out" || fail "board.sh does not say '$line': $(cat "$work/out")"
done
grep -q '"kernel": "add"' "$work/bench.json" || fail "no figures came back"
[ -z "$(ls "$work/board")" ] || fail "board.sh left something behind"
pass
try a-board --keep --arch "$arch"
[ $status = 0 ] && [ -d "$(echo "$work"/board/infoplane-board.*)/$(basename "$archive" .tar.zst)" ] || fail "--keep"
rm -rf "$work/board"/*
pass
# A board that fails is told from one that does not: other bits, a program that does not start, no such host.
CHECK_ONLY="--kernel no-such-kernel" try a-board
[ $status = 1 ] && grep -q '^-- kernels: FAILED' "$work/out" || fail "a failing checker: $status $(cat "$work/out")"
[ -z "$(ls "$work/board")" ] || fail "something left after a failure"
try another-board
[ $status = 1 ] && grep -q 'cannot reach another-board by ssh' "$work/out" || fail "no such host: $(cat "$work/out")"
try a-board --arch riscv64
[ $status = 2 ] && grep -q 'archives are made for aarch64 and armv7' "$work/out" || fail "an unknown board: $(cat "$work/out")"
status=0
PATH="$work/path:$PATH" "$root/toolchains/board.sh" -oProxyCommand=x >"$work/out" 2>&1 || status=$?
[ $status = 2 ] || fail "a host that is an option: $status"
pass

# -- the package of the distribution
(cd "$build" && "${CMAKE_COMMAND%cmake}cpack" -G DEB -B "$work/deb" >"$work/log" 2>&1) || fail "cpack: $(cat "$work/log")"
deb=$(echo "$work"/deb/*.deb)
[ "$(dpkg-deb -f "$deb" Architecture)" = $debian ] || fail "$deb is for $(dpkg-deb -f "$deb" Architecture)"
depends=$(dpkg-deb -f "$deb" Depends)
# As many packages as there are libraries to load, and each is one whose files are in the sysroot.
mkdir "$work/root"
dpkg-deb -x "$deb" "$work/root"
needed=$($tools-readelf -d "$work/root/usr/bin/infoplane" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | grep -vE '^(libm|libpthread|ld-linux)[.-]')
packages=$(tr ',' '\n' <<<"$depends" | sed 's/^ *//; s/ .*//')
[ "$(wc -l <<<"$needed")" = "$(wc -l <<<"$packages")" ] || fail "needs $needed but depends on $depends"
for package in $packages; do
    [ -d "$sysroot/usr/share/doc/$package" ] || fail "depends on $package, which the sysroot does not hold"
done
grep -qE 'libc6 \(>= 2\.[0-9]+\)' <<<"$depends" || fail "no version of the C library: $depends"
pass
$tools-readelf -d "$work/root/usr/bin/infoplane" "$work/root"/usr/lib/*/libinfoplane.so* 2>/dev/null |
    grep -E 'R(UN)?PATH' && fail "a run path is left in the package"
[ -s "$work/root/usr/share/man/man1/infoplane-analyze.1" ] || [ -s "$work/root/usr/share/man/man1/infoplane-analyze.1.gz" ] ||
    fail "the package has no man pages"
pass
# Its libraries beside it, as installing the packages would put them.
mkdir -p "$work/root/usr/lib/$triplet"
cp -n "$sysroot/usr/lib/$triplet"/*.so.* "$work/root/usr/lib/$triplet/"
[ -e "$work/root/lib" ] || ln -s usr/lib "$work/root/lib"
for loader in "$sysroot"/lib/ld-linux* "$sysroot/lib/$triplet"/*.so.*; do
    [ -e "$loader" ] || continue
    to=$work/root/${loader#"$sysroot"/}
    [ -e "$to" ] || { mkdir -p "$(dirname "$to")" && cp -L "$loader" "$to"; }
done
(cd "$work/traps" && $emulator -L "$work/root" -cpu $cpu "$work/root/usr/bin/infoplane" analyze \
    "$work/root/usr/share/infoplane/demo/demo.q8_0.gguf" "$root/models/demo/heldout.jsonl" --documents 12 --loss \
    --loss-end 0 --quiet -o "$work/packed" >/dev/null) || fail "the package's program does not run"
cmp "$work/packed/layers.csv" "$work/here/layers.csv" || fail "the package's program has other figures"
pass
echo "$passed passed"
