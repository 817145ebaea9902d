#!/usr/bin/env bash
# What must not stand in any text of the tree: paths of the machine it was written on, left-over conflict marks,
# carriage returns, tabs in C sources.
#   tidy-text.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
cd "$root"
# Tracked files and new ones that are not ignored; without git, everything outside build folders.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    mapfile -t files < <(git ls-files --cached --others --exclude-standard | sort -u)
else
    mapfile -t files < <(find . -type f -not -path './build*' -not -path './.git/*' | sed 's|^\./||' | sort)
fi
bad=0
report() {
    if [ -n "$2" ]; then
        echo "$1:"
        echo "$2" | head -20
        bad=$((bad + $(wc -l <<<"$2")))
    fi
}
existing=()
sources=()
for file in "${files[@]}"; do
    [ -f "$file" ] || continue
    existing+=("$file")
    [[ "$file" == *.[ch] ]] && sources+=("$file")
done
# The patterns are written in pieces so that this file does not match itself.
local_path='(^|[^[:alnum:]_.~-])/(wo''rk|ro''ot|home/[a-z]+|tmp/[a-z]+)/'
report "paths of one machine" \
    "$(grep -nIE "$local_path" "${existing[@]}" | grep -vE '/ho''me/(user|you|name)/' || true)"
report "conflict marks" "$(grep -nIE '^(<<<<''<<<|>>>>''>>>) ' "${existing[@]}" || true)"
report "carriage returns" "$(grep -lI $'\r' "${existing[@]}" || true)"
report "tabs in C sources" "$(grep -nI $'\t' "${sources[@]}" || true)"
if [ $bad -gt 0 ]; then
    echo "tidy text: $bad findings"
    exit 1
fi
echo "tidy text: ${#existing[@]} files are clean"
