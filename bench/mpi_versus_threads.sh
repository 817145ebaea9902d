#!/usr/bin/env bash
# `analyze` under mpirun -n N, a thread each, beside one process with N threads: turns of both, medians, their ratio, and
# whether the figures are the same bits.
#   bench/mpi_versus_threads.sh MODEL CORPUS [N=2] [TURNS=5] [OPTION...]      INFOPLANE: the program (build/release)
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 2; }
program=${INFOPLANE:-$(dirname "$0")/../build/release/bin/infoplane}
model=$1 corpus=$2 n=${3:-2} turns=${4:-5}
shift $(($# < 4 ? $# : 4))
options=("$@")
[ $# -gt 0 ] || options=(--documents 60 --loss)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

seconds() { # file, command...: appends the wall time
    local file=$1 start
    shift
    start=$(date +%s%N)
    "$@" >/dev/null
    echo $((($(date +%s%N) - start) / 1000000)) >>"$file"
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2000 }'; }

for turn in $(seq "$turns"); do
    seconds "$work/threads" "$program" analyze "$model" "$corpus" "${options[@]}" --threads "$n" --quiet -o "$work/a"
    seconds "$work/ranks" mpirun -n "$n" "$program" analyze "$model" "$corpus" "${options[@]}" --threads 1 --quiet -o "$work/b"
    cmp "$work/a/layers.csv" "$work/b/layers.csv"
    cmp "$work/a/groups.npy" "$work/b/groups.npy"
    [ "$turn" = "$turns" ] || rm -r "$work/a" "$work/b"
done
a=$(median "$work/threads")
b=$(median "$work/ranks")
echo "$n threads $a s, $n ranks $b s (medians of $turns): $(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.3f", b / a }'); the same bits"
