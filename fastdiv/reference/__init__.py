"""The slow twin of every public function, in plain NumPy: what the fast ones must agree with."""

from fastdiv.reference.transport import wasserstein_distance, wasserstein_hist

__all__ = ["wasserstein_distance", "wasserstein_hist"]
