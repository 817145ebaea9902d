"""The shared library and how it is called: settings, errors, progress, Ctrl-C.

Calls release the GIL (cffi does, in ABI mode). A long call made from the main thread runs in a thread of its own while the
main thread waits, so that Python's signal handlers run: Ctrl-C then sets a flag, which the engine looks at through a
function of its own (no callback into Python), and KeyboardInterrupt is raised once the engine has stopped.
"""
from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Union

from ._abi import ffi as _ffi

ffi: Any = _ffi
_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
_SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"
lib: Any = ffi.dlopen(os.path.join(_FOLDER, "libinfoplane" + _SUFFIX))
_libc: Any = ffi.dlopen(None)


class InfoplaneError(Exception):
    """The engine's one line; `status` is the exit code that the program would have."""

    status = 1


class FailedError(InfoplaneError, RuntimeError):
    """The job failed: disk full, out of memory, hidden states that are not finite."""


class UsageError(InfoplaneError, ValueError):
    """A setting that there is not, or that does not go with the others."""

    status = 2


class BadInputError(InfoplaneError, ValueError):
    """A file or an array is wrong; the line says which and where."""

    status = 3


_ERRORS = {1: FailedError, 2: UsageError, 3: BadInputError}
_INTERRUPTED = 130


@dataclass(frozen=True)
class Progress:
    """What the engine tells while it works. `all` is 0 when unknown; steps (layers, blocks) count from 0."""

    stage: str
    done: float
    all: float
    unit: str
    step_name: Optional[str]
    step: int
    steps: int


ProgressArgument = Union[None, bool, Callable[[Progress], None]]


def text(pointer: Any) -> Optional[str]:
    """A C string, or None."""
    return None if pointer == ffi.NULL else ffi.string(pointer).decode("utf-8", "surrogateescape")


def path_bytes(path: Union[str, os.PathLike[str]]) -> bytes:
    return os.fsencode(os.fspath(path))


def strings(keep: list[Any], values: list[bytes]) -> Any:
    """char *const *; `keep` holds the memory."""
    held = [ffi.new("char[]", v) for v in values]
    keep.extend(held)
    array = ffi.new("char *[]", held + [ffi.NULL])
    keep.append(array)
    return array


def make_settings(keep: list[Any], values: Mapping[str, Any], kind: str = "ip_settings") -> Any:
    """A struct of settings with the engine's defaults and `values` over them."""
    settings = ffi.new(kind + " *")
    getattr(lib, kind + "_default")(settings)
    keep.append(settings)
    known = {name: field.type for name, field in ffi.typeof(kind).fields}
    simple = sorted(n for n, k in known.items() if k.kind != "pointer" or k.item.kind == "primitive")
    for name, value in values.items():
        if name not in simple:
            raise TypeError(f"no setting {name!r}; there are " + ", ".join(simple))
        try:
            if known[name].kind == "pointer":
                if value is None:
                    setattr(settings, name, ffi.NULL)
                    continue
                if not isinstance(value, (str, os.PathLike)):
                    raise TypeError("a string is needed")
                value = ffi.new("char[]", path_bytes(value))
                keep.append(value)
            elif known[name].cname == "_Bool":
                value = bool(value)
            elif hasattr(value, "__index__"):
                value = value.__index__()
            setattr(settings, name, value)
        except TypeError as wrong:
            raise TypeError(f"setting {name}: {wrong}") from None
        except OverflowError as wrong:
            raise UsageError(f"setting {name}: {wrong}") from None
    return settings


def raise_status(status: int, error: Any) -> None:
    """Nothing for IP_OK, else the exception with the engine's line."""
    if status == 0:
        return
    line = ffi.string(error.message).decode("utf-8", "replace")
    if status == _INTERRUPTED:
        raise KeyboardInterrupt(line)
    raise _ERRORS.get(status, FailedError)(line)


def _wants_bar() -> bool:
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())


class _Bar:
    """The engine's stages as a tqdm bar, one after the other on the same line."""

    def __init__(self, tqdm: Any) -> None:
        self.tqdm = tqdm
        self.bar: Any = None
        self.at: tuple[str, int] = ("", 0)

    def __call__(self, p: Progress) -> None:
        at = (p.stage, p.step)
        if self.bar is None or at != self.at:
            self.close()
            self.at = at
            name = f"{p.stage} {p.step_name} {p.step}/{p.steps}" if p.step_name and p.steps else p.stage
            self.bar = self.tqdm(total=p.all or None, desc=name, unit=" " + p.unit if p.unit else "it", leave=False,
                                 unit_scale=True)
        self.bar.total = p.all or None
        self.bar.update(max(0.0, p.done - self.bar.n))

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _listener(progress: ProgressArgument) -> Any:
    if callable(progress):
        return progress
    if progress is False or (progress is None and not _wants_bar()):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if progress:
            raise ImportError("progress=True needs tqdm: pip install tqdm") from None
        return None
    return _Bar(tqdm)


class Call:
    """One long call of the engine: `run(function, arguments)` appends host and error to the arguments."""

    def __init__(self, progress: ProgressArgument = None) -> None:
        self.error = ffi.new("ip_error *")
        self.flag = ffi.new("int *", 0)
        self.host = ffi.new("ip_host *")
        self.host.context = self.flag
        self.host.cancelled = ffi.addressof(lib, "ip_cancelled_by_flag")
        self.failure: Optional[BaseException] = None
        self.lines: list[str] = []
        self.listener = _listener(progress)
        self._warn = ffi.callback("void(void *, const char *)", self._on_warn)
        self.host.warn = self._warn
        if self.listener is not None:
            self._progress = ffi.callback("void(void *, const ip_progress *)", self._on_progress)
            self.host.progress = self._progress

    def _on_warn(self, _: Any, line: Any) -> None:
        self.lines.append(text(line) or "")

    def _on_progress(self, _: Any, p: Any) -> None:
        if self.failure is not None:
            return
        try:
            self.listener(Progress(text(p.stage) or "", p.done, p.all, text(p.unit) or "", text(p.step_name), p.step, p.steps))
        except BaseException as failure:  # raised again where the engine was called
            self.failure = failure
            self.flag[0] = 1

    def run(self, function: Any, *arguments: Any) -> None:
        status = [1]

        def work() -> None:
            status[0] = function(*arguments, self.host, self.error)

        interrupt: Optional[BaseException] = None
        if threading.current_thread() is threading.main_thread():
            thread = threading.Thread(target=work, name="infoplane", daemon=True)
            thread.start()
            while thread.is_alive():
                try:
                    thread.join()
                except BaseException as stop:  # what a signal handler raised; the engine stops at its next look
                    interrupt = interrupt or stop
                    self.flag[0] = 1
        else:
            work()
        if isinstance(self.listener, _Bar):
            self.listener.close()
        if self.failure is not None:
            raise self.failure
        if interrupt is not None:
            raise interrupt
        for line in self.lines:
            warnings.warn(line, stacklevel=4)
        raise_status(status[0], self.error)


def written(write: Callable[[Any], None]) -> str:
    """What one of the engine's writers puts into a FILE."""
    memory, size = ffi.new("char **"), ffi.new("size_t *")
    file = _libc.open_memstream(memory, size)
    if file == ffi.NULL:
        raise MemoryError("no memory for a report")
    try:
        write(file)
    finally:
        _libc.fclose(file)
    try:
        return bytes(ffi.buffer(memory[0], size[0])).decode("utf-8", "surrogateescape")
    finally:
        _libc.free(memory[0])


def parsed(report: str) -> Any:
    return json.loads(report)
