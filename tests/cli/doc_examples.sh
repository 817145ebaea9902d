#!/usr/bin/env bash
# The script that writes docs/examples runs through on the small model, and what it writes has every command in it; the
# examples that are kept show the same commands.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
kept=$INFOPLANE_ROOT/docs/examples
for i in 1 2 3 4 5 6 7 8 9; do
    printf '{"prompt": "the %s", "chosen": " cat sat on a mat.", "rejected": " mat on cat a sat the."}\n' $i
done >"$work/pairs.jsonl"
head -20 "$demo/heldout.jsonl" >"$work/other.jsonl"
status=0
"$kept/make.sh" "$INFOPLANE" "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" "$work/other.jsonl" "$work/pairs.jsonl" \
    "$work/made" 8 >"$work/out" 2>"$work/err" || status=$?
check "the script runs through" [ $status -eq 0 ]
for command in $("$INFOPLANE" --help | sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    case $command in states | report) continue ;; esac # these print nothing
    file=$work/made/$command.txt
    check "$command: made" grep -q "^\$ infoplane $command" "$file"
    check "$command: has output" [ "$(wc -l <"$file")" -gt 2 ]
    check "$command: kept, with the same first word" grep -q "^\$ infoplane $command" "$kept/$command.txt"
done
finish
