#!/usr/bin/env python3
"""Independent checks of the pre-tokenizers: the published expressions on another engine.

    llama_bpe_check.py pieces > tests/data/pretokenizer_pieces.tsv
        random strings and how Python's `regex` module splits them (what tests/unit/test_pretokenizer.c reads):
        name, text in hex, lengths of the pieces in bytes
    llama_bpe_check.py library < tests/data/pretokenizer_pieces.tsv
        the same file held against the `tokenizers` library (pip install tokenizers)

Random texts hold only characters that Unicode 14 has assigned, so that the version of an engine's tables is no matter;
versions are the business of models/unicode_ranges.c and of the golden texts.
"""
import random
import sys
import unicodedata

SPACE = "\\x09-\\x0d\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
CONTR = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
TAIL = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTR + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + TAIL
UP, LO = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
PUNCT = r" ?[^\s\p{L}\p{N}]+[\r\n/]*"
ANY = r"[^\r\n\p{L}\p{N}]?"
DS3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
       r"| ?[\p{P}\p{S}]+[\r\n]*" + TAIL)
CJK_V3 = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"

APOSTROPHES = ["'s", "'S", "'\u017f", "'ll", "'LL", "'re", "'Ve", "'d", "'m", "'t", "'x", "''", "'"]
LETTERS = "abcXYZ\u00e9\u00c9\u0416\u0436\u01c5\u02b0\u0301\u4e00\u05d0"
MARKS = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\u2014\u20ac"

EXPRESSIONS = {
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "llama-bpe": [LLAMA3],
    "qwen2": [LLAMA3.replace("{1,3}", "")],
    "qwen35": [CONTR + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + TAIL],
    "tekken": [f"{ANY}{UP}*{LO}+|{ANY}{UP}+{LO}*|" + r"\p{N}|" + PUNCT + TAIL],
    "gpt-4o": [f"{ANY}{UP}*{LO}+{CONTR}?|{ANY}{UP}+{LO}*{CONTR}?|" + r"\p{N}{1,3}|" + PUNCT + TAIL],
    "deepseek-v3": [r"\p{N}{1,3}", CJK_V3, DS3],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
}


def explicit_space(pattern):
    """\\s as the 25 characters of White_Space, in and out of a class; engines disagree on it."""
    out, inside, i = "", False, 0
    while i < len(pattern):
        two = pattern[i:i + 2]
        if two == "\\s":
            out += SPACE if inside else "[" + SPACE + "]"
        elif two == "\\S":
            out += "[^" + SPACE + "]"
        elif two[0] == "\\":
            out += two
        else:
            inside = True if two[0] == "[" else False if two[0] == "]" else inside
            out += two[0]
            i += 1
            continue
        i += 2
    return out


def random_text(rng, characters):
    out = []
    while len(out) < 2 or rng.random() < 0.95:
        kind = rng.random()
        if kind < 0.35:
            out.append(rng.choice(APOSTROPHES))
        elif kind < 0.5:
            out.append(rng.choice(" \n\r\t\u00a0\u2028\u3000\x0b\x85") * rng.randint(1, 4))
        elif kind < 0.6:
            out.append("".join(rng.choice("0123456789\u0663\u00bd\u2167") for _ in range(rng.randint(1, 5))))
        elif kind < 0.75:
            out.append("".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 5))))
        elif kind < 0.88:
            out.append("".join(rng.choice(MARKS) for _ in range(rng.randint(1, 3))))
        else:
            out.append("".join(rng.choice(characters) for _ in range(rng.randint(1, 3))))
    return "".join(out)


def split(engine, patterns, text):
    pieces = [text]
    for pattern in patterns:
        after = []
        for piece in pieces:
            at = 0
            for m in engine.finditer(explicit_space(pattern), piece):
                after += [piece[at:m.start()]] if m.start() > at else []
                after.append(m.group())
                at = m.end()
            after += [piece[at:]] if at < len(piece) else []
        pieces = after
    return pieces


def write_pieces():
    import regex
    rng = random.Random(20261124)
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    print("name\ttext\tlengths")
    for name, patterns in EXPRESSIONS.items():
        for _ in range(60):
            text = random_text(rng, characters)
            lengths = [len(p.encode()) for p in split(regex, patterns, text)]
            print(name, text.encode().hex(), " ".join(map(str, lengths)), sep="\t")


def check_library():
    from tokenizers import Regex, pre_tokenizers
    rows = wrong = 0
    for line in sys.stdin.read().splitlines()[1:]:
        name, text, lengths = line.split("\t")
        steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in EXPRESSIONS[name]]
        got = pre_tokenizers.Sequence(steps).pre_tokenize_str(bytes.fromhex(text).decode())
        rows += 1
        wrong += " ".join(str(len(p.encode())) for p, _ in got) != lengths
    print(f"{rows} rows, {wrong} wrong")
    sys.exit(wrong != 0)


def main():
    if sys.argv[1:] == ["pieces"]:
        write_pieces()
    elif sys.argv[1:] == ["library"]:
        check_library()
    else:
        sys.exit(__doc__)


main()
