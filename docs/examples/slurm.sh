#!/usr/bin/env bash
# One shard per task of a Slurm array, then one job that puts them together:
#
#     export MODEL=model.gguf CORPUS=text.jsonl OUT=run OPTIONS="--loss --orders 3"
#     job=$(sbatch --parsable --array=1-64 --cpus-per-task=8 --mem=8G docs/examples/slurm.sh)
#     sbatch --dependency=afterok:$job --cpus-per-task=8 --mem=8G docs/examples/slurm.sh merge
#
# A task that fails is put in again by its number (--array=17); a finished shard is not computed twice.
#SBATCH --job-name=infoplane
#SBATCH --output=infoplane-%A-%a.log
set -euo pipefail
: "${MODEL:?the model}" "${CORPUS:?the text}" "${OUT:?the folder of results}"
infoplane=${INFOPLANE:-infoplane}
threads=${SLURM_CPUS_PER_TASK:+--threads $SLURM_CPUS_PER_TASK} # two words, or none

if [ "${1:-}" = merge ]; then
    # shellcheck disable=SC2086
    exec "$infoplane" merge "$OUT"/parts/*.state -o "$OUT" $threads
fi
part=$SLURM_ARRAY_TASK_ID of=${SHARDS:-$SLURM_ARRAY_TASK_COUNT}
state=$(printf '%s/parts/shard-%05d-of-%05d.state' "$OUT" "$part" "$of")
[ ! -e "$state" ] || { echo "$state is there"; exit; }
# shellcheck disable=SC2086 # several options in one variable
exec "$infoplane" analyze "$MODEL" "$CORPUS" ${OPTIONS:-} --shard "$part/$of" -o "$OUT/parts" $threads
