#!/usr/bin/env bash
# What may happen to a long run: its files are cut under it, the disk is full, memory is refused, another run writes to the
# same folder. Each is an error of one line that names what it is about, and no file takes its final name.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
for i in $(seq 200); do cat "$demo/heldout.jsonl"; done >"$work/long.jsonl"
patience=120

refused() { # name text-said
    check "$1: exit 1 (was $status)" [ $status -eq 1 ]
    check "$1: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
    check "$1: says $2" grep -q -- "$2" "$work/err"
    check "$1: no temporary is left" [ -z "$(find "$work" -name '*.part-*' -o -name '.infoplane-scratch*')" ]
}

# in_background ARGUMENT...: starts the program; ended: waits for it.
in_background() {
    timeout $patience "$INFOPLANE" "$@" >"$work/out" 2>"$work/err" </dev/null &
    process=$!
}
ended() {
    status=0
    wait $process || status=$?
}

# -- a model that is cut while it is read: its later layers are gone
cp "$demo/demo.q8_0.gguf" "$work/cut.gguf"
in_background analyze "$work/cut.gguf" "$work/long.jsonl" --isa scalar --quiet -o "$work/cut"
sleep 1
truncate -s 100000 "$work/cut.gguf"
ended
refused "a model is cut" "cut.gguf: could not be read to its end"
check "a model is cut: no result" [ ! -e "$work/cut/run.json" ]

# -- vectors that are cut while they are read
cp "$demo/demo.q8_0.gguf" "$work/whole.gguf"
run states "$work/whole.gguf" "$work/long.jsonl" --documents 8000 --quiet -o "$work/states"
check "states" [ $status -eq 0 ]
cp "$work/states/layer-04.npy" "$work/z.npy"
in_background entropy "$work/z.npy" --isa scalar --threads 1 --quiet --bins 1000
sleep 0.5
truncate -s 1000000 "$work/z.npy"
ended
refused "vectors are cut" "z.npy: could not be read to its end"

# -- a full disk (a file that may not grow beyond 64 KiB behaves so)
status=0
(ulimit -f 64 && exec timeout $patience "$INFOPLANE" states "$work/whole.gguf" "$demo/heldout.jsonl" --quiet -o "$work/full") \
    >"$work/out" 2>"$work/err" || status=$?
refused "a full disk" "full: cannot write layer 0: File too large"
check "a full disk: nothing is whole" [ -z "$(find "$work/full" -name '*.npy')" ]
status=0
(ulimit -f 64 && exec timeout $patience "$INFOPLANE" analyze "$work/whole.gguf" "$work/long.jsonl" --quiet --documents 8000 \
    --memory 80M --threads 1 --scratch "$work") >"$work/out" 2>"$work/err" || status=$?
refused "no room for a scratch file" "no room for a scratch file"

# -- memory that is refused
status=0
(ulimit -v 120000 && exec timeout $patience "$INFOPLANE" analyze "$work/whole.gguf" "$work/long.jsonl" --quiet) \
    >"$work/out" 2>"$work/err" || status=$?
grep -v '^mimalloc: ' "$work/err" >"$work/said" || true
mv "$work/said" "$work/err"
refused "memory is refused" "memory"

# -- two runs on one folder
in_background analyze "$work/whole.gguf" "$work/long.jsonl" --isa scalar --quiet -o "$work/shared"
sleep 0.5
first=$process
status=0
timeout $patience "$INFOPLANE" analyze "$work/whole.gguf" "$demo/heldout.jsonl" --quiet -o "$work/shared" >"$work/second" \
    2>"$work/err2" || status=$?
kill -INT $first 2>/dev/null
wait $first 2>/dev/null
mv "$work/err2" "$work/err"
refused "a second run" "shared: another run is writing here"
run analyze "$work/whole.gguf" "$demo/heldout.jsonl" --quiet -o "$work/shared"
check "the folder is free again" [ $status -eq 0 ]
finish
