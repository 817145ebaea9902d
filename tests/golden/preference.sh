#!/usr/bin/env bash
# Preference information of stories260K over 60 pairs: every temperature and choice of positions against the golden
# figures, both nulls within their spread, the same digits for any threads, memory and instruction set.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
# A sanitizer holds more from the start.
memory=30M
[ "${INFOPLANE_VARIANT:-native}" = native ] || memory=48M
golden=$INFOPLANE_SHARED/golden/preference
model=$INFOPLANE_SHARED/models/stories260K.gguf
skip_unless "$golden"
patience=500
compare=$INFOPLANE_BUILD/bin/golden-compare

measure() { # output arguments...
    local output=$1
    shift
    run preference "$model" "$golden/pairs.jsonl" --anchors "$golden/anchors.npy" -o "$work/$output" --quiet "$@"
    check "preference $*" [ $status -eq 0 ]
}
# What must not depend on how it was computed.
settled() { grep -v -e '"infoplane"' -e '"run"' "$work/$1/preference.json"; }

for mode in leading-order vmf-bound vmf-exact; do
    measure $mode --calibration $mode --null 0 --groups 0
    check "$mode" "$compare" preference "$work/$mode/preference.json" "$golden/expected.json" $mode I_nats 2e-6
    for key in last_position all_positions; do
        positions=${key%%_*}
        measure $mode-$positions --calibration $mode --positions $positions --null 0 --groups 0
        check "$mode, $positions" "$compare" preference "$work/$mode-$positions/preference.json" \
            "$golden/expected.json" $mode I_${key}_nats 2e-6
    done
done
check "no groups, no groups file" [ ! -e "$work/vmf-bound/preference-groups.npy" ]

measure nulls --null 500
check "nulls" "$compare" preference-null "$work/nulls/preference.json" "$golden/expected.json" vmf-bound
check "chosen and rejected positions" grep -q '"chosen": 4779' "$work/nulls/preference.json"
check "figures without each group" [ -s "$work/nulls/preference-groups.npy" ]
check "a line per layer, the mean and the heading" [ "$(wc -l <"$work/nulls/preference.csv")" -eq 8 ]

measure one --threads 1
measure three --threads 3
measure small --threads 2 --memory $memory --scratch "$work"
for other in three small; do
    check "same digits: $other" diff -q <(settled one) <(settled $other)
    check "same groups: $other" cmp "$work/one/preference-groups.npy" "$work/$other/preference-groups.npy"
done
for isa in $("$INFOPLANE" cpu --json | sed -n 's/.*"name": "\([a-z0-9]*\)", "compiled": true, "usable": true.*/\1/p'); do
    measure isa-$isa --isa $isa
    check "same digits: $isa" diff -q <(settled one) <(settled isa-$isa)
done
finish
