#!/usr/bin/env bash
# compare, trajectory and correlate from outside: what they refuse, resuming, watching, what they write.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl
patience=$((patience * 12))
few=(--documents 6 --null 0 --orders 2 --quiet)

# refuses STATUS TEXT ARGUMENT...: exits so, with one line that says TEXT.
refuses() {
    local wanted=$1 said=$2
    shift 2
    run "$@"
    check "$*: exit $wanted" [ $status -eq "$wanted" ]
    check "$*: says $said" grep -qF -- "$said" "$work/err"
    check "$*: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
}

# ---- compare ----
run analyze "$model" "$text" "${few[@]}" --loss -o "$work/a"
run compare "$model" "$work/a" --corpus "$text" "${few[@]}" --loss -o "$work/pair"
check "a model against its run" [ $status -eq 0 ]
check "no difference" awk -F, 'NR > 1 && $5 != 0 { exit 1 }' "$work/pair/compare.csv"
check "layers, figures and loss" [ "$(wc -l <"$work/pair/compare.csv")" -eq $((1 + 6 * 8 + 1)) ]
run compare "$work/a" "$work/a" --json
check "JSON" grep -q '"schema": "infoplane.compare/1"' "$work/out"
run compare "$model" "$model" --corpus "$text" "${few[@]}" --b-weights q4_0 --top 8 -o "$work/top"
check "n-grams" grep -q 'I(Y;Z), order 2: [1-8] of them; B loses most' "$work/out"
# the difference is that of the two runs' own lists
command -v python3 >/dev/null && check "n-grams: A - B" python3 -c '
import json, sys
lists = [json.load(open(sys.argv[1] + "/" + s + "/run.json"))["top"] for s in "ab"]
top, seen = json.load(open(sys.argv[1] + "/compare.json"))["top"], 0
for side in "XY":
    for order, rows in enumerate(top[side]):
        a, b = ({tuple(r["ids"]): r["nats"] for r in l[side][order]} for l in lists)
        assert set(map(tuple, (r["ids"] for r in rows))) == set(a) & set(b)
        assert all(r["difference"] == a[tuple(r["ids"])] - b[tuple(r["ids"])] for r in rows)
        assert [r["difference"] for r in rows] == sorted((r["difference"] for r in rows), reverse=True)
        seen += len(rows)
assert seen > 8' "$work/top"

# the paired bootstrap, worked out from hidden states
if python3 -c 'import numpy' 2>/dev/null; then
    mkdir "$work/boot"
    python3 -c 'import numpy, sys
w = numpy.random.default_rng(5).standard_normal((30, 128))
numpy.save(sys.argv[1], (w / numpy.linalg.norm(w, axis=1, keepdims=True)).astype("<f4"))' "$work/boot/anchors.npy"
    run compare "$model" "$model" --corpus "$text" --documents 12 --null 0 --orders 1 --loss --bootstrap 40 --seed 3 \
        --anchors "$work/boot/anchors.npy" --b-weights q4_0 --quiet -o "$work/boot/pair"
    check "a bootstrap" [ $status -eq 0 ]
    check "a bootstrap: a column of the table" grep -q '95 % interval of A - B  bootstrap, 95 %' "$work/out"
    run states "$model" "$text" --documents 12 --quiet -o "$work/boot/a"
    run states "$model" "$text" --documents 12 --weights q4_0 --quiet -o "$work/boot/b"
    run tokenize "$model" "$text" --documents 12 -o "$work/boot/ids.npy"
    check "a bootstrap: the same by definition" python3 "$INFOPLANE_ROOT/tests/scripts/paired_bootstrap_check.py" "$work/boot"
    run trajectory "$work/boot/pair/a" "$work/boot/pair/b" --json
    check "a bootstrap: the fall of a series is the pair's difference" python3 -c '
import json, sys
pair, path = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
assert path["estimator"]["bootstrap"] == 40
rows = zip(path["phases"]["mean_and_layers"], [pair["mean"]] + pair["layers"], strict=True)
falls = [(row[0]["fall"], figures["X"][0]) for row, figures in rows if row[0]["peak"] == 0]
assert len(falls) > 1 and all(f[k] == x[k] for f, x in falls for k in ("difference", "low", "high", "boot_low", "boot_high"))
' "$work/boot/pair/compare.json" "$work/out"
else
    echo "SKIPPED: no python3 with numpy: the paired bootstrap is not judged. Run toolchains/setup.sh."
    skipped=$((skipped + 1))
fi

run analyze "$model" "$text" "${few[@]}" --bins 50 -o "$work/b"
refuses 3 "they differ in --bins" compare "$work/a" "$work/b"
run analyze "$model" "$text" "${few[@]}" --documents 5 -o "$work/b"
refuses 3 "they differ in the text after splitting" compare "$work/a" "$work/b/run.json"
refuses 2 "say the text with --corpus" compare "$work/a" "$model"
refuses 2 "--corpus goes with models" compare "$work/a" "$work/a" --corpus "$text"
refuses 2 "usage: infoplane compare A B" compare "$work/a"
echo '{"schema": "infoplane.run/1"' >"$work/b/run.json"
refuses 3 "run.json" compare "$work/a" "$work/b"

# ---- trajectory ----
mkdir "$work/checkpoints"
ln -s "$model" "$work/checkpoints/step-10.gguf"
cp "$model" "$work/checkpoints/step-9.gguf"
run trajectory "$work/checkpoints" --corpus "$text" "${few[@]}" -o "$work/t"
check "a folder of checkpoints" [ $status -eq 0 ]
check "by step, not by name" [ "$(grep -o '^step [0-9]*' "$work/out" | tr '\n' ' ')" = "step 9 step 10 " ]
check "a peak that is not above the rest" grep -q "within chance, no compression" "$work/out"
touch "$work/before"
rm -r "$work/t/step-9.gguf"
run trajectory "$work/checkpoints/*" --corpus "$text" "${few[@]}" -o "$work/t" --json
check "a pattern" grep -q '"schema": "infoplane.trajectory/1"' "$work/out"
check "only what was missing is made" [ "$(find "$work/t" -name run.json -newer "$work/before" | wc -l)" -eq 1 ]
run trajectory "$work/checkpoints" --corpus "$text" "${few[@]}" --bins 60 -o "$work/t"
check "other settings: made again" [ "$(find "$work/t" -name run.json -newer "$work/before" | wc -l)" -eq 2 ]
refuses 3 "no checkpoint in this folder" trajectory "$demo/.." --corpus "$text"
refuses 3 "nothing matches" trajectory "$work/none*" --corpus "$text"
refuses 2 "checkpoints are wanted" trajectory --corpus "$text"
refuses 2 "-o DIR says where" trajectory --watch "$work/checkpoints" --corpus "$text"
refuses 3 "they differ in the text" trajectory "$work/a" "$work/checkpoints" --corpus "$text" --documents 3 --quiet

# Watching: one checkpoint is there, one comes while it watches, in two strokes; a broken one is left out.
mkdir "$work/growing"
cp "$model" "$work/growing/step-1.gguf"
echo nonsense >"$work/growing/step-2.gguf"
timeout "$patience" "$INFOPLANE" trajectory --watch "$work/growing" --watch-until 2 --corpus "$text" --documents 3 --null 0 -o "$work/w" \
    >"$work/out" 2>"$work/err" &
watcher=$!
sleep 1
head -c 100000 "$model" >"$work/growing/.step-3.gguf"
sleep 1
cp "$model" "$work/growing/.step-3.gguf"
mv "$work/growing/.step-3.gguf" "$work/growing/step-3.gguf"
wait $watcher
status=$?
check "watching ends at two" [ $status -eq 0 ]
check "both were seen" [ "$(grep -c '^step' "$work/out")" -eq 2 ]
check "the result stands" [ -s "$work/w/trajectory.json" ]
check "the broken one was told" grep -q "step-2.gguf.*left out until it changes" "$work/err"

# Interrupted with a whole result, once both have been taken up.
rm "$work/w/trajectory.json"
# (--foreground: timeout passes the signal on once, not also to its group; the second one would end the program at once)
timeout --foreground "$patience" "$INFOPLANE" trajectory --watch "$work/growing" --corpus "$text" --documents 3 --null 0 -o "$work/w" \
    >"$work/out" 2>"$work/err" &
watcher=$!
for _ in $(seq "$patience"); do
    sleep 1
    grep -qs '"step": 3' "$work/w/trajectory.json" && break
done
kill $watcher
wait $watcher
status=$?
check "interrupted: a result all the same" [ $status -eq 0 ]
check "interrupted: the table" grep -q '^2 checkpoints' "$work/out"

# ---- correlate ----
refuses 2 "runs with --scores FILE, or --table FILE alone" correlate "$work/a"
refuses 3 "No such file" correlate "$work/a" --scores "$work/none.csv"
printf 'model,a\nx,1\n' >"$work/scores.csv"
refuses 3 "0 models with scores: four are the least" correlate "$work/a" --scores "$work/scores.csv" --quiet
refuses 2 "--order 3 is not there" correlate "$work/a" --scores "$work/scores.csv" --order 3
printf 'model,family,params_b,loss,complexity,words\n' >"$work/table.csv"
for i in 1 2 3 4 5 6; do printf 'f%d/m%d,f%d,%d.5,%d,0.%d,%d\n' $((i % 3)) $i $((i % 3)) $i $((7 - i)) $((i * 37 % 10)) $((i * i % 7)); done \
    >>"$work/table.csv"
run correlate --table "$work/table.csv" -o "$work/c"
check "a table" [ $status -eq 0 ]
cp "$work/out" "$work/once"
run correlate --table "$work/table.csv" --threads 3
check "the same again, on other threads" cmp -s "$work/out" "$work/once"
check "no p of 0: permutations are counted" grep -q '"permutations": 720' "$work/c/correlate.json"
check "CSV: two measures of agreement, three sets" [ "$(wc -l <"$work/c/correlate.csv")" -eq $((1 + 2 * 6)) ]
refuses 2 "--partial nothing: no column" correlate --table "$work/table.csv" --partial nothing
check "clean terminal" clean_terminal
finish
