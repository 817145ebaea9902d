"""The engine's commands as functions."""
from __future__ import annotations

import csv
import json
import os
import tempfile
import weakref
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union

import numpy as np

from ._arrays import Corpus, as_numpy, fill, one
from ._library import Call, ProgressArgument, ffi, lib, make_settings, path_bytes, raise_status, strings
from .results import Bound, BoundCurve, Correlations, Entropy, Run, States, remove_folder

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import EntropySettings, Settings

PathLike = Union[str, "os.PathLike[str]"]


class _Inputs:
    """Model, corpus and settings of a call, with temporary files for what the engine reads from files alone."""

    def __init__(self, corpus: Any, texts: Optional[Sequence[str]], anchors: Any, settings: Mapping[str, Any]) -> None:
        if (corpus is None) == (texts is None):
            raise TypeError("give a corpus or texts, one of them")
        self.keep: list[Any] = []
        self.folder: Optional[tempfile.TemporaryDirectory[str]] = None
        settings = dict(settings)
        try:
            if texts is not None:
                if isinstance(texts, str):
                    raise TypeError("texts is a sequence of strings, one per document")
                corpus = self.temporary("texts.jsonl")
                with open(corpus, "w", encoding="utf-8") as file:
                    file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
            if anchors is not None and not isinstance(anchors, (str, os.PathLike)):
                settings["anchors"] = self.temporary("anchors.npy")
                np.save(settings["anchors"], as_numpy(anchors))
            elif anchors is not None:
                settings["anchors"] = anchors
            self.settings = make_settings(self.keep, settings)
            self.corpus = Corpus(self.keep, corpus)
            self.corpus.put(self.settings)
        except BaseException:
            self.close()
            raise

    def temporary(self, name: str) -> str:
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="infoplane-")
        return os.path.join(self.folder.name, name)

    def close(self) -> None:
        if self.folder is not None:
            self.folder.cleanup()

    def __enter__(self) -> _Inputs:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def analyze(model: PathLike, corpus: Any = None, *, texts: Optional[Sequence[str]] = None, anchors: Any = None,
            progress: ProgressArgument = None, **settings: Unpack[Settings]) -> Run:
    """Runs a model over a corpus and estimates, layer by layer, what its hidden states keep of the input n-grams (complexity)
    and of those that follow (expressivity).

    model: a GGUF file or a Hugging Face folder. corpus: a path or paths (.txt, .jsonl, also .gz and .zst, .npy of token ids);
    or token ids in memory, without a copy: an array [documents, tokens], or a pair (ids, borders); or a list of arrays, one
    per document. texts: documents as strings, instead of a corpus. anchors: an array [bins, width] or a .npy, instead of
    drawn ones. progress: True for a tqdm bar, a function of a Progress, False for nothing; None shows a bar where somebody
    looks. settings: as the program's options, with underscores: documents=200, orders=4, bins=100, loss=True, compute="f32",
    threads=2, memory=2**30 (bytes) ...

    Raises UsageError, BadInputError (both ValueError) and FailedError (RuntimeError) with the engine's line.
    """
    call, out = Call(progress), ffi.new("ip_run **")
    with _Inputs(corpus, texts, anchors, settings) as inputs:
        call.run(lib.ip_analyze, out, path_bytes(model), inputs.corpus.paths, inputs.corpus.count, inputs.settings, ffi.NULL)
    return Run._of(out[0])


def read_run(path: PathLike) -> Run:
    """A finished run back from the folder of `infoplane analyze -o` or of Run.save."""
    out, error = ffi.new("ip_run **"), ffi.new("ip_error *")
    raise_status(lib.ip_run_read(out, path_bytes(path), error), error)
    return Run._of(out[0])


def states(model: PathLike, corpus: Any = None, *, folder: Optional[PathLike] = None, texts: Optional[Sequence[str]] = None,
           progress: ProgressArgument = None, **settings: Unpack[Settings]) -> States:
    """Hidden states of every layer and token, as memory-mapped arrays. corpus, texts, settings: as analyze has them.

    folder: where the .npy files go and stay; None: into a temporary folder, which goes away with the result.
    """
    call = Call(progress)
    place = os.fspath(folder) if folder is not None else tempfile.mkdtemp(prefix="infoplane-states-")
    try:
        with _Inputs(corpus, texts, None, settings) as inputs:
            call.run(lib.ip_states, path_bytes(model), inputs.corpus.paths, inputs.corpus.count, path_bytes(place),
                     inputs.settings)
        result = States._of(place)
    except BaseException:
        if folder is None:
            remove_folder(place)
        raise
    if folder is None:
        weakref.finalize(result, remove_folder, place)
    return result


def named_sets(labels: Any) -> dict[str, Any]:
    """Label sets by name: a mapping as it stands, one array as "labels", several as "labels0" ..."""
    if labels is None:
        return {}
    if isinstance(labels, Mapping):
        return {str(name): values for name, values in labels.items()}
    if isinstance(labels, (list, tuple)) and labels and np.ndim(labels[0]) > 0:
        return {f"labels{i}": values for i, values in enumerate(labels)}
    return {"labels": labels}


def entropy(Z: Any, labels: Any = None, *, documents: Any = None, anchors: Any = None, progress: ProgressArgument = None,
            **settings: Unpack[EntropySettings]) -> Entropy:
    """The estimator alone: H(Z), I(C;Z) and I(V;Z) of vectors Z [positions, width] for each set of labels [positions].

    Z: float16, float32 or float64, C or Fortran order without a copy; tensors of PyTorch are accepted. labels: integers; one
    array, a list of arrays, or a mapping of names to arrays. documents: the document of each position, for bias and
    interval (groups=20) and the bootstrap. anchors: an array [bins, width]. settings: bins, seed, calibration, null, groups,
    bootstrap, threads, memory ...
    """
    sets = named_sets(labels)
    keep: list[Any] = []
    call, out = Call(progress), ffi.new("ip_entropy_result **")
    arrays = ffi.new("ip_array[]", max(1, len(sets)))
    vectors = one(keep, Z, "Z")
    for i, (name, values) in enumerate(sets.items()):
        fill(keep, arrays[i], values, name)
    call.run(lib.ip_entropy_arrays, out, vectors, arrays, len(sets), one(keep, documents, "documents"),
             one(keep, anchors, "anchors"), make_settings(keep, settings), ffi.NULL)
    return Entropy._of(out[0], tuple(sets))


def _triplets(x: Any, y: Any, counts: Any, p: Any) -> tuple[Any, Any, Any, Any]:
    """x and y numbered from 0 as uint32; without counts and p, equal pairs are counted."""
    x, y = as_numpy(x), as_numpy(y)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must be one dimension of the same length, not {x.shape} and {y.shape}")
    for name, weights in (("counts", counts), ("p", p)):
        if weights is not None and as_numpy(weights).shape != x.shape:
            raise ValueError(f"{name} must be as long as x and y")
    if counts is not None and p is not None:
        raise TypeError("give counts or p, not both")
    if counts is None and p is None:
        pairs, counts = np.unique(np.stack([np.unique(v, return_inverse=True)[1].reshape(-1) for v in (x, y)]), axis=1,
                                  return_counts=True)
        x, y = pairs
    elif any(v.dtype != np.uint32 for v in (x, y)):
        x, y = (np.unique(v, return_inverse=True)[1].reshape(-1) for v in (x, y))
    return (np.ascontiguousarray(x, np.uint32), np.ascontiguousarray(y, np.uint32),
            None if counts is None else np.ascontiguousarray(as_numpy(counts), np.uint64),
            None if p is None else np.ascontiguousarray(as_numpy(p), np.float64))


def bound(x: Any, y: Any, *, counts: Any = None, p: Any = None, betas: Any = None, progress: ProgressArgument = None,
          **settings: Unpack[EntropySettings]) -> BoundCurve:
    """The information-bottleneck curve of a joint of inputs x and outputs y.

    With counts or p (probabilities, any positive scale): triplets, each pair (x[i], y[i]) once; uint32 is used as it stands,
    without a copy, other labels are numbered. With neither: x and y are labels of positions, and pairs are counted. betas:
    above 1; None takes bound_betas of the settings. settings: bins (codewords), seed, bound_effort, threads ...
    """
    x, y, counts, p = _triplets(x, y, counts, p)
    keep: list[Any] = [x, y, counts, p]

    def pointer(kind: str, array: Any) -> Any:
        return ffi.NULL if array is None or not array.size else ffi.from_buffer(kind, array)
    values = None if betas is None else np.ascontiguousarray(betas, np.float64).reshape(-1)
    call, out = Call(progress), ffi.new("ip_bound_curve **")
    call.run(lib.ip_bound_joint, out, pointer("uint32_t[]", x), pointer("uint32_t[]", y), pointer("uint64_t[]", counts),
             pointer("double[]", p), len(x), pointer("double[]", values), 0 if values is None else len(values),
             make_settings(keep, settings))
    try:
        return BoundCurve._of(out[0])
    finally:
        lib.ip_bound_curve_free(out[0])


def bound_corpus(model: PathLike, corpus: Any = None, *, texts: Optional[Sequence[str]] = None,
                 progress: ProgressArgument = None, **settings: Unpack[Settings]) -> Bound:
    """The bound of a corpus under a model's tokenizer, order by order: what `infoplane bound` gives."""
    call, out = Call(progress), ffi.new("ip_bound **")
    with _Inputs(corpus, texts, None, settings) as inputs:
        call.run(lib.ip_bound_corpus, out, path_bytes(model), inputs.corpus.paths, inputs.corpus.count, inputs.settings)
    return Bound._of(out[0])


def _write_table(path: str, table: Any) -> None:
    """A mapping of columns (a DataFrame is one) as CSV, floats with all their digits."""
    columns = {str(name): np.asarray(table[name]).tolist() for name in table}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError("the columns of a table must have one length")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values()):
            writer.writerow(["" if v is None or v != v else v for v in row])


def correlate(table: Any = None, *, runs: Sequence[PathLike] = (), scores: Union[None, PathLike, Sequence[PathLike]] = None,
              partial: Sequence[str] = (), progress: ProgressArgument = None, order: int = 1, permutations: int = 10000,
              resamples: int = 10000, seed: int = 0, threads: int = 0) -> Correlations:
    """Correlates complexity, expressivity, optimality and preference information of models with their scores.

    table: columns by name (a mapping of NumPy arrays or lists, a pandas DataFrame) or a .csv: model, family, params_b (or
    parameters), any of the four measures, loss, and scores under any other names. Or runs (folders of analyze -o) and scores
    (a .csv, or results of lm-evaluation-harness). partial: columns to hold constant beside the size.
    """
    if (table is None) == (not runs):
        raise TypeError("give a table, or runs with scores")
    keep: list[Any] = []
    settings = make_settings(keep, dict(order=order, permutations=permutations, resamples=resamples, seed=seed,
                                        threads=threads), "ip_correlate_settings")
    call, out = Call(progress), ffi.new("ip_correlation **")
    with tempfile.TemporaryDirectory(prefix="infoplane-") as folder:
        if table is not None:
            if not isinstance(table, (str, os.PathLike)):
                path = os.path.join(folder, "table.csv")
                _write_table(path, table)
                table = path
            name = ffi.new("char[]", path_bytes(table))
            keep.append(name)
            settings.table = name
        names = [] if scores is None else [scores] if isinstance(scores, (str, os.PathLike)) else list(scores)
        settings.scores, settings.score_count = strings(keep, [path_bytes(n) for n in names]), len(names)
        settings.partial, settings.partial_count = strings(keep, [n.encode() for n in partial]), len(partial)
        call.run(lib.ip_correlate, out, strings(keep, [path_bytes(r) for r in runs]), len(runs), settings)
    return Correlations._of(out[0])
