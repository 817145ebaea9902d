#!/usr/bin/env bash
# Writes the output of every command, the command line on top, to a folder of text files.
#
#   docs/examples/make.sh PROGRAM MODEL CORPUS OTHER-CORPUS PAIRS FOLDER [DOCUMENTS]
#
# The files in docs/examples were made so from SmolLM2-135M-Instruct (Q4_1) and 40 documents of C4; OTHER-CORPUS is
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
documents=${7:-40}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln -s "$model" "$(basename "$model")"
for file in "$corpus" "$other" "$pairs"; do [ -e "$(basename "$file")" ] || ln -s "$file" "$(basename "$file")"; done
model=$(basename "$model") corpus=$(basename "$corpus") other=$(basename "$other") pairs=$(basename "$pairs")

# example NAME ARGUMENT...: at most 60 lines of what the program prints.
example() {
    local name=$1
    shift
    { printf '$ infoplane'; printf ' %s' "$@"; echo; } >"$out/$name.txt"
    "$program" "$@" --quiet >output
    head -60 output >>"$out/$name.txt"
    [ "$(wc -l <output)" -le 60 ] || echo "..." >>"$out/$name.txt"
}
some="--documents $documents --orders 2"
example analyze analyze "$model" "$corpus" $some --loss --lens --top 5 -o stored
example analyze-plan analyze "$model" "$corpus" $some --plan
example bound bound "$model" "$corpus" $some --effort low
example preference preference "$model" "$pairs" --documents "$documents"
"$program" analyze "$model" "$corpus" $some --loss --weights q8_0 --name q8_0 --quiet -o q8_0 >/dev/null
"$program" analyze "$model" "$corpus" $some --loss --weights q5_0 --name q5_0 --quiet -o q5_0 >/dev/null
"$program" analyze "$model" "$corpus" $some --loss --weights q4_0 --name q4_0 --quiet -o q4_0 >/dev/null
example compare compare q8_0 q4_0
example trajectory trajectory q4_0 q5_0 q8_0
printf 'model,score,params_b\nq4_0,0.30,0.13\nq5_0,0.33,0.13\nq8_0,0.34,0.13\n' >scores.csv
example correlate correlate q4_0 q5_0 q8_0 --scores scores.csv
example overlap overlap "$corpus" --against "$other" --orders 5
for part in 1 2; do
    "$program" analyze "$model" "$corpus" $some --quiet --shard $part/2 -o part-$part >/dev/null
done
example merge merge part-1 part-2 -o merged
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
