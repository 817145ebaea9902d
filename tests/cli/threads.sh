#!/usr/bin/env bash
# Several threads give the digits of one, through every parallel stage: tokens from JSONL and from plain text, the
# forward pass, assignments in memory and on scratch, the loss. Under ThreadSanitizer a race ends the program.
# variants: native tsan
. "$(dirname "${BASH_SOURCE[0]}")/../fixtures/cli.sh"
patience=300
few=20 many=60 counts="3 8 big"
[ "$INFOPLANE_VARIANT" = tsan ] && few=6 many=12 counts=3
demo=$INFOPLANE_ROOT/models/demo
sed -n 's/^{"text": "\(.*\)", "bits.*/\1/p' "$demo/heldout.jsonl" | head -$few >"$work/text.txt"

# The result without what may differ: the run's times and paths, the number of threads.
result() { sed -e '/^ "run": /d' -e 's/"threads": [0-9]*//' "$work/out"; }

# same NAME ARGUMENT...: one thread, then three and (where that is quick) more than there are processors.
same() {
    local name=$1 threads
    shift
    run analyze "$demo/demo.q8_0.gguf" "$@" --orders 4 --loss-end 0 --quiet --json --threads 1
    result >"$work/one"
    check "$name: one thread" [ $status -eq 0 -a -s "$work/one" ]
    for threads in $counts; do
        run analyze "$demo/demo.q8_0.gguf" "$@" --orders 4 --loss-end 0 --quiet --json --threads $threads
        result >"$work/many"
        check "$name: $threads threads run" [ $status -eq 0 ]
        check "$name: $threads threads give the digits of one" cmp -s "$work/one" "$work/many"
    done
}

same "JSONL" "$demo/heldout.jsonl" --documents $few
same "lines" "$work/text.txt" --split line --compute f32
same "chunks of one text" "$work/text.txt" --max-tokens 64 --labels backoff --compute int8
least=$("$INFOPLANE" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --documents $many --orders 4 --loss-end 0 \
    --threads 8 --plan --json | sed -n 's/.*"memory_least": \([0-9]*\).*/\1/p')
check "the plan tells the least memory" [ "${least:-0}" -gt 0 ]
same "states on scratch" "$demo/heldout.jsonl" --documents $many --memory $((least + 1000000)) --scratch "$work"

# -- by kind of core: where there is one kind, each is all
run cpu
check "cpu tells the kinds of cores" grep -qE '^cores: [0-9]+ (of one kind|big, [0-9]+ little)' "$work/out"
processors=$("$INFOPLANE" cpu --json | sed -n 's/.*"processors": \([0-9]*\).*/\1/p')
if grep -q 'of one kind' "$work/out"; then
    run analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --documents 4 --threads little --plan --json
    check "little is all" grep -q "\"threads\": $processors\b" "$work/out"
fi
run analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --threads medium
check "no such kind" [ $status -eq 2 ]
check "what there is" grep -qF -- '--threads medium: 1 to 4096 threads are possible, or big or little' "$work/err"
finish
