#!/usr/bin/env bash
# One arithmetic in every family: the same states and losses, bit for bit, on every instruction set of this machine and
# under the ARM emulator, in f32, int16 and int8; and for a document that is so long that all threads share it, whose
# first tokens are those of a shorter one.
# variants: native aarch64
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
golden=$INFOPLANE_SHARED/golden/families
native=$INFOPLANE_BUILD/bin/infoplane
skip_unless "$golden/index.tsv"
patience=120
# Between them: every activation, norm and scaling, sinks, biases of keys, experts, per-layer inputs.
cases="gemma4-ple gpt_oss qwen2_moe falcon-rw-alibi bloom phi-qknorm-gqa cohere gemma2 nemotron opt apertus gpt2
    llama-dynamic-long phi3-longrope-long ministral3 hunyuan-dense"

# states PROGRAM FOLDER CASE ARGUMENT...: states and losses of a case.
states() {
    local program=$1 to=$2 case=$3
    shift 3
    rm -rf "$to"
    "$program" states "$golden/$case" "$golden/$case/ids.npy" -o "$to" --quiet "$@" &&
        "$program" analyze "$golden/$case" "$golden/$case/ids.npy" -o "$to/run" --orders 1 --bins 4 --loss --quiet "$@" >"$work/out"
}
same() { # NAME: layers and losses of the folders want and have
    local file
    for file in "$work"/want/layer-*.npy "$work/want/run/token-loss.npy"; do
        cmp -s "$file" "$work/have/${file#"$work/want/"}" || { fail "$1: $(basename "$file") differs"; return; }
    done
    ok
}

if [ "$INFOPLANE_VARIANT" = native ]; then
    isas=$("$INFOPLANE" cpu --json | sed -n 's/.*"name": "\([a-z0-9]*\)", "compiled": true, "usable": true.*/\1/p')
    computes="f32 int16 int8"
else
    isas=neon
    computes=f32 # the emulator is slow; products of codes are compared by same_bits.sh
fi
for case in $cases; do
    for compute in $computes; do
        check "$case, $compute on scalar" states "$native" "$work/want" "$case" --compute $compute --isa scalar --threads 1
        for isa in $isas; do
            [ "$isa" = scalar ] && continue
            check "$case, $compute on $isa" states "$INFOPLANE" "$work/have" "$case" --compute $compute --isa "$isa" --threads 2
            same "$case, $compute on $isa"
        done
    done
done
[ "$INFOPLANE_VARIANT" = native ] || { finish; exit; }

# 5000 ids below 60 as one document; those of up to 4096 tokens stay with one thread.
header="{'descr': '<i4', 'fortran_order': False, 'shape': (5000,), }"
{
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header"
    for ((i = 0, x = 1; i < 5000; i++, x = (x * 1103515245 + 12345) % 2147483648)); do
        printf -v byte '\\x%02x\\0\\0\\0' $((x / 65536 % 60))
        printf "$byte"
    done
} >"$work/long.npy"
for case in gemma4-ple gpt_oss falcon-rw-alibi exaone4 gemma3 olmoe-clip-norm; do
    for most in 5000 4096; do
        run states "$golden/$case" "$work/long.npy" --max-tokens $most -o "$work/long-$most" --quiet
        check "$case: a document of $most tokens" [ $status -eq 0 ]
    done
    for file in "$work"/long-4096/layer-*.npy; do
        # the same floats behind the header, of which the longer file has more
        size=$(($(stat -c %s "$file") - 128))
        check "$case: $(basename "$file") of a long document" cmp -s <(tail -c +129 "$file") \
            <(tail -c +129 "$work/long-5000/$(basename "$file")" | head -c $size)
    done
done
finish
