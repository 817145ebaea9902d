#!/usr/bin/env python3
"""Tokenizers side by side on one thread: bench-tokenize, and the packages `tokenizers` and `tiktoken`.

    versus_tokenizers.py TEXT FOLDER... [--program build/bench/bin/bench-tokenize] [--rounds 5]

TEXT is a UTF-8 text; each FOLDER holds a tokenizer.json. The programs run in turns; the rate of each is the median over
the rounds, in MB (10^6 bytes) per second of processor time, and the ids are compared. `tokenizers` is given the text line
by line in one batch call, which is the fastest way it has; tiktoken the whole text. Peers that are not there are skipped:

    pip install tokenizers tiktoken numpy
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def peer(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"SKIPPED: no {name}: pip install {name}", file=sys.stderr)
        return None


def rate(run, size):
    began = time.process_time()
    result = run()
    return size / 1e6 / (time.process_time() - began), result


def byte_alphabet():
    """Character to byte, as byte-level vocabularies write bytes."""
    prints = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in prints]
    return {**{chr(b): b for b in prints}, **{chr(256 + i): b for i, b in enumerate(rest)}}


def as_tiktoken(tiktoken, spec):
    """The same tokenizer for tiktoken, or why there is none: it knows one expression, and merges in the order of ids."""
    steps = spec["pre_tokenizer"]
    steps = steps["pretokenizers"] if steps and steps["type"] == "Sequence" else [steps]
    patterns = [s["pattern"].get("Regex") for s in steps if s and s["type"] == "Split"]
    if len(steps) == 1 and steps[0] and steps[0]["type"] == "ByteLevel":
        patterns = [r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"]
    if len(patterns) != 1 or len(steps) > 2 or spec["model"].get("byte_fallback"):
        return None
    to_byte = byte_alphabet()
    texts = {i: t for t, i in spec["model"]["vocab"].items() if all(c in to_byte for c in t)}
    ranks = {bytes(to_byte[c] for c in t): i for i, t in texts.items()}
    return tiktoken.Encoding(name="same", pat_str=patterns[0], mergeable_ranks=ranks, special_tokens={})


def ours(program, folder, path, seconds):
    with tempfile.NamedTemporaryFile() as ids:
        out = subprocess.run([program, folder, path, str(seconds), ids.name], capture_output=True, text=True, check=True).stdout
        import numpy
        return float(re.search(r"([\d.]+) MB/s", out)[1]), numpy.fromfile(ids.name, "<i4").tolist(), out.split(",")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--program", default="build/bench/bin/bench-tokenize")
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    tokenizers, tiktoken = peer("tokenizers"), peer("tiktoken")
    raw = Path(a.text).read_bytes()
    text = raw.decode()
    lines = text.splitlines(keepends=True)
    print("tokenizer\tprogram\tMB/s\tids")
    slower = False
    for folder in a.folders:
        spec = json.loads((Path(folder) / "tokenizer.json").read_text())
        library = tokenizers and tokenizers.Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        encoding = tiktoken and as_tiktoken(tiktoken, spec)
        rates = {"infoplane": [], "tokenizers": [], "tiktoken": []}
        verdict = {}
        for turn in range(a.rounds):
            got, ids, load = ours(a.program, folder, a.text, 0.3)
            rates["infoplane"].append(got)
            verdict["infoplane"] = f"{len(ids)} ids, {load}"
            if library:
                got, _ = rate(lambda: library.encode_batch_fast(lines, add_special_tokens=False), len(raw))
                rates["tokenizers"].append(got)
                if turn == 0:
                    same = library.encode(text, add_special_tokens=False).ids == ids
                    verdict["tokenizers"] = "ids equal" if same else "IDS DIFFER"
            if encoding:
                got, theirs = rate(lambda: encoding.encode_ordinary(text), len(raw))
                rates["tiktoken"].append(got)
                verdict["tiktoken"] = "ids equal" if theirs == ids else "ids differ (no normaliser, other order of merges)"
        for name, values in rates.items():
            if values:
                print(Path(folder).name, name, f"{statistics.median(values):.2f}", verdict[name], sep="\t", flush=True)
                slower = slower or statistics.median(values) > statistics.median(rates["infoplane"])
    if slower:
        sys.exit("a peer is faster")


main()
