#!/usr/bin/env python3
"""The table of docs/boards.md: what --plan says of models by their shapes.

    toolchains/board_memory.py INFOPLANE [MODEL...]

The plan reads a model's shapes and none of its weights. So a model that is only to be planned for can be a folder with
its config.json and a safetensors file of the right names, shapes and size that is one hole: it takes no room on disk.
The corpus is 100 documents of 512 token ids with frequencies as those of words are (Zipf). INFOPLANE may be a wrapper
that runs the program of another architecture in an emulator; what the plan says about time then means nothing and is
left out. MODEL: real files to be put in front.
"""
import array
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

# Name, width, layers, heads, key-value heads, width of the MLP, vocabulary, output matrix shared with the input's.
SHAPES = [
    ("SmolLM2-135M", 576, 30, 9, 3, 1536, 49152, True),
    ("SmolLM2-360M", 960, 32, 15, 5, 2560, 49152, True),
    ("TinyLlama-1.1B", 2048, 22, 32, 4, 5632, 32000, False),
    ("SmolLM2-1.7B", 2048, 24, 32, 32, 8192, 49152, True),
    ("Llama-3.1-8B", 4096, 32, 32, 8, 14336, 128256, False),
]


def write_model(folder, width, layers, heads, kv, mlp, vocabulary, tied):
    head = width // heads
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": width,
              "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv,
              "intermediate_size": mlp, "vocab_size": vocabulary, "tie_word_embeddings": tied, "rms_norm_eps": 1e-5,
              "rope_theta": 10000.0, "max_position_embeddings": 8192, "hidden_act": "silu", "torch_dtype": "bfloat16",
              "bos_token_id": 1, "eos_token_id": 2}
    shapes = {"model.embed_tokens.weight": [vocabulary, width], "model.norm.weight": [width]}
    if not tied:
        shapes["lm_head.weight"] = [vocabulary, width]
    for i in range(layers):
        at = f"model.layers.{i}."
        shapes[at + "input_layernorm.weight"] = shapes[at + "post_attention_layernorm.weight"] = [width]
        shapes[at + "self_attn.q_proj.weight"] = [heads * head, width]
        shapes[at + "self_attn.k_proj.weight"] = shapes[at + "self_attn.v_proj.weight"] = [kv * head, width]
        shapes[at + "self_attn.o_proj.weight"] = [width, heads * head]
        shapes[at + "mlp.gate_proj.weight"] = shapes[at + "mlp.up_proj.weight"] = [mlp, width]
        shapes[at + "mlp.down_proj.weight"] = [width, mlp]
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        f.truncate(8 + len(text) + end)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f)
    return end


def write_corpus(path, vocabulary):
    rng = random.Random(0)
    weights = [1 / (rank + 2) for rank in range(vocabulary - 3)]
    ids = array.array("i", rng.choices(range(3, vocabulary), weights, k=100 * 512))
    header = "{'descr': '<i4', 'fortran_order': False, 'shape': (100, 512), }"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + ids.tobytes())


def plan(program, model, corpus, *options):
    command = [program, "analyze", model, corpus, "--plan", "--json", "--threads", "4", "--memory", "64G", "--quiet"]
    done = subprocess.run(command + list(options), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"board_memory.py: {' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def row(name, size, p):
    mib = [p["memory"] / 2**20, p["memory_least"] / 2**20]
    print(f"| {name} | {size / 2**20:,.0f} | {p['compute']} | {mib[0]:,.0f} | {mib[1]:,.0f} |")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    print("| model | its file, MiB | arithmetic | memory, MiB | at least, MiB |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        corpus = os.path.join(work, "ids.npy")
        for model in sys.argv[2:]:
            write_corpus(corpus, 512 if "stories" in model else 49152)
            row(os.path.basename(model), os.path.getsize(model), plan(program, model, corpus))
        for name, *shape in SHAPES:
            folder = os.path.join(work, name)
            os.mkdir(folder)
            size = write_model(folder, *shape)
            write_corpus(corpus, shape[5])
            row(f"{name}, bf16", size, plan(program, folder, corpus))
            row(f"{name}, bf16, `--weights q8_0`", size, plan(program, folder, corpus, "--weights", "q8_0"))


main()
