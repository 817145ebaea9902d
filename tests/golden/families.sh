#!/usr/bin/env bash
# Tiny random models of every family, from Hugging Face folders and from GGUF files, against what transformers computes on
# them: every layer in f32, and the logits through the loss. Prints a table family x format x largest deviation, which is
# the table of docs/families.md: its families and numbers of cases have to be those that are tested here. The same models
# requantised to Q8_0 in int16 and int8 are run too, and their deviation is printed.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
golden=$INFOPLANE_SHARED/golden/families
skip_unless "$golden/index.tsv"
patience=60
compare=$INFOPLANE_BUILD/bin/golden-compare
tolerance=5e-5
table=$work/table

# deviation KIND ARGUMENT...: what golden-compare says is the largest difference.
deviation() { "$compare" "$@" 2>/dev/null | sed -n 's/.*largest difference \([^,]*\),.*/\1/p'; }

# one FAMILY FORMAT CASE MODEL
one() {
    local at=$golden/$3 states losses int16 int8
    run states "$4" "$at/ids.npy" -o "$work/states" --compute f32 --quiet
    check "$3, $2: states" [ $status -eq 0 ]
    check "$3, $2: every layer" "$compare" layers "$work/states" "$at/hidden.npy" $tolerance >>"$work/said"
    states=$(deviation layers "$work/states" "$at/hidden.npy" $tolerance)
    run analyze "$4" "$at/ids.npy" -o "$work/run" --compute f32 --orders 1 --bins 8 --loss --quiet
    check "$3, $2: analyze" [ $status -eq 0 ]
    check "$3, $2: logits" "$compare" logits "$work/run/token-loss.npy" "$at/logits.npy" "$at/ids.npy" $tolerance \
        >>"$work/said"
    losses=$(deviation logits "$work/run/token-loss.npy" "$at/logits.npy" "$at/ids.npy" $tolerance)
    for kind in int16 int8; do
        local how=auto # which is int16 for codes, and leaves the routers of experts alone
        [ $kind = int8 ] && how=int8
        run states "$4" "$at/ids.npy" -o "$work/states" --weights q8_0 --compute $how --quiet
        check "$3, $2: $kind" [ $status -eq 0 ]
        printf -v $kind %s "$(deviation layers "$work/states" "$at/hidden.npy" 1)"
    done
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$states" "$losses" "$int16" "$int8" >>"$work/rows"
}

while IFS=$'\t' read -r case family type _; do
    [ "$family" = extra ] && family=$type
    one "$family" folder "$case" "$golden/$case"
    for file in "$golden/$case"/*.gguf; do
        [ -e "$file" ] && one "$family" GGUF "$case" "$file"
    done
done < <(tail -n +2 "$golden/index.tsv" | cut -f 1-3)

{
    echo "| family | format | cases against transformers | largest deviation: layers, logits | Q8_0 in int16, int8 |"
    echo "|---|---|---|---|---|"
    awk -F'\t' '
        function up(a, b) { return a + 0 > b + 0 ? a : b }
        { key = $1 "\t" $2; if (!(key in n)) order[++keys] = key
          n[key]++; for (i = 3; i <= 6; i++) most[key, i] = up($i, most[key, i]) }
        END { for (k = 1; k <= keys; k++) { key = order[k]; split(key, part, "\t")
              printf "| %s | %s | %d | %.0e, %.0e | %.0e, %.0e |\n", part[1], part[2], n[key], most[key, 3],
                  most[key, 4], most[key, 5], most[key, 6] } }' "$work/rows"
} >"$table"
cat "$table"
# Digits may move with the arithmetic; families, formats and counts may not without the page.
while IFS='|' read -r _ family format cases _; do
    check "docs/families.md: a row for$family$format" grep -qF "|$family|$format|$cases|" "$INFOPLANE_ROOT/docs/families.md"
done < <(tail -n +3 "$table")
finish
