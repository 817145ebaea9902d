#!/usr/bin/env bash
# A model larger than its memory bound: a synthetic 7.5 G parameter Q4_K model under --memory 2G with its pages dropped from
# the cache first, beside the same run with everything in memory, in turns. Prints both times and the ratio.
#
#   bench/large_model.sh [FILE.gguf]      INFOPLANE=program, DOCUMENTS=2, TURNS=1; the file (4.2 GB) is made if it is absent
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${INFOPLANE:-$root/build/release/bin/infoplane}
model=${1:-$root/build/synthetic.gguf}
documents=${DOCUMENTS:-2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -e "$model" ] || python3 "$root/bench/make_synthetic.py" "$model"
python3 - "$work/ids.npy" "$documents" <<'PYTHON'
import random, struct, sys
rng, n = random.Random(3), int(sys.argv[2])
head = "{'descr': '<i4', 'fortran_order': False, 'shape': (%d, 512), }" % n
head += " " * (117 - len(head)) + "\n"
ids = [rng.randrange(4096) for _ in range(512 * n)]
open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{len(ids)}i", *ids))
PYTHON

seconds() { # arguments...: wall seconds of one analysis
    "$program" analyze "$model" "$work/ids.npy" --json --quiet --scratch "$work" "$@" >"$work/run.json"
    sed -n 's/.*"run": {"seconds": \([0-9.]*\),.*"peak": \([0-9]*\)}.*/\1 \2/p' "$work/run.json"
}

for turn in $(seq "${TURNS:-1}"); do
    dd if="$model" iflag=nocache count=0 status=none # asks the system to forget the file's pages
    read -r cold cold_peak <<<"$(seconds --memory 2G)"
    cat "$model" >/dev/null
    read -r warm warm_peak <<<"$(seconds)"
    awk -v t="$turn" -v c="$cold" -v w="$warm" -v p="$cold_peak" -v q="$warm_peak" -v n=$((documents * 512)) 'BEGIN {
        printf "turn %d: from disk, --memory 2G: %.1f s, %.1f tokens/s, peak %.2f GB; in memory: %.1f s, %.1f tokens/s, peak %.2f GB; ratio %.2f\n",
            t, c, n / c, p / 1e9, w, n / w, q / 1e9, c / w }'
done
