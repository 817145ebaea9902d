#!/usr/bin/env bash
# docs/preference.md, as pages.sh does it: by itself, because it takes 100 pairs through SmolLM2.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
source "$INFOPLANE_ROOT/tests/fixtures/pages.sh"
skip_unless "$INFOPLANE_SHARED/models/SmolLM2-135M-Instruct.Q4_1.gguf"
here=$work/here
mkdir -p "$here"
ln -s "$INFOPLANE_SHARED/models/SmolLM2-135M-Instruct.Q4_1.gguf" "$INFOPLANE_SHARED/data/dpo-en-demo/dpo_en_demo.json" "$here"
check_page "$INFOPLANE_ROOT/docs/preference.md" "$here"
finish
