#!/usr/bin/env bash
# Prefill against llama.cpp and ik_llama.cpp: the programs run in turns on the same files and threads.
#
#   bench/versus_llama.sh [--turns 5] [--threads "1 2"] [--isa NAME] [--documents 16] [--processor-time] FILE.gguf...
#
# Ours: bench-prefill, documents of 512 tokens, hidden states only, packing included. Theirs: llama-bench -p 512 -n 0,
# loading and repacking not included. Per turn every program runs once after a warm-up of its own; printed are medians of
# tokens per second and ours over the faster of theirs (median, and range over the turns).
#
# --processor-time, for a machine that is not idle: one thread; the rate is that of the processor time which further
# passes add to a run, so waiting for the processor does not count.
#
# Programs: INFOPLANE_BENCH (default build/bench/bin/bench-prefill), LLAMA_BENCH (or llama-bench in PATH),
# IK_LLAMA_BENCH. One that is not there is left out, and how to get it is said.
set -euo pipefail
cd "$(dirname "$0")/.."

turns=5 threads="1 2" documents=16 isa=() clock=wall
files=()
while [ $# -gt 0 ]; do
    case "$1" in
        --turns) turns="$2"; shift 2 ;;
        --threads) threads="$2"; shift 2 ;;
        --documents) documents="$2"; shift 2 ;;
        --isa) isa=(--isa "$2"); shift 2 ;;
        --processor-time) clock=processor; threads=1; shift ;;
        -*) sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        *) files+=("$1"); shift ;;
    esac
done
if [ ${#files[@]} -eq 0 ]; then
    sed -n '2,15s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

ours="${INFOPLANE_BENCH:-build/bench/bin/bench-prefill}"
if [ ! -x "$ours" ]; then
    echo "$ours is not there: cmake --preset bench && cmake --build --preset bench" >&2
    exit 1
fi
llama="${LLAMA_BENCH:-$(command -v llama-bench || true)}"
ik="${IK_LLAMA_BENCH:-}"
if [ -z "$llama" ]; then
    echo "SKIPPED llama.cpp: set LLAMA_BENCH. Its source stands in the sdist of llama-cpp-python: pip download --no-deps" \
        "--no-binary :all: llama-cpp-python; in vendor/llama.cpp: cmake -B build && cmake --build build -t llama-bench" >&2
fi
if [ -z "$ik" ]; then
    echo "SKIPPED ik_llama.cpp: set IK_LLAMA_BENCH. git clone https://github.com/ikawrakow/ik_llama.cpp;" \
        "cmake -B build && cmake --build build -t llama-bench" >&2
fi

# The arithmetics to compare in, by the type that most of the weights have.
arithmetics_of() {
    local type
    type="$("$(dirname "$ours")/infoplane" inspect "$1" | awk '$3 == "tensors" && $4 > most { most = $4; type = $1 }
                                                              END { print type }')"
    case "$type" in
        BF16 | F16) echo bf16 ;;
        F32) echo f32 ;;
        *) echo int8 int16 ;;
    esac
}

# Processor seconds of a command, all its threads.
processor_seconds() {
    local TIMEFORMAT='%U %S'
    { time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}

# Tokens over the processor time that a run of more passes takes beyond a run of fewer.
rate_of_difference() { # tokens less more
    awk -v tokens="$1" -v less="$2" -v more="$3" 'BEGIN { rate = 0; if (more > less) rate = tokens / (more - less); print rate }'
}

rate_of_ours() { # file threads arithmetic
    local run=("$ours" "$1" --threads "$2" --compute "$3" --documents "$documents" "${isa[@]}")
    if [ $clock = wall ]; then
        "${run[@]}" --repeats 1 | sed -n 's/^tokens\/s \([0-9.]*\).*/\1/p'
    else
        rate_of_difference $((512 * documents)) "$(processor_seconds "${run[@]}" --repeats 1)" \
            "$(processor_seconds "${run[@]}" --repeats 2)"
    fi
}

rate_of_theirs() { # program file threads option...
    local run=("$1" -m "$2" -p 512 -n 0 -t "$3" "${@:4}")
    if [ $clock = wall ]; then
        "${run[@]}" -r 1 -o json 2>/dev/null | sed -n 's/.*"avg_ts": *\([0-9.]*\).*/\1/p' | head -n 1
    else
        rate_of_difference 1536 "$(processor_seconds "${run[@]}" -r 1)" "$(processor_seconds "${run[@]}" -r 4)"
    fi
}

# One line per program and turn: "turn name rate", to a table.
report() {
    awk -v what="$1" '
        { rate[$2, $1] = $3; if (!($2 in seen)) { seen[$2] = ++names; name[names] = $2 } if ($1 > turns) turns = $1 }
        function median(n, v,    i, j, t) {
            for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
            return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
        }
        END {
            line = what
            for (i = 1; i <= names; i++) {
                for (t = 1; t <= turns; t++) v[t] = rate[name[i], t] + 0
                middle[i] = median(turns, v)
                line = line sprintf("  %s %.1f", name[i], middle[i])
                if (name[i] !~ /^infoplane/ && middle[i] > best) { best = middle[i]; peer = name[i] }
            }
            print line
            for (i = 1; i <= names && best > 0; i++) {
                if (name[i] !~ /^infoplane/) continue
                for (t = 1; t <= turns; t++) v[t] = rate[peer, t] > 0 ? rate[name[i], t] / rate[peer, t] : 0
                middle_ratio = median(turns, v)
                printf "    %s: %.2f of %s (%.2f to %.2f)\n", name[i], middle_ratio, peer, v[1], v[turns]
            }
        }'
}

echo "$(uname -m), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors;" \
    "tokens/s by the $clock clock, medians of $turns turns; load at the start: $(cut -d ' ' -f 1 /proc/loadavg)"
for file in "${files[@]}"; do
    for count in $threads; do
        for ((turn = 1; turn <= turns; turn++)); do
            for arithmetic in $(arithmetics_of "$file"); do
                echo "$turn infoplane-$arithmetic $(rate_of_ours "$file" "$count" "$arithmetic")"
            done
            if [ -n "$llama" ]; then echo "$turn llama.cpp $(rate_of_theirs "$llama" "$file" "$count")"; fi
            if [ -n "$ik" ]; then
                echo "$turn ik_llama.cpp $(rate_of_theirs "$ik" "$file" "$count")"
                echo "$turn ik_llama.cpp-repacked $(rate_of_theirs "$ik" "$file" "$count" -rtr 1)"
            fi
        done | report "$(basename "$file"), $count thread(s):"
    done
done
