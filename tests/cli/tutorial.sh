#!/usr/bin/env bash
# Every block of docs/tutorial.md that is marked sh runs as it stands, in order, in an empty folder, and prints what the
# page shows. What a block prints of the machine (text machine) is only compared in its place; the instruction set's
# name may differ elsewhere, and no digit may.
# variants: native
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
page=$INFOPLANE_ROOT/docs/tutorial.md
source "$INFOPLANE_ROOT/tests/fixtures/pages.sh"
export INFOPLANE_DEMO=$INFOPLANE_ROOT/models/demo
check_page "$page" "$work/scratch"
check "the report is drawn" grep -q '</html>' "$work/scratch/report.html"
for command in cpu inspect tokenize analyze compare bound report; do
    check "the page has $command" grep -q "^infoplane $command" "$page"
done
# The comparison itself sees a changed digit.
sed 's/^ mean  5\.8/ mean  5.9/' "$page" >"$work/wrong.md"
check "a wrong digit is seen" test "$(masked "$page")" != "$(masked "$work/wrong.md")"
finish
