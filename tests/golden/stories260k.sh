#!/usr/bin/env bash
# stories260K (F32) on TinyStories: tokens, hidden states, estimates, losses against transformers.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
golden=$INFOPLANE_SHARED/golden/stories260k
model=$INFOPLANE_SHARED/models/stories260K.gguf
skip_unless "$golden"
patience=500
compare=$INFOPLANE_BUILD/bin/golden-compare

run tokenize "$model" "$golden/docs.jsonl" -o "$work/ids.npy" --quiet
check "tokenize" [ $status -eq 0 ]
head -1 "$golden/docs.jsonl" >"$work/one.jsonl"
run tokenize "$model" "$work/one.jsonl" -o "$work/one.npy" --quiet
check "first document's ids" "$compare" ids "$work/one.npy" "$golden/ids.npy" 320

run analyze "$model" "$golden/docs.jsonl" --documents 20 --orders 4 --anchors "$golden/anchors.npy" --loss \
    -o "$work/run" --quiet
check "analyze" [ $status -eq 0 ]
check "estimates" "$compare" estimates "$work/run/run.json" "$golden/expected_20.json" exact 1e-6
check "loss of tokens" "$compare" token-loss "$work/run/token-loss.npy" "$golden/token_loss.npy" 1e-4
run analyze "$model" "$golden/docs.jsonl" --documents 20 --orders 3 --anchors "$golden/anchors.npy" -o "$work/k3" --quiet
check "estimates, orders 1 to 3" "$compare" estimates "$work/k3/run.json" "$golden/expected_20_k3.json" exact 1e-6
run states "$model" "$golden/docs.jsonl" --documents 20 -o "$work/states" --quiet
check "states" [ $status -eq 0 ]
check "hidden states" "$compare" states "$work/states" "$golden/hidden.npy" "$golden/hidden_rows.tsv" 2e-5
check "norms" "$compare" norms "$work/states" "$golden/norms.npy" 3e-5
run analyze "$model" "$golden/docs.jsonl" --documents 20 --orders 4 --anchors "$golden/anchors.npy" \
    --labels backoff --min-count 5 -o "$work/backoff" --quiet
check "backoff" "$compare" estimates "$work/backoff/run.json" "$golden/expected_20_corpus_tables.json" backoff5 1e-6
if [ "$INFOPLANE_VARIANT" = native ]; then
    run analyze "$model" "$golden/docs.jsonl" --orders 4 --anchors "$golden/anchors.npy" --loss -o "$work/all" --quiet
    check "estimates, 200 documents" "$compare" estimates "$work/all/run.json" "$golden/expected_200.json" exact 1e-6
    all200=$(sed -n 's/.*"mean_nll": *\([0-9.e-]*\).*/\1/p' "$golden/loss.json")
    check "loss, 200 documents" "$compare" loss "$work/all/run.json" "$all200" 1e-5
    # the corpus as text gives exactly the golden's ids
    want=$("$INFOPLANE" analyze "$model" "$golden/ids.npy" --offsets "$golden/offsets.npy" --json --quiet | sed -n 's/.*"ids_fingerprint": "\([0-9a-f]*\)".*/\1/p')
    have=$(sed -n 's/.*"ids_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$work/all/run.json")
    check "all ids equal ($want, $have)" [ -n "$want" -a "$want" = "$have" ]
fi
finish
