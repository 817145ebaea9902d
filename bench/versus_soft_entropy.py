#!/usr/bin/env python3
"""infoplane against the soft-entropy package on PyTorch CPU, in turns in one run.

    python bench/versus_soft_entropy.py analysis MODEL.gguf CORPUS.jsonl [--documents 200] [--dtype bfloat16]
    python bench/versus_soft_entropy.py estimators [--vectors 1000000] [--width 576]
    python bench/versus_soft_entropy.py accumulators [--vectors 100000] [--width 576] [--batch 2048]

analysis    The package's own pipeline (LLMInferrer._process_batch, _collect_results; orders 1-3, batches of 4) on the
            weights of the GGUF file as transformers reads them, against `infoplane analyze` on the file: the same
            documents, the same anchors, the same threads. Their clock starts when model and tokenizer stand ready; ours is
            the whole process, reading, tokenizing and packing included.
estimators  SoftEntropyAccumulator against `infoplane entropy` on the same vectors and label sets. Their clock holds update
            and results; ours is the whole process, reading the files included.
accumulators  infoplane.SoftEntropyAccumulator (the wheel) against theirs in one process: the same batches, anchors and label sets,
            NumPy arrays for both, tensors for their torch backend where it is faster. Both clocks hold update and results.

Needs: python3 -m venv V && V/bin/pip install torch==2.13.0 soft-entropy transformers accelerate gguf  (the CPU build of torch)
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TQDM_DISABLE", "1")
try:
    import numpy as np
    import torch
    from soft_entropy.accumulator import SoftEntropyAccumulator
except ImportError as missing:
    sys.exit(f"SKIPPED: {missing}.\n{__doc__.rsplit('Needs: ', 1)[1].strip()}")

try:
    import jax.numpy
    BACKENDS = ("numpy", "torch", "jax")
except ImportError:
    BACKENDS = ("numpy", "torch")

HERE = os.path.dirname(os.path.abspath(__file__))
ORDERS = ["unigram", "bigram", "trigram"]


def run_infoplane(arguments):
    """Seconds of the whole process, and its result."""
    start = time.perf_counter()
    done = subprocess.run(arguments, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - start, json.loads(done.stdout)


def ratio_line(name, ours, theirs, unit):
    """Medians of both, and the ratio of the turns."""
    ratios = sorted(t / o for o, t in zip(ours, theirs))
    print(f"{name}: infoplane {unit / statistics.median(ours):,.0f} per second, soft-entropy "
          f"{unit / statistics.median(theirs):,.0f}; {statistics.median(ratios):.1f} times as fast "
          f"({ratios[0]:.1f} to {ratios[-1]:.1f})", flush=True)


# ---- the whole analysis ----

def open_inferrer(model, dtype, seed):
    """An LLMInferrer as its constructor makes it, but on a GGUF file."""
    from soft_entropy.llm import LLMInferrer
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder, name = os.path.split(os.path.abspath(model))
    inferrer = LLMInferrer.__new__(LLMInferrer)
    inferrer.label_types, inferrer.max_order, inferrer.max_length = ORDERS, 3, 512
    inferrer.tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    if inferrer.tokenizer.pad_token is None:
        inferrer.tokenizer.pad_token = inferrer.tokenizer.eos_token
    inferrer.tokenizer.padding_side = "right"
    # Dense weights, so that every product is PyTorch's own: weights kept as they lie in the file would be slower.
    dense = GgufConfig(dequantize=True)
    inferrer.model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=dtype, quantization_config=dense)
    inferrer.model.config.output_hidden_states = True
    inferrer.model.eval()
    config = inferrer.model.config
    inferrer.n_layers = config.num_hidden_layers
    inferrer.accs = [SoftEntropyAccumulator(d=config.hidden_size, n_bins=100, seed=seed, backend="torch", dtype=dtype)
                     for _ in range(inferrer.n_layers + 1)]
    return inferrer


def their_analysis(inferrer, texts):
    for accumulator in inferrer.accs:
        accumulator.reset()
    start = time.perf_counter()
    for i in range(0, len(texts), 4):
        inferrer._process_batch(texts[i:i + 4])
    results = inferrer._collect_results()
    return time.perf_counter() - start, results


def analysis(args):
    torch.set_num_threads(args.threads)
    with open(args.corpus, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for _, line in zip(range(args.documents), file)]
    inferrer = open_inferrer(args.model, getattr(torch, args.dtype), args.seed)
    with tempfile.TemporaryDirectory() as folder:
        anchors = os.path.join(folder, "anchors.npy")
        np.save(anchors, inferrer.accs[0].w.float().numpy())
        command = [args.infoplane, "analyze", args.model, args.corpus, "--documents", str(args.documents), "--orders", "3",
                   "--null", "0", "--groups", "0", "--threads", str(args.threads), "--anchors", anchors, "--json", "--quiet"]
        times = {compute: [] for compute in args.compute}
        theirs = []
        for turn in range(args.turns):
            for compute in args.compute:
                seconds, ours = run_infoplane(command + ["--compute", compute])
                times[compute].append(seconds)
            seconds, results = their_analysis(inferrer, texts)
            theirs.append(seconds)
            print(f"turn {turn + 1}: soft-entropy {seconds:.1f} s, infoplane " +
                  ", ".join(f"{compute} {times[compute][-1]:.2f} s" for compute in args.compute), flush=True)
    tokens = ours["corpus"]["tokens"]
    print(f"{args.documents} documents, {tokens} tokens, {args.threads} thread(s), theirs in {args.dtype}; "
          f"load now {os.getloadavg()[0]:.1f}")
    for compute in args.compute:
        ratio_line(f"tokens, {compute}", times[compute], theirs, tokens)
    # The two must have computed the same thing. The package divides by log m.
    mean, log_bins = results["mean"], math.log(100)
    print(f"mean over layers, nats: H(Z) {ours['mean']['H']:.5f}, theirs {mean['H(Z)'] * log_bins:.5f}")
    for k, order in enumerate(ORDERS):
        for side, name in (("X", "input"), ("Y", "output")):
            print(f"  I({side};Z) order {k + 1}: {ours['mean'][side][k]['I']:.5f}, "
                  f"theirs {mean[f'I(X;Z)/{name}_{order}'] * log_bins:.5f}")


# ---- the estimators alone ----

def make_vectors(folder, rows, width, sets):
    """Vectors that depend on their labels, and label sets, as .npy files. Labels are Zipf-like, frequency as 1 / rank: set
    i over 1000 * 4^i labels, from a few common words to n-grams that mostly occur once."""
    random = np.random.default_rng(1)
    labels = []
    for i in range(sets):
        values = np.floor((1000.0 * 4**i) ** random.random(rows)).astype(np.int64)
        labels.append(values)
        np.save(os.path.join(folder, f"labels{i}.npy"), values)
    path = os.path.join(folder, "vectors.npy")
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, width))
    means = random.standard_normal((1024, width), dtype=np.float32)
    for at in range(0, rows, 65536):
        part = labels[0][at:at + 65536]
        out[at:at + 65536] = random.standard_normal((len(part), width), dtype=np.float32) + means[part % 1024]
    out.flush()
    return path, labels


def their_estimates(backend, batch, vectors, labels, width, rows, make=SoftEntropyAccumulator):
    accumulator = make(d=width, n_bins=100, seed=0, backend=backend)
    start = time.perf_counter()
    for at in range(0, rows, batch):
        z = np.array(vectors[at:min(at + batch, rows)])
        if backend == "torch":
            z = torch.from_numpy(z)
        elif backend == "jax":
            z = jax.numpy.asarray(z)
        accumulator.update(z, labels={str(i): v[at:min(at + batch, rows)] for i, v in enumerate(labels)})
    results = accumulator.results()
    seconds = time.perf_counter() - start
    return seconds, results, np.asarray(accumulator.w, dtype=np.float32)


def estimators(args):
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory(dir=args.scratch) as folder:
        path, labels = make_vectors(folder, args.vectors, args.width, args.sets)
        vectors = np.load(path, mmap_mode="r")
        probe = min(args.vectors, 16384)
        speeds = {(backend, batch): their_estimates(backend, batch, vectors, labels, args.width, probe)[0]
                  for backend in BACKENDS for batch in (512, 2048, 8192)}
        backend, batch = min(speeds, key=speeds.get)
        print(f"{args.vectors} x {args.width} vectors, {args.sets} label sets, {args.threads} thread(s); their faster "
              f"backend is {backend} in batches of {batch} (seconds for {probe} vectors: " +
              ", ".join(f"{b} {n}: {s:.2f}" for (b, n), s in speeds.items()) + ")", flush=True)
        anchors = os.path.join(folder, "anchors.npy")
        command = [args.infoplane, "entropy", path, "--threads", str(args.threads), "--anchors", anchors, "--json", "--quiet"]
        for i in range(args.sets):
            command += ["--labels", os.path.join(folder, f"labels{i}.npy")]
        ours_times, their_times = [], []
        for _ in range(args.turns):
            seconds, results, weights = their_estimates(backend, batch, vectors, labels, args.width, args.vectors)
            their_times.append(seconds)
            np.save(anchors, weights)
            seconds, ours = run_infoplane(command)
            ours_times.append(seconds)
            print(f"soft-entropy {their_times[-1]:.1f} s, infoplane {seconds:.2f} s; load now {os.getloadavg()[0]:.1f}", flush=True)
        ratio_line("vectors", ours_times, their_times, args.vectors)
        log_bins = math.log(100)
        print(f"H(Z), nats: {ours['H']:.6f}, theirs {results['H(Z)'] * log_bins:.6f}")
        for i in range(args.sets):
            print(f"  I(V;Z) set {i}: {ours['labels'][i]['I']:.6f}, theirs {results[f'I(X;Z)/{i}'] * log_bins:.6f} "
                  f"({ours['labels'][i]['distinct']} labels)")


# ---- the accumulators, both from Python ----

def accumulators(args):
    import infoplane

    torch.set_num_threads(args.threads)

    def ours(d, n_bins, seed, backend):
        return infoplane.SoftEntropyAccumulator(d, n_bins, seed, backend, threads=args.threads)
    with tempfile.TemporaryDirectory() as folder:
        path, labels = make_vectors(folder, args.vectors, args.width, args.sets)
        vectors = np.load(path)
        backends = [b for b in BACKENDS if b != "jax"]
        probe = min(args.vectors, 4 * args.batch)
        backend = min(backends, key=lambda b: their_estimates(b, args.batch, vectors, labels, args.width, probe)[0])
        our_times, their_times, our_work, their_work = [], [], [], []
        for _ in range(args.turns):
            work = time.process_time()
            seconds, theirs, _ = their_estimates(backend, args.batch, vectors, labels, args.width, args.vectors)
            their_times.append(seconds)
            their_work.append(time.process_time() - work)
            work = time.process_time()
            seconds, mine, _ = their_estimates(backend, args.batch, vectors, labels, args.width, args.vectors, ours)
            our_times.append(seconds)
            our_work.append(time.process_time() - work)
            print(f"soft-entropy ({backend}) {their_times[-1]:.2f} s, infoplane {seconds:.2f} s; load now "
                  f"{os.getloadavg()[0]:.1f}", flush=True)
        print(f"{args.vectors} x {args.width} vectors in batches of {args.batch}, {args.sets} label set(s), {args.threads} thread(s)")
        ratio_line("vectors", our_times, their_times, args.vectors)
        ratio_line("vectors, in processor time", our_work, their_work, args.vectors)
        print("largest difference of the results: "
              f"{max(abs(theirs[key] - mine[key]) for key in theirs):.1e} ({', '.join(theirs)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--infoplane", default=os.path.join(HERE, "..", "build", "release", "bin", "infoplane"))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("analysis")
    one.add_argument("model")
    one.add_argument("corpus")
    one.add_argument("--documents", type=int, default=200)
    one.add_argument("--dtype", default="bfloat16", choices=["float32", "bfloat16"])
    one.add_argument("--compute", nargs="+", default=["auto", "int8"])
    one.set_defaults(run=analysis)
    two = commands.add_parser("estimators")
    two.add_argument("--vectors", type=int, default=1000000)
    two.add_argument("--width", type=int, default=576)
    two.add_argument("--sets", type=int, default=8)
    two.add_argument("--scratch", help="folder for the vectors (default: the temporary folder)")
    two.set_defaults(run=estimators)
    three = commands.add_parser("accumulators")
    three.add_argument("--vectors", type=int, default=100000)
    three.add_argument("--width", type=int, default=576)
    three.add_argument("--sets", type=int, default=2)
    three.add_argument("--batch", type=int, default=2048)
    three.set_defaults(run=accumulators, infoplane=None)
    args = parser.parse_args()
    if args.infoplane is not None and not os.access(args.infoplane, os.X_OK):
        sys.exit(f"{args.infoplane} is not there: cmake --preset release && cmake --build --preset release")
    args.run(args)


if __name__ == "__main__":
    main()
