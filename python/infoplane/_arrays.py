"""NumPy arrays (and what turns into them) as the engine's ip_array, without a copy wherever the layout allows."""
from __future__ import annotations

import os
from typing import Any, Sequence, Union

import numpy as np

from ._library import ffi, path_bytes, strings


def as_numpy(x: Any) -> np.ndarray[Any, Any]:
    """x as a NumPy array. Tensors of PyTorch share their memory when they are on the CPU; bfloat16, which NumPy has not,
    becomes float32. torch is never imported here: whoever passes a tensor has it."""
    if isinstance(x, np.ndarray):
        array = x
    elif type(x).__module__.split(".")[0] == "torch":
        tensor = x.detach()
        if str(tensor.dtype) == "torch.bfloat16":
            tensor = tensor.float()
        array = tensor.cpu().numpy()
    else:
        array = np.asarray(x)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _plain(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Native byte order and a type the engine reads."""
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"an array of {array.dtype}: numbers are needed")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def fill(keep: list[Any], out: Any, x: Any, name: str) -> np.ndarray[Any, Any]:
    """Makes *out describe x; `keep` holds what it points at until the call is over."""
    array = _plain(as_numpy(x))
    if array.ndim > 4:
        raise ValueError(f"{name}: {array.ndim} dimensions; at most 4 are read")
    fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    if not fortran:
        array = np.ascontiguousarray(array) if array.ndim else array.reshape(1)
    title = ffi.new("char[]", name.encode("utf-8", "replace").replace(b"\0", b"?"))
    keep.extend([array, title])
    out.name = title
    out.kind = array.dtype.kind.encode()
    out.size = array.dtype.itemsize
    out.fortran = fortran
    out.dims = array.ndim
    for i, n in enumerate(array.shape):
        out.shape[i] = n
    if array.size:
        buffer = ffi.from_buffer(array.T if fortran else array)
        keep.append(buffer)
        out.data = buffer
    return array


def one(keep: list[Any], x: Any, name: str) -> Any:
    """ip_array *, or NULL for None."""
    if x is None:
        return ffi.NULL
    out = ffi.new("ip_array *")
    keep.append(out)
    fill(keep, out, x, name)
    return out


Paths = Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]


class Corpus:
    """What analyze, states and bound read: files, or token ids in memory.

    paths: one path or several. ids: an array [documents, tokens]; or of one dimension with `borders` (documents + 1 of them,
    from 0 on); or a sequence of one-dimensional arrays, one per document (these are copied into one).
    """

    def __init__(self, keep: list[Any], corpus: Any) -> None:
        self.ids: Any = ffi.NULL
        self.borders: Any = ffi.NULL
        names: list[bytes] = []
        ids: Any = None
        borders: Any = None
        if isinstance(corpus, (str, os.PathLike)):
            names = [path_bytes(corpus)]
        elif isinstance(corpus, tuple) and len(corpus) == 2 and not isinstance(corpus[0], (str, os.PathLike)):
            ids, borders = as_numpy(corpus[0]), as_numpy(corpus[1])
        elif isinstance(corpus, (list, tuple)) and all(isinstance(c, (str, os.PathLike)) for c in corpus):
            names = [path_bytes(c) for c in corpus]
        elif isinstance(corpus, (list, tuple)):
            documents = [as_numpy(c) for c in corpus]
            if any(d.ndim != 1 for d in documents):
                raise ValueError("a list of documents: each must be one dimension of token ids")
            ids = np.concatenate([_whole(d) for d in documents])
            borders = np.cumsum([0] + [len(d) for d in documents], dtype=np.int64)
        else:
            ids = as_numpy(corpus)
        self.count = len(names)
        self.paths = strings(keep, names)
        if ids is not None:
            self.ids = one(keep, _whole(ids), "ids")
            self.borders = one(keep, None if borders is None else _whole(borders), "borders")

    def put(self, settings: Any) -> None:
        settings.ids, settings.borders = self.ids, self.borders


def _whole(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Token ids as int32 or int64, which is what the engine reads."""
    if array.dtype.kind == "i" and array.dtype.itemsize >= 4:
        return array
    if array.dtype.kind not in "iu":
        raise TypeError(f"token ids of dtype {array.dtype}: integers are needed")
    return array.astype(np.int64)
