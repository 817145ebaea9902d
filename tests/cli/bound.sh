#!/usr/bin/env bash
# `bound` and `analyze --bound` from outside: files, table, the same digits for any number of threads and any instruction
# set, wrong usage.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl
patience=300
few=(--documents 30 --orders 2 --bins 30 --effort low --beta 1.1,2,10 --quiet)

one_line() { [ "$(wc -l <"$work/err")" -eq 1 ]; }

run bound "$model" "$text" "${few[@]}" --threads 1 -o "$work/one"
check "bound" [ $status -eq 0 ]
check "says what the curve is" grep -q "a lower bound of the true envelope" "$work/out"
check "a section per order" [ "$(grep -c '^order ' "$work/out")" -eq 2 ]
check "rows line up" [ "$(grep -E '^ +[0-9]+\.[0-9]{4} ' "$work/out" | cut -c1-75 | awk '{print length}' | sort -u | wc -l)" -eq 1 ]
check "two files" [ "$(ls "$work/one" | tr '\n' ' ')" = "bound.csv bound.json " ]
check "a row per order and beta" [ "$(wc -l <"$work/one/bound.csv")" -eq 7 ]
check "the schema" grep -q '"schema": "infoplane.bound/1"' "$work/one/bound.json"

# I_Y <= I_X, and at most what is above: columns of the csv
check "no point above min(I_X, upper)" awk -F, 'NR > 1 && ($4 > $3 + 1e-12 || $4 > $8 + 1e-12) { bad = 1 } END { exit bad }' \
    "$work/one/bound.csv"

run bound "$model" "$text" "${few[@]}" --threads 3 --isa scalar -o "$work/three"
check "bound on other threads, scalar" [ $status -eq 0 ]
check "the same digits" cmp -s "$work/one/bound.csv" "$work/three/bound.csv"
run bound "$model" "$text" "${few[@]}" --json
check "--json is bound.json" grep -q '"curves"' "$work/out"

run bound "$model" "$text" "${few[@]}" --labels backoff -o "$work/backoff"
check "backed-off labels" [ $status -eq 0 ]
check "merge n-grams" [ "$(sed -n 's/.*"sizes": {"x": \([0-9]*\).*/\1/p' "$work/backoff/bound.json" | tail -1)" -lt \
    "$(sed -n 's/.*"sizes": {"x": \([0-9]*\).*/\1/p' "$work/one/bound.json" | tail -1)" ]

run analyze "$model" "$text" --documents 30 --orders 2 --bins 30 --null 0 --groups 0 --bound --effort low \
    --beta 1.1,2,10 --quiet -o "$work/run"
check "analyze --bound" [ $status -eq 0 ]
check "the table of gaps" grep -q "gap below it" "$work/out"
check "every layer and the mean have gaps" [ "$(grep -c '"bound": \[{"curve"' "$work/run/run.json")" -ge 6 ]
check "the curves are those of bound" [ "$(grep -o '"hull": .*' "$work/run/run.json" | cut -c1-60 | head -1)" = \
    "$(grep -o '"hull": .*' "$work/one/bound.json" | cut -c1-60 | head -1)" ]
# What lies above the curve is named: as many lines as negative gaps.
above=$(grep -o '"gap": -[0-9.e-]*' "$work/run/run.json" | awk '$2 < -1e-9 { n++ } END { print n + 0 }')
check "points above are named ($above)" [ "$(grep -c '^ABOVE' "$work/out")" -eq "$above" ]
run analyze "$model" "$text" --documents 5 --orders 1 --null 0 --groups 0 --quiet --json
check "without --bound it is null" grep -q '"bound": null' "$work/out"

for wrong in "--beta 1" "--beta 0.5,2" "--beta 3:2:5" "--beta x" "--effort most" "--bins 1" "--orders 5"; do
    run bound "$model" "$text" $wrong --quiet
    check "bound $wrong is wrong usage" [ $status -eq 2 ]
    check "bound $wrong: one line" one_line
done
run bound "$model"
check "bound without a corpus" [ $status -eq 2 ]
run bound "$work/none.gguf" "$text" --quiet
check "no model" [ $status -eq 3 ]
printf '{"text": "Ada"}\n' >"$work/short.jsonl"
run bound "$model" "$work/short.jsonl" --quiet
check "nothing to count" [ $status -eq 3 ]
run bound "$model" "$text" --memory 1M --quiet
check "a memory bound that cannot be kept" [ $status -eq 1 ]
check "is told in one line" one_line
finish
