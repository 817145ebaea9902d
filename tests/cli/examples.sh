#!/usr/bin/env bash
# The example that each command's --help opens with works as it stands, in a folder that holds files of those names.
# variants: native asan
source "$INFOPLANE_ROOT/tests/fixtures/cli.sh"
demo=$INFOPLANE_ROOT/models/demo
mkdir "$work/bin" "$work/here"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$INFOPLANE" >"$work/bin/infoplane"
chmod +x "$work/bin/infoplane"
PATH=$work/bin:$PATH
cd "$work/here" || exit 1

# What the examples name. The vectors are hidden states, their labels the tokens.
cp "$demo/demo.q8_0.gguf" model.gguf
cp "$demo/heldout.jsonl" text.jsonl
sed -n "51,\$p" text.jsonl >train.jsonl
sed 's/^{"[a-z]*": "//; s/"}$//' text.jsonl >text.txt
infoplane states model.gguf text.jsonl --documents 20 --quiet -o made && mv made/layer-02.npy vectors.npy
infoplane tokenize model.gguf text.jsonl --documents 20 --quiet -o classes.npy && cp classes.npy words.npy
# Stories cut in two, each with its own end and with that of the story behind it.
sed 's/^{"[a-z]*": "//; s/", "bits".*//' text.jsonl | head -12 | awk '{ n = length($0); a[NR] = substr($0, 1, 200); b[NR] = substr($0, 201, 200) }
    END { for (i = 1; i < NR; i++) printf "{\"prompt\": \"%s\", \"chosen\": \"%s\", \"rejected\": \"%s\"}\n", a[i], b[i], b[i + 1] }' |
    grep -v '\\' >pairs.jsonl

# Five models that a leaderboard knows: the demo under five types of weights.
mkdir runs
echo "fullname,Average,#Params (B),IFEval,BBH" >leaderboard.csv
i=0
for type in q8_0 q5_1 q5_0 q4_1 q4_0; do
    i=$((i + 1))
    infoplane analyze model.gguf text.jsonl --documents 12 --weights $type --name "demo/$type" --quiet -o runs/$type \
        >/dev/null
    echo "demo/$type,$((20 + i * i % 7)).5,0.$i,$((30 + i * 3 % 5)),$((10 + i))" >>leaderboard.csv
done

for i in 1 2; do infoplane analyze model.gguf text.jsonl --documents 20 --quiet --shard $i/2 -o parts >made.txt; done
# Two checkpoints.
mkdir checkpoints
cp model.gguf checkpoints/step-100.gguf
cp model.gguf checkpoints/step-200.gguf

# In the order of the overview: an example may name what one before it wrote.
commands=$(infoplane --help | sed -n '/^commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
for command in $commands; do
    example=$(infoplane "$command" --help | sed -n '1s/^  //p')
    check "$command --help opens with an example" [ "${example#infoplane $command}" != "$example" ]
    status=0
    timeout 300 sh -c "$example" >"$work/out" 2>"$work/err" </dev/null || status=$?
    check "$example" [ $status -eq 0 ]
    check "$example: prints or writes something" [ -s "$work/out" -o -n "$(find . -newer "$work/bin/infoplane" -type f)" ]
done
check "there are commands" [ "$(echo "$commands" | wc -w)" -ge 6 ]
finish
