#!/usr/bin/env bash
# Makes docs/report.png from the shipped model and text: the report that docs/report.md describes, opened in Chromium.
#   docs/report-picture.sh [PROGRAM]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${1:-$root/build/release/bin/infoplane}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
analyze() { "$program" analyze "$root/models/demo/demo.q8_0.gguf" "$root/models/demo/heldout.jsonl" --loss --quiet "$@" >/dev/null; }
analyze --name "as stored" -o "$work/a"
analyze --weights q4_0 --name q4_0 -o "$work/b"
"$program" report "$work/a" "$work/b" -o "$work/report.html"
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
    --blink-settings=preferredColorScheme=1 --window-size=1100,1030 --screenshot="$root/docs/report.png" \
    "file://$work/report.html" 2>/dev/null
