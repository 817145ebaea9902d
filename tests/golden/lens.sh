#!/usr/bin/env bash
# The logit lens of the demonstration model: against transformers (tests/data/lens_demo.tsv), against the loss at the last
# layer to the bit, the same with states in a scratch file, and in run.json, layers.csv, the table and the plan.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
patience=120

near() { check "$1: $2, wanted $3" awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; exit !(a != "" && d <= t && d >= -t) }'; }
lens() { grep "^  {\"layer\": $1," "$work/run/run.json" | sed 's/.*"lens": {"nats": \([0-9.e-]*\), "entropy": \([0-9.e-]*\)}.*/\1 \2/'; }

demo_run=(analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --compute f32)
run "${demo_run[@]}" --loss --lens -o "$work/run" --quiet
check "analyze --lens" [ $status -eq 0 ]
layers=0
while IFS=$'\t' read -r layer nats entropy tokens; do
    read -r our_nats our_entropy < <(lens "$layer")
    near "layer $layer: nats" "$our_nats" "$nats" 1e-6
    near "layer $layer: entropy" "$our_entropy" "$entropy" 1e-6
    layers=$((layers + 1))
done < <(grep '^[0-9]' "$INFOPLANE_ROOT/tests/data/lens_demo.tsv")
check "five layers" [ $layers -eq 5 ]
loss=$(sed -n 's/.*"loss": {"nats_per_token": \([0-9.]*\).*/\1/p' "$work/run/run.json")
check "the last layer is the loss, to the bit" [ "$(lens 4 | cut -d' ' -f1)" = "$loss" ]
check "over as many tokens" grep -q "\"tokens\": $(tail -1 "$INFOPLANE_ROOT/tests/data/lens_demo.tsv" | cut -f4)," "$work/run/run.json"
check "the table shows it" grep -q "^    4  2.1680" "$work/out"
check "layers.csv has it" grep -q "^4,3,.*,$loss,$(lens 4 | cut -d' ' -f2)," "$work/run/layers.csv"
cp "$work/run/run.json" "$work/with"

# The loss is the same figure, and the estimates are the same, without it.
run "${demo_run[@]}" --loss -o "$work/run" --quiet
sed -e '/^ "run": /d' -e 's/"lens": {[^}]*}/"lens": null/' "$work/with" >"$work/a"
sed -e '/^ "run": /d' "$work/run/run.json" >"$work/b"
check "the rest is what it is without the lens" cmp -s "$work/a" "$work/b"

# Without a loss, and in little memory: states in a scratch file stay what the next layer reads.
least=$("$INFOPLANE" "${demo_run[@]}" --lens --plan --json --quiet | sed -n 's/.*"memory_least": \([0-9]*\).*/\1/p')
run "${demo_run[@]}" --lens --memory $((least + 1000000)) --scratch "$work" -o "$work/run" --quiet
check "little memory" [ $status -eq 0 ]
sed -e '/^ "run": /d' -e '/^ "loss": /d' "$work/with" >"$work/a"
sed -e '/^ "run": /d' -e '/^ "loss": /d' "$work/run/run.json" >"$work/b"
check "the same digits in little memory, without a loss" cmp -s "$work/a" "$work/b"
finish
