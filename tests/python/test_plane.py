"""bound and correlate on arrays: against known answers and the program."""
import itertools
import json
import math
import os
import tempfile
import unittest

import numpy as np

import infoplane
from support import CORPUS, MODEL, need
from test_engine import program


def binary_entropy(p):
    return -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)


def gerber(i_x, p):
    """The curve of a binary symmetric channel with uniform input (Mrs. Gerber's lemma)."""
    low, high = 0.0, 0.5
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if binary_entropy(middle) < math.log(2) - i_x else (low, middle)
    return math.log(2) - binary_entropy(p * (1 - low) + low * (1 - p))


class Bound(unittest.TestCase):
    def test_binary_symmetric_channel(self):
        p = 0.11
        curve = infoplane.bound([0, 0, 1, 1], [0, 1, 0, 1], p=[(1 - p) / 2, p / 2, p / 2, (1 - p) / 2], bins=20,
                                betas=1 + np.geomspace(0.05, 50, 60))
        self.assertAlmostEqual(curve.I_XY, math.log(2) - binary_entropy(p), delta=1e-12)
        self.assertAlmostEqual(curve.H_X, math.log(2), delta=1e-12)
        for i_x in np.linspace(0.02, 0.69, 12):
            self.assertLessEqual(curve(i_x), gerber(i_x, p) + 1e-9)
            self.assertGreater(curve(i_x), gerber(i_x, p) - 2e-3)
        for point in curve.points:
            if point.I_X > 1e-6:
                self.assertAlmostEqual(point.I_Y, gerber(point.I_X, p), delta=1e-5)

    def test_function_and_independence(self):
        x = np.arange(600) % 6
        curve = infoplane.bound(x, x % 3)
        self.assertEqual((curve.positions, curve.x, curve.y, curve.pairs), (600, 6, 3, 6))
        self.assertAlmostEqual(curve.I_XY, math.log(3), delta=1e-12)
        for i_x in (0.1, 0.5, 1.0):
            self.assertAlmostEqual(curve(i_x), i_x, delta=1e-9)
        none = infoplane.bound(np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4))
        self.assertAlmostEqual(float(none(1.0)), 0, delta=1e-12)

    def test_ways_to_give_a_joint(self):
        random = np.random.default_rng(2)
        x, y = random.integers(0, 5, 400) * 10**12 - 3, random.integers(0, 4, 400)
        counted = infoplane.bound(x, y, betas=[2.0, 5.0])
        pairs, counts = np.unique(np.stack([x, y]), axis=1, return_counts=True)
        self.assertEqual(infoplane.bound(pairs[0], pairs[1], counts=counts, betas=[2.0, 5.0]).points, counted.points)
        # Probabilities begin from other roundings than counts.
        chances = infoplane.bound(pairs[0], pairs[1], p=counts / 7.0, betas=[2.0, 5.0])
        self.assertAlmostEqual(chances.I_XY, counted.I_XY, delta=1e-12)
        q = counts / 400
        px, py = (np.array([q[pairs[i] == v].sum() for v in pairs[i]]) for i in (0, 1))
        self.assertAlmostEqual(counted.I_XY, float(np.sum(q * np.log(q / px / py))), delta=1e-12)
        report = json.loads(counted.to_json())
        self.assertEqual(report["points"][0]["I_X"], counted.points[0].I_X)
        for wrong in (lambda: infoplane.bound([0, 1], [0]), lambda: infoplane.bound([0, 1], [0, 1], counts=[1]),
                      lambda: infoplane.bound([0, 1], [0, 1], betas=[0.5]), lambda: infoplane.bound([], [])):
            with self.assertRaises(ValueError):
                wrong()
        need("pandas")
        self.assertEqual(list(counted.to_pandas()["I_Y"]), [p.I_Y for p in counted.points])

    def test_corpus(self):
        result = infoplane.bound_corpus(MODEL, CORPUS, documents=10, orders=1, bins=20, bound_effort="low")
        text = program("bound", MODEL, CORPUS, "--documents", "10", "--orders", "1", "--bins", "20", "--effort", "low", "--json",
                       "--quiet")
        theirs = json.loads(text)
        self.assertEqual({**theirs, "run": None}, {**result.report, "run": None})
        self.assertEqual(result.curves[0].pairs, theirs["curves"][0]["sizes"]["pairs"])
        self.assertEqual(len(result.curves), 1)


class Correlate(unittest.TestCase):
    def table(self):
        random = np.random.default_rng(4)
        size = random.uniform(0.1, 70, 7)
        complexity = random.standard_normal(7)
        return {"model": [f"m{i}" for i in range(7)], "family": list("aabbcde"), "params_b": size, "complexity": complexity,
                "quiz, hard": complexity * -0.5 + random.standard_normal(7), "other": random.standard_normal(7)}

    def test_against_numpy(self):
        table = self.table()
        result = infoplane.correlate(table, resamples=500)
        entries = {e.task: e for e in result.entries}
        self.assertEqual(set(entries), {"quiz, hard", "other", "mean"})
        x, y, s = table["complexity"], table["quiz, hard"], np.log10(table["params_b"])
        r = np.corrcoef(x, y)[0, 1]
        entry = entries["quiz, hard"]
        self.assertAlmostEqual(entry.r, r, delta=1e-12)
        hits = sum(abs(np.corrcoef(x, y[list(q)])[0, 1]) >= abs(r) - 1e-12 for q in itertools.permutations(range(7)))
        self.assertAlmostEqual(entry.p, hits / math.factorial(7), delta=1e-12)
        ranks = [np.argsort(np.argsort(v)) for v in (x, y)]
        self.assertAlmostEqual(entry.rho, np.corrcoef(*ranks)[0, 1], delta=1e-12)
        rest = [v - np.polyval(np.polyfit(s, v, 1), s) for v in (x, y)]
        self.assertAlmostEqual(entry.r_given_size, np.corrcoef(*rest)[0, 1], delta=1e-9)
        self.assertTrue(entry.low < r < entry.high)
        self.assertEqual(json.loads(result.to_json()), result.report)

    def test_the_programs_report(self):
        table = self.table()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write(",".join('"' + c + '"' for c in table) + "\n")
                for row in zip(*table.values()):
                    file.write(",".join(str(v) for v in row) + "\n")
            theirs = json.loads(program("correlate", "--table", path, "--bootstrap", "500", "--json", "--quiet"))
            self.assertEqual(infoplane.correlate(path, resamples=500).report["entries"], theirs["entries"])
        self.assertEqual(infoplane.correlate(table, resamples=500).report["entries"], theirs["entries"])
        need("pandas")
        import pandas
        frame = infoplane.correlate(pandas.DataFrame(table), resamples=500).to_pandas()
        self.assertEqual(list(frame["r"]), [e["pearson"]["r"] for e in theirs["entries"]])

    def test_wrong(self):
        for wrong in (lambda: infoplane.correlate(), lambda: infoplane.correlate("nothing.csv"),
                      lambda: infoplane.correlate({"model": [1], "complexity": [1, 2]}),
                      lambda: infoplane.correlate({"model": ["a", "b"], "loss": [1, 2]})):
            with self.assertRaises((TypeError, ValueError)):
                wrong()


if __name__ == "__main__":
    unittest.main()
