#!/usr/bin/env bash
# Prints a page of the documents with the outputs that its commands have now.
#
#   docs/examples/fill.sh PROGRAM PAGE [FOLDER] >NEW-PAGE
#
# The page's blocks marked ```sh are run in their order, by one shell that stops at the first failure, with `infoplane`
# in the PATH and INFOPLANE_DEMO as it is, in FOLDER (else in a new one). A block marked ```text behind one of them is
# replaced by what that one printed. What may follow the word text on its line:
#   1-9,14    only these lines, "..." where some are left out
#   machine   the output tells of the machine or of the time: the tests compare its place, not its words
set -euo pipefail
program=$(realpath "$1")
page=$(realpath "$2")
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
folder=${3:-$made/here}
mkdir -p "$made/bin" "$folder"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$program" >"$made/bin/infoplane"
chmod +x "$made/bin/infoplane"

blocks=$(awk -v made="$made" '
    /^```sh$/ { n++; inside = 1; printf "" >(made "/block-" n); next }
    inside && /^```$/ { inside = 0; close(made "/block-" n); next }
    inside { print >(made "/block-" n) }
    END { print n + 0 }' "$page")
[ "$blocks" -gt 0 ] || { echo "fill.sh: $page has no block marked sh" >&2; exit 1; }
for i in $(seq "$blocks"); do
    echo "echo $i >'$made/at'; exec >'$made/out-$i' 2>'$made/err-$i'"
    echo ". '$made/block-$i'"
done >"$made/all"
if ! (cd "$folder" && PATH=$made/bin:$PATH sh -e "$made/all" </dev/null); then
    at=$(cat "$made/at")
    { echo "fill.sh: $page: this block failed:"; cat "$made/block-$at"; head -5 "$made/err-$at"; } >&2
    exit 1
fi

awk -v made="$made" '
    # Is line n among the ranges of a list such as 1-9,14? (-: to the end)
    function wanted(n, list, part, count, ends, i) {
        if (list == "") return 1
        count = split(list, part, ",")
        for (i = 1; i <= count; i++) {
            if (split(part[i], ends, "-") == 1) ends[2] = ends[1]
            if (n >= ends[1] && (ends[2] == "" || n <= ends[2])) return 1
        }
        return 0
    }
    /^```sh$/ { n++ }
    /^```text/ && n {
        print
        list = ""
        for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]/) list = $i
        skipped = line = 0
        while ((getline text <(made "/out-" n)) > 0) {
            if (wanted(++line, list)) {
                if (skipped) print "..."
                skipped = 0
                sub(/[ \t]+$/, "", text)
                print text
            } else {
                skipped = 1
            }
        }
        if (skipped) print "..."
        close(made "/out-" n)
        while ((getline) > 0 && $0 != "```") {}
        print
        next
    }
    { print }' "$page"
