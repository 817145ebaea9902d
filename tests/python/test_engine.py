"""The engine through the wheel: against the program, on arrays, with signals and threads."""
import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

import infoplane
from support import CORPUS, MODEL, PROGRAM, need, skip

SETTINGS = dict(documents=40, orders=2, groups=10, loss=True)


def program(*arguments):
    if not PROGRAM:
        skip("no INFOPLANE: the program is not compared with")
    return subprocess.run([PROGRAM, *arguments], check=True, stdout=subprocess.PIPE).stdout


def same(a, b):
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


class Analyze(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = infoplane.analyze(MODEL, CORPUS, **SETTINGS)

    def test_the_programs_figures(self):
        out = json.loads(program("analyze", MODEL, CORPUS, "--documents", "40", "--orders", "2", "--groups", "10", "--loss",
                                 "--json", "--quiet"))
        for key in ("layers", "mean", "loss"):
            self.assertEqual(out[key], self.run_.report[key], key)
        self.assertEqual(out["layers"][3]["Y"][1]["I"], self.run_.layers[3].Y[1].I)
        self.assertEqual(out["mean"]["X"][0]["low"], self.run_.mean.X[0].low)

    def test_token_ids_in_memory(self):
        with tempfile.TemporaryDirectory() as folder:
            program("tokenize", MODEL, CORPUS, "-o", os.path.join(folder, "ids.npy"), "--documents", "40")
            ids, borders = (np.load(os.path.join(folder, n)) for n in ("ids.npy", "ids.offsets.npy"))
        documents = [ids[a:b] for a, b in zip(borders[:-1], borders[1:])]
        for name, corpus in (("pair", (ids, borders)), ("list", documents), ("int64", (ids.astype(np.int64), borders)),
                             ("int16", [d.astype(np.int16) for d in documents])):
            run = infoplane.analyze(MODEL, corpus, **SETTINGS)
            self.assertEqual(run.layers, self.run_.layers, name)
            self.assertEqual(run.corpus["ids_fingerprint"], self.run_.corpus["ids_fingerprint"], name)
        length = min(len(d) for d in documents[:20])
        square = np.stack([d[:length] for d in documents[:20]])
        flat = infoplane.analyze(MODEL, [d[:length] for d in documents[:20]], orders=2)
        for array in (square, np.asfortranarray(square), square.astype(">i4"), np.repeat(square, 2, axis=1)[:, ::2]):
            self.assertEqual(infoplane.analyze(MODEL, array, orders=2).layers, flat.layers)

    def test_texts(self):
        with open(CORPUS, encoding="utf-8") as file:
            texts = [json.loads(line)["text"] for _, line in zip(range(40), file)]
        self.assertEqual(infoplane.analyze(MODEL, texts=texts, **SETTINGS).layers, self.run_.layers)

    def test_anchors(self):
        w = np.random.default_rng(5).standard_normal((50, 128)).astype(np.float32)
        run = infoplane.analyze(MODEL, CORPUS, documents=10, anchors=w)
        self.assertEqual(run.estimator["bins"], 50)
        self.assertNotEqual(run.layers[1].H, infoplane.analyze(MODEL, CORPUS, documents=10, bins=50).layers[1].H)

    def test_results(self):
        run = self.run_
        self.assertEqual(json.loads(run.to_json()), run.report)
        self.assertEqual(run.token_loss.dtype, np.float32)
        self.assertAlmostEqual(float(np.mean(run.token_loss, dtype=np.float64)), run.loss.nats_per_token, places=6)
        self.assertEqual(run.without.shape, (len(run.layers), 6, 10))
        # Leaving groups out gives back the bias that the engine reports: (G - 1) (mean of the rest - the figure).
        layer, x1 = 2, run.layers[2].X[0]
        self.assertAlmostEqual(9 * (run.without[layer, 2].mean() - x1.I), x1.bias, places=9)
        self.assertFalse(run.token_loss.flags.writeable)
        losses = run.token_loss
        first = float(losses[0])
        del run
        self.assertEqual(float(losses[0]), first)

    def test_folder_and_back(self):
        with tempfile.TemporaryDirectory() as folder:
            self.run_.save(os.path.join(folder, "run"))
            back = infoplane.read_run(os.path.join(folder, "run"))
        self.assertEqual(back.layers, self.run_.layers)
        np.testing.assert_array_equal(back.without, self.run_.without)
        np.testing.assert_array_equal(back.token_loss, self.run_.token_loss)

    def test_pandas(self):
        need("pandas")
        frame = self.run_.to_pandas()
        self.assertEqual(len(frame), len(self.run_.layers))
        self.assertEqual(frame.loc[3, "Y2"], self.run_.layers[3].Y[1].I)
        self.assertEqual(frame.loc[3, "X1_low"], self.run_.layers[3].X[0].low)

    def test_states(self):
        with tempfile.TemporaryDirectory() as folder:
            program("states", MODEL, CORPUS, "--documents", "5", "-o", folder, "--quiet")
            result = infoplane.states(MODEL, CORPUS, documents=5)
            self.assertEqual(len(result.layers), len(self.run_.layers))
            for l, states in enumerate(result.layers):
                np.testing.assert_array_equal(states, np.load(os.path.join(folder, f"layer-{l:02d}.npy")))
            np.testing.assert_array_equal(result.positions, np.load(os.path.join(folder, "positions.npy")))
        place = result.folder
        self.assertTrue(os.path.isdir(place))
        del result
        self.assertFalse(os.path.exists(place))


class Errors(unittest.TestCase):
    def test_each_status_has_its_exception(self):
        z, y = np.ones((4, 8), np.float32), np.arange(4)
        cases = [
            (infoplane.BadInputError, "nothing.gguf", lambda: infoplane.analyze("nothing.gguf", CORPUS)),
            (infoplane.BadInputError, "3 labels for 4 rows", lambda: infoplane.entropy(z, y[:3])),
            (infoplane.BadInputError, "floats", lambda: infoplane.entropy(y.reshape(2, 2), y)),
            (infoplane.BadInputError, "integers", lambda: infoplane.entropy(z, z[:, 0])),
            (infoplane.BadInputError, "Z: row 0 is all zero", lambda: infoplane.entropy(np.zeros((4, 8)), y)),
            (infoplane.BadInputError, "NaN", lambda: infoplane.entropy(np.full((4, 8), np.nan), y)),
            (infoplane.BadInputError, "empty", lambda: infoplane.entropy(np.zeros((0, 8)), y)),
            (infoplane.BadInputError, "borders: border 1 is 9", lambda: infoplane.analyze(MODEL, (y, np.array([0, 9, 4])))),
            (infoplane.BadInputError, "no id of a vocabulary", lambda: infoplane.analyze(MODEL, np.array([[1, 2, 10**6]]))),
            (infoplane.UsageError, "--bins", lambda: infoplane.entropy(z, y, bins=1)),
            (infoplane.UsageError, "seed", lambda: infoplane.entropy(z, y, seed=-1)),
            (infoplane.UsageError, "calibration", lambda: infoplane.entropy(z, y, calibration="loud")),
            (TypeError, "no setting 'colour'", lambda: infoplane.entropy(z, y, colour="red")),
            (TypeError, "no setting 'ids'", lambda: infoplane.analyze(MODEL, CORPUS, ids=y)),
            (TypeError, "bins", lambda: infoplane.entropy(z, y, bins="many")),
            (TypeError, "numbers", lambda: infoplane.entropy(z, np.array(["a"] * 4))),
            (TypeError, "corpus or texts", lambda: infoplane.analyze(MODEL)),
            (ValueError, "5 dimensions", lambda: infoplane.entropy(np.ones((1, 1, 1, 1, 1)), y)),
        ]
        for kind, words, call in cases:
            with self.assertRaises(kind) as caught:
                call()
            self.assertIn(words, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))
        self.assertTrue(issubclass(infoplane.BadInputError, ValueError) and issubclass(infoplane.UsageError, ValueError))

    def test_a_full_disk_fails(self):
        if not os.path.exists("/dev/full"):
            skip("no /dev/full")
        run = infoplane.analyze(MODEL, CORPUS, documents=5)
        with self.assertRaises(infoplane.FailedError):
            run.save("/dev/full/run")


def long_corpus():
    """More tokens than any machine gets through in the seconds of these tests."""
    return np.random.default_rng(1).integers(1, 200, (20000, 512), dtype=np.int32)


class Host(unittest.TestCase):
    def test_progress_and_its_exceptions(self):
        seen = []
        infoplane.analyze(MODEL, long_corpus()[:200], progress=seen.append, null=0)
        self.assertIn("forward", {p.stage for p in seen})
        self.assertTrue(all(0 <= p.done <= p.all for p in seen if p.all), seen)

        def broken(p):
            raise LookupError("from the listener")
        started = time.monotonic()
        with self.assertRaisesRegex(LookupError, "from the listener"):
            infoplane.analyze(MODEL, long_corpus(), progress=broken)
        self.assertLess(time.monotonic() - started, 60)

    def test_tqdm(self):
        need("tqdm")
        code = ("import infoplane, numpy; infoplane.analyze({!r}, numpy.random.default_rng(1).integers(1, 200, (200, 512)),"
                " null=0, progress=True)").format(MODEL)
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], stderr=subprocess.PIPE, check=True)
        self.assertIn(b"forward", done.stderr)

    def test_ctrl_c(self):
        code = ("import sys; sys.path.insert(0, {!r}); import infoplane, test_engine, time\n"
                "def go(p):\n"
                "    if p.stage == 'forward': print('go', flush=True)\n"
                "try:\n"
                "    infoplane.analyze({!r}, test_engine.long_corpus(), progress=go)\n"
                "except KeyboardInterrupt:\n"
                "    print('stopped', flush=True)\n"
                "    infoplane.analyze({!r}, {!r}, documents=3)\n"
                "    print('usable', flush=True)\n").format(os.path.dirname(os.path.abspath(__file__)), MODEL, MODEL, CORPUS)
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.assertEqual(child.stdout.readline(), b"go\n")
            started = time.monotonic()
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
            child.wait()
        self.assertEqual(child.returncode, 0, err)
        self.assertTrue(out.endswith(b"stopped\nusable\n"), out[-200:])
        self.assertLess(time.monotonic() - started, 30)

    def test_the_gil_is_released(self):
        # A thread that only counts must go on counting while the engine works, in main thread and elsewhere.
        z = np.random.default_rng(3).standard_normal((40000, 256)).astype(np.float32)
        gaps, stop = [], threading.Event()

        def count():
            last = time.monotonic()
            while not stop.is_set():
                time.sleep(0.001)
                now = time.monotonic()
                gaps.append(now - last)
                last = now
        counter = threading.Thread(target=count)
        counter.start()
        started = time.monotonic()
        alone = infoplane.entropy(z, np.arange(40000) % 1000, threads=1, null=8)
        spent = time.monotonic() - started
        stop.set()
        counter.join()
        self.assertGreater(len(gaps), 20)
        self.assertLess(max(gaps), max(0.5 * spent, 0.1), f"of {spent} s")
        results = []
        threads = [threading.Thread(target=lambda: results.append(
            infoplane.entropy(z, np.arange(40000) % 1000, threads=1, null=8))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([r.labels for r in results], [alone.labels] * 3)

    def test_arrays_are_not_copied(self):
        from infoplane import _arrays
        from infoplane._library import ffi
        base = np.random.default_rng(3).standard_normal((64, 32)).astype(np.float32)
        for array in (base, np.asfortranarray(base), base[10:20], base.astype(np.float16), base.astype(np.float64)):
            keep, out = [], ffi.new("ip_array *")
            array.flags.writeable = False
            _arrays.fill(keep, out, array, "z")
            self.assertEqual(int(ffi.cast("uintptr_t", out.data)), array.__array_interface__["data"][0])
            self.assertEqual([out.shape[0], out.shape[1], out.size], [*array.shape, array.itemsize])


class Entropy(unittest.TestCase):
    def test_equal_results(self):
        z = np.random.default_rng(2).standard_normal((60, 4)).astype(np.float32)
        one, same = (infoplane.entropy(z, {"a": np.arange(60) % 3}).labels["a"] for _ in range(2))
        self.assertTrue(math.isnan(one.corrected))  # no groups: not computed
        self.assertEqual(one, same)
        self.assertEqual(one, dataclasses.replace(same, corrected=float("nan")))
        self.assertEqual(hash(one), hash(dataclasses.replace(same, corrected=float("nan"))))
        self.assertNotEqual(one, dataclasses.replace(same, corrected=0.0))
        self.assertNotEqual(one, dataclasses.replace(same, I=math.nextafter(same.I, 1)))

    def test_layouts_and_types_agree(self):
        z = np.random.default_rng(3).standard_normal((500, 32)).astype(np.float16)
        y = np.arange(500) % 7
        want = infoplane.entropy(z, y)
        for other in (np.asfortranarray(z), z.astype(np.float32), z.astype(np.float64), z.astype(">f4"),
                      np.repeat(z, 2, axis=0)[::2], z.astype(np.longdouble)):
            self.assertEqual(infoplane.entropy(other, y).H, want.H)
        for labels in (y.astype(np.int8), y.astype(np.uint64), (y * 10**15 - 3), y.astype(">i2"), list(y)):
            self.assertEqual(infoplane.entropy(z, labels).labels["labels"].I, want.labels["labels"].I)
        self.assertTrue(same(infoplane.entropy(z, y == 3).labels["labels"].I, infoplane.entropy(z, y // 3 * (y == 3)).labels["labels"].I))

    def test_names(self):
        z = np.random.default_rng(3).standard_normal((50, 32))
        y = np.arange(50) % 7
        self.assertEqual(list(infoplane.entropy(z).labels), [])
        self.assertEqual(list(infoplane.entropy(z, [y, y]).labels), ["labels0", "labels1"])
        result = infoplane.entropy(z, {"token": y, "ü": y % 2})
        self.assertEqual(list(result.labels), ["token", "ü"])
        self.assertEqual(json.loads(result.to_json())["labels"][1]["path"], "ü")
        need("pandas")
        self.assertEqual(result.to_pandas().loc["ü", "distinct"], 2)


if __name__ == "__main__":
    unittest.main()
