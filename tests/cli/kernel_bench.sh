#!/usr/bin/env bash
# The kernel bench on runs whose answer is known: a run against itself, against one made twice as fast, against one
# whose samples are spread so wide that nothing can be said; what stands in one of two only; broken files.
# variants: native asan
source "$(dirname "${BASH_SOURCE[0]}")/../fixtures/cli.sh"
bench=$(dirname "$INFOPLANE")/check-kernels
if [ ! -x "$bench" ]; then
    echo "SKIPPED: no check-kernels beside $INFOPLANE"
    exit 77
fi
cd "$work"
# try ARGUMENT...: like run, for the checker.
try() {
    status=0
    timeout 600 "$bench" "$@" >out 2>err </dev/null || status=$?
}
# scale FACTOR ISA KERNEL <in >out: every sample of one kernel times the factor.
scale() {
    awk -v factor="$1" -v isa="$2" -v kernel="$3" '
        /"isa":/ { mine_isa = $0 ~ "\"" isa "\"" }
        /"kernel":/ { mine = mine_isa && $0 ~ "\"" kernel "\"" }
        /"(cycles|ns)": \[/ { inside = 1; print; next }
        /\]/ { inside = 0 }
        inside && mine { comma = /,/ ? "," : ""; printf "%.9g%s\n", $1 * factor, comma; next }
        { print }'
}

# -- a measured run: every kernel of the list, for scalar and for what this machine has
try --bench-only --quick --save now.json
check "a run, saved" [ $status = 0 ]
check "its file" grep -q '"schema": "infoplane.kernel-bench/1"' now.json
for kernel in $("$bench" --list | sed -n 's/^kernels: //p'); do
    check "$kernel of scalar is timed" grep -qE "^scalar +$kernel " out
    check "$kernel is saved" grep -q "\"kernel\": \"$kernel\"" now.json
done
for isa in $("$bench" --list | awk '$2 == "yes" && $1 != "scalar" { print $1 }'); do
    check "$isa is timed" grep -q "^$isa" out
done
# Every line has a positive time, and the columns line up.
check "columns line up" awk '
    /^isa / { width = index($0, "["); next }
    width && /\[/ { n++; if (index($0, "[") != width || !(substr($0, 69) + 0 > 0)) exit 1 }
    END { exit n < 27 }' out
if [ "$(uname -m)" = x86_64 ] && grep -q '^avx2' out; then
    # A product cannot beat its instruction by more than the noise of a shared machine.
    check "shares of peak" awk '$2 ~ /^gemm/ && /%$/ { n++; if ($(NF - 1) > 250 || $(NF - 1) <= 1) exit 1 } END { exit !n }' out
fi

# -- comparisons of saved runs: nothing is timed, the answer is known
try --read now.json --against now.json
check "a run against itself" [ $status = 0 ]
check "a run against itself flags nothing" grep -q ', middle ratio 1.000: 0 slower, 0 faster' out
check "and shows every kernel with ratio 1" awk '/ratio   95/ { on = 1; next } on && NF > 5 && !/compared/ { n++; if (!/ 1\.000 /) exit 1 } END { exit !n }' out

scale 0.5 scalar add <now.json >fast.json
try --read now.json --against fast.json
check "twice as slow as before" [ $status = 1 ]
check "names it" grep -qE '^scalar +add .* 2\.000 .*SLOWER$' out
check "and only it" [ "$(grep -c 'SLOWER$' out)" = 1 ]
try --read fast.json --against now.json
check "twice as fast is no regression" [ $status = 0 ]
check "but is said" grep -qE '^scalar +add .* 0\.500 .*faster$' out
try --read now.json --against fast.json --threshold 150
check "within the threshold" [ $status = 0 ]
try --read now.json --against fast.json --filter 'scalar rms'
check "a filter leaves the slow one out" [ $status = 0 ]
try --read now.json --against fast.json --kernel add --isa scalar
check "and --kernel, --isa take it in" [ $status = 1 ]

# Medians far apart, but samples that lie through one another: chance.
row() { # row CYCLES: a run of one kernel
    printf '{"schema": "infoplane.kernel-bench/1", "quick": false,
 "machine": {"cpu": "%s", "isas": "scalar", "compiler": "gcc"},
 "kernels": [{"isa": "scalar", "kernel": "%s", "shape": "n 576", "peak": 0, "cycles": [%s], "ns": [%s]}]}' \
        "${2:-cpu}" "${3:-add}" "$1" "$1"
}
row '1, 9, 1.1, 8, 1.2, 7, 1.3' >noisy.json
row '9, 8.5, 1, 7.5, 1.4, 7, 8' >noisier.json
try --read noisier.json --against noisy.json
check "noise is not flagged" [ $status = 0 ]
row '1, 1, 1, 1, 1, 1, 1, 1, 1' >one.json
row '1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02, 1.02' >two.json
try --read two.json --against one.json
check "certain but small" [ $status = 0 ]
try --read two.json --against one.json --threshold 1
check "certain, and above a smaller threshold" [ $status = 1 ]

# -- what stands in one only, another machine
row '1, 1, 1' 'other cpu' gone >other.json
try --read one.json --against other.json
check "nothing in common is no regression" [ $status = 0 ]
check "the new one is named" grep -qF 'only now: scalar add, n 576' out
check "the old one is named" grep -qF 'only then: scalar gone, n 576' out
check "another machine is warned of" grep -qF "warning: another machine's file (other cpu; scalar)" out

# -- broken files: one line, exit 3
bad() { # bad TEXT WANTED
    printf '%s' "$1" >bad.json
    try --read now.json --against bad.json
    check "exit 3 for: $2" [ $status = 3 ]
    check "one line for: $2" [ "$(wc -l <err)" = 1 ]
    check "says: $2" grep -qF -- "$2" err
    check "no escape bytes" clean_terminal
}
good=$(row '1, 2')
bad '' 'bad.json, line 1'
bad '{"schema": ' 'line 1'
bad '[1]' 'its schema is not'
bad '{"schema": "infoplane.kernel-bench/2"}' 'its schema is not'
bad "${good/\"cpu\"/\"cp\"}" 'machine lacks cpu'
bad "${good/\"kernels\": \[*/\"kernels\": []\}}" 'kernels is not a list'
bad "${good/scalar\", \"kernel/$(printf 's%.0s' {1..64})\", \"kernel}" 'texts of up to 63 bytes'
bad "${good/\"cycles\": \[1, 2\]/\"cycles\": [1]}" '2 to 30 samples'
bad "${good/\"cycles\": \[1, 2\]/\"cycles\": [1, -2]}" 'numbers above 0'
bad "${good/\"cycles\": \[1, 2\]/\"cycles\": [1, \"2\"]}" 'numbers above 0'
bad "${good/\"cycles\": \[1, 2\]/\"cycles\": [1, 2, 3]}" 'as many numbers above 0'
bad "${good/\"peak\": 0/\"peak\": -1}" 'peak is a number'
entry=${good#*\[}
entry=${entry%]\}}
bad "${good%]\}}, $entry]}" 'twice'
try --read now.json --against missing.json
check "a missing file" [ $status = 3 ]
try --bench-only --filter 'no such kernel'
check "nothing to time" [ $status = 2 ]
try --bench-only --threshold -3
check "a threshold below 0" [ $status = 2 ]
try --read now.json --save nowhere/x.json
check "a folder that is not there" [ $status = 1 ]
finish
