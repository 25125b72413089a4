"""SciPy's functions for comparing distributions, by fastdiv's kernels: change the import and nothing else.

``from scipy.stats import entropy`` becomes ``from fastdiv.compat.scipy import entropy``, with SciPy's
arguments, defaults (``axis=0``), shapes, dtypes, and values at zeros, negative masses, NaN and empty input.
SciPy is not needed.

What differs, on purpose:

- Values are right to some 15 digits where SciPy cancels: ``jensenshannon`` of near-identical rows (there NaN,
  or half the digits), ``entropy(pk, qk)`` of such rows, ``kl_div(x, y)`` for x near y; and where its sums
  overflow. float16 and float32 are computed in float64.
- A row without mass is NaN without a RuntimeWarning; the result is an array where all is masked, too.
- ``rel_entr`` and ``kl_div`` are functions with a ufunc's arguments, without ``reduce``, ``at``, ``outer``.
- ``cdist`` and ``pdist`` know "jensenshannon" alone; a row with NaN beside an infinite one is NaN (there 0).
- ``ks_2samp`` has the statistic, its place and its sign, but no p-value. Of several places at which the
  distance is reached it names SciPy 1.17's.
"""

from fastdiv.compat._elementwise import kl_div, rel_entr
from fastdiv.compat._matrix import cdist, pdist, squareform
from fastdiv.compat._rows import entropy, jensenshannon
from fastdiv.compat._samples import SmallSampleWarning, energy_distance, ks_2samp, wasserstein_distance

__all__ = [
    "SmallSampleWarning",
    "cdist",
    "energy_distance",
    "entropy",
    "jensenshannon",
    "kl_div",
    "ks_2samp",
    "pdist",
    "rel_entr",
    "squareform",
    "wasserstein_distance",
]
