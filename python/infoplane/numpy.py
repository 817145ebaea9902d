"""In place of soft_entropy.numpy."""
from .soft import soft_entropy, soft_mutual_information

__all__ = ["soft_entropy", "soft_mutual_information"]
