#!/usr/bin/env bash
# Shards and merge: the merged run is the unsharded one, bit for bit, whatever the number of shards, threads, instruction set
# and memory; what does not belong together, or is not whole, is refused by name.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl
patience=200
settings=(--documents 30 --orders 4 --loss-end 0 --top 3 --bootstrap 5 --quiet)

stable() { sed -e '/^ "run": /d' -e 's/"isa": "[^"]*"/"isa"/' -e 's/"threads": [0-9]*/"threads"/' -e 's/"path": "[^"]*"/"path"/g' "$1"; }
same() { # what whole merged
    stable "$work/$2/run.json" >"$work/a"
    stable "$work/$3/run.json" >"$work/b"
    check "$1: run.json" [ -s "$work/a" -a -z "$(cmp "$work/a" "$work/b" 2>&1)" ]
    for file in groups.npy layers.csv token-loss.npy token-loss.offsets.npy; do
        [ -e "$work/$2/$file" ] && check "$1: $file" cmp -s "$work/$2/$file" "$work/$3/$file"
    done
}
shards() { # folder number options...
    local folder=$1 number=$2 i
    shift 2
    for ((i = 1; i <= number; i++)); do
        run analyze "$model" "$text" "$@" --shard $i/$number -o "$work/$folder"
        check "shard $i/$number" [ $status -eq 0 ]
    done
}
refused() { # what, then the states
    local what=$1
    shift
    run merge "$@" -o "$work/refused"
    check "$what: exit 3 (was $status)" [ $status -eq 3 ]
    check "$what: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
    check "$what: says so ($(cat "$work/err"))" grep -q -- "$what" "$work/err"
    check "$what: nothing is left" [ ! -e "$work/refused/run.json" ]
}

run analyze "$model" "$text" "${settings[@]}" -o "$work/whole"
check "the whole" [ $status -eq 0 ]
shards three 3 "${settings[@]}" --threads 3
check "a file per shard" [ "$(ls "$work/three" | wc -l)" -eq 3 ]
run merge "$work/three/"*.state -o "$work/merged"
check "merge" [ $status -eq 0 ]
same "three shards" whole merged
# With what is not computed from soft assignments: the lens at every layer, the bound of the whole text.
extra=(--documents 20 --orders 2 --lens --loss --bound --effort low --beta 1.1:20:6 --bins 20 --quiet)
run analyze "$model" "$text" "${extra[@]}" -o "$work/extra"
shards extra-parts 3 "${extra[@]}"
run merge "$work/extra-parts/"*.state -o "$work/extra-merged"
check "lens and bound: merge" [ $status -eq 0 ]
same "lens and bound" extra extra-merged
run analyze "$model" "$text" "${extra[@]}" --effort normal --shard 2/3 -o "$work/foreign-bound"
refused "--bound, --beta or --effort differs" "$work/extra-parts/shard-00001-of-00003.state" \
    "$work/foreign-bound/shard-00002-of-00003.state" "$work/extra-parts/shard-00003-of-00003.state"

# The same by the script for a batch scheduler, one task after the other; a task that is put in again does nothing.
export MODEL=$model CORPUS=$text OUT=$work/batch OPTIONS="${settings[*]}" SLURM_ARRAY_TASK_COUNT=3
for task in 1 2 3 2; do
    SLURM_ARRAY_TASK_ID=$task bash "$INFOPLANE_ROOT/docs/examples/slurm.sh" >"$work/out" 2>"$work/err"
    check "batch task $task" [ $? -eq 0 ]
done
check "a task again: is told" grep -q "shard-00002-of-00003.state is there" "$work/out"
SLURM_CPUS_PER_TASK=2 bash "$INFOPLANE_ROOT/docs/examples/slurm.sh" merge >"$work/out" 2>"$work/err"
check "batch merge" [ $? -eq 0 ]
same "batch" whole batch
run merge "$work/three/shard-00003-of-00003.state" "$work/three/shard-00001-of-00003.state" \
    "$work/three/shard-00002-of-00003.state" -o "$work/order" --threads 1 --isa scalar
same "in any order, on scalar" whole order
run merge "$work/three/"*.state --json --quiet
check "--json" grep -q '"schema": "infoplane.run/1"' "$work/out"
# The least bound is in the message; the soft assignments of a layer (4.5 MB) then go to the scratch folder.
run merge "$work/three/"*.state -o "$work/none" --memory 1M
check "a bound that is too small fails" [ $status -eq 1 ]
least=$(sed -n 's/.*needs \([0-9]*\)\..*/\1/p' "$work/err")
run merge "$work/three/"*.state -o "$work/narrow" --memory $((least + 1))M --scratch "$work" --threads 2
check "merge under a bound" [ $status -eq 0 ]
same "under a bound" whole narrow
check "no scratch is left" [ -z "$(find "$work" -name '.infoplane-scratch*')" ]

# As many shards as documents; one shard; back-off; documents too short to be counted; no groups, no null, no loss.
few=(--documents 6 --orders 2 --labels backoff --min-count 3 --null 0 --groups 0 --quiet)
run analyze "$model" "$text" "${few[@]}" -o "$work/few"
shards six 6 "${few[@]}"
run merge "$work/six/"*.state -o "$work/sixth" --quiet
same "as many shards as documents" few sixth
shards one 1 "${few[@]}"
run merge "$work/one/"*.state -o "$work/ones" --quiet
same "one shard" few ones
printf '{"text": "a"}\n{"text": "%s"}\n{"text": "b"}\n' "$(sed -n '1s/^{"[a-z]*": "\([^"]*\)".*/\1/p' "$text")" >"$work/short.jsonl"
text=$work/short.jsonl
run analyze "$model" "$text" --quiet -o "$work/short"
check "short documents" [ $status -eq 0 ]
shards shorts 3 --quiet
run merge "$work/shorts/"*.state -o "$work/shortest" --quiet
same "shards without a counted position" short shortest
text=$demo/heldout.jsonl

run analyze "$model" "$text" "${few[@]}" --shard 7/7 -o "$work/none"
check "more shards than documents: exit 2" [ $status -eq 2 ]
for value in 0/3 4/3 3 a/b 1/ /1 1/2/3; do
    run analyze "$model" "$text" --shard $value -o "$work/none"
    check "--shard $value: exit 2" [ $status -eq 2 ]
done
run analyze "$model" "$text" --shard 1/2
check "--shard without -o: exit 2" [ $status -eq 2 ]
run merge
check "merge of nothing: exit 2" [ $status -eq 2 ]

s=$work/three/shard-0000
of=-of-00003.state
refused "shard 2 of 3 is missing" "${s}1$of" "${s}3$of"
refused "shard 3 of 3 is missing" "${s}1$of" "${s}2$of"
cp "${s}2$of" "$work/again.state"
refused "are both shard 2 of 3" "${s}1$of" "${s}2$of" "${s}3$of" "$work/again.state"
refused "the number of shards differs" "${s}1$of" "$work/six/shard-00002-of-00006.state"
other() { # what differs, then the options
    local what=$1
    shift
    run analyze "$model" "$text" "${settings[@]}" "$@" --shard 2/3 -o "$work/other"
    refused "$what.* differs" "${s}1$of" "$work/other/shard-00002$of" "${s}3$of"
}
other "the corpus" --documents 29
other "--orders, --labels" --orders 3
other "--bins, --seed" --seed 1
other "--null, --groups" --groups 7
other "--compute" --compute f32
other "--weights" --weights q4_0
other "--loss" --loss-end 1
other "--name" --name other
refused "not a state file" "$text"
: >"$work/empty.state"
refused "not a state file" "$work/empty.state"
size=$(wc -c <"${s}2$of")
for keep in 12 100 700 $((size / 2)) $((size - 1)); do
    head -c $keep "${s}2$of" >"$work/cut.state"
    refused "cut.state: " "${s}1$of" "$work/cut.state" "${s}3$of"
done
# A byte turned anywhere is found: in the table, in the description, in ids, in a layer, in the losses.
for at in 20 60 400 700 $((size / 3)) $((size / 2)) $((size - 9000)) $((size - 2000)); do
    cp "${s}2$of" "$work/turned.state"
    byte=$(dd if="${s}2$of" bs=1 skip=$at count=1 2>/dev/null | od -An -tu1)
    printf "\\x$(printf %02x $(((byte + 1) % 256)))" | dd of="$work/turned.state" bs=1 seek=$at conv=notrunc 2>/dev/null
    run merge "${s}1$of" "$work/turned.state" "${s}3$of" -o "$work/refused" --quiet
    # bytes between the sections carry nothing
    check "byte $at turned: refused, or of no meaning" [ $status -eq 3 -o $status -eq 0 ]
    [ $status -eq 0 ] && same "byte $at" whole refused && rm -r "$work/refused"
    [ $status -eq 3 ] && check "byte $at: by name" grep -q "turned.state" "$work/err"
done
finish
