"""Where replies begin in the tokens of prompt + reply: the reference for core/preference/pairs_tokens.c.

    python reply_begin_check.py SHARED/data/tokenizers > ../data/reply_begin.jsonl

From the offsets of the `tokenizers` library: the first token whose last character lies beyond the prompt's last one.
"""
import json
import random
import sys

from tokenizers import Tokenizer

NAMES = ["command_r_plus", "gemma2", "gpt2", "llama3_2", "mistral_nemo", "mistral_v0_1", "qwen2_5"]
PARTS = ["Hello", " world", " the", "\n\nAssistant:", "\n", " ", "  ", "naïve", "漢字", "🙂", "🙃x", "123", " 4567", "'s", "don", "'t", "…", "e", "é", "\t", "ﬁ", "ß"]
random.seed(7)
for name in NAMES:
    tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/{name}/tokenizer.json")
    for _ in range(40):
        prompt = "".join(random.choices(PARTS, k=random.randint(1, 12)))
        reply = "".join(random.choices(PARTS, k=random.randint(0, 6)))
        encoding = tokenizer.encode(prompt + reply, add_special_tokens=False)
        ends = [end for _, end in encoding.offsets]
        first = next((i for i, end in enumerate(ends) if end > len(prompt)), len(ends))
        print(json.dumps({"tokenizer": name, "prompt": prompt, "reply": reply, "ids": len(ends), "first": first}, ensure_ascii=False))
