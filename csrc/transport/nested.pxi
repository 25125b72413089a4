# Cells of summaries (nested.h): arrays, the GIL and signals. Part of _wasserstein.pyx.

cdef fd_nested _nested(cnp.ndarray rows):
    """The six rows of nested.h, of a C-contiguous matrix of uint64."""
    cdef fd_nested cells
    cdef uint64_t *at = <uint64_t *>cnp.PyArray_DATA(rows)
    cdef int64_t n = rows.shape[1]
    cells.n, cells.keys, cells.counts, cells.low = n, at, at + n, at + 2 * n
    cells.high, cells.first, cells.last = at + 3 * n, at + 4 * n, at + 5 * n
    return cells


def nested_occupied(cnp.ndarray x):
    """How many cells of 2^k doubles hold a value, for k from 0 to 63, of a contiguous ascending float64 vector without
    NaN and -0.0: those of k = 0 are the distinct values."""
    cdef const double *values = <const double *>cnp.PyArray_DATA(x)
    cdef int64_t n = x.shape[0], cells = n > 0, apart[65]
    cdef int k
    with nogil:
        fd_nested_apart(values, n, apart)
    occupied = []
    for k in range(63, -1, -1):
        cells += apart[k + 1]
        occupied.append(cells)
    occupied.reverse()
    return occupied


def nested(cnp.ndarray x, int k):
    """Cells of 2^k doubles of a contiguous ascending float64 vector without NaN and -0.0: the six rows of nested.h."""
    cdef const double *values = <const double *>cnp.PyArray_DATA(x)
    cdef int64_t n = x.shape[0], many
    cdef fd_nested cells
    with nogil:
        many = fd_nested_count(values, n, k)
    out = np.empty((6, many), np.uint64)
    cells = _nested(out)
    with nogil:
        fd_nested_fill(values, n, k, &cells)
    return out


def nested_of(x, int k):
    """The same of a contiguous vector of numbers in any order; None where it has to be sorted first."""
    cdef int kind = _kind_of(x)
    cdef fd_source source
    cdef fd_nests *nests
    cdef fd_nested cells
    if kind < 0:
        return None
    source.values, source.n, source.kind, source.origin = cnp.PyArray_DATA(x), x.shape[0], <fd_kind>kind, 0
    if _is_long(4.0 * source.n):
        return interruptibly(nested_of, x, k)
    with nogil:
        nests = fd_nests_of(&source, k)
    if nests is NULL:
        return None
    try:
        out = np.empty((6, fd_nests_occupied(nests)), np.uint64)
        cells = _nested(out)
        with nogil:
            fd_nests_fill(nests, &cells)
    finally:
        fd_nests_free(nests)
    return out


cdef fd_nested _side(tuple arrays):
    cdef fd_nested cells
    cdef cnp.ndarray keys, counts, low, high, first, last
    keys, counts, low, high, first, last = arrays
    cells.keys, cells.counts = <uint64_t *>cnp.PyArray_DATA(keys), <uint64_t *>cnp.PyArray_DATA(counts)
    cells.low, cells.high = <uint64_t *>cnp.PyArray_DATA(low), <uint64_t *>cnp.PyArray_DATA(high)
    cells.first, cells.last = <uint64_t *>cnp.PyArray_DATA(first), <uint64_t *>cnp.PyArray_DATA(last)
    cells.n = keys.shape[0]
    return cells


def nested_distance(tuple u, tuple v, int k, double shrink):
    """W1 of two multisets in cells of 2^k finite doubles, times shrink, and a bound on its error.

    Of each the contiguous vectors of 64 bits that nested.h names.
    """
    cdef fd_nested x = _side(u), y = _side(v)
    cdef double value, bound
    with nogil:
        fd_nested_distance(&x, &y, k, shrink, &value, &bound)
    return value, bound


def nested_means(tuple u, int k):
    """The mean of the values of each cell, of what nested_distance takes; whether all lie within their cells."""
    cdef fd_nested x = _side(u)
    cdef int inside
    out = np.empty(x.n)
    cdef double *means = <double *>cnp.PyArray_DATA(out)
    with nogil:
        inside = fd_nested_means(&x, k, means)
    return out, bool(inside)
