#!/usr/bin/env bash
# From models to the paper's table: analyze each, correlate with their scores, one page.
#
#   docs/examples/paper.sh [OPTION...] TEXT NAME=MODEL...
#
#   -s SCORES     what correlate takes: the leaderboard's .csv, results of lm-evaluation-harness (else no correlations)
#   -p PAIRS      preference pairs: also I(Z; preference) of each model
#   -d N          documents of the text, and pairs (all)
#   -o FOLDER     where everything goes (paper)
#   -x "OPTIONS"  more options of analyze
# NAME is what the scores call the model, provider/model. INFOPLANE names the program. The settings are the paper's: labels
# with back-off, temperature by its equation 7, 100 anchors, orders 1 to 4, 512 tokens. What is there is not done again.
set -euo pipefail
program=${INFOPLANE:-infoplane}
scores='' pairs='' out=paper more='' documents=()
while getopts s:p:d:o:x: option; do
    case $option in
        s) scores=$OPTARG ;;
        p) pairs=$OPTARG ;;
        d) documents=(--documents "$OPTARG") ;;
        o) out=$OPTARG ;;
        x) more=$OPTARG ;;
        *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || { sed -n '4,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
text=$1
shift
mkdir -p "$out/runs" "$out/preference"
for item in "$@"; do
    name=${item%%=*} model=${item#*=} folder=${item%%=*}
    folder=${folder//\//--}
    if [ ! -e "$out/runs/$folder/run.json" ]; then
        echo "== $name" >&2
        # shellcheck disable=SC2086 # more holds several words
        "$program" analyze "$model" "$text" "${documents[@]}" --orders 4 --bins 100 --labels backoff \
            --calibration leading-order --max-tokens 512 --loss --name "$name" $more -o "$out/runs/$folder" >"$out/runs/$folder.txt"
    fi
    if [ -n "$pairs" ] && [ ! -e "$out/preference/$folder/preference.json" ]; then
        "$program" preference "$model" "$pairs" "${documents[@]}" --calibration leading-order --max-tokens 512 --name "$name" \
            -o "$out/preference/$folder" >"$out/preference/$folder.txt"
    fi
done
results=("$out"/runs/*/ "$out"/preference/*/)
[ -d "${results[-1]}" ] || unset 'results[-1]' # no preference
if [ -n "$scores" ]; then
    "$program" correlate "${results[@]}" --scores "$scores" -o "$out/correlation"
    results+=("$out/correlation")
fi
"$program" report "${results[@]}" -o "$out/report.html"
echo "$out/report.html"
