#!/usr/bin/env bash
# Several processes under mpirun are one run: the same bits as one process for analyze (all that is resampled, the lens, the
# list of n-grams, loss, bound, scratch files), preference, bound and trajectory; a rank that is killed ends the job with
# its name and the same command goes on; what ranks cannot do is said.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
patience=60
if ! command -v mpirun >/dev/null || [ -z "$(find "$(dirname "$INFOPLANE")/.." -name infoplane-mpi.so)" ]; then
    echo "SKIPPED: no mpirun, or a build without Open MPI: runs of several ranks are not tested"
    exit 77
fi
# As root and with more ranks than cores, as test machines have it; short scratch paths, which Open MPI wants.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
    OMPI_MCA_hwloc_base_binding_policy=none PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe TMPDIR=/tmp
if ! mpirun -n 2 true >"$work/out" 2>&1; then
    echo "SKIPPED: mpirun starts nothing on this machine ($(grep -v '^-*$' "$work/out" | head -1)): runs of several ranks are not tested"
    exit 77
fi
demo=$INFOPLANE_ROOT/models/demo
model=$demo/demo.q8_0.gguf
text=$demo/heldout.jsonl

ranks() { # n, then the command
    local n=$1
    shift
    status=0
    mpirun -n "$n" "$INFOPLANE" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# The tables, arrays and figures of two folders; what only tells of the machine is left out.
same() {
    local file
    [ "$(ls "$1")" = "$(ls "$2")" ] || return 1
    for file in "$1"/*; do
        if [ -d "$file" ]; then
            same "$file" "$2/$(basename "$file")" || return 1
            continue
        fi
        case "$file" in
            *.json) diff <(strip "$file") <(strip "$2/$(basename "$file")") >/dev/null || return 1 ;;
            *) cmp -s "$file" "$2/$(basename "$file")" || return 1 ;;
        esac
    done
}
strip() { sed -E '/^ "run"/d; /"path"/d; s/"threads": [0-9]+,//; s/"ranks": [0-9]+, ?//; s/"(seconds|output)": [^,}]*[,}]//g; s/"threads": [0-9]+//' "$1" | tr -d ' '; }

# -- analyze
options="--documents 40 --orders 2 --quiet"
run analyze "$model" "$text" $options --loss --loss-end 0 --lens --top 4 --bootstrap 6 -o "$work/one"
check "one process" [ $status -eq 0 ]
cp "$work/out" "$work/table"
for n in 2 3; do
    ranks $n analyze "$model" "$text" $options --loss --loss-end 0 --lens --top 4 --bootstrap 6 -o "$work/$n"
    check "$n ranks: status" [ $status -eq 0 ]
    check "$n ranks: the same bits" same "$work/one" "$work/$n"
    check "$n ranks: the table comes once, the same" cmp -s "$work/table" "$work/out"
    check "$n ranks: run.json tells them" grep -q "\"ranks\": $n" "$work/$n/run.json"
done
run analyze "$model" "$text" $options --labels backoff --null 2 -o "$work/plain"
ranks 9 analyze "$model" "$text" $options --labels backoff --null 2 --threads 1 -o "$work/9"
check "more ranks than blocks of anchors: the same bits" same "$work/plain" "$work/9"
run analyze "$model" "$text" --documents 12 --orders 2 --quiet --bound --effort low --bins 20 -o "$work/bounded"
ranks 2 analyze "$model" "$text" --documents 12 --orders 2 --quiet --bound --effort low --bins 20 --threads 1 -o "$work/bounded-2"
check "with the bound: the same bits" same "$work/bounded" "$work/bounded-2"
for i in 1 2 3 4; do cat "$text"; done >"$work/long.jsonl"
run analyze "$model" "$work/long.jsonl" --orders 1 --groups 0 --null 1 --quiet -o "$work/memory"
ranks 2 analyze "$model" "$work/long.jsonl" --orders 1 --groups 0 --null 1 --quiet --threads 1 --memory 40M -o "$work/scratch"
check "scratch files: status" [ $status -eq 0 ]
check "scratch files: the same bits" same "$work/memory" "$work/scratch"

# -- the other commands
python3 - "$work/pairs.jsonl" <<'PY'
import json, sys
words = "the old king saw a small red bird that sang in the garden near her house by night".split()
with open(sys.argv[1], "w") as out:
    for i in range(30):
        text = [words[(i * 7 + j * j) % len(words)] for j in range(12 + i % 5)]
        record = {"prompt": " ".join(text[:4]), "chosen": " " + " ".join(text[4:]), "rejected": " " + " ".join(text[:3:-1])}
        out.write(json.dumps(record) + "\n")
PY
run preference "$model" "$work/pairs.jsonl" --quiet -o "$work/preference"
check "preference: one process" [ $status -eq 0 ]
ranks 3 preference "$model" "$work/pairs.jsonl" --quiet -o "$work/preference-3"
check "preference: the same bits" same "$work/preference" "$work/preference-3"
run bound "$model" "$text" --documents 12 --orders 3 --bins 20 --effort low --quiet -o "$work/bound"
ranks 2 bound "$model" "$text" --documents 12 --orders 3 --bins 20 --effort low --quiet -o "$work/bound-2"
check "bound: status" [ $status -eq 0 ]
check "bound: the same bits" same "$work/bound" "$work/bound-2"
mkdir "$work/checkpoints"
cp "$model" "$work/checkpoints/step-1.gguf"
cp "$model" "$work/checkpoints/step-2.gguf"
run trajectory "$work/checkpoints" --corpus "$text" --documents 12 --loss --quiet -o "$work/path"
ranks 2 trajectory "$work/checkpoints" --corpus "$text" --documents 12 --loss --quiet -o "$work/path-2"
check "trajectory: status" [ $status -eq 0 ]
check "trajectory: the same bits" same "$work/path" "$work/path-2"
ranks 2 trajectory "$work/checkpoints" --corpus "$text" --documents 12 --loss --quiet -o "$work/path-2"
check "trajectory: what stands there is taken" same "$work/path" "$work/path-2"

# -- a rank dies
for i in 1 2 3; do cat "$text"; done >"$work/text.jsonl"
run analyze "$model" "$work/text.jsonl" --orders 2 --loss --quiet -o "$work/whole"
cat >"$work/rank" <<'SH'
#!/usr/bin/env bash
echo $$ >"$PID_FILE-$OMPI_COMM_WORLD_RANK"
exec "$INFOPLANE" "$@"
SH
chmod +x "$work/rank"
mkdir "$work/stopped"
killed=0 went_on=0
for attempt in 1 2 3; do
    rm -f "$work"/pid-*
    PID_FILE=$work/pid mpirun -n 2 "$work/rank" analyze "$model" "$work/text.jsonl" --orders 2 --loss --checkpoint 0 \
        -o "$work/stopped" >"$work/out" 2>"$work/err" &
    process=$!
    for i in $(seq 1000); do # until there is a state of this job
        [ -e "$work/pid-1" ] && [ -n "$(find "$work/stopped" -name 'resume-*.state' -newer "$work/pid-1")" ] && break
        sleep 0.01
    done
    kill -KILL "$(cat "$work/pid-1")" 2>/dev/null && killed=$((killed + 1))
    status=0
    wait $process || status=$?
    grep -q "going on with layer" "$work/err" && went_on=$((went_on + 1))
    if [ -e "$work/stopped/run.json" ]; then break; fi
    check "attempt $attempt: the job fails" [ $status -ne 0 ]
    check "attempt $attempt: the rank is named" grep -q "rank 1" "$work/err"
done
ranks 2 analyze "$model" "$work/text.jsonl" --orders 2 --loss --checkpoint 0 -o "$work/stopped"
grep -q "going on with layer" "$work/err" && went_on=$((went_on + 1))
check "at the end: status" [ $status -eq 0 ]
check "ranks were killed ($killed) and went on ($went_on)" [ $killed -ge 1 -a $went_on -ge 1 ]
check "at the end: the same bits, nothing left over" same "$work/whole" "$work/stopped"

# -- what cannot be
refused() { # what, n, expected status, text, command...
    local what=$1 n=$2 expected=$3 text=$4
    shift 4
    ranks "$n" "$@"
    check "$what: status" [ $status -eq "$expected" ]
    check "$what: says why" grep -q "$text" "$work/err"
    check "$what: says it once" [ "$(grep -c '^infoplane: ' "$work/err")" -eq 1 ]
}
refused "no such text" 2 3 "no-such.txt: No such file" analyze "$model" "$work/no-such.txt"
refused "fewer documents than ranks" 3 3 "2 documents are too few for 3 ranks" analyze "$model" "$text" --documents 2
refused "another estimator" 2 2 "several ranks compute soft" analyze "$model" "$text" --estimator hard
refused "a shard" 2 2 "ranks deal the documents" analyze "$model" "$text" --shard 1/2 -o "$work/shard"
refused "a pipe" 2 2 "one rank only" analyze "$model" -
refused "another command" 2 2 "merge is not for several ranks" merge "$work/x.state" -o "$work/merged"
finish
