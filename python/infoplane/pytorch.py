"""In place of soft_entropy.pytorch, with its signatures."""
from __future__ import annotations

from typing import Any

from . import soft
from .soft import soft_entropy


def soft_mutual_information(z: Any, labels: Any, n_bins: int = 100, calibration: str = "find_eps") -> Any:
    """I(X; Z) as efficiency; anchors of seed 0."""
    return soft.soft_mutual_information(z, labels, n_bins, 0, calibration)


__all__ = ["soft_entropy", "soft_mutual_information"]
