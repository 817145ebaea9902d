#!/usr/bin/env bash
# Makes the pictures of the documents: reports, opened in Chromium.
#   docs/report-picture.sh [PROGRAM]              docs/report.png: the shipped model and text, the runs of docs/report.md
#   docs/report-picture.sh PROGRAM MODEL TEXT     docs/plane.png: the model as stored and in Q4_0 beside the bound, 40
#                                                 documents (the README's is SmolLM2-135M-Instruct, Q4_1, and web text)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=${1:-$root/build/release/bin/infoplane}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# picture NAME HEIGHT RESULT...
picture() {
    local name=$1 height=$2
    shift 2
    "$program" report "$@" -o "$work/report.html"
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --blink-settings=preferredColorScheme=1 --window-size=1100,"$height" --screenshot="$root/docs/$name" \
        "file://$work/report.html" 2>/dev/null
}

if [ $# -ge 3 ]; then
    analyze() { "$program" analyze "$2" "$3" --documents 40 --orders 1 --loss --quiet "${@:4}" -o "$work/$1" >/dev/null; }
    analyze a "$2" "$3" --name "as stored"
    analyze b "$2" "$3" --name q4_0 --weights q4_0
    "$program" bound "$2" "$3" --documents 40 --orders 1 --quiet -o "$work/bound" >/dev/null
    picture plane.png 1190 "$work/a" "$work/b" "$work/bound"
else
    demo=$root/models/demo
    analyze() { "$program" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --loss --quiet "$@" >/dev/null; }
    analyze --name "as stored" -o "$work/a"
    analyze --weights q4_0 --name q4_0 -o "$work/b"
    picture report.png 1030 "$work/a" "$work/b"
fi
