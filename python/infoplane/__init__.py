"""infoplane: how a language model compresses what it reads, layer by layer. docs/python.md of the project is the manual."""
from ._api import analyze, bound, bound_corpus, correlate, entropy, read_run, states
from ._library import BadInputError, FailedError, InfoplaneError, Progress, UsageError
from ._settings import VERSION as __version__
from .results import (Bound, BoundCurve, BoundPoint, Correlation, Correlations, Entropy, Estimate, LabelSet, Layer, Loss, Run,
                      States)
from .soft import SoftEntropyAccumulator, soft_entropy, soft_mutual_information

__all__ = [
    "analyze", "bound", "bound_corpus", "correlate", "entropy", "read_run", "states",
    "BadInputError", "FailedError", "InfoplaneError", "Progress", "UsageError",
    "Bound", "BoundCurve", "BoundPoint", "Correlation", "Correlations", "Entropy", "Estimate", "LabelSet", "Layer", "Loss", "Run", "States",
    "SoftEntropyAccumulator", "soft_entropy", "soft_mutual_information",
    "__version__",
]
