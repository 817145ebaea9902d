#!/usr/bin/env bash
# The room law, read from the #include lines: a lower room never includes a higher one, intrinsics stay in their
# folders, every library has one door per room, no build file allows fast arithmetic. Before the tree is judged, the
# judge is: on a small tree with one violation of each rule it must find every one, and nothing else.
#   room-law.sh [ROOT]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$(cd "$here/../.." && pwd)}

judge() {
    # find's complaint about a folder that a tree does not have is no verdict.
    (cd "$1" && { find arch core models tests bench toolchains CMakeLists.txt -type f 2>/dev/null \
        \( -name '*.[ch]' -o -name '*.cpp' -o -name '*.def' -o -name '*.inc' -o -name 'CMakeLists.txt' \
        -o -name '*.cmake' \) || true; } | sort) | awk -v root="$1" -f "$here/room-law.awk"
}

# One row per rule: the file of the small tree, its one bad line, and what the judge must say.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
rules=0
while IFS='|' read -r file text expected; do
    mkdir -p "$tree/$(dirname "$file")"
    printf '%s\n' "$text" >>"$tree/$file"
    printf '%s\n' "$file $expected" >>"$tree/expected"
    rules=$((rules + 1))
done <<'ROWS'
core/base/a.c|#include "arch/dispatch.h"|higher room arch
arch/a.c|#include "models/gguf.h"|higher room models
arch/b.c|  #  include   "core/estimators/soft.h"|higher room core
models/a.c|#include "core/input/corpus.h"|higher room core
core/a.c|#include "core/cli/options.h"|higher room cli
core/cli/a.c|#include "core/base/status.h"|infoplane.h and core/cli/ only
core/cli/b.c|#include "models/model.h"|infoplane.h and core/cli/ only
models/b.c|#include "gguf.h"|not written from the root
models/c.c|#include "tests/kernels/check.h"|in no room
models/d.c|#include <immintrin.h>|outside the folder of an instruction set
arch/scalar/a.c|#include <arm_neon.h>|outside the folder of an instruction set
arch/scalar/b.c|__m256 x = _mm256_setzero_ps();|intrinsics outside
arch/avx2/a.c|#include <sleef.h>|one door: arch/vmath.h
core/c.c|#include <zlib.h>|already has its door
models/e.c|#include <criterion/criterion.h>|outside tests/unit
arch/avx2/CMakeLists.txt|set_property(SOURCE x.c PROPERTY COMPILE_OPTIONS -ffast-math)|fast arithmetic
core/forward/a.c|#include "core/estimators/soft.h"|of a higher one
core/report/a.c|#include "core/analyze.h"|of a higher one
core/mpi/a.c|#include "core/input/session.h"|it may see core/base only
core/run/b.c|#include <mpi.h>|one door: core/mpi/
core/d.c|#pragma GCC optimize("fast-math")|fast arithmetic
ROWS
# What must pass, among it the first door of <zlib.h>.
mkdir -p "$tree/tests/unit" "$tree/arch/avx512"
printf '#include <zlib.h>\n#include "models/gguf.h"\n#include "core/base/status.h"\n' >"$tree/core/b.c"
printf '#include <zlib.h>\n' >"$tree/models/f.c"
printf '#include <sleef.h>\n' >"$tree/arch/vmath.h"
printf '#include <immintrin.h>\n' >"$tree/arch/avx512/a.c"
printf '#include "core/infoplane.h"\n#include "core/cli/options.h"\n' >"$tree/core/cli/c.c"
mkdir -p "$tree/core/run"
printf '#include "core/infoplane.h"\n#include "core/run/run.h"\n#include "core/estimators/soft.h"\n' >"$tree/core/run/a.c"
printf '#include <criterion/criterion.h>\n#include "core/estimators/soft.h"\n#include <zlib.h>\n' >"$tree/tests/unit/test_a.c"
judge "$tree" >"$tree/found"
while read -r file expected; do
    if ! grep -F "$file:" "$tree/found" | grep -qF "$expected"; then
        echo "the judge missed: $file: $expected"
        exit 1
    fi
done <"$tree/expected"
if [ "$(wc -l <"$tree/found")" != "$rules" ]; then
    echo "the judge finds what is not there:"
    cat "$tree/found"
    exit 1
fi

found=$(judge "$root")
if [ -n "$found" ]; then
    echo "$found"
    echo "room law: $(wc -l <<<"$found") violations"
    exit 1
fi
echo "room law: kept (the judge itself found all $rules planted violations)"
