#!/usr/bin/env bash
# The pages of docs/ that run on the shipped model: their commands run, and print what the pages show.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
source "$INFOPLANE_ROOT/tests/fixtures/pages.sh"
demo=$INFOPLANE_ROOT/models/demo
for page in bound lens overlap; do
    mkdir -p "$work/$page"
    ln -s "$INFOPLANE_ROOT/models" "$work/$page/models"
    check_page "$INFOPLANE_ROOT/docs/$page.md" "$work/$page"
done
mkdir -p "$work/merge"
cp "$demo/demo.q8_0.gguf" "$work/merge/model.gguf"
cp "$demo/heldout.jsonl" "$work/merge/text.jsonl"
check_page "$INFOPLANE_ROOT/docs/merge.md" "$work/merge"
finish
