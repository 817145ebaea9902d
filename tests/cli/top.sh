#!/usr/bin/env bash
# analyze --top: the parts of all n-grams add up to I, the largest come first, and the n-grams are those of the text.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
analyze=(analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --quiet)

# lists FILE: the lists of a run.json, one a line: X of orders 1..K, then Y
lists() { sed -n '/^ "top": {/,$p' "$1" | grep '^   \[{'; }
# sums FILE: nats of each list
sums() { lists "$1" | sed 's/"nats": /\n&/g' | awk '/^   \[/ { if (NR > 1) print s; s = 0 } /^"nats"/ { s += $2 } END { print s }' OFMT=%.9f; }
means() { sed -n '/^ "mean"/p' "$1" | tr '{' '\n' | sed -n 's/^"I": \([^,]*\),.*/\1/p'; }

run "${analyze[@]}" --documents 6 --orders 3 --top 1000 -o "$work/all"
check "--top" [ $status -eq 0 ]
check "a list per side and order" [ "$(lists "$work/all/run.json" | wc -l)" -eq 6 ]
paste <(sums "$work/all/run.json") <(means "$work/all/run.json") >"$work/pairs"
check "the parts of all n-grams add up to the mean I" \
    [ "$(awk '{ d = $1 - $2; if ($1 > 1 && d < 1e-6 && d > -1e-6) n++ } END { print n }' "$work/pairs")" -eq 6 ]
check "largest first" [ -z "$(lists "$work/all/run.json" | sed 's/"nats": /\n&/g' |
    awk '/^   \[/ { last = 1e9 } /^"nats"/ { if ($2 + 0 > last) print; last = $2 + 0 }')" ]
check "the table names them" grep -q '" the"$' "$work/out"

# Every n-gram of length two and its count, from the ids of the text.
"$INFOPLANE" tokenize "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --documents 6 --ids --quiet >"$work/ids"
awk '{ for (t = 3; t <= NF - 3; t++) n[$(t - 1) ", " $t]++ } END { for (g in n) print g, n[g] }' "$work/ids" | sort >"$work/counted"
lists "$work/all/run.json" | sed -n 2p | sed 's/"ids": \[/\n/g' | sed -n 's/^\([0-9]*, [0-9]*\)\], .*"count": \([0-9]*\),.*/\1 \2/p' | sort >"$work/listed"
check "bigrams and their counts are those of the text" [ -s "$work/listed" -a -z "$(comm -23 "$work/listed" "$work/counted")" ]

# With back-off a rare n-gram is listed as what it has been shortened to: no longer one is rare.
run "${analyze[@]}" --documents 6 --orders 2 --labels backoff --min-count 4 --top 1000 -o "$work/short"
check "--top with back-off" [ $status -eq 0 ]
awk '{ for (t = 2; t <= NF; t++) n[$(t - 1) ", " $t]++ } END { for (g in n) if (n[g] >= 4) print g }' "$work/ids" | sort >"$work/common"
lists "$work/short/run.json" | sed -n 2p | sed 's/"ids": \[/\n/g' | sed -n 's/^\([0-9]*, [0-9]*\)\], .*/\1/p' | sort >"$work/listed"
check "bigrams that occur four times" [ -s "$work/listed" -a -z "$(comm -23 "$work/listed" "$work/common")" ]
check "and no label twice" [ -z "$(lists "$work/short/run.json" | sed -n 2p | sed 's/"ids": \[/\n/g' | sed -n 's/\].*//p' | sort | uniq -d)" ]
finish
