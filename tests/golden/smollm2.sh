#!/usr/bin/env bash
# SmolLM2-135M (Q4_1) on real web text against transformers and a double-precision estimator: tokens, hidden states, every
# H and I, losses; f32 on 20 documents, the default int16 on 20 and on all 200.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
golden=$INFOPLANE_SHARED/golden/smollm2
model=$INFOPLANE_SHARED/models/SmolLM2-135M-Instruct.Q4_1.gguf
text=$INFOPLANE_SHARED/data/c4-sample/c4_sample.jsonl
skip_unless "$golden"
patience=500
compare=$INFOPLANE_BUILD/bin/golden-compare

analyze() { # folder documents compute orders more...
    local folder=$1 documents=$2 compute=$3 orders=$4
    shift 4
    run analyze "$model" "$text" --documents "$documents" --compute "$compute" --orders "$orders" \
        --anchors "$golden/anchors.npy" -o "$work/$folder" --quiet "$@"
    check "analyze $folder" [ $status -eq 0 ]
}

analyze f32 20 f32 4 --loss
check "f32 estimates" "$compare" estimates "$work/f32/run.json" "$golden/expected_20.json" exact 1e-5
first20=$(sed -n 's/.*"mean_nll_first_20_documents": *\([0-9.e-]*\).*/\1/p' "$golden/loss.json")
all200=$(sed -n 's/.*"mean_nll": *\([0-9.e-]*\).*/\1/p' "$golden/loss.json")
check "f32 loss" "$compare" loss "$work/f32/run.json" "$first20" 1e-5
check "f32 token losses" "$compare" token-loss "$work/f32/token-loss.npy" "$golden/token_loss.npy" 1e-4

run analyze "$model" "$golden/ids.npy" --offsets "$golden/offsets.npy" --documents 20 --compute f32 --orders 3 --anchors "$golden/anchors.npy" \
    -o "$work/k3" --quiet
check "ids as a corpus" [ $status -eq 0 ]
ids_of() { sed -n 's/.*"ids_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$work/$1/run.json"; }
check "the golden's ids from the text" [ -n "$(ids_of k3)" -a "$(ids_of k3)" = "$(ids_of f32)" ]
check "orders 1 to 3" "$compare" estimates "$work/k3/run.json" "$golden/expected_20_k3.json" exact 1e-5

run states "$model" "$text" --documents 20 --compute f32 -o "$work/states" --quiet
check "states" [ $status -eq 0 ]
check "f32 hidden states" "$compare" states "$work/states" "$golden/hidden.npy" "$golden/hidden_rows.tsv" 1e-4
check "f32 norms" "$compare" norms "$work/states" "$golden/norms.npy" 3e-5
rm -rf "$work/states"

analyze int16 20 auto 4 --loss
check "int16 estimates" "$compare" estimates "$work/int16/run.json" "$golden/expected_20.json" exact 3e-4
check "int16 loss" "$compare" loss "$work/int16/run.json" "$first20" 1e-4
analyze all 200 auto 4 --loss
check "int16 estimates, 200 documents" "$compare" estimates "$work/all/run.json" "$golden/expected_200.json" exact 3e-4
check "int16 loss, 200 documents" "$compare" loss "$work/all/run.json" "$all200" 1e-4
for rule in 2 5; do
    analyze "corpus$rule" 20 f32 4 --labels backoff --min-count $rule
    check "backoff $rule, counted over the corpus" "$compare" estimates "$work/corpus$rule/run.json" \
        "$golden/expected_20_corpus_tables.json" "backoff$rule" 1e-5
    analyze "positions$rule" 20 f32 4 --labels backoff --min-count $rule --count-at positions
    check "backoff $rule, counted at the positions" "$compare" estimates "$work/positions$rule/run.json" \
        "$golden/expected_20.json" "backoff$rule" 1e-5
done
finish
