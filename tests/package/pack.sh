#!/usr/bin/env bash
# What cpack makes: the archive runs with nothing but the C library of the machine and gives the build's figures, and passes
# on no library without its licence; the .deb depends on a package for each library it loads; without the tool that finds
# these out there is no .deb.
set -euo pipefail
root=$INFOPLANE_ROOT
build=$INFOPLANE_BUILD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
pass() { passed=$((passed + 1)); }
fail() { echo "FAIL: $*" >&2; exit 1; }
skip() { echo "SKIPPED: $*"; exit 77; }
cmake=${CMAKE_COMMAND:-cmake}
for tool in zstd readelf ldd; do command -v $tool >/dev/null || skip "needs $tool: run toolchains/setup.sh"; done
# What a file needs, without the C library in its parts.
needed() { readelf -d "$@" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | grep -vE '^(ld-linux|lib(c|m|pthread|dl|rt)\.so)' | sort -u; }

# -- the archive
"${cmake%cmake}cpack" --config "$build/CPackConfig.cmake" -G TZST -B "$work/packages" >"$work/log" 2>&1 ||
    fail "cpack -G TZST: $(cat "$work/log")"
mkdir "$work/unpacked"
zstd -dc "$work"/packages/*.tar.zst | tar -C "$work/unpacked" -xf -
rm -rf "$work/packages/_CPack_Packages"
tree=$(echo "$work"/unpacked/*)
program=$tree/bin/infoplane library=$tree/lib/libinfoplane.so
libraries=$(needed "$program" "$library")
[ "$(wc -l <<<"$libraries")" -ge 6 ] || fail "libraries not understood: $libraries"
for file in "$program" "$library"; do
    for name in $(needed "$file"); do
        from=$(env -u LD_LIBRARY_PATH ldd "$file" | awk -v name="$name" '$1 == name { print $3 }')
        [ "$(realpath -m "$from")" = "$(realpath -m "$tree/lib/infoplane/$name")" ] || fail "$file takes $name from $from"
    done
done
pass
# Each once, no others, none of the system's; beside them only the program's own module.
brought=$(ls "$tree/lib/infoplane" | grep -vx infoplane-mpi.so)
[ "$brought" = "$libraries" ] || fail "asked for: $libraries, in the archive: $brought"
[ "$(needed "$tree"/lib/infoplane/* | grep -vxF "$libraries" || true)" = "" ] || fail "the libraries need others"
pass
if command -v dpkg-query >/dev/null && ! grep -q 'No licence of' "$work/log"; then
    [ "$(ls "$tree/share/doc/infoplane/licenses" | wc -l)" = "$(wc -l <<<"$libraries")" ] || fail "a library without its licence"
    pass
fi
demo="$root/models/demo/demo.q8_0.gguf $root/models/demo/heldout.jsonl --documents 12 --loss --loss-end 0 --quiet"
(mkdir "$work/empty" && cd "$work/empty" && env -i "$program" analyze $demo -o "$work/there" >/dev/null) ||
    fail "the archive's program does not run"
"$build/bin/infoplane" analyze $demo -o "$work/here" >/dev/null
cmp "$work/there/layers.csv" "$work/here/layers.csv" || fail "other figures than the build's"
cmp "$work/there/token-loss.npy" "$work/here/token-loss.npy" || fail "other losses than the build's"
pass

# -- the .deb
status=0
"$cmake" -DCPACK_GENERATOR=DEB -DCPACK_DEBIAN_PACKAGE_SHLIBDEPS=ON -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF \
    -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF -P "$root/toolchains/install/cpack.cmake" >"$work/log" 2>&1 || status=$?
[ $status != 0 ] && grep -q 'A .deb needs dpkg-shlibdeps' "$work/log" || fail "a .deb without dependencies: $(cat "$work/log")"
pass
if ! command -v dpkg-shlibdeps >/dev/null || ! command -v file >/dev/null; then
    echo "SKIPPED: no dpkg-shlibdeps or file: the .deb is not made (toolchains/setup.sh)"
    echo "$passed passed"
    exit 0
fi
"${cmake%cmake}cpack" --config "$build/CPackConfig.cmake" -G DEB -B "$work/deb" >"$work/log" 2>&1 ||
    fail "cpack -G DEB: $(cat "$work/log")"
deb=$(echo "$work"/deb/*.deb)
depends=$(dpkg-deb -f "$deb" Depends)
packages=$(tr ',' '\n' <<<"$depends" | sed 's/^ *//; s/ .*//' | grep -vx libc6)
for name in $libraries; do
    file=$(basename "$(realpath "$(ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }')")")
    owners=$(dpkg-query -S "*/$file" | sed 's/[:,].*//' | sort -u)
    grep -qxF "$owners" <<<"$packages" || fail "$name is of $owners, which is not among: $depends"
done
[ "$(wc -l <<<"$packages")" -le "$(wc -l <<<"$libraries")" ] || fail "more packages than libraries: $depends"
grep -qE 'libc6 \(>= 2\.[0-9]+\)' <<<"$depends" || fail "no version of the C library: $depends"
pass
mkdir "$work/root"
dpkg-deb -x "$deb" "$work/root"
[ -z "$(find "$work/root/usr/lib" -name 'lib*.so*' ! -name 'libinfoplane.so*')" ] || fail "the package brings libraries of its own"
# The static library keeps the debug information of a development build.
grep -rlF --exclude='*.a' "$root" "$work/root" && fail "paths of the build are in the package"
pass
echo "$passed passed"
