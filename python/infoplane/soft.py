"""The names of the PyPI package soft-entropy (0.1.5) on this engine: its users change one import.

Same anchors from the same seed (NumPy's, PyTorch's or JAX's generator, as the backend says), same calibrations, results as
efficiency: entropies divided by log(n_bins), in [0, 1]. What differs:

- Everything runs on the CPU in this engine's arithmetic; tensors of another device are copied to the CPU. No gradient flows
  through a result.
- A row that is all zero or not finite is refused (BadInputError) where the package returns NaN.
- Labels must be as many as the vectors, and a label set must be given with every batch: mutual_information refuses one that
  covers a part of the vectors, where the package divides by all of them.
- Entropies have no clamp inside the logarithm, and counts are exact integers whatever `dtype` says (it rounds the anchors
  alone): against the package in float32 results differ by about 1e-6, in bfloat16 by what bfloat16 loses.
- calibration="find_eps" needs d > 3 (the package: d > 2); unknown calibrations are refused.
"""
from __future__ import annotations

import math
from typing import Any, Dict, Mapping, Optional

import numpy as np

from ._arrays import as_numpy, fill, one
from ._library import ffi, lib, make_settings, raise_status, UsageError

_CALIBRATIONS = {"find_eps": "vmf-bound", "leading_order": "leading-order"}


def _draw(d: int, n_bins: int, seed: int, backend: str, dtype: Any) -> Any:
    """Unit vectors [n_bins, d] as the package's backend draws them: standard normal, each divided by its norm."""
    if backend == "numpy":
        w = np.random.default_rng(seed).standard_normal((n_bins, d)).astype(np.float32)
        return w / np.linalg.norm(w, axis=-1, keepdims=True)
    if backend == "torch":
        import torch
        generator = torch.Generator().manual_seed(seed)
        w = torch.randn(n_bins, d, generator=generator, dtype=dtype or torch.float32)
        return w / w.norm(dim=-1, keepdim=True)
    if backend == "jax":
        import jax
        w = jax.random.normal(jax.random.PRNGKey(seed), (n_bins, d))
        return w / jax.numpy.linalg.norm(w, axis=-1, keepdims=True)
    raise ValueError(f"Unknown backend {backend!r}. Choose 'numpy', 'torch', or 'jax'.")


class _Labels:
    """Integers for labels of any kind. Integers stand for themselves; others are numbered as they come."""

    def __init__(self) -> None:
        self.codes: Optional[Dict[Any, int]] = None
        self.values: list[Any] = []

    def integers(self, labels: Any) -> np.ndarray[Any, Any]:
        array = as_numpy(labels)
        if array.dtype.kind in "iub" and self.codes is None:
            return array
        if self.codes is None:
            self.codes = {}
        codes = self.codes
        for value in array.tolist():
            if value not in codes:
                codes[value] = len(self.values)
                self.values.append(value)
        return np.array([codes[value] for value in array.tolist()], dtype=np.int64)

    def name(self, code: int) -> Any:
        return code if self.codes is None else self.values[code]


class SoftEntropyAccumulator:
    """Soft assignments summed batch by batch, with any number of label sets: as soft_entropy.SoftEntropyAccumulator.

        acc = SoftEntropyAccumulator(d=768, n_bins=100, seed=0, backend="torch")
        for z, labels in batches:
            acc.update(z, labels)
        acc.results()          # {"H(Z)": ..., "I(X;Z)/labels": ..., "regularity/labels": ...}

    d: width of the vectors. n_bins, seed: the anchors. backend: "numpy", "torch" or "jax": whose generator draws them (this
    alone; update takes arrays and tensors of any kind). dtype: of torch's anchors. Beyond the package: calibration ("find_eps",
    "leading_order", or the engine's "vmf-exact"), anchors (an array [n_bins, d] instead of drawn ones) and threads (0: all).

    Memory: 8 * n_bins bytes for every label of every set, nothing per vector. Results do not depend on how the vectors were
    cut into batches. One thread at a time may use an accumulator.
    """

    def __init__(self, d: int, n_bins: int = 100, seed: int = 0, backend: str = "numpy", dtype: Any = None, *,
                 calibration: str = "find_eps", anchors: Any = None, threads: int = 0) -> None:
        if backend not in ("numpy", "torch", "jax"):
            raise ValueError(f"Unknown backend {backend!r}. Choose 'numpy', 'torch', or 'jax'.")
        self.w: Any = anchors if anchors is not None else _draw(d, n_bins, seed, backend, dtype)
        self.n_bins = len(self.w)
        self.backend = backend
        keep: list[Any] = []
        settings = make_settings(keep, {"calibration": _calibration(calibration), "threads": threads})
        out, self._error = ffi.new("ip_accumulator **"), ffi.new("ip_error *")
        raise_status(lib.ip_accumulator_open(out, d, one(keep, self.w, "anchors"), settings, self._error), self._error)
        self._handle = ffi.gc(out[0], lib.ip_accumulator_free)
        self._sets: Dict[Any, int] = {}
        self._labels: Dict[Any, _Labels] = {}

    def reset(self) -> None:
        """Forgets all vectors; the anchors stay."""
        lib.ip_accumulator_reset(self._handle)
        self._sets.clear()
        self._labels.clear()

    def update(self, z: Any, labels: Any = None) -> None:
        """Adds a batch: z [batch, d]; labels None, one set [batch] (named "labels"), or a dict of sets.

        A batch that is refused leaves the accumulator as it was.
        """
        z = as_numpy(z)
        if z.dtype.kind != "f":
            z = z.astype(np.float64)
        if z.ndim == 2 and len(z) == 0:
            return
        sets: Mapping[Any, Any] = {} if labels is None else labels if isinstance(labels, Mapping) else {"labels": labels}
        keep: list[Any] = []
        arrays, numbers = ffi.new("ip_array[]", max(1, len(sets))), ffi.new("uint32_t[]", max(1, len(sets)))
        vectors = one(keep, z, "z")
        new = {name: (len(self._sets) + i, _Labels()) for i, name in enumerate(n for n in sets if n not in self._sets)}
        for i, (name, values) in enumerate(sets.items()):
            number, coded = new[name] if name in new else (self._sets[name], self._labels[name])
            numbers[i] = number
            fill(keep, arrays[i], coded.integers(values), str(name))
        raise_status(lib.ip_accumulator_add(self._handle, vectors, arrays, numbers, len(sets), self._error), self._error)
        for name, (number, coded) in new.items():
            self._sets[name], self._labels[name] = number, coded

    @property
    def temp(self) -> float:
        """The temperature of the soft assignment."""
        return float(self._total().temperature)

    def _total(self) -> Any:
        out = ffi.new("ip_accumulated *")
        raise_status(lib.ip_accumulator_total(self._handle, out, self._error), self._error)
        return out

    def _set(self, name: Any) -> Any:
        out = ffi.new("ip_accumulated_set *")
        raise_status(lib.ip_accumulator_set(self._handle, self._sets[name], out, self._error), self._error)
        return out

    def entropy(self) -> float:
        """H(Z) as efficiency; NaN before the first batch."""
        return float(self._total().H) / math.log(self.n_bins)

    def conditional_entropy(self) -> Dict[str, Dict[Any, float]]:
        """H(Z | X=x) as efficiency, by label set and label."""
        result = {}
        for name in self._sets:
            s = self._set(name)
            values = ffi.unpack(s.values, s.labels) if s.labels else []
            entropies = ffi.unpack(s.entropies, s.labels) if s.labels else []
            result[name] = {self._labels[name].name(v): h / math.log(self.n_bins) for v, h in zip(values, entropies)}
        return result

    def mutual_information(self) -> Dict[str, float]:
        """I(X; Z) as efficiency, by label set."""
        total = self._total()
        result = {}
        for name in self._sets:
            s = self._set(name)
            if s.positions != total.positions:
                raise UsageError(f"label set {name!r} came with {s.positions} of {total.positions} vectors: I(X;Z) needs all")
            result[name] = float(total.H - s.conditional) / math.log(self.n_bins)
        return result

    def results(self) -> Dict[str, float]:
        """H(Z), and per label set I(X;Z) and regularity, I(X;Z) / H(Z)."""
        h = self.entropy()
        result = {"H(Z)": h}
        for name, information in self.mutual_information().items():
            result[f"I(X;Z)/{name}"] = information
            result[f"regularity/{name}"] = information / h if h > 0 else math.nan
        return result


def _calibration(name: str) -> str:
    return _CALIBRATIONS.get(name, name)


def _backend(z: Any) -> str:
    module = type(z).__module__.split(".")[0]
    return "torch" if module == "torch" else "jax" if module in ("jax", "jaxlib") else "numpy"


def _like(z: Any, value: float) -> Any:
    """The result as the package returns it: a scalar tensor for tensors, else a float."""
    if _backend(z) != "torch":
        return value
    import torch
    return torch.tensor(value, dtype=torch.float32, device=z.device)


def _accumulated(z: Any, labels: Any, n_bins: int, seed: int, calibration: str) -> SoftEntropyAccumulator:
    accumulator = SoftEntropyAccumulator(int(z.shape[1]), n_bins, seed, _backend(z), calibration=calibration)
    accumulator.update(z, labels)
    return accumulator


def soft_entropy(z: Any, n_bins: int = 100, seed: int = 0, calibration: str = "find_eps") -> Any:
    """H(Z) as efficiency, in [0, 1], of vectors z [batch, d]; anchors from the generator of z's library.

    calibration: "find_eps" (KL(vMF || U) = log m by a lower bound), "leading_order", or the engine's "vmf-exact". A tensor
    gives a scalar tensor (without a gradient), anything else a float.
    """
    return _like(z, _accumulated(z, None, n_bins, seed, calibration).entropy())


def soft_mutual_information(z: Any, labels: Any, n_bins: int = 100, seed: int = 0, calibration: str = "find_eps") -> Any:
    """I(X; Z) as efficiency, of vectors z [batch, d] and labels [batch].

    The package's PyTorch version has no seed, and calibration in its place: infoplane.pytorch has that signature.
    """
    return _like(z, _accumulated(z, labels, n_bins, seed, calibration).mutual_information()["labels"])
