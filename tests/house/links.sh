#!/usr/bin/env bash
# Every link of every page to a file of the tree leads to one, and every page of docs/ is in its index.
#   links.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
cd "$root"
bad=0
links=0
while IFS=: read -r page link; do
    links=$((links + 1))
    target=${link%%#*}
    if [ -n "$target" ] && [ ! -e "$(dirname "$page")/$target" ]; then
        echo "links: $page: no $target"
        bad=$((bad + 1))
    fi
done < <(find . -name '*.md' -not -path './build*' -not -path './.git/*' -print0 |
    xargs -0 grep -oHE '\]\([^) ]+\)' | sed -E 's/\]\(([^)]*)\)$/\1/' | grep -vE ':(https?|mailto):' || true)
for page in docs/*.md; do
    name=$(basename "$page")
    [ "$name" = README.md ] || grep -qE "\(?\b$name\b" docs/README.md || { echo "links: docs/README.md lacks $name"; bad=$((bad + 1)); }
done
[ $links -gt 10 ] || { echo "links: only $links links found"; exit 1; }
[ $bad -eq 0 ] || exit 1
echo "links: all $links lead somewhere"
