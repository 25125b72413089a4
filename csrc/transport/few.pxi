# A pair of few values of whatever type, layout and weights, as doubles where these hold them. Part of _wasserstein.pyx.

# up to so many values the checks of the long way would take longer than the distance
cdef enum:
    FEW = 1 << 12


cdef object few_as_doubles(object x, bint *is_single):
    """A short vector of numbers, or a list of them, as contiguous doubles; None if it is something else, or if whole
    numbers may not be doubles. `is_single` stays true for float32 alone."""
    cdef Py_ssize_t i, n
    cdef int number
    cdef bint given = type(x) is list
    if given:
        if not 0 < len(x) <= FEW or not (type(x[0]) is float or type(x[0]) is int):
            return None
        try:
            x = np.asarray(x)
        except (ValueError, TypeError, OverflowError):
            return None
    if (not cnp.PyArray_CheckExact(x) or cnp.PyArray_NDIM(x) != 1 or not 0 < cnp.PyArray_DIM(x, 0) <= FEW
            or not cnp.PyArray_ISBEHAVED_RO(x)):
        return None
    number = cnp.PyArray_TYPE(x)
    is_single[0] = is_single[0] and number == cnp.NPY_FLOAT32
    if number not in (cnp.NPY_FLOAT64, cnp.NPY_FLOAT32, cnp.NPY_BOOL) and not cnp.PyArray_ISINTEGER(x):
        return None
    cdef cnp.ndarray doubles = cnp.PyArray_FROM_OTF(x, cnp.NPY_FLOAT64, cnp.NPY_ARRAY_CARRAY_RO)
    cdef const double *values = <const double *>cnp.PyArray_DATA(doubles)
    if given or (cnp.PyArray_ISINTEGER(x) and cnp.PyArray_ITEMSIZE(x) == 8):
        n = doubles.shape[0]
        for i in range(n):
            if values[i] >= 9007199254740992.0 or values[i] <= -9007199254740992.0:  # 2^53, which 2^53 + 1 becomes
                return None
    return doubles


cdef object few_weights(object weights, cnp.ndarray values, bint *is_single):
    """Weights that need no words, as doubles; of equal ones None."""
    if weights is None:
        return None
    weights = few_as_doubles(weights, is_single)
    if weights is None or weights.shape[0] != values.shape[0] or not largest_weight(weights) > 0:
        return NO_WEIGHTS
    return weights


NO_WEIGHTS = object()


cdef tuple few_doubles(object u, object v, object u_weights, object v_weights):
    """Values and weights of both as doubles, and whether all are float32; None for the long way."""
    cdef bint is_single = True
    x = few_as_doubles(u, &is_single)
    if x is None:
        return None
    y = few_as_doubles(v, &is_single)
    if y is None:
        return None
    a, b = few_weights(u_weights, x, &is_single), few_weights(v_weights, y, &is_single)
    if a is NO_WEIGHTS or b is NO_WEIGHTS:
        return None
    if a is None and b is not None:
        a = np.ones(x.shape[0])
    elif b is None and a is not None:
        b = np.ones(y.shape[0])
    return x, y, a, b, is_single


def hist_pair(object u, object v, object support, double p):
    """W_p of two short histograms at ascending points, their places if `support` is None; None for the long way."""
    cdef bint is_single = True, unused = False
    cdef Py_ssize_t i, n
    cdef const double *at
    a = few_as_doubles(u, &is_single)
    if a is None:
        return None
    b = few_as_doubles(v, &is_single)
    points = a if support is None or b is None else few_as_doubles(support, &unused)
    if b is None or points is None or is_single:
        return None
    n = a.shape[0]
    if b.shape[0] != n or points.shape[0] != n:
        return None
    if support is None:
        points = np.arange(n, dtype=np.float64)
    at = <const double *>cnp.PyArray_DATA(points)
    for i in range(n):
        if not -1.7976931348623157e308 <= at[i] <= 1.7976931348623157e308 or (i > 0 and not at[i] >= at[i - 1]):
            return None
    return pair(points, points, FD_WASSERSTEIN, p, True, False, a, b)
