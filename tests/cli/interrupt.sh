#!/usr/bin/env bash
# An interrupt in the middle: exit 130, one line, nothing under a final name, no temporary left.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
for i in $(seq 200); do cat "$demo/heldout.jsonl"; done >"$work/long.jsonl"

interrupted() { # name seconds command...
    local name=$1 pause=$2
    shift 2
    "$INFOPLANE" "$@" >"$work/out" 2>"$work/err" </dev/null &
    local process=$!
    sleep "$pause"
    kill -INT $process 2>/dev/null
    status=0
    wait $process || status=$?
    check "$name: exit 130" [ $status -eq 130 ]
    check "$name: says so" grep -q "interrupted" "$work/err"
    check "$name: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
    check "$name: no temporary is left" [ -z "$(find "$work" -name '*.part-*')" ]
}

# A background job of a script ignores SIGINT unless job control is on.
set -m
for pause in 0.3 1; do
    interrupted "analyze after $pause s" $pause analyze "$demo/demo.q8_0.gguf" "$work/long.jsonl" --isa scalar --loss --quiet -o "$work/run"
    check "no run.json" [ ! -e "$work/run/run.json" ]
    interrupted "states after $pause s" $pause states "$demo/demo.q8_0.gguf" "$work/long.jsonl" --isa scalar --quiet -o "$work/states"
    check "no last layer" [ ! -e "$work/states/layer-04.npy" ]
done
finish
