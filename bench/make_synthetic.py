#!/usr/bin/env python3
"""A synthetic llama model in Q4_K, as large as wanted: for memory and start-up measurements, where values do not matter.

usage: make_synthetic.py OUT.gguf [--layers 32] [--width 4096] [--heads 32] [--kv-heads 8] [--feed-forward 14336] [--vocabulary 128256]

Weights are random codes with small scales, so that states stay finite; every layer holds the same bytes. Standard library only.
"""
import argparse
import random
import struct


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def key(name, kind, value):
    codes = {"u32": (4, "<I"), "f32": (6, "<f")}
    if kind == "string":
        return string(name) + struct.pack("<I", 8) + string(value)
    code, form = codes[kind]
    return string(name) + struct.pack("<I", code) + struct.pack(form, value)


def q4_k_blocks(count, seed):
    """count random Q4_K blocks of 144 bytes: d, dmin (halves), 12 bytes of scales, 128 of codes."""
    rng = random.Random(seed)
    out = bytearray()
    for _ in range(count):
        # scale 2^-14 * 16 codes * scales up to 63: weights of about +-0.03; dmin centres them
        out += struct.pack("<ee", 2.0 ** -14, 2.0 ** -14 * 7.5) + rng.randbytes(140)
    return bytes(out)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out")
    for name, default in (("layers", 32), ("width", 4096), ("heads", 32), ("kv-heads", 8), ("feed-forward", 14336),
                          ("vocabulary", 128256)):
        p.add_argument("--" + name, type=int, default=default)
    a = p.parse_args()
    head = a.width // a.heads
    tensors = [("token_embd.weight", (a.width, a.vocabulary), 12), ("output_norm.weight", (a.width,), 0)]
    for i in range(a.layers):
        b = f"blk.{i}."
        tensors += [(b + "attn_norm.weight", (a.width,), 0), (b + "attn_q.weight", (a.width, a.width), 12),
                    (b + "attn_k.weight", (a.width, a.kv_heads * head), 12),
                    (b + "attn_v.weight", (a.width, a.kv_heads * head), 12),
                    (b + "attn_output.weight", (a.width, a.width), 12), (b + "ffn_norm.weight", (a.width,), 0),
                    (b + "ffn_gate.weight", (a.width, a.feed_forward), 12),
                    (b + "ffn_up.weight", (a.width, a.feed_forward), 12),
                    (b + "ffn_down.weight", (a.feed_forward, a.width), 12)]
    keys = [key("general.architecture", "string", "llama"), key("general.name", "string", "synthetic"),
            key("llama.block_count", "u32", a.layers), key("llama.context_length", "u32", 8192),
            key("llama.embedding_length", "u32", a.width), key("llama.feed_forward_length", "u32", a.feed_forward),
            key("llama.attention.head_count", "u32", a.heads), key("llama.attention.head_count_kv", "u32", a.kv_heads),
            key("llama.attention.layer_norm_rms_epsilon", "f32", 1e-5), key("llama.rope.freq_base", "f32", 500000.0)]
    infos, offset, sizes = b"", 0, []
    for name, shape, kind in tensors:
        elements = 1
        for n in shape:
            elements *= n
        size = elements // 256 * 144 if kind == 12 else elements * 4
        infos += string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        infos += struct.pack("<IQ", kind, offset)
        sizes.append((size, kind))
        offset += (size + 31) // 32 * 32
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys) + infos
    chunk = q4_k_blocks(8192, 1)
    with open(a.out, "wb") as f:
        f.write(header + bytes(-len(header) % 32))
        for size, kind in sizes:
            if kind == 0:
                f.write(struct.pack("<f", 1.0) * (size // 4))
            else:
                for _ in range(size // len(chunk)):
                    f.write(chunk)
                f.write(chunk[:size % len(chunk)])
            f.write(bytes(-size % 32))
    print(f"{a.out}: {sum(s for s, k in sizes if k == 12) // 144 * 256 / 1e9:.2f} G parameters in Q4_K")


if __name__ == "__main__":
    main()
