#!/usr/bin/env bash
# One arithmetic: the same run.json, bit for bit, on every instruction set of this machine, for any number of threads and
# any memory bound; under the ARM emulators too (against the native scalar run).
# variants: native aarch64 armv7
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
native=$INFOPLANE_BUILD/bin/infoplane

# What may differ between two runs of the same work is taken out: run, threads, isa, paths.
stable() { sed -e '/^ "run": /d' -e 's/"isa": "[^"]*"/"isa"/' -e 's/"threads": [0-9]*/"threads"/' -e 's/"path": "[^"]*"/"path"/g' "$1"; }

same() { # name reference candidate
    stable "$2" >"$work/a"
    stable "$3" >"$work/b"
    if [ -s "$work/a" ] && cmp -s "$work/a" "$work/b"; then
        ok
    else
        fail "$1: run.json differs: $(diff "$work/a" "$work/b" | head -4 | cut -c1-200)"
    fi
}

# against_scalar COMPUTE DOCUMENTS ISA...: the program under test on these instruction sets, against native scalar, with
# the demo's weights as they are stored (q8_0) or as $weights.
against_scalar() {
    local compute=$1 documents=$2 isa
    local demo_run=(analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --orders 4 --loss-end 0 --lens --quiet --json
        --documents "$documents" --compute "$compute" --weights "${weights:-q8_0}" --estimator "${estimator:-soft}")
    shift 2
    "$native" "${demo_run[@]}" --isa scalar --threads 1 >"$work/scalar" || fail "$compute: scalar"
    for isa in "$@"; do
        "$INFOPLANE" "${demo_run[@]}" --isa "$isa" --threads 3 >"$work/candidate" || fail "$compute: $isa"
        same "$compute on $isa, 3 threads" "$work/scalar" "$work/candidate"
    done
}

case "$INFOPLANE_VARIANT" in
    native)
        isas=$("$INFOPLANE" cpu --json | sed -n 's/.*"name": "\([a-z0-9]*\)", "compiled": true, "usable": true.*/\1/p')
        with_vnni() { "$INFOPLANE" cpu --json | grep -q "\"name\": \"$1\".*\"vnni\": true"; }
        with_vnni avx2 && isas+=" avx2,-vnni"
        with_vnni avx512 && isas+=" avx512,-vnni avx512,-vnni,-bf16"
        for compute in f32 int16 int8; do against_scalar $compute 20 $isas; done
        # the estimators that count codes; matrix makes no such promise
        for estimator in hard binning kmeans; do against_scalar int16 20 $isas; done
        unset estimator
        # a type with minima, made on load
        for compute in f32 int16 int8; do weights=q4_1 against_scalar $compute 3 $isas; done
        ;;
    aarch64)
        # an emulator is slow: the default arithmetic and int8 on 20 documents, the rest on fewer
        for compute in int16 int8; do
            against_scalar $compute 20 neon
            against_scalar $compute 2 neon,-i8mm neon,-i8mm,-dotprod
        done
        against_scalar f32 2 neon
        for estimator in hard kmeans; do against_scalar int16 2 neon; done
        unset estimator
        weights=q4_1 against_scalar int16 2 neon
        ;;
    armv7)
        for compute in int16 int8 f32; do against_scalar $compute 1 scalar; done
        ;;
esac
if [ "$INFOPLANE_VARIANT" = native ]; then
    "$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --orders 4 --loss --lens --quiet --json >"$work/wide"
    least=$("$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --orders 4 --loss --lens --quiet --plan --json |
        sed -n 's/.*"memory_least": \([0-9]*\).*/\1/p')
    # too small for the hidden states, and too small for the soft assignments as well
    for more in 1000000 3000000 9000000; do
        "$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --orders 4 --loss --lens --quiet --json \
            --memory $((least + more)) --scratch "$work" --threads 2 >"$work/narrow" 2>"$work/err" || fail "memory $((least + more))"
        same "--memory $((least + more))" "$work/wide" "$work/narrow"
    done
    # estimators that read the states of a layer back from the scratch file
    for estimator in hard binning kmeans; do
        of=(--estimator $estimator --orders 2 --quiet)
        "$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" "${of[@]}" --json >"$work/wide"
        least=$("$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" "${of[@]}" --plan --json |
            sed -n 's/.*"memory_least": \([0-9]*\).*/\1/p')
        "$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" "${of[@]}" --json --memory $((least + 1000000)) \
            --scratch "$work" --threads 2 >"$work/narrow" 2>"$work/err" || fail "$estimator in little memory"
        same "$estimator in little memory" "$work/wide" "$work/narrow"
    done
    # a document so long that all threads share it
    sed 's/.*"text": "\(.*\)", "bits.*/\1/' "$demo/heldout.jsonl" | head -60 >"$work/long.txt"
    long=("$native" analyze "$demo/demo.q8_0.gguf" "$work/long.txt" --max-tokens 0 --loss --lens --json)
    "${long[@]}" --threads 1 --isa scalar >"$work/long.scalar" 2>"$work/err" || fail "long document"
    "${long[@]}" --threads 3 >"$work/long.best" 2>"$work/err" || fail "long document"
    same "a long document on 3 threads" "$work/long.scalar" "$work/long.best"
    check "it is one long document" grep -q '"documents": 1,' "$work/long.best"
    "$native" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --orders 4 --loss --lens --quiet --memory 1M >"$work/out" 2>"$work/err"
    status=$?
    check "an impossible bound says what is needed" grep -q "needs" "$work/err"
    check "and fails" [ $status -eq 1 ]
fi
finish
