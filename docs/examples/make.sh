#!/usr/bin/env bash
# Writes the output of every command, the command line on top, to a folder of text files.
#
#   docs/examples/make.sh PROGRAM MODEL CORPUS OTHER-CORPUS PAIRS FOLDER [DOCUMENTS]
#
# The files in docs/examples were made so from SmolLM2-135M-Instruct (Q4_1) and 24 documents of C4; OTHER-CORPUS is
# compared with the corpus by overlap, PAIRS are for preference. Paths are shown by their last part.
set -euo pipefail
export LC_ALL=C
program=$(realpath "$1")
model=$(realpath "$2")
corpus=$(realpath "$3")
other=$(realpath "$4")
pairs=$(realpath "$5")
mkdir -p "$6"
out=$(realpath "$6")
documents=${7:-24}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln -s "$model" "$(basename "$model")"
for file in "$corpus" "$other" "$pairs"; do [ -e "$(basename "$file")" ] || ln -s "$file" "$(basename "$file")"; done
model=$(basename "$model") corpus=$(basename "$corpus") other=$(basename "$other") pairs=$(basename "$pairs")

# example NAME ARGUMENT...: at most 160 lines of what the program prints.
example() {
    local name=$1
    shift
    { printf '$ infoplane'; printf ' %s' "$@"; echo; } >"$out/$name.txt"
    "$program" "$@" --quiet >output
    head -160 output >>"$out/$name.txt"
    [ "$(wc -l <output)" -le 160 ] || echo "..." >>"$out/$name.txt"
}
some="--documents $documents --orders 2"
example analyze analyze "$model" "$corpus" $some --loss --lens --top 5 -o stored
example analyze-plan analyze "$model" "$corpus" $some --plan
example bound bound "$model" "$corpus" $some --effort low
example preference preference "$model" "$pairs" --documents "$documents"
# The model at four sizes of weights; how well each predicts text of another kind is the score that correlate is given.
echo "model,bits_per_token_saved,params_b" >scores.csv
for type in q4_0 q4_1 q5_0 q8_0; do
    "$program" analyze "$model" "$corpus" $some --loss --weights $type --name $type --quiet -o $type >/dev/null
    loss=$("$program" analyze "$model" "$other" $some --loss --weights $type --null 0 --groups 0 --json --quiet |
        sed -n 's/.*"nats_per_token": \([0-9.]*\).*/\1/p' | head -1)
    echo "$type,$(awk -v loss="$loss" 'BEGIN { printf "%.6f", 15 - loss / log(2) }'),0.1345" >>scores.csv
done
example compare compare q8_0 q4_0
example trajectory trajectory q4_0 q4_1 q5_0 q8_0
example correlate correlate q4_0 q4_1 q5_0 q8_0 --scores scores.csv
example overlap overlap "$corpus" --against "$other" --orders 5
for part in 1 2; do
    "$program" analyze "$model" "$corpus" $some --quiet --shard $part/2 -o parts >/dev/null
done
example merge merge parts/*.state -o merged
"$program" states "$model" "$corpus" --documents 4 --quiet -o states
"$program" tokenize "$model" "$corpus" --documents 4 --quiet -o ids.npy
last=$(ls states | grep layer | tail -1)
example entropy entropy "states/$last" --labels ids.npy
example entropy-matrix entropy "states/$last" --labels ids.npy --estimator matrix
printf 'How does a language model compress what it reads?\n' >line.txt
example tokenize tokenize "$model" line.txt
example inspect inspect "$model"
example cpu cpu
"$program" report q4_0 q8_0 --quiet -o report.html
grep -q '</html>' report.html
