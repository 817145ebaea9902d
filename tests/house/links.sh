#!/usr/bin/env bash
# Every link of every page to a file of the tree leads to one, every path of the tree that a page names is there (with or
# without its ending), and every page of docs/ is in its index.
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
paths=0
while IFS=: read -r page path; do
    paths=$((paths + 1))
    compgen -G "${path%%:*}*" >/dev/null || { echo "links: $page names $path"; bad=$((bad + 1)); }
done < <(find . -name '*.md' -not -path './build*' -not -path './.git/*' -print0 |
    xargs -0 grep -oHE '`(core|arch|models|tests|docs|bench|toolchains|python)/[^` ]*`' | tr -d '`' | grep -v '[<{]' || true)
for page in docs/*.md; do
    name=$(basename "$page")
    [ "$name" = README.md ] || grep -qE "\(?\b$name\b" docs/README.md || { echo "links: docs/README.md lacks $name"; bad=$((bad + 1)); }
done
[ $links -gt 10 ] && [ $paths -gt 10 ] || { echo "links: only $links links and $paths paths found"; exit 1; }
[ $bad -eq 0 ] || exit 1
echo "links: all $links links and $paths paths lead somewhere"
