#!/usr/bin/env python3
"""The paired bootstrap of `compare` in plain numpy, from hidden states: nothing of the program's estimates is used.

    paired_bootstrap_check.py FOLDER

FOLDER holds pair/ (`compare --orders 1 --loss --bootstrap B --anchors anchors.npy -o pair`), anchors.npy, a/ and b/
(`states` of the same two models) and ids.npy, ids.offsets.npy (`tokenize -o`). Documents are drawn here by a Philox of
our own (`../../core/estimators/resample_draws.c` says how), every figure of every resample is worked out by its definition,
and resamples.npy of both runs, the percentiles of each run and those of compare.json and compare.csv must agree.
Python 3.11, numpy 2.4.6.
"""
import csv
import json
import sys
from pathlib import Path

import numpy as np

PURPOSE = 3  # IP_DRAW_DOCUMENTS
MASK = 0xFFFFFFFF


def philox(counter, key):
    """Philox4x32-10 (Salmon et al. 2011); key: 64 bits."""
    c, k = list(counter), [key & MASK, key >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & MASK, (p >> 32) ^ c[3] ^ k[1], p & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def drawn(documents, seed, resample):
    weights = np.zeros(documents)
    for i in range(documents):
        words = philox((i // 2, resample, 0, PURPOSE), seed)
        u = words[2 * (i % 2) + 1] << 32 | words[2 * (i % 2)]
        weights[u * documents >> 64] += 1
    return weights


def entropy(p):
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def given(p, weights, labels):
    """H(Z|V) of soft assignments p [positions, anchors], positions weighted."""
    total = 0.0
    for v in np.unique(labels):
        own = labels == v
        n = weights[own].sum()
        if n > 0:
            total += n * entropy(weights[own] @ p[own] / n)
    return total / weights.sum()


def figures(folder, run, anchors, ids, offsets, draws):
    """H, context, X1, Y1 of every layer and resample: [layers + 1, 4, resamples]."""
    place = np.load(folder / "positions.npy")
    length = np.diff(offsets)[place[:, 0]]
    counted = np.flatnonzero(place[:, 1] < length - 1)
    x, y = ids[counted], ids[counted + 1]
    document = place[counted, 0]
    layers = run["model"]["layers"] + 1
    out = np.empty((layers, 4, len(draws)))
    for layer in range(layers):
        z = np.load(folder / f"layer-{layer:02d}.npy").astype(np.float64)[counted]
        s = z / np.linalg.norm(z, axis=1, keepdims=True) @ anchors.T / run["estimator"]["temperature"]
        p = np.exp(s - s.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        own = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1)
        for b, draw in enumerate(draws):
            weights = draw[document]
            H = entropy(weights @ p / weights.sum())
            out[layer, :, b] = H, H - weights @ own / weights.sum(), H - given(p, weights, x), H - given(p, weights, y)
    return out


def losses(folder, draws):
    loss, borders = np.load(folder / "token-loss.npy").astype(np.float64), np.load(folder / "token-loss.offsets.npy")
    sums = np.array([loss[a:b].sum() for a, b in zip(borders, borders[1:])])
    return np.array([d @ sums / (d @ np.diff(borders)) for d in draws])


def main():
    root = Path(sys.argv[1])
    result = json.load(open(root / "pair/compare.json"))
    runs = [json.load(open(root / "pair" / side / "run.json")) for side in "ab"]
    resamples = runs[0]["estimator"]["bootstrap"]
    assert result["estimator"]["bootstrap"] == resamples > 0
    draws = [drawn(runs[0]["corpus"]["documents"], runs[0]["estimator"]["seed"], b) for b in range(resamples)]
    ids, offsets = np.load(root / "ids.npy"), np.load(root / "ids.offsets.npy")
    anchors = np.load(root / "anchors.npy").astype(np.float64)
    own, kept, worst = [], [], {"resamples": 0.0, "interval of a run": 0.0, "paired": 0.0, "paired, exactly": 0.0, "loss": 0.0}

    def note(what, difference):
        worst[what] = max(worst[what], float(np.max(np.abs(difference))))

    for side, run in zip("ab", runs):
        own.append(figures(root / side, run, anchors, ids, offsets, draws))
        kept.append(np.load(root / "pair" / side / "resamples.npy"))
        assert kept[-1].shape == own[-1].shape
        note("resamples", kept[-1] - own[-1])
        for at, values in [(run["layers"][l], own[-1][l]) for l in range(len(run["layers"]))] + [(run["mean"], own[-1][1:].mean(axis=0))]:
            for i, key in ((2, "X"), (3, "Y")):
                low, high = np.quantile(values[i], (0.025, 0.975))
                note("interval of a run", [at[key][0]["boot_low"] - low, at[key][0]["boot_high"] - high])

    def pairs(source):
        """Row name -> figure name -> difference of each resample."""
        a, b = (np.concatenate([s, s[:, 3:4] / s[:, 2:3]], axis=1) for s in source)
        d = a - b
        names = ("H", "context", "X1", "Y1", "optimality1")
        rows = {str(l): dict(zip(names, d[l])) for l in range(len(d))}
        rows["mean"] = dict(zip(names, d[1:].mean(axis=0)))
        return rows

    loss = losses(root / "pair/a", draws) - losses(root / "pair/b", draws)
    seen = 0
    for what, source in (("paired", own), ("paired, exactly", kept)):
        rows = pairs(source)
        for row in csv.DictReader(open(root / "pair/compare.csv")):
            if row["figure"] == "loss":
                note("loss", np.quantile(loss, (0.025, 0.975)) - [float(row["boot_low"]), float(row["boot_high"])])
            else:
                values = rows[row["layer"]][row["figure"]]
                note(what, np.quantile(values, (0.025, 0.975)) - [float(row["boot_low"]), float(row["boot_high"])])
            seen += 1
    mean = result["mean"]
    for key, figure in (("H", mean["H"]), ("X1", mean["X"][0]), ("optimality1", mean["optimality"][0])):
        note("paired, exactly", np.quantile(pairs(kept)["mean"][key], (0.025, 0.975)) - [figure["boot_low"], figure["boot_high"]])
    # f32 scores and assignments against double: 1e-7 nats seen
    most = {"resamples": 2e-6, "interval of a run": 2e-6, "paired": 2e-6, "paired, exactly": 1e-12, "loss": 1e-12}
    for what, value in worst.items():
        print(f"{what}: largest difference {value:.2e}, tolerance {most[what]:.0e}")
    print(f"{resamples} resamples, {seen} rows")
    return 0 if seen > 0 and all(worst[what] <= most[what] for what in worst) else 1


if __name__ == "__main__":
    sys.exit(main())
