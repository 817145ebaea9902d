#!/usr/bin/env bash
# Where results go: folders, standard output, devices that are full, places that cannot be written; nothing half-written
# ever stands under a final name.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl
patience=120
analyze=(analyze "$model" --documents 5 --quiet)

one_line() { [ "$(wc -l <"$work/err")" -eq 1 ]; }
no_parts() { [ -z "$(find "$work" -name '*.part-*' -o -name '.infoplane-scratch*')" ]; }

run "${analyze[@]}" "$text" --loss -o "$work/run"
check "analyze -o" [ $status -eq 0 ]
check "five files" [ "$(ls "$work/run" | tr '\n' ' ')" = "groups.npy layers.csv run.json token-loss.npy token-loss.offsets.npy " ]
check "csv has a row per layer and order" [ "$(wc -l <"$work/run/layers.csv")" -eq 16 ]
check "table on stdout" grep -q "I(X;Z)" "$work/out"

check "the columns of the table" [ "$(awk -F, '{ print NF }' "$work/run/layers.csv" | sort -u)" = 19 ]
check "no column but the two of the lens is empty" [ -z "$(sed 's/,,,/,/' "$work/run/layers.csv" | grep -e ,, -e ',$')" ]
check "groups of groups.npy: layers, quantities, a group for each of five documents" \
    grep -aq "'shape': (5, 8, 5)" "$work/run/groups.npy"
check "the table tells null and interval" grep -q "^I(X;Z) complexity *n = 3" "$work/out"
run "${analyze[@]}" "$text" --null 0 --groups 0 -o "$work/bare"
check "without null and groups" [ $status -eq 0 ]
check "no groups.npy" [ ! -e "$work/bare/groups.npy" ]
check "nothing about intervals" [ -z "$(grep interval "$work/out")" ]
figures() { tr '{' '\n' <"$1/run.json" | sed -n 's/^"I": \([^,]*\),.*/\1/p'; }
check "null and groups leave the figures alone" [ "$(figures "$work/run")" = "$(figures "$work/bare")" ]
check "of five layers and the mean" [ "$(figures "$work/bare" | wc -l)" -eq 36 ]
run "${analyze[@]}" "$text" --documents 1 --json
check "a single document" [ $status -eq 0 ]
check "has no groups and no interval" grep -q '"groups": 0' "$work/out"
check "but its null" [ -z "$(grep '"I": [^,]*, "null": null' "$work/out")" ]
run "${analyze[@]}" "$text" --bootstrap 20 --json
check "bootstrap of the layers" [ -z "$(sed '/^ "mean"/,$d' "$work/out" | grep '"boot_low": null')" ]

run "${analyze[@]}" "$text" --json
check "--json" [ $status -eq 0 ]
check "the JSON is that of run.json" grep -q '"schema": "infoplane.run/1"' "$work/out"
check "nothing on stderr" [ ! -s "$work/err" ]

touch "$work/file"
run "${analyze[@]}" "$text" -o "$work/file/run"
check "a folder below a file fails" [ $status -eq 1 ]
check "one line" one_line
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/closed"
    chmod 500 "$work/closed"
    run "${analyze[@]}" "$text" -o "$work/closed/run"
    check "a folder that cannot be made fails" [ $status -eq 1 ]
fi
mkdir -p "$work/taken/run.json"
run "${analyze[@]}" "$text" -o "$work/taken"
check "run.json is a folder" [ $status -eq 1 ]
check "it is named" grep -q "taken/run.json" "$work/err"
check "no temporary is left" no_parts

if [ -e /dev/full ]; then
    status=0
    "$INFOPLANE" "${analyze[@]}" "$text" >/dev/full 2>"$work/err" || status=$?
    check "a full standard output fails" [ $status -eq 1 ]
    check "and says so" grep -q "cannot write" "$work/err"
    mkdir "$work/full"
    ln -s /dev/full "$work/full/run.json"
    run "${analyze[@]}" "$text" -o "$work/full"
    check "a full disk fails" [ $status -eq 1 ]
    check "and names the file" grep -q "full/run.json" "$work/err"
    ln -s /dev/full "$work/full/layer-00.npy"
    run states "$model" "$text" --documents 2 --quiet -o "$work/full"
    check "states on a full disk fail" [ $status -eq 1 ]
    ln -s /dev/full "$work/full/ids.npy"
    run tokenize "$model" "$text" -o "$work/full/ids.npy"
    check "ids on a full disk fail" [ $status -eq 1 ]
fi

run "${analyze[@]}" "$text" --scratch "$work/nowhere" --memory 1M
check "a bound that cannot be kept fails" [ $status -eq 1 ]
check "and says what is needed" grep -q "needs" "$work/err"

# documents shorter than the n-gram window
printf '{"text": "Ada"}\n{"text": ""}\n' >"$work/short.jsonl"
run analyze "$model" "$work/short.jsonl" --quiet
check "only short documents: refused" [ $status -eq 3 ]
check "one line that names the corpus" grep -q "short.jsonl" "$work/err"
cat "$work/short.jsonl" "$text" >"$work/mixed.jsonl"
run analyze "$model" "$work/mixed.jsonl" --documents 4 --quiet
check "short documents among others are fine" [ $status -eq 0 ]
check "they count no position" grep -q "^4 documents" "$work/out"

# standard input
head -3 "$text" >"$work/three.jsonl"
status=0
"$INFOPLANE" analyze "$model" - --format jsonl --json --quiet <"$work/three.jsonl" >"$work/out" 2>"$work/err" || status=$?
check "- as corpus" [ $status -eq 0 ]
run analyze "$model" "$work/three.jsonl" --json --quiet
id() { sed -n 's/.*"ids_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$work/out"; }
from_file=$(id)
"$INFOPLANE" analyze "$model" - --format jsonl --json --quiet <"$work/three.jsonl" >"$work/out" 2>"$work/err"
check "the same ids from a file and from standard input" [ "$from_file" = "$(id)" ]
status=0
"$INFOPLANE" analyze "$model" - --quiet <"$work/three.jsonl" >"$work/out" 2>"$work/err" || status=$?
check "- without --format is wrong usage" [ $status -eq 2 -o $status -eq 3 ]

# states: every token of every document
run states "$model" "$work/three.jsonl" --quiet -o "$work/states"
check "states" [ $status -eq 0 ]
check "layers 0 to 4 and positions" [ "$(ls "$work/states" | wc -l)" -eq 6 ]
sizes=$(stat -c %s "$work"/states/layer-*.npy | sort -u | wc -l)
check "layers of one size" [ "$sizes" -eq 1 ]
finish
