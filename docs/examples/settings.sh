#!/usr/bin/env bash
# The table of docs/reading.md: what other anchors, calibrations and estimators make of one model and text, means over
# layers, order 1 of 2, bits.
#   docs/examples/settings.sh PROGRAM MODEL CORPUS [DOCUMENTS]
set -euo pipefail
export LC_ALL=C
# row TITLE OPTION...
row() {
    local title=$1
    shift
    "$program" analyze "$model" "$corpus" --documents "$documents" --orders 2 --quiet "$@" | awk -v title="$title" '
        $1 == "mean" && !H { H = $2 }
        /^I\(X;Z\).* n = 1 / { X = $6; low = $(NF - 1); high = $NF }
        /^I\(Y;Z\).* n = 1 / { Y = $6 }
        /^optimality .* n = 1 / { optimality = $5 }
        END { printf "| %s | %.2f | %.3f | %.3f to %.3f | %.3f | %.3f |\n", title, H, X, low, high, Y, optimality }'
}
program=$1 model=$2 corpus=$3 documents=${4:-24}
echo "| | H(Z) | I(X;Z) | its interval | I(Y;Z) | optimality |"
echo "|---|---|---|---|---|---|"
row "100 anchors, seed 0"
row "seed 1" --seed 1
row "seed 2" --seed 2
row "50 anchors" --bins 50
row "400 anchors" --bins 400
row '`--calibration leading-order`' --calibration leading-order
row '`--estimator hard`' --estimator hard
row '`--estimator kmeans`' --estimator kmeans
