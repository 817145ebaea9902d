#!/usr/bin/env python3
"""The estimators hard, binning and matrix in plain numpy, independent of infoplane: what tests/unit/test_estimators.c
compares with.

    python estimators_check.py make tests/data/estimators            vectors, anchors, labels, documents (seeded)
    python estimators_check.py expect tests/data/estimators > tests/data/estimators/expected.json
    python estimators_check.py expect-golden SET > tests/data/estimators/expected_a.json     (z.npy, doc.npy ... of a set)

Nats. Per estimator and label set: I; for the counted codes also I without each of 20 groups of documents (document number
mod 20), and mean and deviation of I over 400 permutations of the labels. Codes are those of all vectors throughout.
Python 3.11, numpy 2.4.6.
"""
import json
import sys
from pathlib import Path

import numpy as np

GROUPS = 20


def entropy_of_counts(counts):
    counts = np.asarray(counts, dtype=np.float64)
    p = counts / counts.sum()
    return float(-(p * np.log(p)).sum())


def plug_in(codes, labels):
    """H(Z), I(V;Z) of two integer arrays."""
    h = entropy_of_counts(np.unique(codes, return_counts=True)[1])
    given = 0.0
    for v in np.unique(labels):
        own = codes[labels == v]
        given += len(own) / len(codes) * entropy_of_counts(np.unique(own, return_counts=True)[1])
    return h, h - given


def hard_codes(z, anchors):
    z = z.astype(np.float64)
    scores = (z / np.linalg.norm(z, axis=1, keepdims=True)) @ anchors.astype(np.float64).T
    best = np.sort(scores, 1)
    return scores.argmax(1), float((best[:, -1] - best[:, -2]).min())


def binning_codes(z, bins):
    z = z.astype(np.float64)
    low, high = z.min(0), z.max(0)
    width = np.where(high > low, high - low, 1.0)
    b = np.minimum(np.floor((z - low) / width * bins), bins - 1).astype(np.int64)
    b[:, high == low] = 0
    return np.unique(b, axis=0, return_inverse=True)[1].reshape(-1)


def spectrum_entropy(u):
    k = u.T @ u / len(u)
    values = np.linalg.eigvalsh(k)
    values = values[values > 0]
    return float(-(values * np.log(values)).sum())


def matrix(z, labels):
    z = z.astype(np.float64)
    u = z - z.mean(0)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    s = spectrum_entropy(u)
    out = {"H": s, "effective_rank": float(np.exp(s)), "I": {}}
    for name, v in labels.items():
        values, counts = np.unique(v, return_counts=True)
        if len(values) > 64:
            out["I"][name] = None
            continue
        given = sum(n / len(z) * spectrum_entropy(u[v == x]) for x, n in zip(values, counts) if n >= 2)
        out["I"][name] = s - given
    return out


def counted(codes, labels, doc, rng):
    out = {"codes": int(codes.max()) + 1 if len(codes) else 0, "H": plug_in(codes, np.zeros(len(codes), int))[0], "I": {}}
    group = np.unique(doc, return_inverse=True)[1].reshape(-1) % GROUPS
    for name, v in labels.items():
        null = [plug_in(codes, rng.permutation(v))[1] for _ in range(400 if len(codes) < 1000 else 40)]
        out["I"][name] = {"I": plug_in(codes, v)[1],
                          "without": [plug_in(codes[group != g], v[group != g])[1] for g in range(GROUPS)],
                          "null_mean": float(np.mean(null)), "null_sd": float(np.std(null))}
    return out


def expect(folder, anchors, names):
    folder = Path(folder)
    z, doc = np.load(folder / "z.npy"), np.load(folder / "doc.npy")
    labels = {n: np.load(folder / f"labels_{n}.npy") for n in names}
    rng = np.random.default_rng(5)
    codes, margin = hard_codes(z, np.load(folder / anchors))
    result = {"anchors": anchors, "labels": names, "hard_margin": margin,
              "hard": counted(codes, labels, doc, rng),
              "binning": {str(b): counted(binning_codes(z, b), labels, doc, rng) for b in (2, 3, 30)},
              "matrix": matrix(z, labels)}
    json.dump(result, sys.stdout, indent=1)
    print()


def make(folder):
    rng = np.random.default_rng(20261124)
    n, d, m = 400, 6, 16
    kind = rng.integers(0, 5, n)
    z = (rng.normal(size=(5, d))[kind] * 2 + rng.normal(size=(n, d)) * 0.5 + 1.0).astype(np.float32)
    z[:, 4] = np.round(z[:, 4])  # equal values; one dimension that never changes
    z[:, 5] = 0.25
    z[300:320] = z[0]  # equal vectors
    anchors = rng.normal(size=(m, d))
    anchors = (anchors / np.linalg.norm(anchors, axis=1, keepdims=True)).astype(np.float32)
    folder = Path(folder)
    np.save(folder / "z.npy", z)
    np.save(folder / "anchors.npy", anchors)
    np.save(folder / "labels_few.npy", kind.astype(np.int32))
    np.save(folder / "labels_many.npy", np.minimum(rng.zipf(1.4, n), 200).astype(np.int32))
    np.save(folder / "doc.npy", np.sort(rng.integers(0, 30, n)).astype(np.int32))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    elif sys.argv[1] == "expect":
        expect(sys.argv[2], "anchors.npy", ["few", "many"])
    else:
        expect(sys.argv[2], "anchors_m100.npy", ["few", "zipf"])
