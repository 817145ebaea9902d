#!/usr/bin/env bash
# The nineteen checkpoints of the demonstration model, as Hugging Face folders (BF16 safetensors): losses with and without
# the document's end, H(Z), context information and the information about every order, as means over layers, against
# transformers and a double-precision estimator.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
golden=$INFOPLANE_SHARED/golden/demo
demo=$INFOPLANE_SHARED/demo
skip_unless "$golden/plane.tsv"
skip_unless "$demo/ckpt"
patience=120

# near WHAT A B TOLERANCE
near() { check "$1: $2, wanted $3" awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; exit !(a != "" && d <= t && d >= -t) }'; }
# field KEY: its first number in run.json. of_mean KEY N: of the mean over layers, the N-th I of a list.
field() { sed -n "s/.*\"$1\": *\([0-9.e-]*\).*/\1/p" "$work/run/run.json" | head -1; }
mean() { grep -o '"mean": {.*' "$work/run/run.json"; }
information() { mean | sed "s/.*\"$1\": \[\([^]]*\)\].*/\1/" | grep -o '"I": [0-9.e-]*' | sed -n "$2s/.* //p"; }

count=0
while IFS=$'\t' read -r run step loss _ with_end _; do
    printf -v folder '%s/%s/step-%06d' "$demo" "$run" "$step"
    run analyze "$folder" "$golden/ids.npy" --offsets "$golden/offsets.npy" --anchors "$golden/anchors.npy" --orders 3 \
        --loss --loss-end 0 -o "$work/run" --quiet
    check "$run $step: analyze" [ $status -eq 0 ]
    near "$run $step: loss" "$(grep -o '"nats_per_token": [0-9.]*' "$work/run/run.json" | sed -n '1s/.* //p')" "$loss" 1e-6
    near "$run $step: loss with end" "$(grep -o '"nats_per_token": [0-9.]*' "$work/run/run.json" | sed -n '2s/.* //p')" \
        "$with_end" 1e-6
    while IFS=$'\t' read -r order x y _ context h _; do
        near "$run $step: I(X;Z), order $order" "$(information X "$order")" "$x" 2e-6
        near "$run $step: I(Y;Z), order $order" "$(information Y "$order")" "$y" 2e-6
        near "$run $step: H(Z)" "$(mean | sed 's/.*"H": \([0-9.]*\).*/\1/')" "$h" 2e-6
        near "$run $step: context" "$(mean | sed 's/.*"context": \([0-9.]*\).*/\1/')" "$context" 2e-6
    done < <(awk -F'\t' -v run="$run" -v step="$step" '$1 == run && $2 == step && $3 == "exact"' "$golden/plane.tsv" | cut -f 4-)
    count=$((count + 1))
done < <(tail -n +2 "$golden/losses.tsv")
check "nineteen checkpoints" [ $count -eq 19 ]
finish
