#!/usr/bin/env bash
# docs/examples/paper.sh on five checkpoints of the demonstration model, with made-up scores that rise with training: it
# runs through, gives the correlations of every measure, does nothing twice, and its runs have the paper's settings.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
skip_unless "$INFOPLANE_SHARED/demo/ckpt"
script=$INFOPLANE_ROOT/docs/examples/paper.sh
corpus=$INFOPLANE_ROOT/models/demo/heldout.jsonl
out=$work/paper
models=()
echo "fullname,Average,#Params (B),IFEval,BBH" >"$work/scores.csv"
for step in 64 128 256 1024 2996; do
    printf -v folder '%s/demo/ckpt/step-%06d' "$INFOPLANE_SHARED" $step
    models+=("demo/step-$step=$folder")
    echo "demo/step-$step,$step,0.0006,$((step / 2)),$((3000 - step))" >>"$work/scores.csv"
done
for i in 1 2 3 4 5 6; do
    printf '{"prompt": "the %s", "chosen": " cat sat on a mat.", "rejected": " mat on cat a sat the."}\n' $i
done >"$work/pairs.jsonl"
paper() { "$script" -s "$work/scores.csv" -p "$work/pairs.jsonl" -d 20 -o "$out" "$corpus" "${models[@]}" >"$work/out" 2>"$work/err"; }
check "it runs through" paper
for measure in complexity expressivity optimality preference; do
    check "$measure is correlated, 5 models" grep -qE "^$measure +n " "$work/out"
done
check "five models with scores" grep -q "^5 models" "$work/out"
for key in '"labels": "backoff"' '"calibration": "leading-order"' '"bins": 100' '"orders": 4'; do
    check "the runs have $key" grep -q "$key" "$out/runs/demo--step-64/run.json"
done
check "the page is drawn" grep -q '</html>' "$out/report.html"
before=$(stat -c %Y.%i "$out"/runs/*/run.json)
check "a second time" paper
check "nothing is analysed twice" test "$before" = "$(stat -c %Y.%i "$out"/runs/*/run.json)" -a ! -s "$work/err"
finish
