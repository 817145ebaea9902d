#!/usr/bin/env python3
"""Writes models/unicode_ranges.c: the Unicode classes of pre-tokenizer expressions as explicit ranges.

The expressions must mean the same on every machine, so \\p classes are not left to the PCRE2 of the distribution. Each
class is of the Unicode version that the reference tokenizer uses at that place:

    general categories    Unicode 16, as in the reference's expression engine
    d, w, scripts         \\d, \\w, \\p{Han} ...: asked of that engine itself
    N17                   Unicode 17: what the reference's `Digits` step calls a number
    NFC                   Unicode 17: where a text may not be in NFC
    P8                    what its `Punctuation` step splits at: ASCII symbols and the punctuation of Unicode 8; asked
    Mn8                   what its `StripAccents` takes away; asked
    W                     a word character next to an added token with single_word; asked

    pip install --target u16 unicodedata2==16.0.0
    pip install --target u17 unicodedata2==17.0.0
    pip install tokenizers==0.23.3
    make_unicode_ranges.py u16 u17 > models/unicode_ranges.c
"""
import json
import subprocess
import sys

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

CATEGORIES = """
import json, sys
import unicodedata2 as u
assert u.unidata_version == sys.argv[1], u.unidata_version
json.dump([u.category(chr(c)) for c in range(0x110000)], sys.stdout)
"""

# Characters at which a text may not be in NFC, or that may join the one before: those that change by themselves, those
# with a combining class, the second halves of compositions, the Hangul vowels and finals.
NOT_STABLE = """
import json, sys
import unicodedata2 as u
seconds = set()
for c in range(0x110000):
    parts = u.decomposition(chr(c)).split()
    if len(parts) == 2 and not parts[0].startswith("<"):
        seconds.add(int(parts[1], 16))
json.dump([c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and (u.normalize("NFC", chr(c)) != chr(c)
           or u.combining(chr(c)) or c in seconds or 0x1161 <= c <= 0x1175 or 0x11A8 <= c <= 0x11C2)], sys.stdout)
"""

SCRIPTS = ["Han", "Hiragana", "Katakana", "Hangul", "Thai", "Lao", "Khmer", "Myanmar", "Latin", "Cyrillic", "Greek",
           "Arabic", "Hebrew", "Devanagari"]

# The White_Space property; it has not changed since Unicode 6.3, and it is what \s means in the reference engine.
WHITE_SPACE = [(0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
               (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
ALL = "".join(map(chr, SCALARS))


def computed(program, folder, version):
    out = subprocess.run([sys.executable, "-c", program, version], env={"PYTHONPATH": folder}, check=True,
                         stdout=subprocess.PIPE).stdout
    return json.loads(out)


def ranges(codes):
    out = []
    for code in codes:
        if out and out[-1][1] == code - 1:
            out[-1][1] = code
        else:
            out.append([code, code])
    return out


def removed_by(step):
    """Code points that a step with the behaviour `removed` takes out of the string of all characters."""
    kept = set()
    for _, (first, stop) in step.pre_tokenize_str(ALL):
        kept.update(range(first, stop))
    return [c for i, c in enumerate(SCALARS) if i not in kept]


def asked_expression(expression):
    return removed_by(pre_tokenizers.Split(Regex(expression), "removed"))


def asked_word_characters():
    """Characters that keep a single_word token in front of them from being found."""
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, "?"))
    tokenizer.add_tokens([AddedToken("+", single_word=True, normalized=False)])
    return [c for c in SCALARS if 1 not in tokenizer.encode("+" + chr(c)).ids and chr(c) != "+"]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    gc16, gc17 = computed(CATEGORIES, sys.argv[1], "16.0.0"), computed(CATEGORIES, sys.argv[2], "17.0.0")
    names = sorted({c[0] for c in gc16}) + sorted(set(gc16))
    lists = [(name, ranges(c for c in SCALARS if gc16[c].startswith(name)), "general category, Unicode 16")
             for name in names if name != "Cs"]
    lists.append(("NFC", ranges(computed(NOT_STABLE, sys.argv[2], "17.0.0")), "may change under NFC, or join the one before"))
    lists.append(("N17", ranges(c for c in SCALARS if gc17[c][0] == "N"), "numbers of Unicode 17"))
    lists.append(("P8", ranges(removed_by(pre_tokenizers.Punctuation("removed"))), "the Punctuation step"))
    accents = set(ALL) - set(normalizers.StripAccents().normalize_str(ALL))
    lists.append(("Mn8", ranges(sorted(map(ord, accents))), "what StripAccents takes away"))
    lists.append(("W", ranges(asked_word_characters()), "word characters beside an added token"))
    lists.append(("w", ranges(asked_expression(r"\w")), "\\w"))
    lists.append(("d", ranges(asked_expression(r"\d")), "\\d"))
    lists += [(name, ranges(asked_expression(r"\p{" + name + "}")), "a script") for name in SCRIPTS]
    lists.append(("s", WHITE_SPACE, "white space, \\s"))
    print("/* Unicode classes as sorted ranges. Generated by toolchains/make_unicode_ranges.py; do not edit. */")
    print('#include "models/unicode_ranges.h"')
    print()
    print("#include <string.h>")
    for name, pairs, what in lists:
        print(f"\n/* {what} */\nstatic const ip_unicode_range ranges_{name}[] = {{")
        cells = [f"{{0x{a:X}, 0x{b:X}}}," for a, b in pairs]
        line = "   "
        for cell in cells:
            if len(line) + 1 + len(cell) > 120:
                print(line)
                line = "   "
            line += " " + cell
        print(line)
        print("};")
    print("\nstatic const ip_unicode_class classes[] = {")
    for name, _, _ in lists:
        print(f'    {{"{name}", ranges_{name}, sizeof ranges_{name} / sizeof ranges_{name}[0]}},')
    print("};")
    print("""
const ip_unicode_class *ip_unicode_class_find(const char *name, size_t n) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0) return &classes[i];
    return NULL;
}

bool ip_unicode_class_has(const ip_unicode_class *class, uint32_t code) {
    size_t low = 0, high = class->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (class->ranges[middle].last < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < class->count && class->ranges[low].first <= code;
}""")


main()
