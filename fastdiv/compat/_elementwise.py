"""Terms of relative entropies, element by element, as ``scipy.special`` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdiv import _rows

__all__ = ["kl_div", "rel_entr"]


def rel_entr(x: Any, y: Any, /, out: Any = None, **ufunc_options: Any) -> Any:
    r"""Elementwise x log(x / y), the terms of a relative entropy, as ``scipy.special.rel_entr``.

    Parameters
    ----------
    x, y : array_like
        Real numbers; they broadcast.
    out : ndarray, or tuple of one, optional
        Where to put the result.
    **ufunc_options
        A ufunc's `where`, `casting`, `order`, `dtype` and `subok`.

    Returns
    -------
    float or ndarray
        In nats: x log(x/y) for x, y > 0; 0 for x = 0 <= y; ``inf`` otherwise; NaN where either is. float32
        where NumPy would compute in float32 or less, else float64.

    Raises
    ------
    TypeError
        Entries that are no real numbers of at most 64 bits.
    ValueError
        Shapes that do not broadcast.

    Notes
    -----
    log2(x/y) = k + (2/ln 2) atanh(t), t = (x - 2^k y)/(x + 2^k y), whose numerator is exact where x is near y
    (Sterbenz). Many elements share the threads.

    Examples
    --------
    >>> from fastdiv.compat.scipy import rel_entr
    >>> rel_entr([1.0, 0.0, 1.0], [1.0, 2.0, 0.0])
    array([ 0.,  0., inf])
    """
    return _as_ufunc("rel_entr", x, y, out, ufunc_options)


def kl_div(x: Any, y: Any, /, out: Any = None, **ufunc_options: Any) -> Any:
    r"""Elementwise x log(x / y) - x + y, as ``scipy.special.kl_div``, without its cancellation for x near y.

    Parameters
    ----------
    x, y : array_like
        Real numbers; they broadcast.
    out : ndarray, or tuple of one, optional
        Where to put the result.
    **ufunc_options
        A ufunc's `where`, `casting`, `order`, `dtype` and `subok`.

    Returns
    -------
    float or ndarray
        In nats: never negative; y for x = 0 <= y; ``inf`` where x < 0, y < 0 or y = 0 < x; NaN where either
        is. The limit ``inf`` where one of them is infinite (SciPy: NaN), NaN where both are.

    Raises
    ------
    TypeError
        Entries that are no real numbers of at most 64 bits.
    ValueError
        Shapes that do not broadcast.

    Notes
    -----
    For x near y it is (x - y) (t + (1 + t) t^2 R(t^2)), t = (x - y)/(x + y), atanh(t) = t + t^3 R(t^2):
    nothing cancels. Many elements share the threads.

    Examples
    --------
    >>> from fastdiv.compat.scipy import kl_div
    >>> kl_div([1.0, 0.0, 1.0], [1.0, 2.0, 0.0])
    array([ 0.,  2., inf])
    """
    return _as_ufunc("kl_div", x, y, out, ufunc_options)


def _as_ufunc(name: str, x: Any, y: Any, out: Any, options: dict[str, Any]) -> Any:
    try:
        return _rows.ufunc_of_elements(name)(x, y, out=out, **options)
    except TypeError:
        kinds = [np.asarray(a).dtype for a in (x, y)]
        if all(kind.kind in "biuf" and kind.itemsize <= 8 for kind in kinds):
            raise
        raise TypeError(
            f"x and y must be real numbers of at most 64 bits, not {kinds[0]} and {kinds[1]}"
        ) from None
