"""Exact one-dimensional transport: arrays, the GIL, batches and signals. transport.h has the rest.

Nothing here raises on data.
"""

import numpy as np

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t, uint64_t

from core cimport attach, fd_max_threads
from transport cimport (
    FD_CRAMER,
    FD_ENERGY,
    FD_F32,
    FD_F64,
    FD_I8,
    FD_I16,
    FD_I32,
    FD_I64,
    FD_KS,
    FD_U8,
    FD_U16,
    FD_U32,
    FD_U64,
    FD_WASSERSTEIN,
    fd_arc,
    fd_argsort,
    fd_cells_from,
    fd_circle_gradient,
    fd_circle_wasserstein,
    fd_compresses_fast,
    fd_couple,
    fd_coupling,
    fd_gradient_of_rows,
    fd_gradients,
    fd_gradients_of_hists,
    fd_hists,
    fd_kind,
    fd_largest_weight,
    fd_like_shares,
    fd_nested,
    fd_nested_apart,
    fd_nested_count,
    fd_nested_distance,
    fd_nested_fill,
    fd_nested_means,
    fd_nests,
    fd_nests_fill,
    fd_nests_free,
    fd_nests_occupied,
    fd_nests_of,
    fd_numpy,
    fd_order_of,
    fd_samples,
    fd_scaled_wasserstein,
    fd_sort,
    fd_sort_into,
    fd_source,
    fd_statistic,
    fd_statistic_of_rows,
    fd_statistic_of_sources,
    fd_tally_from,
    fd_task,
    fd_wasserstein_of_hists,
    fd_work_of_gradient,
    fd_work_of_hist,
    fd_work_of_row,
)

from fastdiv._threads import hears_signals, heed, interruptibly

cnp.import_array()
attach()

cdef extern from "numpy/arrayobject.h" nogil:
    ctypedef fd_sort *sort_function "PyArray_SortFunc *"
    ctypedef fd_argsort *argsort_function "PyArray_ArgSortFunc *"
    ctypedef struct PyArray_ArrFuncs:
        sort_function *sort
        argsort_function *argsort
    PyArray_ArrFuncs *PyDataType_GetArrFuncs(cnp.dtype)

# NumPy's own sorts, which pick the instruction set of this CPU and need no GIL.
cdef PyArray_ArrFuncs *_functions = PyDataType_GetArrFuncs(cnp.PyArray_DescrFromType(cnp.NPY_FLOAT64))
fd_numpy.sort_f64, fd_numpy.argsort_f64 = _functions.sort[0], _functions.argsort[0]
_functions = PyDataType_GetArrFuncs(cnp.PyArray_DescrFromType(cnp.NPY_UINT64))
fd_numpy.sort_u64, fd_numpy.argsort_u64 = _functions.sort[0], _functions.argsort[0]


def set_fast_sorts(bint whether):
    """Sets whether all is sorted by NumPy (tests), as where its sorts are the faster; returns what was."""
    before = bool(fd_numpy.is_fast)
    fd_numpy.is_fast = whether
    fd_cells_from[0] = 10000 if whether else 15000
    return before


set_fast_sorts(fd_compresses_fast())

STATISTICS = {"wasserstein": FD_WASSERSTEIN, "cramer": FD_CRAMER, "energy": FD_ENERGY, "ks": FD_KS}


cdef const double *_optional(cnp.ndarray weights):
    if weights is None:
        return NULL
    return <const double *>cnp.PyArray_DATA(weights)


cdef fd_samples _sample(cnp.ndarray values, cnp.ndarray weights):
    """One sample: a contiguous vector."""
    cdef fd_samples x
    x.values, x.weights = cnp.PyArray_DATA(values), _optional(weights)
    x.length, x.step, x.weight_step = values.shape[0], 0, 0
    x.real = cnp.PyArray_TYPE(values) == cnp.NPY_FLOAT64
    return x


cdef fd_samples _samples(cnp.ndarray values, cnp.ndarray weights):
    """One sample a row: C-contiguous matrices, either of which may have a single row that stands for many."""
    cdef fd_samples x = _sample(values, weights)
    x.length = values.shape[1]
    if values.shape[0] > 1:
        x.step = x.length
    if weights is not None and weights.shape[0] > 1:
        x.weight_step = x.length
    return x


cdef bint _is_long(double work):
    """Whether one pass, of `work` nanoseconds, is so long that it must not keep Ctrl-C waiting."""
    return work > 5e7 and hears_signals()


cdef int _signals() except -1:
    """Between passes: Ctrl-C is heard here, or the caller has heard it."""
    PyErr_CheckSignals()
    heed()
    return 0


cdef int64_t _rows_between_signals(int64_t rows, double work) noexcept:
    """How many of them to do before Ctrl-C is looked at: some 0.05 s for each thread."""
    cdef double most = fd_max_threads() * (5e7 / (work + 1.0) + 1.0)
    return rows if rows < most else <int64_t>most


def statistic_of_rows(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights,
                      cnp.ndarray out,
                      int statistic, double p, bint omit, bint is_sorted, int workers=0):
    """One number for each row of two C-contiguous matrices, both float64 or both uint64.

    A single row may stand for many. Weights are float64, in the order of the values; both or neither. At most
    `workers` threads, 0 for the default.
    """
    cdef fd_samples x = _samples(u, u_weights), y = _samples(v, v_weights)
    cdef double *result = <double *>cnp.PyArray_DATA(out)
    cdef int64_t first = 0, rows, n_rows = out.shape[0]
    cdef fd_task task
    cdef int status = 0
    if _is_long(fd_work_of_row(&x, &y)):
        return interruptibly(statistic_of_rows, u, v, u_weights, v_weights, out, statistic, p, omit,
                             is_sorted, workers)
    task.statistic, task.p, task.omit, task.sorted = <fd_statistic>statistic, p, omit, is_sorted
    while first < n_rows and status == 0:
        rows = _rows_between_signals(n_rows - first, fd_work_of_row(&x, &y))
        with nogil:
            status = fd_statistic_of_rows(&x, &y, &task, first, first + rows, workers, result)
        first += rows
        _signals()
    if status:
        scratch = 8 * (x.length + y.length)
        raise MemoryError(f"no memory for the {scratch} bytes of scratch that each thread needs")


def gradient_of_rows(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights,
                     cnp.ndarray out, cnp.ndarray by_u, cnp.ndarray by_v, cnp.ndarray by_u_weights,
                     cnp.ndarray by_v_weights, int statistic, double p, bint omit, bint is_sorted):
    """As statistic_of_rows, with the derivatives by every entry: matrices with a row for each of `out`.

    Those by values may be None.
    """
    cdef fd_samples x = _samples(u, u_weights), y = _samples(v, v_weights)
    cdef fd_gradients result
    cdef int64_t first = 0, rows, n_rows = out.shape[0]
    cdef fd_task task
    cdef int status = 0
    if _is_long(fd_work_of_gradient(&x, &y)):
        return interruptibly(gradient_of_rows, u, v, u_weights, v_weights, out, by_u, by_v, by_u_weights,
                             by_v_weights, statistic, p, omit, is_sorted)
    task.statistic, task.p, task.omit, task.sorted = <fd_statistic>statistic, p, omit, is_sorted
    result.value = <double *>cnp.PyArray_DATA(out)
    result.values[0], result.values[1] = <double *>_optional(by_u), <double *>_optional(by_v)
    result.weights[0] = <double *>cnp.PyArray_DATA(by_u_weights)
    result.weights[1] = <double *>cnp.PyArray_DATA(by_v_weights)
    while first < n_rows and status == 0:
        rows = _rows_between_signals(n_rows - first, fd_work_of_gradient(&x, &y))
        with nogil:
            status = fd_gradient_of_rows(&x, &y, &task, first, first + rows, &result)
        first += rows
        _signals()
    if status:
        raise MemoryError(f"no memory for the scratch of {x.length + y.length} values for each thread")


cdef fd_hists _hists(cnp.ndarray edges, cnp.ndarray masses, cnp.ndarray low):
    cdef fd_hists x
    x.high = <const double *>cnp.PyArray_DATA(edges)
    x.low = x.high + edges.shape[1] if edges.shape[0] == 2 else NULL
    x.masses, x.masses_low = <const double *>cnp.PyArray_DATA(masses), _optional(low)
    x.bins = masses.shape[1]
    x.step = x.bins if masses.shape[0] > 1 else 0
    return x


def hist_rows(cnp.ndarray u_edges, cnp.ndarray u, cnp.ndarray v_edges, cnp.ndarray v, cnp.ndarray out,
              double p, cnp.ndarray u_low=None, cnp.ndarray v_low=None):
    """W_p for each row of two C-contiguous float64 matrices of masses in bins; one row may stand for many.

    Masses are u + u_low and v + v_low. The edges come as a C-contiguous matrix of one row, or of two whose
    sums they are.
    """
    cdef fd_hists x = _hists(u_edges, u, u_low), y = _hists(v_edges, v, v_low)
    cdef double *result = <double *>cnp.PyArray_DATA(out)
    cdef int64_t first = 0, rows, n_rows = out.shape[0]
    if _is_long(fd_work_of_hist(&x, &y)):
        return interruptibly(hist_rows, u_edges, u, v_edges, v, out, p, u_low, v_low)
    while first < n_rows:
        rows = _rows_between_signals(n_rows - first, fd_work_of_hist(&x, &y))
        with nogil:
            fd_wasserstein_of_hists(&x, &y, p, first, first + rows, result)
        first += rows
        _signals()


def hist_gradients(cnp.ndarray u_edges, cnp.ndarray u, cnp.ndarray v_edges, cnp.ndarray v, cnp.ndarray out,
                   cnp.ndarray by_u, cnp.ndarray by_v, double p, cnp.ndarray u_low=None,
                   cnp.ndarray v_low=None):
    """As hist_rows, with the derivatives by every mass: matrices with a row for each of `out`."""
    cdef fd_hists x = _hists(u_edges, u, u_low), y = _hists(v_edges, v, v_low)
    cdef double *result = <double *>cnp.PyArray_DATA(out)
    cdef double *of_u = <double *>cnp.PyArray_DATA(by_u)
    cdef double *of_v = <double *>cnp.PyArray_DATA(by_v)
    cdef int64_t first = 0, rows, n_rows = out.shape[0]
    if _is_long(4 * fd_work_of_hist(&x, &y)):
        return interruptibly(hist_gradients, u_edges, u, v_edges, v, out, by_u, by_v, p, u_low, v_low)
    while first < n_rows:
        rows = _rows_between_signals(n_rows - first, 4 * fd_work_of_hist(&x, &y))
        with nogil:
            fd_gradients_of_hists(&x, &y, p, first, first + rows, result, of_u, of_v)
        first += rows
        _signals()


def ascending(cnp.ndarray x, cnp.ndarray out):
    """Fills `out` with a contiguous float64 vector in ascending order; there is no NaN."""
    cdef const double *values = <const double *>cnp.PyArray_DATA(x)
    cdef double *arranged = <double *>cnp.PyArray_DATA(out)
    cdef int64_t n = x.shape[0]
    if _is_long(10.0 * n):
        return interruptibly(ascending, x, out)
    with nogil:
        fd_sort_into(values, n, arranged)


def order(cnp.ndarray x, cnp.ndarray positions, cnp.ndarray values):
    """Fills the positions (intp) that sort a contiguous float64 or uint64 vector, and the sorted values."""
    cdef fd_samples sample = _sample(x, None)
    cdef Py_ssize_t *out = <Py_ssize_t *>cnp.PyArray_DATA(positions)
    cdef void *arranged = cnp.PyArray_DATA(values)
    if _is_long(40.0 * sample.length):
        return interruptibly(order, x, positions, values)
    with nogil:
        fd_order_of(&sample, out, arranged)


def plan(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights, double p, double scale,
         cnp.ndarray u_order, cnp.ndarray v_order, cnp.ndarray rows, cnp.ndarray cols, cnp.ndarray mass,
         cnp.ndarray u_potential, cnp.ndarray v_potential):
    """Fills the pieces of the monotone coupling of two sorted vectors, and its potentials.

    Distances are taken times scale, a power of two. Returns how many pieces there are, their cost and the
    largest distance that was looked at.
    """
    cdef fd_samples x = _sample(u, u_weights), y = _sample(v, v_weights)
    cdef fd_coupling c
    cdef int64_t pieces
    if _is_long(20.0 * (x.length + y.length)):
        return interruptibly(plan, u, v, u_weights, v_weights, p, scale, u_order, v_order, rows, cols, mass,
                             u_potential, v_potential)
    c.p, c.scale = p, scale
    c.u_order = <const int64_t *>cnp.PyArray_DATA(u_order)
    c.v_order = <const int64_t *>cnp.PyArray_DATA(v_order)
    c.rows, c.cols = <int64_t *>cnp.PyArray_DATA(rows), <int64_t *>cnp.PyArray_DATA(cols)
    c.mass = <double *>cnp.PyArray_DATA(mass)
    c.u_potential = <double *>cnp.PyArray_DATA(u_potential)
    c.v_potential = <double *>cnp.PyArray_DATA(v_potential)
    with nogil:
        pieces = fd_couple(&x, &y, &c)
    return pieces, c.cost, c.largest


def distance(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights, double p,
             double scale):
    """scale times W_p of two sorted vectors of finite values."""
    cdef fd_samples x = _sample(u, u_weights), y = _sample(v, v_weights)
    cdef double result
    if _is_long(20.0 * (x.length + y.length)):
        return interruptibly(distance, u, v, u_weights, v_weights, p, scale)
    with nogil:
        result = fd_scaled_wasserstein(&x, &y, p, scale)
    return result


cdef fd_arc _arc(cnp.ndarray high, cnp.ndarray low, cnp.ndarray weights):
    cdef fd_arc arc
    arc.high, arc.low = <const double *>cnp.PyArray_DATA(high), <const double *>cnp.PyArray_DATA(low)
    arc.weights, arc.n = _optional(weights), high.shape[0]
    return arc


def circle(cnp.ndarray u, cnp.ndarray u_low, cnp.ndarray u_weights, cnp.ndarray v, cnp.ndarray v_low,
           cnp.ndarray v_weights, double period, double period_low, double p):
    """W_p on a circle of points high + low in [-period / 2, period / 2], ascending."""
    cdef fd_arc x = _arc(u, u_low, u_weights), y = _arc(v, v_low, v_weights)
    cdef double result
    if _is_long(500.0 * (x.n + y.n)):
        return interruptibly(circle, u, u_low, u_weights, v, v_low, v_weights, period, period_low, p)
    with nogil:
        result = fd_circle_wasserstein(x, y, period, period_low, p)
    if result < 0:
        raise MemoryError(f"no memory for the levels of {x.n + y.n} points")
    return result


def circle_gradient(cnp.ndarray u, cnp.ndarray u_low, cnp.ndarray u_weights, cnp.ndarray v, cnp.ndarray v_low,
                    cnp.ndarray v_weights, double period, double period_low, double p, cnp.ndarray by_u,
                    cnp.ndarray by_v, cnp.ndarray by_u_weights, cnp.ndarray by_v_weights):
    """As circle, with the derivatives by every point and weight, in the order of the points."""
    cdef fd_arc x = _arc(u, u_low, u_weights), y = _arc(v, v_low, v_weights)
    cdef fd_gradients out
    cdef double result
    if _is_long(1000.0 * (x.n + y.n)):
        return interruptibly(circle_gradient, u, u_low, u_weights, v, v_low, v_weights, period, period_low, p,
                             by_u, by_v, by_u_weights, by_v_weights)
    out.values[0], out.values[1] = <double *>cnp.PyArray_DATA(by_u), <double *>cnp.PyArray_DATA(by_v)
    out.weights[0] = <double *>cnp.PyArray_DATA(by_u_weights)
    out.weights[1] = <double *>cnp.PyArray_DATA(by_v_weights)
    with nogil:
        result = fd_circle_gradient(x, y, period, period_low, p, &out)
    if result < 0:
        raise MemoryError(f"no memory for the levels of {x.n + y.n} points")
    return result


def largest_weight(cnp.ndarray weights):
    """The largest of a contiguous float64 vector; NaN if one is negative or not finite."""
    return fd_largest_weight(<const double *>cnp.PyArray_DATA(weights), weights.shape[0])


cdef int _kind_of(x):
    """The fd_kind of a contiguous vector with something in it, or -1."""
    if not cnp.PyArray_CheckExact(x):
        return -1
    cdef cnp.ndarray a = x
    if (cnp.PyArray_NDIM(a) != 1 or a.shape[0] == 0 or not cnp.PyArray_CHKFLAGS(a, cnp.NPY_ARRAY_CARRAY_RO)
            or not cnp.PyArray_ISNOTSWAPPED(a)):
        return -1
    cdef int number = cnp.PyArray_TYPE(a), size = cnp.PyArray_ITEMSIZE(a)
    if number == cnp.NPY_FLOAT64:
        return FD_F64
    if number == cnp.NPY_FLOAT32:
        return FD_F32
    if not (cnp.PyArray_ISINTEGER(a) or number == cnp.NPY_BOOL):
        return -1
    cdef bint signed = cnp.PyArray_ISSIGNED(a)
    if size == 1:
        return FD_I8 if signed else FD_U8
    if size == 2:
        return FD_I16 if signed else FD_U16
    if size == 4:
        return FD_I32 if signed else FD_U32
    return FD_I64 if signed else FD_U64


include "few.pxi"


def pair(u, v, int statistic, double p, bint is_sorted, bint wary, u_weights=None, v_weights=None):
    """A statistic of two vectors by the shortest way; None if another has to be found.

    `wary`: also None if both could be histograms.
    """
    cdef int first = _kind_of(u), second = _kind_of(v)
    cdef bint plain = first == FD_F64 and second == FD_F64, is_single = first == FD_F32 and second == FD_F32
    cdef bint weighted = u_weights is not None or v_weights is not None
    if not plain or weighted:
        few = few_doubles(u, v, u_weights, v_weights)
        if few is not None:
            u, v, u_weights, v_weights, is_single = few
            plain, first, second = True, FD_F64, FD_F64
        elif first < 0 or second < 0 or weighted or is_sorted:
            return None
    cdef fd_samples x = _sample(u, u_weights), y = _sample(v, v_weights)
    cdef fd_source a, b
    cdef fd_task task
    cdef double result = 0
    cdef int status
    a.values, a.n, a.kind, a.origin = x.values, x.length, <fd_kind>first, 0
    b.values, b.n, b.kind, b.origin = y.values, y.length, <fd_kind>second, 0
    if wary and a.n == b.n and u_weights is None and fd_like_shares(&a):
        return None
    if _is_long(4.0 * (a.n + b.n)):
        return interruptibly(pair, u, v, statistic, p, is_sorted, wary)
    task.statistic, task.p, task.omit, task.sorted = <fd_statistic>statistic, p, False, is_sorted
    with nogil:
        if plain:
            status = fd_statistic_of_rows(&x, &y, &task, 0, 1, 0, &result)
        else:
            status = fd_statistic_of_sources(&a, &b, &task, &result)
    if status < 0:
        raise MemoryError(f"no memory for {8 * (x.length + y.length)} bytes of scratch")
    if status > 0:
        return None
    if is_single:
        return np.float32(result)
    return cnp.PyArray_ToScalar(&result, u) if plain else np.float64(result)  # the same, without a call


def set_cells_from(int64_t values, int64_t weighted):
    """Sets the sizes from which rows go through cells (tests, fastdiv/bench/corners.py); returns those in force."""
    before = fd_cells_from[0], fd_cells_from[1]
    fd_cells_from[0], fd_cells_from[1] = values, weighted
    return before


def set_tally_from(int64_t values):
    """Sets the size from which rows of few values are counted (tests); returns that in force."""
    cdef int64_t *least = &fd_tally_from
    before = least[0]
    least[0] = values
    return before


include "nested.pxi"
