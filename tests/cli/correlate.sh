#!/usr/bin/env bash
# correlate against a script in another language: results files as lm-evaluation-harness writes them, and, when it is there,
# the public leaderboard.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
if ! command -v python3 >/dev/null; then
    echo "SKIPPED: no python3, which computes the figures anew"
    exit 77
fi
leaderboard=$INFOPLANE_SHARED/data/open-llm-leaderboard-v2/open_llm_leaderboard.csv
arguments=("$INFOPLANE" "$work/made")
if [ -e "$leaderboard" ]; then
    arguments+=("$leaderboard")
else
    echo "SKIPPED: the public leaderboard: no $leaderboard"
fi
python3 "$INFOPLANE_ROOT/tests/scripts/correlate_check.py" "${arguments[@]}" >"$work/out" 2>"$work/err" || status=$?
cat "$work/out"
check "figures computed anew" [ $status -eq 0 ]
check "it went to its end" grep -q "largest difference" "$work/out"
finish
