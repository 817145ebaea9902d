#!/usr/bin/env python3
"""Holds the program's ids against the `tokenizers` library (pip install tokenizers) on random texts: published
tokenizer.json files, and small ones in which every component that we know occurs.

    tokenizer_json_check.py PROGRAM [FOLDER-WITH-TOKENIZER.JSON ...]

Prints every difference; the exit status says whether there was one.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer

WORDS = ["the", "The", "hello", "HELLO", "it's", "We'LL", "don't", "x86", "abc123", "2024", "1234567", "3.14", "\u00e9t\u00e9",
         "na\u00efve", "e\u0301", "\u01c5", "\u0130", "\u00df", "\u4e2d\u6587", "\u65e5\u672c\u8a9e", "\ud55c\uad6d\uc5b4",
         "\u1112\u1161\u11ab", "\u0627\u0644\u0639", "\u0939\u093f\u0928\u094d", "\u0e44\u0e17\u0e22", "\u2581", "\u2581a",
         "\U0001f600", "\U0001f468\u200d\U0001f469", "\u00bd", "\u00b2", "\u0663", "\u2167", "\ufb01", "\u2122", "\u212a",
         "\u017f", "'\u017f", "--", "...", "!!", "?!", "(", ")", "/", "//", "<s>", "</s>", "<|endoftext|>", "<mask>", "<x>",
         "_", "\u2014", "\u061d", "\u2e43", "\u166d", "\t", "\n", "\n\n", "\r\n", " ", "  ", "   ", "\u00a0", "\u3000",
         "\u0085", "\x00", "\x7f", "a_b", "CamelCase", "\u00c5ngstr\u00f6m", "A\u030angstrom", "\u0915\u093c", "\u0958"]


def random_text(rng):
    out = []
    while len(out) < 1 or rng.random() < 0.93:
        kind = rng.random()
        if kind < 0.75:
            out.append(rng.choice(WORDS) * (rng.randint(1, 4) if rng.random() < 0.1 else 1))
            if rng.random() < 0.6:
                out.append(" ")
        elif kind < 0.9:
            out.append("".join(chr(rng.randint(1, 0x2FFF)) for _ in range(rng.randint(1, 4))))
        else:
            c = rng.randint(1, 0x10FFFF)
            out.append(chr(c if not 0xD800 <= c < 0xE000 else 0x20))
    return "".join(out)


def added(content, number, **flags):
    base = {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True}
    return {**base, **flags}


def trained(byte_level, texts):
    """A small BPE model from the texts: its `model` part and the number of its tokens."""
    from tokenizers import models, pre_tokenizers, trainers
    t = Tokenizer(models.BPE(unk_token=None if byte_level else "<unk>", fuse_unk=True, byte_fallback=not byte_level))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if byte_level else pre_tokenizers.Metaspace()
    special = [] if byte_level else ["<unk>"] + [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, show_progress=False, limit_alphabet=300,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if byte_level else [])
    t.train_from_iterator(texts, trainer)
    spec = json.loads(t.to_str())["model"]
    return spec, len(spec["vocab"])


def unigram(bpe, rng):
    """A Unigram model of the pieces of a BPE one, with scores that are worse for short ones. They are multiples of 1/64:
    no sum is rounded, and the library's reader of numbers, which may be off by a last bit, cannot turn a tie."""
    vocab = [[piece, 0.0 if i < 257 else -round(64 * rng.uniform(5, 9) / len(piece) ** 0.5) / 64]
             for piece, i in sorted(bpe["vocab"].items(), key=lambda item: item[1])]
    return {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": False}, len(vocab)


def small_files(rng):
    texts = [random_text(rng).replace("\x00", "") for _ in range(3000)]
    byte_model, byte_count = trained(True, texts)
    char_model, char_count = trained(False, texts)
    uni_model, uni_count = unigram(char_model, rng)
    bl = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    raw = {**bl, "use_regex": False}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    prepend = {"type": "Prepend", "prepend": "\u2581"}

    def seq(*steps):
        return {"type": "Sequence", "pretokenizers": list(steps)}

    def norm(*steps):
        return {"type": "Sequence", "normalizers": list(steps)}

    def split(pattern, behavior, invert=False, kind="Regex"):
        return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}

    def meta(scheme, cut):
        return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": cut}

    def tokens(n):
        return [added("<s>", n), added("</s>", n + 1, rstrip=True), added("<mask>", n + 2, lstrip=True),
                added("<x>", n + 3, special=False, single_word=True),
                added("hello", n + 4, special=False, normalized=True), added("\u00e9", n + 5, special=False, normalized=True)]

    behaviors = ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    byte_steps = [bl, {**bl, "add_prefix_space": True}, {**raw, "add_prefix_space": True}, raw,
                  seq({"type": "Digits", "individual_digits": True}, bl), seq({"type": "Digits", "individual_digits": False}, bl),
                  seq({"type": "Punctuation", "behavior": "Contiguous"}, bl, {"type": "Digits", "individual_digits": False},
                      split("[0-9][0-9][0-9]", "Isolated")),
                  seq({"type": "Digits", "individual_digits": True}, {**bl, "add_prefix_space": True}),
                  seq({"type": "Whitespace"}, raw), seq({"type": "WhitespaceSplit"}, raw),
                  seq({"type": "CharDelimiterSplit", "delimiter": "a"}, raw),
                  seq(split(r"\p{N}{1,3}", "Isolated"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", "Isolated"),
                      split(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                            r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", "Isolated"), raw),
                  seq(split(r"(?=(\d{3})+(?!\d))", "Isolated"), raw), seq(split(r"\bt|\w+\b|\W", "Isolated"), raw),
                  seq(split(r"(?<=a)b|(?i)[k-s]+", "Isolated"), raw), seq(split(r"\p{Han}+|\P{L}", "Isolated"), raw),
                  seq(split(r"^\S|\S$", "Isolated"), raw)]
    byte_steps += [seq(split(r"[aeiou\d]", b), raw) for b in behaviors] + [seq(split(r"\s+", "Removed", True), raw)]
    byte_steps += [seq(split("th", b, kind="String"), raw) for b in behaviors]
    byte_steps += [seq({"type": "Punctuation", "behavior": b}, raw) for b in behaviors]
    normals = [None, {"type": "NFC"}, {"type": "NFD"}, {"type": "NFKC"}, {"type": "NFKD"}, {"type": "Lowercase"},
               norm({"type": "NFD"}, {"type": "StripAccents"}), {"type": "Strip", "strip_left": True, "strip_right": False},
               norm({"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "NFC"}),
               {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}, {"type": "Prepend", "prepend": "a"}]

    def file(model, count, normalizer, pre, post=None):
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens(count),
                "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post, "decoder": None, "model": model}

    out = [(f"bytes, pre {i}", file(byte_model, byte_count, None, pre)) for i, pre in enumerate(byte_steps)]
    out += [(f"bytes, normalizer {i}", file(byte_model, byte_count, n, bl)) for i, n in enumerate(normals)]
    no_merge = {**byte_model, "ignore_merges": True}
    out.append(("bytes, ignore_merges", file(no_merge, byte_count, None, bl)))
    spaced = [norm(prepend, replace), replace, norm(replace, prepend), norm({"type": "NFKC"}, prepend, replace)]
    no_bytes = {**char_model, "byte_fallback": False}
    no_fuse = {**no_bytes, "fuse_unk": False}
    for name, model, count in (("characters", char_model, char_count), ("no bytes", no_bytes, char_count),
                               ("no fuse", no_fuse, char_count), ("unigram", uni_model, uni_count),
                               ("unigram bytes", {**uni_model, "byte_fallback": True}, uni_count)):
        out += [(f"{name}, normalizer {i}", file(model, count, n, None)) for i, n in enumerate(spaced)]
        out += [(f"{name}, metaspace {a} {b}", file(model, count, None, meta(a, b)))
                for a in ("always", "first", "never") for b in (True, False)]
        out += [(f"{name}, words", file(model, count, None, seq({"type": "WhitespaceSplit"}, meta("always", True)))),
                (f"{name}, lines", file(model, count, replace, split("[^\n]+|[\n]+", "Isolated"))),
                (f"{name}, gemma", file(model, count, replace, split(" ", "MergedWithPrevious", kind="String")))]
    single = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "</s>", "type_id": 0}}]
    special = {s: {"id": s, "ids": [byte_count + i], "tokens": [s]} for i, s in enumerate(("<s>", "</s>"))}
    template = {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": special}
    roberta = {"type": "RobertaProcessing", "sep": ["</s>", byte_count + 1], "cls": ["<s>", byte_count], "trim_offsets": True,
               "add_prefix_space": False}
    for name, post in (("template", template), ("roberta", roberta),
                       ("sequence", {"type": "Sequence", "processors": [bl, template]})):
        out.append((f"post {name}", file(byte_model, byte_count, None, bl, post)))
    return out


def ours(program, path, text, *options):
    with tempfile.NamedTemporaryFile(suffix=".txt") as f:
        f.write(text.encode())
        f.flush()
        run = subprocess.run([program, "tokenize", str(path), f.name, "--ids", "--quiet", *options],
                             capture_output=True, text=True)
    if run.returncode:
        return run.stderr.strip()
    return [int(x) for x in run.stdout.split()]


def check(program, name, folder, texts):
    library = Tokenizer.from_file(str(folder / "tokenizer.json"))
    wrong = 0
    for text in texts:
        for special in (False, True):
            library.encode_special_tokens = not special
            want = library.encode(text, add_special_tokens=special).ids
            got = ours(program, folder, text, *([] if special else ["--no-add-special", "--no-parse-special"]))
            if got == want:
                continue
            wrong += 1
            if wrong <= 2:
                print(f"{name}: special {special}: {text!r}\n  library {want}\n  ours    {got}")
    return wrong


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, folders = sys.argv[1], sys.argv[2:]
    rng = random.Random(20261124)
    wrong = files = 0
    for folder in folders:
        texts = ["".join(random_text(rng) for _ in range(40)) for _ in range(8)]
        wrong += check(program, folder, Path(folder), texts)
        files += 1
    for name, spec in small_files(rng):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tokenizer.json").write_text(json.dumps(spec))
            texts = [random_text(rng) for _ in range(12)] + ["".join(random_text(rng) for _ in range(20)) for _ in range(2)]
            wrong += check(program, name, Path(folder), texts)
        files += 1
    print(f"{files} files, {wrong} differences")
    sys.exit(wrong != 0)


main()
