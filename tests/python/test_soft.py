"""soft-entropy's names: against a computation in double precision here, golden figures, and the package itself."""
import json
import math
import os
import threading
import unittest

import numpy as np

import infoplane
import infoplane.numpy
import infoplane.pytorch
from infoplane import SoftEntropyAccumulator, soft_entropy, soft_mutual_information
from support import SHARED, need, skip
from support import soft_entropy as package


def reference(z, w, temperature, labels):
    """H(Z) and I(V;Z) in nats, in double precision, straight from the definition."""
    z = z.astype(np.float64)
    s = z @ w.astype(np.float64).T / np.linalg.norm(z, axis=1, keepdims=True) / temperature
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)

    def entropy(q):
        return -np.sum(q[q > 0] * np.log(q[q > 0]))
    h = entropy(p.mean(axis=0))
    by_label = {v: entropy(p[labels == v].mean(axis=0)) for v in np.unique(labels)}
    return h, h - sum(np.mean(labels == v) * by_label[v] for v in by_label), by_label


def data(n=1200, d=48, seed=7):
    random = np.random.default_rng(seed)
    y = np.floor(200.0 ** random.random(n)).astype(np.int64) * 1000003 - 7
    return (random.standard_normal((n, d)) + 0.1 * (y % 11)[:, None]).astype(np.float32), y


class Accumulator(unittest.TestCase):
    def test_definition(self):
        z, y = data()
        acc = SoftEntropyAccumulator(d=48, n_bins=70, seed=2)
        for i in range(0, len(z), 333):
            acc.update(z[i:i + 333], {"y": y[i:i + 333], "few": y[i:i + 333] % 3})
        h, information, by_label = reference(z, acc.w, acc.temp, y)
        log = math.log(70)
        self.assertAlmostEqual(acc.entropy() * log, h, delta=1e-6)
        self.assertAlmostEqual(acc.mutual_information()["y"] * log, information, delta=2e-6)
        conditional = acc.conditional_entropy()
        self.assertEqual(set(conditional), {"y", "few"})
        self.assertEqual(set(conditional["y"]), set(by_label))
        for v in by_label:
            self.assertAlmostEqual(conditional["y"][v] * log, by_label[v], delta=2e-6)
        results = acc.results()
        self.assertEqual(list(results), ["H(Z)", "I(X;Z)/y", "regularity/y", "I(X;Z)/few", "regularity/few"])
        self.assertAlmostEqual(results["regularity/y"], information / h, delta=1e-6)
        np.testing.assert_allclose(acc.w, (lambda w: w / np.linalg.norm(w, axis=1, keepdims=True))(
            np.random.default_rng(2).standard_normal((70, 48))), rtol=0, atol=1e-7)

    def test_batches_do_not_show(self):
        z, y = data()
        whole = infoplane.entropy(z, y, bins=100, null=0)
        seen = set()
        order = np.random.default_rng(1).permutation(len(z))
        for size, threads in ((1, 1), (7, 2), (300, 1), (257, 3), (1200, 2)):
            drawn = SoftEntropyAccumulator(48, threads=threads)
            for i in range(0, len(z), size):
                rows = order[i:i + size]
                drawn.update(z[rows], y[rows])
            seen.add((drawn.entropy(), drawn.mutual_information()["labels"]))
        self.assertEqual(len(seen), 1)
        # And they are the figures of entropy() on the same anchors, to the bit.
        h, information = seen.pop()
        exact = infoplane.entropy(z, y, anchors=drawn.w, null=0)
        self.assertEqual((exact.H / math.log(100), exact.labels["labels"].I / math.log(100)), (h, information))
        self.assertNotEqual(whole.H, exact.H)

    def test_many_labels(self):
        z, _ = data(5000)
        y = np.arange(5000) * 12345678901 - 2**40
        acc = SoftEntropyAccumulator(48)
        for i in range(0, 5000, 1000):
            acc.update(z[i:i + 1000], y[i:i + 1000])
        context = infoplane.entropy(z, y, anchors=acc.w, null=0).context
        self.assertEqual(acc.mutual_information()["labels"], context / math.log(100))
        self.assertEqual(list(acc.conditional_entropy()["labels"]), y.tolist())

    def test_labels_of_any_kind(self):
        z, y = data()
        names = np.array(["a", "bc", "ü"])[y % 3]
        acc, want = SoftEntropyAccumulator(48), SoftEntropyAccumulator(48)
        acc.update(z[:500], {"n": names[:500], "b": y[:500] % 2 == 0, "f": y[:500] % 3 * 0.5})
        acc.update(z[500:], {"n": list(names[500:]), "b": y[500:] % 2 == 0, "f": y[500:] % 3 * 0.5})
        want.update(z, {"n": y % 3, "b": y % 2})
        for name in ("n", "b"):
            self.assertEqual(acc.mutual_information()[name], want.mutual_information()[name])
        self.assertEqual(acc.mutual_information()["f"], want.mutual_information()["n"])
        self.assertEqual(set(acc.conditional_entropy()["n"]), {"a", "bc", "ü"})

    def test_edges(self):
        z, y = data(100)
        acc = SoftEntropyAccumulator(48)
        self.assertTrue(math.isnan(acc.entropy()) and acc.mutual_information() == {} and acc.conditional_entropy() == {})
        acc.update(z, y)
        before = (acc.results(), acc.conditional_entropy())
        bad = z.copy()
        bad[70] = 0
        for words, batch, labels in (("row 70 is all zero", bad, y), ("width 3", z[:, :3], y), ("99 labels for 100", z, y[:99]),
                                     ("dimension", z[0], y), ("one dimension", z, y.reshape(2, 50))):
            with self.assertRaisesRegex(infoplane.BadInputError, words):
                acc.update(batch, {"labels": labels, "new": y + 10**9} if words[0] == "r" else labels)
            self.assertEqual((acc.results(), acc.conditional_entropy()["labels"]), (before[0], before[1]["labels"]))
        acc.update(z[:0], y[:0])
        acc.update(z)
        with self.assertRaisesRegex(ValueError, "100 of 200"):
            acc.mutual_information()
        acc.reset()
        self.assertTrue(math.isnan(acc.results()["H(Z)"]))
        acc.update(z, y)
        self.assertEqual(acc.results(), before[0])
        with self.assertRaisesRegex(ValueError, "Unknown backend"):
            SoftEntropyAccumulator(48, backend="fortran")
        with self.assertRaises(infoplane.UsageError):
            SoftEntropyAccumulator(2)
        self.assertGreater(SoftEntropyAccumulator(2, calibration="vmf-exact").temp, 0)

    def test_two_accumulators_in_two_threads(self):
        z, y = data()
        def fill(acc):
            for i in range(0, len(z), 50):
                acc.update(z[i:i + 50], y[i:i + 50])
        accs = [SoftEntropyAccumulator(48) for _ in range(3)]
        threads = [threading.Thread(target=fill, args=(a,)) for a in accs[1:]]
        for t in threads:
            t.start()
        fill(accs[0])
        for t in threads:
            t.join()
        self.assertEqual(accs[0].results(), accs[1].results())
        self.assertEqual(accs[0].results(), accs[2].results())


class OneBatch(unittest.TestCase):
    def test_functions(self):
        z, y = data()
        acc = SoftEntropyAccumulator(48, 100, 4)
        acc.update(z, y)
        self.assertEqual(soft_entropy(z, seed=4), acc.entropy())
        self.assertEqual(soft_mutual_information(z, y, 100, 4), acc.mutual_information()["labels"])
        self.assertIs(infoplane.numpy.soft_entropy, soft_entropy)
        leading = 1 / math.sqrt(2 * 48 * math.log(100))
        self.assertAlmostEqual(soft_entropy(z, 100, 4, "leading_order") * math.log(100), reference(z, acc.w, leading, y)[0],
                               delta=1e-6)
        self.assertEqual(infoplane.pytorch.soft_mutual_information(z, y, 100, "leading_order"),
                         soft_mutual_information(z, y, calibration="leading_order"))


class Golden(unittest.TestCase):
    def test_expected(self):
        folder = os.path.join(SHARED, "golden", "estimator", "a")
        if not os.path.isdir(folder):
            skip(f"no {folder}: golden data are looked for in INFOPLANE_SHARED or ../shared")

        def load(name):
            return np.load(os.path.join(folder, name + ".npy"))
        with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
            expected = {e["calibration"]: e for e in json.load(file)["estimates"] if e["m"] == 100}
        z, sets = load("z"), {name: load("labels_" + name) for name in ("few", "zipf", "wide", "single", "one")}
        for calibration, mine in (("vmf-bound", "find_eps"), ("leading-order", "leading_order"), ("vmf-exact", "vmf-exact")):
            acc = SoftEntropyAccumulator(64, anchors=load("anchors_m100"), calibration=mine)
            for i in range(0, len(z), 999):
                acc.update(z[i:i + 999], {name: labels[i:i + 999] for name, labels in sets.items()})
            want = expected[calibration]
            self.assertAlmostEqual(acc.temp, want["epsilon"], delta=1e-13)
            self.assertAlmostEqual(acc.entropy() * math.log(100), want["H_Z"]["nats"], delta=2e-6)
            for name, information in acc.mutual_information().items():
                self.assertAlmostEqual(information * math.log(100), want["label_sets"][name]["I"]["nats"], delta=2e-6)


class Package(unittest.TestCase):
    """The package's own results on the same vectors; its anchors and ours come from the same seed."""

    def compare(self, theirs, ours, delta):
        self.assertEqual(set(theirs), set(ours))
        for key, value in theirs.items():
            self.assertAlmostEqual(value, ours[key], delta=delta, msg=key)

    def test_accumulator(self):
        module = package("accumulator")
        z, y = data()
        theirs, ours = module.SoftEntropyAccumulator(48, 100, 3), SoftEntropyAccumulator(48, 100, 3)
        np.testing.assert_array_equal(theirs.w, ours.w)
        self.assertAlmostEqual(theirs.temp, ours.temp, delta=1e-11)
        for i in range(0, len(z), 256):
            for acc in (theirs, ours):
                acc.update(z[i:i + 256], labels={"y": y[i:i + 256], "few": y[i:i + 256] % 5})
        self.compare(theirs.results(), ours.results(), 2e-6)
        a, b = theirs.conditional_entropy(), ours.conditional_entropy()
        self.assertEqual(set(a), set(b))
        for name in a:
            self.compare({int(k): v for k, v in a[name].items()}, b[name], 2e-6)

    def test_functions(self):
        module = package("numpy")
        z, y = data()
        for arguments in ({}, {"n_bins": 50, "seed": 9}, {"calibration": "leading_order"}):
            self.assertAlmostEqual(module.soft_entropy(z, **arguments), soft_entropy(z, **arguments), delta=2e-6)
            self.assertAlmostEqual(module.soft_mutual_information(z, y, **arguments),
                                   soft_mutual_information(z, y, **arguments), delta=2e-6)

    def test_torch(self):
        torch = need("torch")
        module, functions = package("accumulator"), package("pytorch")
        z, y = (torch.tensor(x) for x in data())
        for dtype, delta in ((torch.float32, 3e-6), (torch.bfloat16, 2e-2)):
            theirs = module.SoftEntropyAccumulator(48, 100, 3, "torch", dtype)
            ours = SoftEntropyAccumulator(48, 100, 3, "torch", dtype)
            self.assertTrue(torch.equal(theirs.w.cpu(), ours.w))
            for acc in (theirs, ours):
                acc.update(z.to(dtype), y)
            self.compare(theirs.results(), ours.results(), delta)
        h = soft_entropy(z.clone().requires_grad_())
        self.assertIsInstance(h, torch.Tensor)
        self.assertAlmostEqual(functions.soft_entropy(z).item(), h.item(), delta=3e-6)
        self.assertAlmostEqual(functions.soft_mutual_information(z, y, 100, "leading_order").item(),
                               infoplane.pytorch.soft_mutual_information(z, y, 100, "leading_order").item(), delta=3e-6)


class Hooks(unittest.TestCase):
    def test_a_forward_hook_feeds_it(self):
        torch = need("torch")
        layer = torch.nn.Linear(16, 48)
        acc = SoftEntropyAccumulator(48, backend="torch")
        token_ids = torch.arange(60).reshape(3, 20) % 9
        hook = layer.register_forward_hook(lambda m, i, out: acc.update(out.reshape(-1, 48), token_ids.reshape(-1)))
        layer(torch.nn.functional.one_hot(token_ids, 16).float())
        hook.remove()
        # The vector is a function of the token: what labels tell is all there is.
        h = acc.entropy()
        alone = SoftEntropyAccumulator(48, backend="torch")
        out = layer(torch.nn.functional.one_hot(torch.arange(9), 16).float())
        alone.update(out, torch.arange(9))
        self.assertGreater(acc.mutual_information()["labels"], 0.01 * h)
        for v, entropy in alone.conditional_entropy()["labels"].items():
            self.assertAlmostEqual(acc.conditional_entropy()["labels"][v], entropy, delta=1e-6)


if __name__ == "__main__":
    unittest.main()
