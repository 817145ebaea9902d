#!/usr/bin/env bash
# --plan: what it says of memory against what a run then holds, of every estimator, the bound, the lens, a shard; and series.
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl
patience=$((patience * 12))
few=(--documents 60 --quiet)
said() { sed -n 's/.*"'"$1"'": \([0-9.e+-]*\).*/\1/p' "$2" | head -1; }

# holds NAME OPTION...: the plan's memory is between the peak that the run saw and half as much again with 4 MiB.
holds() {
    local name=$1 memory peak
    shift
    run analyze "$model" "$text" "${few[@]}" "$@" --plan --json
    cp "$work/out" "$work/plan.json"
    check "$name: a plan" [ $status -eq 0 ]
    run analyze "$model" "$text" "${few[@]}" "$@" -o "$work/run"
    memory=$(said memory "$work/plan.json")
    peak=$(sed -n 's/.*"peak": \([0-9]*\).*/\1/p' "$work/run/run.json")
    check "$name: $memory bytes said, $peak seen" awk -v m="$memory" -v p="$peak" 'BEGIN { exit !(m * 1.1 >= p && m <= 1.5 * p + 4194304) }'
    rm -r "$work/run"
}
holds soft
holds lens --lens --loss
holds bootstrap --bootstrap 50
holds bound --bound --effort low --beta 2,5,20 --orders 2
for estimator in hard binning kmeans; do holds $estimator --estimator $estimator; done

# The more is asked for, the longer it takes.
seconds() { run analyze "$model" "$text" "${few[@]}" "$@" --plan --json; said seconds "$work/out"; }
longer() { check "$1: $2 s, not $3 s" awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > b && b > 0) }'; }
plain=$(seconds)
longer "200 resamples" "$(seconds --bootstrap 200)" "$plain"
longer "the bound" "$(seconds --bound --effort low)" "$plain"

run analyze "$model" "$text" "${few[@]}" --shard 2/3 --plan --json
check "a shard has its documents" [ "$(said documents "$work/out")" -eq 20 ]
run analyze "$model" "$text" "${few[@]}" --shard 2/61 --plan
check "more shards than documents" [ $status -eq 2 ]

mkdir "$work/checkpoints"
cp "$model" "$work/checkpoints/step-9.gguf"
ln -s "$model" "$work/checkpoints/step-10.gguf"
run analyze "$model" "$text" --documents 6 --quiet -o "$work/checkpoints/step-8"
run trajectory "$work/checkpoints" --corpus "$text" --documents 6 --quiet --plan
check "a series" grep -q "checkpoints  *2 .*to be analysed" "$work/out"
run trajectory "$work/checkpoints" --corpus "$text" --documents 6 --quiet --plan --json
check "a series: JSON" [ "$(said models "$work/out")" -eq 2 ]
run trajectory "$work/checkpoints/step-8" --plan
check "nothing but finished runs" [ $status -eq 2 ]
check "nothing but finished runs: says so" grep -q "nothing is to be analysed" "$work/err"
run trajectory "$work/checkpoints" --plan
check "a model without a text" [ $status -eq 2 ]
finish
