#!/usr/bin/env bash
# Installs what the two commands of the README need, and nothing that is there already.
#
#   toolchains/setup.sh          everything: build, tests, sanitizers, cross compilers, emulators
#   toolchains/setup.sh --demo   only what building, running and packing the program needs
#
# With apt it says what it will install and by which command before it does (root or sudo needed; no questions asked).
# With other package managers it only checks, and prints what is missing. When nothing is missing it is silent.
set -euo pipefail

# One row per thing needed: group, probe, and the package by package manager. A probe is a command, a header, a library, a
# module of Python, any Chromium (browser:), clang's runtime (runtime:), or a command that makes .deb packages (debian:); the last
# two are asked on apt systems only. Names for managers other than apt are where to look, not a promise: they are not tested.
needs() {
    cat <<'ROWS'
build command:cc               gcc                      gcc               gcc          gcc
build header:stdio.h           libc6-dev                glibc-devel       glibc        -
build command:cmake            cmake                    cmake             cmake        cmake
build command:ninja            ninja-build              ninja-build       ninja        ninja
build header:sleef.h           libsleef-dev             sleef-devel       sleef        sleef
build header:mimalloc.h        libmimalloc-dev          mimalloc-devel    mimalloc     mimalloc
build header:xxhash.h          libxxhash-dev            xxhash-devel      xxhash       xxhash
build header:pcre2.h           libpcre2-dev             pcre2-devel       pcre2        pcre2
build header:jansson.h         libjansson-dev           jansson-devel     jansson      jansson
build header:zlib.h            zlib1g-dev               zlib-devel        zlib         zlib
build header:zstd.h            libzstd-dev              libzstd-devel     zstd         zstd
build header:utf8proc.h        libutf8proc-dev          utf8proc-devel    libutf8proc  utf8proc
build library:liblapack.so.3   liblapack3               lapack            lapack       lapack
build debian:dpkg-shlibdeps    dpkg-dev                 -                 -            -
build debian:file              file                     -                 -            -
tests command:c++              g++                      gcc-c++           gcc          gcc
tests header:criterion/criterion.h libcriterion-dev     criterion-devel   criterion    criterion
tests header:benchmark/benchmark.h libbenchmark-dev     google-benchmark-devel benchmark google-benchmark
tests command:clang            clang                    clang             clang        llvm
tests runtime:fuzzer           libclang-rt-dev          compiler-rt       compiler-rt  -
tests header:mpi.h               libopenmpi-dev           openmpi-devel     openmpi      open-mpi
tests command:mpirun           openmpi-bin              openmpi           openmpi      open-mpi
tests command:zstd             zstd                     zstd              zstd         zstd
tests command:pkg-config       pkg-config               pkgconf-pkg-config pkgconf    pkgconf
tests command:python3          python3                  python3           python       python
tests module:ensurepip         python3-venv             python3           python       python
tests browser:                 chromium                 chromium          chromium     chromium
tests command:setarch          util-linux               util-linux        util-linux   -
cross command:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc -
cross command:arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf - - -
cross command:qemu-aarch64     qemu-user                qemu-user         qemu-user    -
cross command:qemu-arm         qemu-user                qemu-user         qemu-user    -
ROWS
}

say() { echo "toolchains/setup.sh: $*"; }

groups="build tests cross"
case "${1:-}" in
    "") ;;
    --demo) groups="build" ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
manager=""
for candidate in apt-get:apt dnf:dnf pacman:pacman zypper:dnf brew:brew; do
    if command -v "${candidate%%:*}" >/dev/null; then
        manager="${candidate##*:}"
        break
    fi
done

has_command() {
    case "$1" in
        # A cmake from elsewhere serves if it is new enough for the presets.
        cmake) cmake --version 2>/dev/null | awk 'NR == 1 { split($3, v, "."); exit !(v[1] > 3 || v[2] >= 25) }' ;;
        # A qemu that was built statically goes by another name.
        qemu-*) command -v "$1" >/dev/null || command -v "$1-static" >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# The compiler's own search path is asked once, for the headers of systems without dpkg.
include_folders=""
has_header() {
    local folder
    if [ -z "$include_folders" ]; then
        include_folders=$(cc -E -Wp,-v -xc /dev/null 2>&1 >/dev/null | sed -n 's/^ //p' || true)
        include_folders+=$'\n'"/usr/include"$'\n'"/usr/local/include"$'\n'"/opt/homebrew/include"
    fi
    while read -r folder; do
        [ -e "$folder/$1" ] && return 0
    done <<<"$include_folders"
    return 1
}

machine=$(uname -m)
missing="" # lines "group package"
# What apt has installed is asked once; a header that is there without its package (built by hand) serves as well.
installed=""
[ "$manager" = apt ] && installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' 2>/dev/null |
    sed -n 's/^ii  *//p')
while read -r group probe apt dnf pacman brew; do
    [[ " $groups " == *" $group "* ]] || continue
    # A machine needs no cross compiler and no emulator for itself.
    [[ "$machine" == aarch64 && "$probe" == *aarch64* ]] && continue
    [[ "$manager" == brew && "$group" == cross ]] && continue
    case "$probe" in
        command:*) has_command "${probe#command:}" && continue ;;
        header:*) { [[ $'\n'"$installed"$'\n' == *$'\n'"$apt"$'\n'* ]] || has_header "${probe#header:}"; } && continue ;;
        browser:*) { has_command chromium || has_command chromium-browser || has_command google-chrome; } && continue ;;
        library:*) compgen -G "/usr/lib*/${probe#library:}" >/dev/null ||
            compgen -G "/usr/lib/*/${probe#library:}" >/dev/null && continue ;;
        module:*) python3 -c "import ${probe#module:}" 2>/dev/null && continue ;;
        debian:*) { [ "$manager" != apt ] || has_command "${probe#debian:}"; } && continue ;;
        runtime:*) { [ "$manager" != apt ] ||
            compgen -G "/usr/lib/llvm*/lib/clang/*/lib/linux/*${probe#runtime:}*" >/dev/null; } && continue ;;
    esac
    case "$manager" in
        apt) name=$apt ;;
        dnf) name=$dnf ;;
        pacman) name=$pacman ;;
        brew) name=$brew ;;
        *) name="${probe#*:}" ;;
    esac
    [ "$name" = - ] && name="${probe#*:} (no package known)"
    [[ $'\n'"$missing" == *" $name"$'\n'* ]] || missing+="$group $name"$'\n'
done < <(needs)
[ -z "$missing" ] && exit 0

if [ "$manager" != apt ]; then
    say "missing (names as ${manager:-most} package managers have them; they may differ):"
    sed -n 's/^\([a-z]*\) \(.*\)/  \2   (for: \1)/p' <<<"$missing"
    say "install them by hand; this script installs with apt only."
    if grep -q '^build' <<<"$missing" || { [ "$groups" != build ] && grep -q '^tests' <<<"$missing"; }; then
        exit 1
    fi
    say "only cross compilers or emulators are missing: their tests will be SKIPPED."
    exit 0
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo"
    if ! command -v sudo >/dev/null; then
        say "missing: $(sed 's/^[a-z]* //' <<<"$missing" | xargs)"
        say "install them as root: apt-get install" "$(sed 's/^[a-z]* //' <<<"$missing" | xargs)"
        exit 1
    fi
fi
say "will install: $(sed 's/^[a-z]* //' <<<"$missing" | xargs)"
if [ "$groups" != build ]; then
    say "(for building and running alone, toolchains/setup.sh --demo: $(grep -c '^build' <<<"$missing" || true) of these)"
fi
# --no-remove: nothing that is on the machine goes away for this (gcc-multilib and cross compilers exclude each other).
install="env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-remove \
-oAcquire::Retries=3 -oDPkg::Lock::Timeout=300 install"
say "by: ${as_root:+$as_root }apt-get update, then ${as_root:+$as_root }$install"
# An index that fails need not matter if the packages arrive.
$as_root apt-get -q -oAcquire::Retries=3 -oDPkg::Lock::Timeout=300 update ||
    say "apt-get update failed; trying with the lists that are there"

# Returns 0 when all are installed; names unknown to apt are left out and named.
install_group() {
    local name known=""
    for name in $(sed -n "s/^$1 //p" <<<"$missing"); do
        if apt-cache show "$name" >/dev/null 2>&1; then known+=" $name"; else say "unknown to apt, left out: $name"; fi
    done
    [ -z "$known" ] && return 0
    for attempt in 1 2; do
        $as_root $install $known && return 0
        [ $attempt = 1 ] && sleep 5 && $as_root apt-get -q update
    done
    return 1
}
for group in $groups; do
    if ! install_group $group; then
        if [ $group = cross ]; then
            say "could not install the cross compilers or emulators: their tests will be SKIPPED."
        else
            say "could not install the packages above (see apt's messages)."
            exit 1
        fi
    fi
done
if ! has_command cmake; then
    say "cmake 3.25 or newer is needed, and this system's packages have an older one. From PyPI: pip install cmake"
    exit 1
fi
