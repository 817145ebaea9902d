#!/usr/bin/env bash
# Follows the recipes of docs/adding.md to the letter, in a copy of the tree that is thrown away: a family, a tensor type,
# an instruction set, an estimator and a command, each a copy of something that is there under a new name, so that what it
# must give is known. Builds the copy and asks each. By hand, because it builds most of the tree (some minutes):
#   tests/recipes/dry-run.sh [FOLDER]      (else a new one; with a folder it stays, and the next build is short)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
shared=${INFOPLANE_SHARED:-$root/../shared}
if [ $# -gt 0 ]; then
    mkdir -p "$1"
    tree=$(realpath "$1")
else
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
fi
fail() { echo "dry run: $*"; exit 1; }
# Files that git knows or would take, over what stands there; only what changed gets a new date.
(cd "$root" && git ls-files --cached --others --exclude-standard) | while IFS= read -r file; do
    [ -f "$root/$file" ] || continue
    mkdir -p "$tree/$(dirname "$file")"
    cp -p "$root/$file" "$tree/$file"
done
cd "$tree"
export LC_ALL=C
# behind FILE PATTERN LINE: adds a line behind the last one that has the pattern.
behind() {
    local at
    at=$(grep -n -- "$2" "$1" | tail -1 | cut -d: -f1)
    [ -n "$at" ] || fail "$1: nothing like $2"
    sed -i "${at}a\\$3" "$1"
}

# -- a family: llama under another name
sed 's/ip_family_llama/ip_family_dryrun/; s/"llama"/"dryrun"/' models/families/llama.c >models/families/dryrun.c
behind models/families/families.def '^IP_FAMILY(' 'IP_FAMILY(dryrun)'

# -- a tensor type: Q8_0 under another number
behind models/types.def '^IP_TYPE(' 'IP_TYPE(63, "DRY8", 32, 34, ip_dry8_to_float, ip_dry8_to_codes, 32, false, 0, 1)'
behind models/types.h '^IP_DECODERS(' 'IP_DECODERS(dry8);'
cat >>models/types_block32.c <<'C'

static inline void dry8_block(int8_t *codes, float *scale, const unsigned char *block) { q8_0_block(codes, scale, block); }
IP_CODED(dry8, BLOCK, 34, 32)
C

# -- an instruction set: the scalar kernels in a folder of their own
rm -rf arch/dry && cp -r arch/scalar arch/dry && mv arch/dry/scalar.h arch/dry/dry.h
sed -i 's/_scalar\b/_dry/g; s/IP_SCALAR_TILE/IP_DRY_TILE/g; s/"scalar"/"dry"/; s/SCALAR_SCALAR_H/DRY_DRY_H/; s,arch/scalar/scalar.h,arch/dry/dry.h,' arch/dry/*
behind arch/isa.def '^IP_ISA(scalar' 'IP_ISA(dry, IP_ANY)'
for probe in arch/cpu_x86.c arch/cpu_arm.c; do sed -i 's/^    snprintf(out->reason/    if (isa == IP_ISA_dry) out->reason[0] = 0;\n&/' $probe; done
sed -i 's,^    scalar/table.c,    dry/table.c dry/products.c dry/attention.c dry/rows.c dry/activations.c dry/encoder.c\n&,' arch/CMakeLists.txt
sed -i 's,^set(scalar scalar/products.c,set(scalar dry/products.c dry/attention.c dry/rows.c dry/activations.c dry/encoder.c scalar/products.c,' arch/CMakeLists.txt

# -- an estimator: hard under another name
behind core/estimators/methods.def '^IP_METHOD(' 'IP_METHOD(DRYRUN, dryrun, 100, "the nearest anchor, once more")'
cat >core/estimators/dryrun.c <<'C'
/* dryrun: the codes of hard. */
#include "core/estimators/method.h"

ip_method_need ip_dryrun_need(size_t positions, size_t width, size_t bins, unsigned threads, const ip_kernels *kernels) {
    return ip_hard_need(positions, width, bins, threads, kernels);
}

ip_status ip_code_dryrun(ip_method *e, const ip_rows *rows, ip_error *error) { return ip_code_hard(e, rows, error); }
C
behind core/estimators/method.h 'ip_status ip_code_' 'ip_status ip_code_dryrun(ip_method *e, const ip_rows *rows, ip_error *error);'
behind core/estimators/method.h '^ip_method_need ip_matrix_need' 'ip_method_need ip_dryrun_need(size_t positions, size_t width, size_t bins, unsigned threads, const ip_kernels *kernels);'
behind core/estimators/method.c 'case IP_METHOD_KMEANS: fprintf' '    case IP_METHOD_DRYRUN: fprintf(file, "dryrun: the nearest of %llu anchors", n); break;'
behind core/estimators/method.c 'case IP_METHOD_KMEANS: return ip_kmeans_need' '    case IP_METHOD_DRYRUN: return ip_dryrun_need(positions, width, bins, threads, kernels);'
behind core/estimators/method.c 'case IP_METHOD_KMEANS: return ip_code_kmeans' '    case IP_METHOD_DRYRUN: return ip_code_dryrun(e, rows, error);'
sed -i 's/if (kind == IP_METHOD_HARD) /if (kind == IP_METHOD_HARD || kind == IP_METHOD_DRYRUN) /' core/estimators/method.c

# -- a command: how many bytes a file has
cat >>core/cli/commands.def <<'C'
CLI_COMMAND(DRYRUN, dryrun, "how many bytes a file has", "infoplane dryrun FILE [options]", "infoplane dryrun text.txt",
            "Prints how many bytes a file has.")
C
cat >core/cli/command_dryrun.c <<'C'
/* `dryrun`. */
#include "core/cli/cli.h"

ip_status cli_dryrun(const cli_args *args, const ip_host *host) {
    (void)host;
    if (args->positional_count != 1) return cli_fail(IP_USAGE, "usage: infoplane dryrun FILE (see --help)");
    ip_error error = {0};
    ip_status status = ip_dryrun_write(args->positional[0], stdout, &error);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
C
cat >core/dryrun.c <<'C'
/* `dryrun`: bytes of a file. */
#include "core/base/file.h"
#include "core/infoplane.h"

ip_status ip_dryrun_write(const char *path, FILE *file, ip_error *error) {
    ip_map map;
    ip_status status = ip_map_open(&map, path, error);
    if (status != IP_OK) return status;
    fprintf(file, "%zu\n", map.size);
    ip_map_close(&map);
    return IP_OK;
}
C
behind core/infoplane.h '^void ip_inspect_supported' '/* How many bytes a file has. */\nip_status ip_dryrun_write(const char *path, FILE *file, ip_error *error);'

echo "dry run: building in $tree"
cmake -S . -B build/dry -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DINFOPLANE_TESTS=ON -DINFOPLANE_WERROR=ON >log 2>&1 ||
    { tail -20 log; fail "configuring"; }
nice cmake --build build/dry -j2 --target infoplane infoplane_shared check-kernels golden-compare unit-types unit-estimators >log 2>&1 ||
    { grep -E 'error|FAILED' log | head -20; fail "building"; }
program=$tree/build/dry/bin/infoplane
demo=$tree/models/demo
said() { echo "dry run: $1"; }

bash tests/house/room-law.sh . >log || { cat log; fail "the room law"; }
said "the room law is kept"

"$program" inspect --supported >supported
grep -q '^families:.* dryrun' supported && grep -q 'Hugging Face folders.* dryrun' supported || fail "the family is not listed"
grep -q 'multiplied in int16.* DRY8' supported || fail "the type is not listed"
case=$(awk -F'\t' '$2 == "llama" { print $1; exit }' "$shared/golden/families/index.tsv" 2>/dev/null || true)
if [ -n "$case" ]; then
    rm -rf family && cp -rL "$shared/golden/families/$case" family && chmod -R u+w family
    sed -i 's/"model_type": *"llama"/"model_type": "dryrun"/' family/config.json
    "$program" states family family/ids.npy -o states --compute f32 --quiet
    build/dry/bin/golden-compare layers states family/hidden.npy 5e-5 || fail "the family's states"
    "$program" inspect family | grep -q '^family dryrun' || fail "the family's name"
    said "the family opens and gives the golden states of $case"
fi

if [ -e "$shared/golden/quants/manifest.json" ]; then
    # Its golden blocks are those of Q8_0: golden data of which only this folder is another one.
    rm -rf golden && mkdir -p golden/golden && cp -rs "$(realpath "$shared")/golden/quants" golden/golden/quants
    rm golden/golden/quants/manifest.json
    for part in blocks.bin expected.npy; do ln -s Q8_0.$part golden/golden/quants/DRY8.$part; done
    python3 - "$shared/golden/quants/manifest.json" golden/golden/quants/manifest.json <<'PY'
import json, sys
manifest = json.load(open(sys.argv[1]))
manifest["types"]["DRY8"] = dict(manifest["types"]["Q8_0"], id=63)
json.dump(manifest, open(sys.argv[2], "w"))
PY
    INFOPLANE_SHARED=$tree/golden build/dry/bin/unit-types >log 2>&1 || { tail -12 log; fail "unit-types"; }
    said "unit-types finds the type's golden blocks right"
fi
python3 - "$demo/demo.q8_0.gguf" dry8.gguf <<'PY'
# The demo with every Q8_0 tensor's number made that of DRY8: in a GGUF record the number stands behind name and shape.
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
tensors, keys = struct.unpack_from("<QQ", data, 8)
at = 24
def text():
    global at
    n, = struct.unpack_from("<Q", data, at)
    at += 8 + n
size = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
def value(kind):
    global at
    if kind == 8:
        text()
    elif kind == 9:
        of, n = struct.unpack_from("<IQ", data, at)
        at += 12
        for _ in range(n):
            value(of)
    else:
        at += size[kind]
for _ in range(keys):
    text()
    kind, = struct.unpack_from("<I", data, at)
    at += 4
    value(kind)
changed = 0
for _ in range(tensors):
    text()
    dims, = struct.unpack_from("<I", data, at)
    at += 4 + 8 * dims
    if struct.unpack_from("<I", data, at)[0] == 8:
        struct.pack_into("<I", data, at, 63)
        changed += 1
    at += 12
assert changed > 10
open(sys.argv[2], "wb").write(data)
PY
mean() { grep -o '"mean": {.*' "$1"; }
some="$demo/heldout.jsonl --documents 20 --orders 1 --json --quiet"
"$program" analyze "$demo/demo.q8_0.gguf" $some >q8_0.json
"$program" analyze dry8.gguf $some >dry8.json
[ "$(mean q8_0.json)" = "$(mean dry8.json)" ] || fail "the type's figures"
said "the type gives the figures of the one it copies"

"$program" cpu | grep -q '^  dry  *usable' || fail "the instruction set is not listed"
build/dry/bin/check-kernels --quick --isa dry >log 2>&1 || { tail -5 log; fail "check-kernels"; }
INFOPLANE_ISA=dry "$program" analyze "$demo/demo.q8_0.gguf" $some >isa.json
[ "$(mean q8_0.json)" = "$(mean isa.json)" ] || fail "the instruction set's figures"
said "the instruction set passes the checker: $(tail -1 log)"

"$program" analyze "$demo/demo.q8_0.gguf" $some --estimator hard >hard.json
"$program" analyze "$demo/demo.q8_0.gguf" $some --estimator dryrun >dryrun.json
[ "$(mean hard.json)" = "$(mean dryrun.json)" ] || fail "the estimator's figures"
! "$program" analyze "$demo/demo.q8_0.gguf" $some --estimator none 2>err
grep -q dryrun err || fail "the message that lists the estimators lacks the new one: $(cat err)"
INFOPLANE_SHARED=$shared build/dry/bin/unit-estimators >log 2>&1 || { grep -A3 Assertion log; fail "unit-estimators"; }
said "the estimator gives the figures of the one it copies"

[ "$("$program" dryrun "$demo/demo.q8_0.gguf")" = "$(stat -c %s "$demo/demo.q8_0.gguf")" ] || fail "the command"
"$program" --help | grep -q '^  dryrun' && "$program" dryrun --help | grep -q '^  infoplane dryrun text.txt' || fail "its help"
mkdir -p pages && "$program" --generate pages && [ -s pages/man1/infoplane-dryrun.1 ] || fail "its man page"
nm -D build/dry/lib/libinfoplane.so | grep -q ' ip_dryrun_write@@' || fail "its function is no symbol of the library"
said "the command is there, with help, man page and symbol"

# The tests that hold the documents must ask for what the recipes say is left to write.
INFOPLANE_ROOT=$tree INFOPLANE=$program INFOPLANE_SHARED=$shared bash tests/cli/readme.sh >log 2>&1 &&
    fail "cli.readme does not miss the command and the family"
grep -q 'table lists' log && grep -q 'families' log || { cat log; fail "cli.readme misses something else"; }
said "cli.readme asks for the command's row and the number of families"
echo "dry run: all five recipes hold"
