#!/usr/bin/env bash
# The pages of docs/ that run on models and texts which are not in the tree: their commands run, and print what the
# pages show.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
source "$INFOPLANE_ROOT/tests/fixtures/pages.sh"
skip_unless "$INFOPLANE_SHARED/models/SmolLM2-135M-Instruct.Q4_1.gguf"
here=$work/here
mkdir -p "$here"
ln -s "$INFOPLANE_SHARED/demo/ckpt" "$here/ckpt"
ln -s "$INFOPLANE_SHARED/golden/demo/ids.npy" "$here/ids.npy"
ln -s "$INFOPLANE_SHARED/golden/demo/offsets.npy" "$here/ids.offsets.npy"
ln -s "$INFOPLANE_SHARED"/models/SmolLM2-135M-Instruct.Q4_1.gguf "$INFOPLANE_SHARED"/data/c4-sample/c4_demo.jsonl \
    "$INFOPLANE_SHARED"/golden/stats/models.csv "$here"
for page in correlate trajectory compare; do
    check_page "$INFOPLANE_ROOT/docs/$page.md" "$here"
done
finish
