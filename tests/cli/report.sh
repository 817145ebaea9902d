#!/usr/bin/env bash
# The report: bytes that do not change, well-formed, the numbers of run.json, hostile names, broken inputs; and in a real
# browser: no error on its console, three sizes, light and dark, with and without JavaScript, labels that do not touch.
# INFOPLANE_SHOTS=DIR keeps the pictures of the browser for a person to look at.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
scripts=$INFOPLANE_ROOT/tests/scripts
patience=120
cd "$work" || exit 1

one_line() { [ "$(wc -l <"$work/err")" -eq 1 ]; }

analyze() { "$INFOPLANE" analyze "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --documents 30 --quiet "$@" >/dev/null; }
analyze --loss --name "as stored" -o one
analyze --loss --weights q4_0 --name "q4_0" -o two
analyze --orders 1 --null 0 --groups 0 -o bare
runs=(one two)

run report "${runs[@]}" -o page.html
check "report" [ $status -eq 0 ]
check "nothing is printed" [ ! -s "$work/out" -a ! -s "$work/err" ]
cp page.html first.html
run report "${runs[@]}" -o page.html
check "the same bytes again" cmp -s page.html first.html
run report one/run.json two/run.json -o page.html
check "files name runs as folders do" [ $status -eq 0 ]
status=0
LC_ALL=de_DE.UTF-8 "$INFOPLANE" report "${runs[@]}" -o page.html 2>"$work/err" || status=$?
check "the same bytes in another locale" cmp -s page.html first.html
run report bare -o bare.html
check "a run without nulls, intervals and loss" [ $status -eq 0 ]
check "an order alone has one panel" [ "$(grep -c 'Order 2' bare.html)" -eq 0 ]

check "a run without the lens has no figure of it" [ "$(grep -c 'id="lens"' bare.html)" -eq 0 ]
check "a run without a bootstrap has no word of it" [ "$(grep -c 'bootstrap low' page.html)" -eq 0 ]

# Every kind of result on one page: n-grams, the lens, the bootstrap, the bound, training, scores, preference, overlap.
analyze --orders 2 --top 5 --lens -o first-step
analyze --orders 2 --top 5 --lens --loss --bootstrap 40 --weights q5_0 -o full
head -100 "$demo/heldout.jsonl" >'text <one>.jsonl'
sed -n '51,$p' "$demo/heldout.jsonl" >train.jsonl
"$INFOPLANE" overlap 'text <one>.jsonl' --against train.jsonl --top 12 --quiet -o shared >/dev/null
"$INFOPLANE" bound "$demo/demo.q8_0.gguf" "$demo/heldout.jsonl" --documents 30 --orders 2 --effort low --beta 2:20:4 \
    --quiet -o bound >/dev/null
"$INFOPLANE" trajectory one two --corpus "$demo/heldout.jsonl" --documents 30 --quiet -o path >/dev/null
{
    echo "model,family,params_b,mean,IFEval,loss,complexity,expressivity,optimality,preference"
    awk 'BEGIN { for (i = 1; i <= 8; i++) printf "maker-%d/model <%d>,maker-%d,%g,%g,%g,2.%d,0.%d,0.%d,0.%d,0.00%d\n",
        i % 3, i, i % 3, i * i / 4, 10 + 3 * i + i % 2, 40 - 2 * i, 9 - i, 60 + i % 4, 40 + i, 70 + i, i }'
} >table.csv
"$INFOPLANE" correlate --table table.csv --quiet -o scores >/dev/null
awk 'BEGIN {
    row = "\"H\": 3, \"I\": %g, \"null_swap\": 0.0004, \"p_swap\": 0.01, \"null_permuted\": 0.0006, \"corrected\": %g, \"low\": %g, \"high\": null"
    printf "{\"schema\": \"infoplane.preference/1\", \"model\": {\"name\": \"<b>bold\"}, \"layers\": ["
    for (l = 0; l < 5; l++) printf "%s{\"layer\": %d, " row "}", l ? ", " : "", l, l / 4000, l / 4000, l / 5000
    printf "], \"mean\": {" row "}}\n", 0.0005, 0.0005, 0.0004
}' >preference.json
run report full first-step bound path scores preference.json shared -o all.html
check "every kind of result" [ $status -eq 0 ]
for id in plane bound trajectory top loss lens preference overlap scores; do
    check "a figure $id" grep -q "<section class=\"fig\" id=\"$id\">" all.html
done
check "the curve stands in the plane" grep -q 'path class="bound"' all.html
check "a name in a result is text" grep -q '&lt;b&gt;bold' all.html
check "a corpus in a result is text" grep -q 'text &lt;one&gt;.jsonl against train.jsonl' all.html
check "the bootstrap is named at the pointer" grep -q '^bootstrap, 95 % interval' all.html
check "the bootstrap has lines" grep -q '<path class="o"' all.html
check "a model in a table of scores is text" grep -q 'model &lt;3&gt;' all.html

# A name that would be a script, an attribute, a direction, and no UTF-8 at all.
evil='</title><script>alert(1)</script>" onload="x" '"'"'&amp; \u202egnp.exe'
mkdir evil
awk -v name="$evil" '{ gsub(/\\/, "\\\\", name) } /"model": {/ { if (match($0, /"name": "[^"]*"/)) { n = name; gsub(/"/, "\\\"", n); gsub(/\\\\u/, "\\u", n)
    print substr($0, 1, RSTART - 1) "\"name\": \"" n "\"" substr($0, RSTART + RLENGTH); next } } { print }' one/run.json >evil/run.json
cp one/*.npy evil/
run report evil one -o evil.html
check "a hostile name is shown" [ $status -eq 0 ]
check "it is text" grep -q '&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x&quot; &#39;&amp;amp;' evil.html
check "it is no script" [ "$(grep -c '<script>' evil.html)" -eq 1 ]
check "it turns no text around" [ "$(grep -c $'\u202e' evil.html)" -eq 0 ]

# What is refused, in one line that names it.
refused() {
    check "$1" [ $status -eq "$2" ]
    check "$1: one line" one_line
    check "$1: says $3" grep -q -- "$3" "$work/err"
    check "$1: no page" [ ! -e none.html ]
}
run report -o none.html
refused "nothing to report" 2 "RUN"
run report one
refused "no place for the page" 2 "-o FILE.html"
run report nowhere -o none.html
refused "a run that is not there" 3 nowhere
mkdir empty
run report empty -o none.html
refused "a folder without results" 3 empty
printf '{"schema": "infoplane.cake/1"}' >cake.json
run report cake.json -o none.html
refused "another schema" 3 "infoplane.cake/1"
printf '{"schema": 7}' >cake.json
run report cake.json -o none.html
refused "a schema that is no text" 3 schema
printf '{"schema": "infoplane.run/1"' >cake.json
run report cake.json -o none.html
refused "half a file" 3 cake.json
printf '{"schema": "infoplane.run/1"}' >cake.json
run report cake.json -o none.html
refused "a run without content" 3 cake.json
run report one -o nowhere/none.html
check "a page that cannot be written" [ $status -eq 1 ]
check "a page that cannot be written: one line" one_line

if command -v python3 >/dev/null; then
    check "well-formed, and the numbers of run.json" python3 "$scripts/report_check.py" page.html one/run.json two/run.json
    check "well-formed with one bare run" python3 "$scripts/report_check.py" bare.html bare/run.json
    check "well-formed with every kind of result" python3 "$scripts/report_check.py" all.html full/run.json first-step/run.json shared/overlap.json
    check "well-formed with a hostile name" python3 "$scripts/report_check.py" evil.html
else
    echo "SKIPPED: no python3: the page's form and numbers are not judged. Run toolchains/setup.sh."
    skipped=$((skipped + 1))
fi

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ] || [ "$INFOPLANE_VARIANT" != native ]; then
    [ -n "$browser" ] || echo "SKIPPED: no chromium: the page is not opened in a browser. Run toolchains/setup.sh."
    skipped=$((skipped + 1))
    finish
    exit
fi

# look PAGE WIDTH SETTINGS ARGUMENT...: opens a page; what the console says goes to $work/console.
look() {
    local page=$1 width=$2 settings=$3
    shift 3
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --enable-logging=stderr --log-level=0 --blink-settings="$settings" --window-size="$width,2400" "$@" \
        "file://$work/$page" >"$work/dom" 2>"$work/browser" </dev/null
    grep -a 'CONSOLE' "$work/browser" >"$work/console"
    return 0
}
png_width() { od -An -tu1 -j16 -N4 "$1" | awk '{ print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4 }'; }

for page in page bare evil all; do
    awk -v script="$scripts/report_browser.js" '/^<\/body>/ { print "<script>"; while ((getline line < script) > 0) print line; print "</script>" } { print }' \
        $page.html >tested-$page.html
    for width in 390 1024 1600; do
        look tested-$page.html $width preferredColorScheme=1 --virtual-time-budget=4000 --dump-dom
        title=$(sed -n 's/.*<title>\([^<]*\)<\/title>.*/\1/p' dom | head -1)
        check "$page in a browser, $width wide: ${title:-no answer}" [ "${title#OK}" != "$title" ]
        check "$page, $width wide: nothing on the console" [ ! -s console ]
        for mode in light dark plain; do
            case $mode in
                light) settings=preferredColorScheme=1 ;;
                dark) settings=preferredColorScheme=0 ;;
                plain) settings=preferredColorScheme=1 ;;
            esac
            [ $page = page ] || [ $page = all ] || [ $mode = light ] || continue
            shot=${INFOPLANE_SHOTS:-$work}/$page-$width-$mode.png
            opened=$page.html
            if [ $mode = plain ]; then
                # As a browser without JavaScript: the page's own policy forbids all scripts (and the console says so).
                opened=plain-$page.html
                sed "s/script-src 'unsafe-inline'/script-src 'none'/" $page.html >$opened
            fi
            look $opened $width "$settings" --screenshot="$shot"
            if [ $mode = plain ]; then
                check "$page, $width wide, plain: the script is refused" grep -qa "Content Security Policy" console
                : >console
            fi
            check "$page, $width wide, $mode: a picture" [ "$(png_width "$shot")" = "$width" ]
            check "$page, $width wide, $mode: something in it" [ "$(stat -c %s "$shot")" -gt 50000 ]
            check "$page, $width wide, $mode: nothing on the console" [ ! -s console ]
        done
    done
done
differ() { ! cmp -s "$1" "$2"; }
check "light and dark differ" differ "${INFOPLANE_SHOTS:-$work}/page-1024-light.png" "${INFOPLANE_SHOTS:-$work}/page-1024-dark.png"
finish
