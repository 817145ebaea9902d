#!/usr/bin/env python3
"""The logit lens by transformers, independent of infoplane: what tests/golden/lens.sh compares with.

Per layer: the final norm and the head on h[l][t], the mean of -log p of the token at t+1 and the mean entropy of the
predicted distribution, nats, in float64 from float32 logits. The weights are those of the GGUF, widened to float32.

    python lens_check.py models/demo/demo.q8_0.gguf tokenizer.json models/demo/heldout.jsonl > tests/data/lens_demo.tsv

tokenizer.json is the demonstration model's. Python 3.11, torch 2.13.0, transformers 5.23.0, gguf 0.19.0.
"""
import json
import os
import sys

import torch
import transformers


def main(model_path, tokenizer_path, corpus):
    torch.set_num_threads(1)
    folder, name = os.path.split(os.path.abspath(model_path))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=tokenizer_path)
    layers = model.config.num_hidden_layers
    nats = torch.zeros(layers + 1, dtype=torch.float64)
    entropy = torch.zeros(layers + 1, dtype=torch.float64)
    tokens = 0
    with open(corpus, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    for text in texts:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        with torch.no_grad():
            states = model(ids, output_hidden_states=True).hidden_states
            for layer, h in enumerate(states):
                if layer < layers:  # the last one has had its norm
                    h = model.model.norm(h)
                log_p = torch.log_softmax(model.lm_head(h)[0, :-1].double(), -1)
                nats[layer] -= log_p.gather(1, ids[0, 1:, None]).sum()
                entropy[layer] -= (log_p.exp() * log_p).sum()
        tokens += ids.shape[1] - 1
    print("layer\tnats\tentropy\ttokens")
    for layer in range(layers + 1):
        print(f"{layer}\t{nats[layer].item() / tokens:.12f}\t{entropy[layer].item() / tokens:.12f}\t{tokens}")


if __name__ == "__main__":
    main(*sys.argv[1:])
