#!/usr/bin/env bash
# Broken, hostile and unusual input files, through the program. Every row of the golden list names a file, the latest
# stage at which it must be refused, and a word for the message. Refused means: status 3, exactly one line on stderr
# that names the file and has the word, nothing on stdout, no ESC or BEL, in seconds and without a large allocation.
# Accepted means: status 0, no ESC or BEL, and the word somewhere in what is printed.
# variants: native asan
. "$(dirname "${BASH_SOURCE[0]}")/../fixtures/cli.sh"
bad=$INFOPLANE_SHARED/golden/badfiles
skip_unless "$bad/expected.tsv"
demo=$INFOPLANE_ROOT/models/demo/demo.q8_0.gguf
small=$work/small.txt
printf '%s\n' "The old farmer sees the grey barn." "The small horse sees the farmer." >"$small"

# Ids for the models in folders, whose tokens are those of the valid GGUF file.
"$INFOPLANE" tokenize "$bad/gguf/valid.gguf" "$small" -o "$work/ids.npy" --quiet

# What the files justify is far below this bound of address space (a sanitizer needs terabytes of it).
[ "$INFOPLANE_VARIANT" = native ] && ulimit -v $((1 << 20))

refused() { # FILE WORD
    [ $status = 3 ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ] && clean_terminal &&
        grep -qF "$(basename "$1")" "$work/err" && { [ -z "$2" ] || grep -qiE -- "$2" "$work/err"; }
}
accepted() { # WORD
    [ $status = 0 ] && clean_terminal && { [ -z "$1" ] || cat "$work/out" "$work/err" | grep -qiE -- "$1"; }
}

# run_on FORMAT STAGE EXPECTED USE_AS FILE
run_on() {
    case "$1:$2:$3:$4" in
        gguf:data:*) run analyze "$5" "$small" --bins 8 --split line ;;
        gguf:*:accept:*) run inspect "$5" ;;
        gguf:*) run analyze "$5" "$small" --split line --plan ;;
        npy:*:Z) run entropy "$5" --labels "$bad/npy/y_ok.npy" ;;
        npy:*:Y) run entropy "$bad/npy/z_ok.npy" --labels "$5" ;;
        corpus:*) run analyze "$demo" "$5" --plan ;;
        *:data:*) run analyze "$5" "$work/ids.npy" --bins 8 --orders 1 ;;
        safetensors:* | config.json:* | hf-dir:*) run inspect "$5" ;;
    esac
}

# Tabs are no separators to `read` where a field is empty; another character is.
while IFS='|' read -r file format stage expected use_as word what; do
    word=${word//$'\x01'/|}
    path=$bad/$file
    case "$format" in
        gguf | npy | corpus | hf-dir) ;;
        safetensors | config.json) # a file of a model folder, which is then named after it
            path=$work/$(basename "$file")
            cp -r "$bad/hf_valid" "$path" && chmod -R u+w "$path" && cp -f "$bad/$file" "$path/${use_as#*/}"
            ;;
        *) continue ;;
    esac
    run_on "$format" "$stage" "$expected" "$use_as" "$path"
    if [ "$expected" = reject ]; then
        check "$file must be refused ($what; word: $word)" refused "$file" "$word"
    else
        check "$file must be accepted ($what; word: $word)" accepted "$word"
    fi
    # An accepted model must also run, but for the one that has no weights: that is said.
    if [ "$format:$expected" = gguf:accept ]; then
        run analyze "$bad/$file" "$small" --bins 8 --split line
        case "$file" in
            *vocabulary_only*) check "$file has no weights to run" refused "$file" "weights" ;;
            *) check "$file must run ($what)" accepted "" ;;
        esac
    fi
    case "$format:$expected" in
        safetensors:accept | config.json:accept | hf-dir:accept)
            run analyze "$path" "$work/ids.npy" --bins 8 --orders 1 --loss
            check "$file must run ($what)" accepted ""
            ;;
    esac
done < <(tail -n +2 "$bad/expected.tsv" | awk -F'\t' '{
    word = $5; gsub(/\|/, "\001", word); what = $6; gsub(/\|/, "/", what)
    print $1 "|" $2 "|" $3 "|" $4 "|" $7 "|" word "|" what }')
finish
