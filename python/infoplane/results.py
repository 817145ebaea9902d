"""What the functions return. All information is in nats; what was not computed is NaN.

Each result is a frozen dataclass of the figures, with the engine's whole report behind it: `to_json()` is the text that the
program writes, `report` the same parsed. `to_pandas()` needs pandas.
"""
from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Optional, Tuple, Type, TypeVar, Union

import numpy as np

from ._library import ffi, lib, parsed, path_bytes, raise_status, text as string, written

T = TypeVar("T")


def _fill(cls: Type[T], source: Mapping[str, Any], /, **more: Any) -> T:
    """A dataclass from the keys of a report that have its fields' names; null is NaN."""
    values = dict(more)
    for f in fields(cls):  # type: ignore[arg-type]
        if f.name in source and f.name not in values:
            value = source[f.name]
            values[f.name] = math.nan if value is None and f.type == "float" else value
    return cls(**values)


def _numbers(values: Any) -> Tuple[float, ...]:
    return tuple(math.nan if v is None else v for v in values)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas() needs pandas: pip install pandas") from None
    return pandas


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return None if isinstance(value, float) and math.isnan(value) else value


class _Figures:
    """Results are equal when all their figures are, and a figure that was not computed equals another that was not. (What
    dataclass makes compares NaN as objects up to Python 3.12, and as numbers, which nothing equals, from 3.13 on.)"""

    def _key(self) -> Tuple[Any, ...]:
        return tuple(_plain(getattr(self, f.name)) for f in fields(self) if f.compare)  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Figures) or other.__class__ is not self.__class__:
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


@dataclass(frozen=True, eq=False)
class Estimate(_Figures):
    """I(V;Z) of one label set, with what tells how far to trust it.

    null: mean of I under permuted labels. bias, corrected, se, low, high: grouped jackknife over documents, corrected = I -
    bias, 95 % interval. boot_low, boot_high: percentiles of the bootstrap. distinct: labels. regularity: I / H(Z).
    """

    I: float
    null: float = math.nan
    bias: float = math.nan
    corrected: float = math.nan
    se: float = math.nan
    low: float = math.nan
    high: float = math.nan
    boot_low: float = math.nan
    boot_high: float = math.nan
    distinct: int = 0
    regularity: float = math.nan


@dataclass(frozen=True, eq=False)
class LabelSet(Estimate):
    """An estimate on labels of one's own: also H(Z|V), and how many labels occur once."""

    conditional: float = math.nan
    singletons: int = 0


_COLUMNS = ("null", "bias", "corrected", "se", "low", "high", "boot_low", "boot_high")


@dataclass(frozen=True, eq=False)
class Layer(_Figures):
    """One layer: H(Z), I(C;Z), complexity X[k-1] = I(X;Z) and expressivity Y[k-1] = I(Y;Z) of order k, optimality Y / X.
    layer is None in a run's mean."""

    layer: Optional[int]
    H: float
    context: float
    X: Tuple[Estimate, ...]
    Y: Tuple[Estimate, ...]
    optimality: Tuple[float, ...]

    @classmethod
    def _of(cls, report: Mapping[str, Any]) -> Layer:
        return _fill(cls, report, layer=report.get("layer"), X=tuple(_fill(Estimate, e) for e in report["X"]),
                     Y=tuple(_fill(Estimate, e) for e in report["Y"]), optimality=_numbers(report["optimality"]))

    def _row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"H": self.H, "context": self.context}
        for side, estimates in (("X", self.X), ("Y", self.Y)):
            for k, e in enumerate(estimates, 1):
                row[f"{side}{k}"] = e.I
                row.update((f"{side}{k}_{name}", getattr(e, name)) for name in _COLUMNS)
        row.update((f"optimality{k}", value) for k, value in enumerate(self.optimality, 1))
        return row


@dataclass(frozen=True, eq=False)
class Loss(_Figures):
    nats_per_token: float
    perplexity: float
    tokens: int


@dataclass(frozen=True)
class Run:
    """An analysis. layers[0] is the embedding; mean is over the blocks 1 .. L.

    token_loss: float32, -log p of tokens 1 .. n-1 of every document, or None. without: float64 [layers + 1, quantities,
    groups], each figure computed without a group of documents (quantities: H, context, X1 .., Y1 ..), or None. Both are views
    of the engine's memory.
    """

    model: Mapping[str, Any]
    corpus: Mapping[str, Any]
    estimator: Mapping[str, Any]
    layers: Tuple[Layer, ...]
    mean: Layer
    optimality_of_means: Tuple[float, ...]
    loss: Optional[Loss]
    loss_with_end: Optional[Loss]
    token_loss: Optional[np.ndarray[Any, Any]] = field(repr=False)
    without: Optional[np.ndarray[Any, Any]] = field(repr=False)
    report: Mapping[str, Any] = field(repr=False)
    _text: str = field(repr=False)
    _run: Any = field(repr=False, compare=False)

    @classmethod
    def _of(cls, pointer: Any) -> Run:
        run = ffi.gc(pointer, lib.ip_run_free)
        text = written(lambda file: lib.ip_run_write_json(run, file))
        report = parsed(text)
        loss = report.get("loss")
        end = loss.get("with_end") if loss else None
        groups, rows = run.groups, len(report["layers"])
        return cls(
            model=report["model"], corpus=report["corpus"], estimator=report["estimator"],
            layers=tuple(Layer._of(one) for one in report["layers"]), mean=Layer._of(report["mean"]),
            optimality_of_means=_numbers(report["mean"]["optimality_of_means"]),
            loss=_fill(Loss, loss) if loss else None, loss_with_end=_fill(Loss, end) if end else None,
            token_loss=_view(run, run.token_loss, "f4", (run.loss.tokens,)),
            without=_view(run, run.without, "f8", (rows, lib.ip_run_quantities(run), groups)) if groups else None,
            report=report, _text=text, _run=run)

    def to_json(self) -> str:
        """run.json as the program writes it."""
        return self._text

    def to_pandas(self) -> Any:
        """One row per layer: H, context, X1 (order 1), X1_null, X1_corrected ..., Y1 ..., optimality1 ..."""
        return _pandas().DataFrame([layer._row() for layer in self.layers],
                                   index=_pandas().RangeIndex(len(self.layers), name="layer"))

    def save(self, folder: Union[str, os.PathLike[str]]) -> None:
        """The folder that `infoplane analyze -o` writes; read_run reads it back."""
        error = ffi.new("ip_error *")
        raise_status(lib.ip_run_write_folder(self._run, path_bytes(folder), error), error)


@dataclass(frozen=True, eq=False)
class BoundPoint(_Figures):
    """The encoder found for one beta."""

    beta: float
    I_X: float
    I_Y: float
    functional: float
    tolerance: float
    spread: float
    codewords: int
    kind: str


@dataclass(frozen=True)
class BoundCurve:
    """The best information-bottleneck curve found of one joint: a lower bound of the true envelope.

    hull: float64 [vertices, 2], (I(X;Z), I(Y;Z)) from (0, 0) on, concave; call the curve with I(X;Z) for its height there.
    """

    order: int
    positions: int
    x: int
    y: int
    pairs: int
    codewords: int
    H_X: float
    H_Y: float
    I_XY: float
    components: int
    H_component: float
    largest_component: float
    points: Tuple[BoundPoint, ...]
    hull: np.ndarray[Any, Any] = field(repr=False)

    @classmethod
    def _of(cls, curve: Any) -> BoundCurve:
        points = tuple(BoundPoint(**{f.name: getattr(curve.points[i], f.name) for f in fields(BoundPoint) if f.name != "kind"},
                                  kind=string(curve.points[i].kind) or "") for i in range(curve.point_count))
        hull = np.array([(curve.hull[i].I_X, curve.hull[i].I_Y) for i in range(curve.hull_count)], dtype=np.float64)
        values = {f.name: getattr(curve, f.name) for f in fields(cls) if f.name not in ("points", "hull")}
        return cls(**values, points=points, hull=hull.reshape(-1, 2))

    def __call__(self, I_X: Any) -> Any:
        """The curve at I(X;Z): the hull interpolated, flat behind its end."""
        return np.interp(I_X, self.hull[:, 0], self.hull[:, 1])

    def to_json(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        values["points"] = [{**vars(p), "beta": p.beta if math.isfinite(p.beta) else None} for p in self.points]
        values["hull"] = self.hull.tolist()
        return json.dumps(values)

    def to_pandas(self) -> Any:
        """One row per beta."""
        return _pandas().DataFrame([vars(p) for p in self.points], columns=[f.name for f in fields(BoundPoint)])


@dataclass(frozen=True)
class Bound:
    """The bound of a corpus: curves[k-1] of n-grams of order k."""

    curves: Tuple[BoundCurve, ...]
    report: Mapping[str, Any] = field(repr=False)
    _text: str = field(repr=False)

    @classmethod
    def _of(cls, pointer: Any) -> Bound:
        try:
            text = written(lambda file: lib.ip_bound_write_json(pointer, file))
            curves = tuple(BoundCurve._of(pointer.curve[k]) for k in range(pointer.orders))
        finally:
            lib.ip_bound_free(pointer)
        return cls(curves, parsed(text), text)

    def to_json(self) -> str:
        """bound.json as the program writes it."""
        return self._text

    def to_pandas(self) -> Any:
        """One row per order and beta."""
        pandas = _pandas()
        return pandas.concat([c.to_pandas().assign(order=c.order) for c in self.curves], ignore_index=True)


@dataclass(frozen=True, eq=False)
class Correlation(_Figures):
    """A measure against a task's scores over n models: r (Pearson) and rho (Spearman), p by permutations, 95 % interval (BCa
    bootstrap), and r with log10(parameters) held constant. `report` has the rest: other partials, families left out, pairs
    of matched size."""

    measure: str
    task: str
    n: int
    r: float
    p: float
    low: float
    high: float
    rho: float
    rho_p: float
    r_given_size: float


@dataclass(frozen=True, eq=False)
class Correlations(_Figures):
    entries: Tuple[Correlation, ...]
    report: Mapping[str, Any] = field(repr=False)
    _text: str = field(repr=False)

    @classmethod
    def _of(cls, pointer: Any) -> Correlations:
        try:
            text = written(lambda file: lib.ip_correlation_write(pointer, True, file))
        finally:
            lib.ip_correlation_free(pointer)
        report = parsed(text)

        def number(node: Any, *keys: Any) -> float:
            for key in keys:
                if node is None or (isinstance(node, list) and not node):
                    return math.nan
                node = node[key]
            return math.nan if node is None else float(node)
        return cls(tuple(Correlation(
            measure=e["measure"], task=e["task"], n=e["n"], r=number(e, "pearson", "r"),
            p=number(e, "pearson", "permutation", "p"), low=number(e, "pearson", "bootstrap", "bca_95", 0),
            high=number(e, "pearson", "bootstrap", "bca_95", 1), rho=number(e, "spearman", "r"),
            rho_p=number(e, "spearman", "permutation", "p"), r_given_size=number(e, "partial", 0, "pearson", "r"),
        ) for e in report["entries"]), report, text)

    def to_json(self) -> str:
        """correlate.json as the program writes it."""
        return self._text

    def to_pandas(self) -> Any:
        """One row per measure and task."""
        return _pandas().DataFrame([vars(e) for e in self.entries], columns=[f.name for f in fields(Correlation)])


class _Owner:
    """Keeps what a view points into alive: NumPy holds on to the object whose interface it was made from."""

    def __init__(self, owner: Any, address: int, dtype: str, shape: Tuple[int, ...]) -> None:
        self.owner = owner
        self.__array_interface__ = {"data": (address, True), "typestr": np.dtype(dtype).str, "shape": shape, "version": 3}


def _view(owner: Any, pointer: Any, dtype: str, shape: Tuple[int, ...]) -> Optional[np.ndarray[Any, Any]]:
    """A read-only array over the engine's memory."""
    if pointer == ffi.NULL:
        return None
    return np.asarray(_Owner(owner, int(ffi.cast("uintptr_t", pointer)), dtype, shape))


@dataclass(frozen=True, eq=False)
class Entropy(_Figures):
    """The estimator alone, on vectors and labels of one's own."""

    positions: int
    width: int
    bins: int
    calibration: str
    temperature: float
    H: float
    context: float
    labels: Mapping[str, LabelSet]
    report: Mapping[str, Any] = field(repr=False)
    _text: str = field(repr=False)

    @classmethod
    def _of(cls, pointer: Any, names: Tuple[str, ...]) -> Entropy:
        try:
            text = written(lambda file: lib.ip_entropy_write(pointer, True, file))
        finally:
            lib.ip_entropy_free(pointer)
        report = parsed(text)
        sets = {name: _fill(LabelSet, one) for name, one in zip(names, report["labels"])}
        return _fill(cls, report, labels=sets, report=report, _text=text)

    def to_json(self) -> str:
        """The report of `infoplane entropy --json`."""
        return self._text

    def to_pandas(self) -> Any:
        """One row per label set."""
        names = [f.name for f in fields(LabelSet)]
        return _pandas().DataFrame([[getattr(s, n) for n in names] for s in self.labels.values()], columns=names,
                                   index=_pandas().Index(list(self.labels), name="labels"))


@dataclass(frozen=True)
class States:
    """Hidden states as memory-mapped arrays: layers[l] float32 [tokens, width]; positions int32 [tokens, 2], the document
    and the place in it. A folder made for them goes away with the last of them."""

    folder: str
    layers: Tuple[np.ndarray[Any, Any], ...] = field(repr=False)
    positions: np.ndarray[Any, Any] = field(repr=False)

    @classmethod
    def _of(cls, folder: str) -> States:
        names = sorted((n for n in os.listdir(folder) if n.startswith("layer-") and n.endswith(".npy")),
                       key=lambda n: int(n[len("layer-"):-len(".npy")]))
        return cls(folder, tuple(np.load(os.path.join(folder, n), mmap_mode="r") for n in names),
                   np.load(os.path.join(folder, "positions.npy"), mmap_mode="r"))

    def to_pandas(self, layer: int) -> Any:
        """One layer's vectors, a row per token, indexed by document and position."""
        index = _pandas().MultiIndex.from_arrays([self.positions[:, 0], self.positions[:, 1]], names=["document", "position"])
        return _pandas().DataFrame(self.layers[layer], index=index)

    def to_json(self) -> str:
        """Where the states are, and how many."""
        rows, width = self.layers[0].shape
        return json.dumps({"folder": self.folder, "layers": len(self.layers), "tokens": rows, "width": width})


def remove_folder(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
