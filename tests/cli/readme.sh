#!/usr/bin/env bash
# What the README says of the program: the commands, how many families open, the demo's bits, how many broken files are
# tried. Other figures of its table are printed by the tests that they name.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
readme=$INFOPLANE_ROOT/README.md
# flowing TEXT: stands in the README, wherever its lines break.
flowing() { tr -s '\n ' '  ' <"$readme" | grep -qF -- "$1"; }

commands=$("$INFOPLANE" --help | sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
named=$(sed -n 's/^| `\([a-z]*\)[ `].*/\1/p' "$readme")
check "the table lists the program's commands and no others" \
    diff <(tr ' ' '\n' <<<"$commands" | sort) <(tr ' ' '\n' <<<"$named" | sort)

words=(thirty thirty-one thirty-two thirty-three thirty-four thirty-five thirty-six thirty-seven thirty-eight thirty-nine
    forty forty-one forty-two forty-three forty-four forty-five forty-six forty-seven forty-eight forty-nine fifty)
families=$("$INFOPLANE" inspect --supported | sed -n 's/^families: //p' | wc -w)
check "of ${words[families - 30]} families" flowing "of ${words[families - 30]} families"
check "tiny models of ${words[families - 30]} families" flowing "tiny models of ${words[families - 30]} families"

demo=$INFOPLANE_ROOT/models/demo
"$INFOPLANE" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --loss --loss-end 0 --null 0 --groups 0 --quiet \
    -o "$work/run" >/dev/null
LC_ALL=C awk -f "$INFOPLANE_ROOT/toolchains/demo.awk" "$work/run/run.json" "$demo/heldout.jsonl" | sed '/^$/d; s/^/    /' >"$work/last"
check "the demo has last lines" [ "$(wc -l <"$work/last")" -eq 3 ]
while IFS= read -r line; do check "the demo prints: $line" grep -qxF -- "$line" "$readme"; done <"$work/last"

expected=$INFOPLANE_SHARED/golden/badfiles/expected.tsv
if [ -e "$expected" ]; then
    files=$(tail -n +2 "$expected" | wc -l)
    check "$files broken and unusual files" flowing "$files broken and unusual files"
else
    skipped=$((skipped + 1))
fi
finish
