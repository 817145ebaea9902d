#!/usr/bin/env bash
# A run that is killed goes on where it was, with the digits of one that never was: kill -9 at twenty random moments, in
# memory and with scratch files, with the loss and all resampling on; a damaged state and one of other work are
# passed over. RESUME_SEED repeats a sequence of moments.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
for i in $(seq 3); do cat "$demo/heldout.jsonl"; done >"$work/text.jsonl"
seed=${RESUME_SEED:-$$}
RANDOM=$seed
echo "RESUME_SEED=$seed"
patience=120

# Only times, threads and paths may differ: those lines are dropped.
same() { # folder
    diff <(sed '/^ "run"/d; /"path"/d' "$work/whole/run.json") <(sed '/^ "run"/d; /"path"/d' "$1/run.json") >/dev/null &&
        cmp -s "$work/whole/layers.csv" "$1/layers.csv" && cmp -s "$work/whole/groups.npy" "$1/groups.npy" &&
        cmp -s "$work/whole/token-loss.npy" "$1/token-loss.npy" && [ ! -e "$1/resume.state" ] &&
        [ -z "$(find "$1" -name '*.part-*')" ]
}
options="--loss --bootstrap 10 --orders 2 --quiet"
start=$(date +%s%N)
run analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" $options -o "$work/whole"
check "the run that nobody stops" [ $status -eq 0 ]
long=$((($(date +%s%N) - start) / 1000000))

kills=0
went_on=0
for memory in 8G 60M; do
    folder=$work/killed-$memory
    hits=0
    for attempt in $(seq 200); do
        [ $hits -lt 10 ] || break
        "$INFOPLANE" analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" ${options% --quiet} --memory $memory --checkpoint 0 -o "$folder" \
            >"$work/out" 2>"$work/err" &
        process=$!
        pause=$((RANDOM % long + 1))
        sleep "$((pause / 1000)).$(printf %03d $((pause % 1000)))"
        if kill -KILL $process 2>/dev/null; then hits=$((hits + 1)); fi
        wait $process 2>/dev/null
        grep -q "going on with layer" "$work/err" && went_on=$((went_on + 1))
        if [ -e "$folder/run.json" ]; then
            check "killed and gone on with, $memory, attempt $attempt: the same bits" same "$folder"
            rm -r "$folder"
        fi
    done
    kills=$((kills + hits))
    run analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" $options --memory $memory --checkpoint 0 -o "$folder"
    check "the last of $memory: the same bits" same "$folder"
done
check "twenty kills (were $kills)" [ $kills -eq 20 ]
check "some runs went on (were $went_on)" [ $went_on -ge 3 ]

# -- states that do not fit
stopped() { # folder: leaves a state there
    "$INFOPLANE" analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" $options --checkpoint 0 -o "$1" >/dev/null 2>&1 &
    process=$!
    for i in $(seq 400); do
        [ -e "$1/resume.state" ] && break
        sleep 0.02
    done
    kill -KILL $process
    wait $process 2>/dev/null
}
stopped "$work/damaged"
size=$(stat -c %s "$work/damaged/resume.state")
printf 'x' | dd of="$work/damaged/resume.state" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
run analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" ${options% --quiet} -o "$work/damaged"
check "a damaged state: begins anew" grep -q "resume.state: is damaged or of other work: beginning anew" "$work/err"
check "a damaged state: the same bits" same "$work/damaged"
stopped "$work/other"
run analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" ${options% --quiet} --seed 1 -o "$work/other"
check "a state of other work: begins anew" grep -q "beginning anew" "$work/err"
run analyze "$demo/demo.q8_0.gguf" "$work/text.jsonl" $options --seed 1 -o "$work/seed"
check "a state of other work: the digits of this one" cmp -s "$work/seed/layers.csv" "$work/other/layers.csv"
finish
