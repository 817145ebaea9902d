"""The engine's commands as functions."""
from __future__ import annotations

import json
import os
import tempfile
import weakref
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union

import numpy as np

from ._arrays import Corpus, as_numpy, fill, one
from ._library import Call, ProgressArgument, ffi, lib, make_settings, path_bytes, raise_status
from .results import Entropy, Run, States, remove_folder

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
