#!/usr/bin/env bash
# trajectory over the checkpoints of the demonstration model, and compare of its two recipes: every figure, the loss, the
# phases and the paired differences against transformers and a double-precision estimator.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
golden=$INFOPLANE_SHARED/golden/demo
demo=$INFOPLANE_SHARED/demo
skip_unless "$golden/plane.tsv"
skip_unless "$demo/ckpt"
patience=300
text=(--corpus "$golden/ids.npy" --offsets "$golden/offsets.npy" --anchors "$golden/anchors.npy" --orders 3 --loss
    --compute f32 --null 0 --quiet)

# check_series NAME: trajectory.csv of a run of training against plane.tsv, every checkpoint and order, 1e-5 nats.
check_series() {
    local worst
    worst=$(awk -F'[\t,]' -v run="$1" '
        function off(a, b) { d = a - b; if (d < 0) d = -d; if (d > worst) worst = d }
        NR == FNR { if ($1 == run && $3 == "exact") { x[$2, $4] = $5; y[$2, $4] = $6; c[$2, $4] = $8; h[$2, $4] = $9
                    loss[$2, $4] = $10; wanted++ } next }
        $4 == "mean" { k = $2 SUBSEP $5; if (!(k in x)) exit; off($8, x[k]); off($12, y[k]); off($7, c[k]); off($6, h[k])
                       off($3, loss[k]); seen++ }
        END { if (seen == wanted && seen > 0) print worst; else print "rows missing" }
    ' "$golden/plane.tsv" "$work/$1/trajectory.csv")
    echo "$1: largest difference $worst"
    check "$1: figures within 1e-5, not $worst" awk -v w="$worst" 'BEGIN { exit !(w ~ /^[0-9]/ && w + 0 <= 1e-5) }'
}

for run in ckpt second; do
    run trajectory "$demo/$run" "${text[@]}" -o "$work/$run"
    check "trajectory of $run" [ $status -eq 0 ]
    check_series "$run"
done

# What the README of the golden figures found: the peak at step 256, then both fall.
run trajectory "$work"/ckpt/step-* --quiet
check "a trajectory of finished runs" [ $status -eq 0 ]
check "the peak" grep -q 'complexity is largest at step 256; from there to step 2996 it falls by 0.1580 bits' "$work/out"
check "the verdict" grep -q 'both fall, which is not compression' "$work/out"
check "the loss" grep -q 'the last: it was still falling' "$work/out"
check "fifteen checkpoints" grep -q '^15 checkpoints' "$work/out"

# The second time nothing is computed: the runs stand there.
touch "$work/before"
run trajectory "$demo/ckpt" "${text[@]}" -o "$work/ckpt"
check "taken up again" [ $status -eq 0 ]
check "no run was made again" [ -z "$(find "$work/ckpt" -name run.json -newer "$work/before")" ]

# The differences of the last checkpoints, as intervals.tsv has them (its intervals are of another kind).
run compare "$work/second/step-000448" "$work/ckpt/step-002996" --quiet -o "$work/pair"
check "compare" [ $status -eq 0 ]
for row in X1:IX1 Y1:IY1; do
    ours=$(awk -F, -v f="${row%:*}" '$1 == "mean" && $2 == f { print $5, $9, $10 }' "$work/pair/compare.csv")
    wanted=$(awk -F'\t' -v f="${row#*:}" '$1 == "second 448 minus ckpt 2996" && $2 == f { print $3 }' "$golden/intervals.tsv")
    check "${row%:*}: $ours, wanted $wanted" \
        awk -v ours="$ours" -v w="$wanted" 'BEGIN { split(ours, o, " "); d = o[1] - w; if (d < 0) d = -d
            exit !(d < 1e-5 && o[2] * o[3] > 0) }'
done
finish
