# The demo's last lines: the bits the model needed per document (run.json, the end of the document counted) beside the
# bits that are in the text itself (the field "bits" of each record, known from the grammar that wrote it).
#   awk -f demo.awk RUN.json CORPUS.jsonl

# The number behind "key": in text, or "" when there is none.
function number(text, key) {
    if (!match(text, "\"" key "\"[ \t\n]*:[ \t\n]*[-+0-9.eE]+")) return ""
    text = substr(text, RSTART, RLENGTH)
    sub(/^[^:]*:[ \t\n]*/, "", text)
    return text + 0
}

FNR == NR { run = run $0 "\n"; next }
{
    bits = number($0, "bits")
    if (bits != "") { own += bits; records++ }
}
END {
    documents = number(run, "documents")
    if (match(run, /"with_end"[ \t\n]*:[ \t\n]*\{[^}]*\}/)) {
        with_end = substr(run, RSTART, RLENGTH)
        nats = number(with_end, "nats_per_token")
        tokens = number(with_end, "tokens")
    }
    if (documents == "" || nats == "" || tokens == "" || records != documents) {
        print "demo: " ARGV[1] " and " ARGV[2] " do not belong together" > "/dev/stderr"
        exit 1
    }
    measured = nats * tokens / documents / 0.69314718055994531
    own /= records
    printf "\nBits per document, %d documents, their end counted:\n", documents
    printf "  in the text itself     %8.2f   (known: a grammar wrote it)\n", own
    printf "  needed by this model   %8.2f   (%.2f above)\n", measured, measured - own
}
