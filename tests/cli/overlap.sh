#!/usr/bin/env bash
# Overlap of two parts of the demo's text with 50 documents in common, against Python's sets (tests/data/overlap_demo.json,
# made by tests/scripts/overlap_check.py): every order, every document; the same for any threads and form of file.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
patience=120
text=$INFOPLANE_ROOT/models/demo/heldout.jsonl
expected=$INFOPLANE_ROOT/tests/data/overlap_demo.json
head -100 "$text" >"$work/a.jsonl"
sed -n '51,$p' "$text" >"$work/b.jsonl"

# overlap OUTPUT ARGUMENT...
overlap() {
    local output=$1
    shift
    run overlap "$@" --orders 13 -o "$work/$output" --quiet
    check "overlap $*" [ $status -eq 0 ]
}
# Python's numbers of an order, as a row of overlap.csv without the shares.
wanted() { grep -o '{"order": [^}]*}' "$expected" | sed 's/[^0-9 ]//g; s/^ *//; s/  */,/g'; }
counted() { tail -n +2 "$1/overlap.csv" | cut -d, -f1-3,5,6,8,9; }
wanted_documents() { sed 's/.*"shared": \[\[/[/; s/\]\].*/]/' "$expected" | grep -o '\[[0-9, ]*\]' | tr -d '[] '; }

overlap words "$work/a.jsonl" --against "$work/b.jsonl" --threads 3
check "13 orders are known" [ "$(wanted | wc -l)" -eq 13 ]
check "every order" diff <(wanted) <(counted "$work/words")
check "every document" diff <(wanted_documents) <(tail -n +2 "$work/words/overlap-documents.csv" | cut -d, -f4-)
check "the 50 common documents overlap whole" [ "$(grep -c '"document": 5[1-9]\|"document": [6-9][0-9]\|"document": 100' "$work/words/overlap.json")" -eq 10 ]

# Lines of plain text are the same documents; so is B in two files, compressed.
for side in a b; do sed 's/^{"[a-z]*": "//; s/", "bits".*//' "$work/$side.jsonl" >"$work/$side.txt"; done
overlap lines "$work/a.txt" --against "$work/b.txt" --split line --threads 1
check "lines of plain text" cmp "$work/words/overlap.csv" "$work/lines/overlap.csv"
head -60 "$work/b.jsonl" | gzip >"$work/b1.jsonl.gz"
tail -n +61 "$work/b.jsonl" >"$work/b2.jsonl"
overlap parts "$work/a.jsonl" --against "$work/b1.jsonl.gz" --against "$work/b2.jsonl"
check "B in two files" cmp "$work/words/overlap.csv" "$work/parts/overlap.csv"

# By tokens: from text and from ids the same.
model=$INFOPLANE_ROOT/models/demo/demo.q8_0.gguf
overlap tokens "$work/a.jsonl" --against "$work/b.jsonl" --tokenizer "$model"
for side in a b; do run tokenize "$model" "$work/$side.jsonl" --no-add-special -o "$work/$side.npy" --quiet; done
overlap ids "$work/a.npy" --against "$work/b.npy" --tokenizer "$model"
check "text and ids" cmp "$work/tokens/overlap.csv" "$work/ids/overlap.csv"
check "tokens are not words" [ "$(cmp -s "$work/words/overlap.csv" "$work/tokens/overlap.csv"; echo $?)" -eq 1 ]

# A corpus overlaps itself whole; a text that shares nothing overlaps nowhere.
overlap self "$work/a.jsonl" --against "$work/a.jsonl"
check "itself" [ "$(tail -n +2 "$work/self/overlap.csv" | cut -d, -f4,7 | sort -u)" = "1,1" ]
echo '{"text": "zzz yyy"}' >"$work/none.jsonl"
overlap none "$work/a.jsonl" --against "$work/none.jsonl"
check "nothing" [ "$(tail -n +2 "$work/none/overlap.csv" | cut -d, -f3,6 | sort -u)" = "0,0" ]

# wrong STATUS SAID ARGUMENT...
wrong() {
    local code=$1 said=$2
    shift 2
    run overlap "$@"
    check "$*: exit $code" [ $status -eq "$code" ]
    check "$*: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
    check "$*: says $said" grep -q -- "$said" "$work/err"
}
wrong 2 "usage: infoplane overlap" "$work/a.jsonl"
wrong 2 "1 to 13" "$work/a.jsonl" --against "$work/b.jsonl" --orders 14
wrong 2 "from 0 to 1" "$work/a.jsonl" --against "$work/b.jsonl" --share 1.5
wrong 2 "they have no words" "$work/a.npy" --against "$work/b.jsonl"
wrong 3 "No such file" "$work/a.jsonl" --against "$work/missing.jsonl"
wrong 1 "too small" "$work/a.jsonl" --against "$work/b.jsonl" --orders 13 --memory 1M
finish
