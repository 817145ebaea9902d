#!/usr/bin/env bash
# The command line: help, version, wrong usage with hints, exit codes.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl
patience=60

wrong() { # text-that-must-be-said arguments...
    local said=$1
    shift
    run "$@"
    check "$*: exit 2" [ $status -eq 2 ]
    check "$*: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
    check "$*: says $said" grep -q -- "$said" "$work/err"
    check "$*: nothing on stdout" [ ! -s "$work/out" ]
}

run --version
check "--version" grep -q "^infoplane [0-9]" "$work/out"
run --help
check "--help" [ $status -eq 0 ]
for command in analyze states entropy tokenize inspect cpu; do
    check "the overview lists $command" grep -q "^  $command" "$work/out"
done
for command in analyze states entropy tokenize inspect cpu; do
    run $command --help
    check "$command --help" [ $status -eq 0 ]
    check "$command --help begins with an example" grep -q "^  infoplane $command" "$work/out"
    run --help
done
run
check "no command: exit 2" [ $status -eq 2 ]
wrong "did you mean analyze" analyse x y
wrong "see infoplane --help" frobnicate
wrong "did you mean --documents" analyze "$model" "$text" --document 3
wrong "not an option of this command" inspect "$model" --orders 2
wrong "needs a value" analyze "$model" "$text" --orders
wrong "1, 2, 3 or 4" analyze "$model" "$text" --orders 5
wrong "whole number" analyze "$model" "$text" --documents -3
wrong "whole number" analyze "$model" "$text" --documents 3x
wrong "200M" analyze "$model" "$text" --memory lots
wrong "auto, f32" analyze "$model" "$text" --compute f16
wrong "q8_0, q5_1, q5_0, q4_1, q4_0, bf16, f16" analyze "$model" "$text" --weights q4_k
wrong "there are q8_0" states "$model" "$text" -o "$work/none" --weights q9_0
wrong "not an option of this command" inspect "$model" --weights q8_0
wrong "leading-order" analyze "$model" "$text" --calibration vmf
wrong "exact and backoff" analyze "$model" "$text" --labels rough
wrong "usage" analyze "$model"
wrong "vocabulary" analyze "$model" "$text" --loss-end 100000
wrong "-o DIR" states "$model" "$text"
wrong "takes no value" analyze "$model" "$text" --loss=yes
wrong "2 to 1024 groups" analyze "$model" "$text" --groups 1
wrong "2 to 1024 groups" analyze "$model" "$text" --groups 1025
wrong "10000 permutations" analyze "$model" "$text" --null 10001
wrong "100000 resamples" entropy "$text" --bootstrap 100001
wrong "whole number" analyze "$model" "$text" --null four
wrong "unknown" analyze "$model" "$text" --isa sse9
run cpu --isa neon
[ "$(uname -m)" = aarch64 ] || check "a level that this machine cannot run: exit 2" [ $status -eq 2 ]
INFOPLANE_ISA=scalar run cpu
check "INFOPLANE_ISA" grep -q "^chosen: scalar" "$work/out"
INFOPLANE_ISA=sse9 run analyze "$model" "$text" --documents 2
check "a wrong INFOPLANE_ISA: exit 2" [ $status -eq 2 ]
INFOPLANE_ISA=sse9 run analyze "$model" "$text" --documents 2 --isa scalar --quiet
check "--isa wins over INFOPLANE_ISA" [ $status -eq 0 ]
run analyze "$work/none.gguf" "$text"
check "a model that is not there: exit 3" [ $status -eq 3 ]
run analyze "$model" "$work/none.jsonl"
check "a corpus that is not there: exit 3" [ $status -eq 3 ]

run analyze "$model" "$text" --plan
check "--plan" grep -q "expected time" "$work/out"
run analyze "$model" "$text" --plan --json
check "--plan --json" grep -q '"memory_least": [0-9]' "$work/out"
run inspect "$model" --tensors
check "inspect" grep -q "token_embd.weight" "$work/out"
run inspect --supported
check "inspect --supported" [ $status -eq 0 ]
for word in "general.architecture): .*llama" "int16.* Q6_K" "int16.* IQ1_M" "f32.* BF16" "hold no weights: .*Q8_1" \
    "weights: q8_0" "tokenizer.ggml.model): .*gpt2" "tokenizer.ggml.pre): .*smollm" "files: GGUF"; do
    check "inspect --supported lists $word" grep -q -- "$word" "$work/out"
done
run inspect --supported --json
check "inspect --supported --json" grep -q '"name": "IQ2_XXS", "block": 256, "bytes": 66, "auto": "int16"' "$work/out"
run analyze "$model" "$text" --plan --weights q4_0
check "--plan says what is requantised" grep -q "(Q4_0, F32; stored as Q8_0, F32)" "$work/out"
run analyze "$model" "$text" --documents 3 --json --quiet --weights q4_0
check "--weights" grep -q '"weights": "Q4_0, F32", "weights_stored": "Q8_0, F32"' "$work/out"
run states "$model" "$text" --documents 3 --quiet -o "$work/stored"
run states "$model" "$text" --documents 3 --quiet -o "$work/same" --weights Q8_0
run states "$model" "$text" --documents 3 --quiet -o "$work/coarse" --weights q4_0
check "states --weights: the stored type changes nothing" cmp -s "$work/stored/layer-04.npy" "$work/same/layer-04.npy"
check "states --weights: another type does" [ $status -eq 0 -a "$(cmp -s "$work/stored/layer-00.npy" "$work/coarse/layer-00.npy"; echo $?)" -eq 1 ]
printf 'Ada hurrys.' >"$work/text"
run tokenize "$model" "$work/text"
check "tokenize" grep -q '"Ada"' "$work/out"
run tokenize "$model" "$work/text" --ids
check "tokenize --ids is one line of numbers" grep -qE '^[0-9]+( [0-9]+)*$' "$work/out"
run tokenize "$model" "$text" -o "$work/ids.npy"
check "tokenize -o" [ -s "$work/ids.npy" -a -s "$work/ids.offsets.npy" ]
run analyze "$model" "$work/ids.npy" --max-tokens 0 --json --quiet
ids_again=$(sed -n 's/.*"ids_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$work/out")
run analyze "$model" "$text" --max-tokens 0 --json --quiet
check "the ids are a corpus again" [ -n "$ids_again" -a "$ids_again" = "$(sed -n 's/.*"ids_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$work/out")" ]
finish
