"""What the tests of the wheel share: where things are, and skips that are seen."""
import importlib.util
import os
import sys
import types
import unittest

ROOT = os.environ.get("INFOPLANE_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("INFOPLANE_SHARED") or os.path.join(ROOT, "..", "shared")
PROGRAM = os.environ.get("INFOPLANE")
MODEL = os.path.join(ROOT, "models", "demo", "demo.q8_0.gguf")
CORPUS = os.path.join(ROOT, "models", "demo", "heldout.jsonl")


def skip(reason):
    print("SKIPPED:", reason, file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


def need(module):
    """The module, or a loud skip."""
    try:
        return importlib.import_module(module)
    except ImportError:
        skip(f"no {module}: what needs it is not tested here")


def soft_entropy(module):
    """A module of the package soft-entropy, without its __init__, which imports PyTorch for parts that are not used here."""
    try:
        spec = importlib.util.find_spec("soft_entropy")
    except ValueError:
        spec = None
    if "soft_entropy" not in sys.modules:
        if spec is None:
            skip("no soft-entropy: nothing to compare with")
        package = types.ModuleType("soft_entropy")
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules["soft_entropy"] = package
    return need("soft_entropy." + module)
