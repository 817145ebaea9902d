#!/usr/bin/env bash
# The memory bound on a real model: with 200M, and with a bound too small for the hidden states and the soft assignments,
# SmolLM2 gives the digits of an unbounded run and its anonymous resident memory stays under the bound.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
model=$INFOPLANE_SHARED/models/SmolLM2-135M-Instruct.Q4_1.gguf
text=$INFOPLANE_SHARED/data/c4-sample/c4_sample.jsonl
skip_unless "$model"
[ -r /proc/self/status ] || { echo "SKIPPED: no /proc: the resident memory cannot be seen"; exit 77; }

stable() { sed -e '/^ "run": /d' "$1"; }

# bounded NAME BOUND: runs it, watching RssAnon from outside every 20 ms; its largest value in $highest (kB).
bounded() {
    local name=$1
    shift
    "$INFOPLANE" analyze "$model" "$text" --documents 200 --orders 4 --loss --json --quiet --threads 2 --scratch "$work" \
        "$@" >"$work/$name" 2>"$work/err" &
    local process=$! now
    highest=0
    while kill -0 $process 2>/dev/null; do
        now=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' /proc/$process/status 2>/dev/null)
        [ "${now:-0}" -gt $highest ] && highest=$now
        sleep 0.02
    done
    wait $process
    status=$?
    check "$name runs" [ $status -eq 0 ]
    echo "$name: highest RssAnon $((highest / 1024)) MiB"
}

bounded free
for bound in 200 90; do
    bounded "bound$bound" --memory ${bound}M
    check "RssAnon under ${bound}M (was $highest kB)" [ "$highest" -le $((bound * 1024)) ]
    stable "$work/free" >"$work/a"
    stable "$work/bound$bound" >"$work/b"
    check "the same digits with ${bound}M" cmp -s "$work/a" "$work/b"
done
finish
