#!/usr/bin/env bash
# The recipes of other package managers (toolchains/install): well-formed, and they name every library that
# toolchains/dependencies.cmake looks for. ruby judges the formula where there is one.
#   recipes.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
formula=$root/toolchains/install/infoplane.rb
recipe=$root/toolchains/install/PKGBUILD
fail() { echo "recipes: $*"; exit 1; }
libraries=$(sed -n '/OPTIONAL\|criterion\|benchmark/d; s/^ *ip_library(\([a-z0-9]*\) .*/\1/p' "$root/toolchains/dependencies.cmake")
[ "$(wc -w <<<"$libraries")" -ge 8 ] || fail "libraries of dependencies.cmake not understood: $libraries"
bash -n "$recipe" || fail "PKGBUILD"
named=$(bash -c 'source "$1"; echo "${depends[*]} ${makedepends[*]}"' - "$recipe")
for library in $libraries; do
    grep -qE "(depends_on|uses_from_macos) \"$library\"" "$formula" || fail "infoplane.rb lacks $library"
    grep -qE "(^| )(lib)?$library( |$)" <<<"$named" || fail "PKGBUILD lacks $library"
done
how="bash"
if command -v ruby >/dev/null; then
    ruby -c "$formula" >/dev/null || fail "infoplane.rb"
    how+=", ruby"
fi
echo "recipes: both name all of" $libraries "(judged by $how)"
