"""Overlap of two corpora with Python's sets: the reference for core/ngrams/overlap.c.

    python overlap_check.py A.jsonl B.jsonl [K] > EXPECTED.json

A and B: JSON lines with a field text. Words: runs of letters, marks and numbers (Unicode categories L, M, N), ideographs
and kana one by one, lower-cased character by character. Orders 1..K (13). No hashes: n-grams are tuples of strings.
"""
import json
import sys
import unicodedata


def alone(c):
    o = ord(c)
    return 0x3040 <= o <= 0x30FF or 0x3400 <= o <= 0x4DBF or 0x4E00 <= o <= 0x9FFF or 0xF900 <= o <= 0xFAFF or 0x20000 <= o <= 0x3FFFF


def words(text):
    out, word = [], ""
    for c in text:
        inside = unicodedata.category(c)[0] in "LMN"
        if not inside or alone(c):
            out.append(word)
            word = ""
        if inside:
            lower = c.lower()
            word += lower if len(lower) == 1 else c
        if inside and alone(c):
            out.append(word)
            word = ""
    out.append(word)
    return [w for w in out if w]


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [words(json.loads(line)["text"]) for line in file if line.strip()]


def grams(document, order):
    return [tuple(document[i:i + order]) for i in range(len(document) - order + 1)]


a, b = documents(sys.argv[1]), documents(sys.argv[2])
orders, shared = [], [[] for _ in a]
for order in range(1, (int(sys.argv[3]) if len(sys.argv) > 3 else 13) + 1):
    known = {g for d in b for g in grams(d, order)}
    own = [grams(d, order) for d in a]
    hits = [sum(g in known for g in d) for d in own]
    distinct = {g for d in own for g in d}
    for d, n in zip(shared, hits):
        d.append(n)
    orders.append({"order": order, "positions": sum(map(len, own)), "shared": sum(hits), "distinct": len(distinct),
                   "shared_distinct": len(distinct & known), "documents": sum(len(d) > 0 for d in own),
                   "overlapping": sum(len(d) > 0 and n > 0.5 * len(d) for d, n in zip(own, hits))})
print(json.dumps({"words": [sum(map(len, a)), sum(map(len, b))], "orders": orders, "shared": shared}))
