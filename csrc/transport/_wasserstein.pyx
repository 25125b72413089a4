"""Exact one-dimensional transport: rows of samples in, one number per row out.

Rows are spread over threads; a single long row is cut into chunks instead. Nothing here raises on data.
"""

import numpy as np

cimport numpy as cnp
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.math cimport isnan
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free

from core cimport attach, fd_max_threads, fd_team

cnp.import_array()
attach()

cdef extern from "transport/memory.h" nogil:
    void *fd_allocate(size_t size)

cdef extern from "transport/transport.h" nogil:
    ctypedef int fd_sort(void *values, Py_ssize_t n, void *array)
    ctypedef int fd_argsort(void *values, Py_ssize_t *order, Py_ssize_t n, void *array)
    ctypedef struct fd_sorts:
        fd_sort *sort_f64
        fd_sort *sort_u64
        fd_argsort *argsort_f64
        fd_argsort *argsort_u64
    ctypedef enum fd_statistic:
        FD_WASSERSTEIN
        FD_CRAMER
        FD_ENERGY
        FD_KS
    ctypedef struct fd_task:
        fd_statistic statistic
        double p
        bint omit
        bint sorted
    void fd_order_f64(const double *x, int64_t n, Py_ssize_t *order, double *values, fd_sorts sorts)
    void fd_order_u64(const uint64_t *x, int64_t n, Py_ssize_t *order, uint64_t *values, fd_sorts sorts)
    const double *fd_arrange_f64(const double *x, const double **weights, int64_t n, bint sorted,
                                 double *values,
                                 double *w, Py_ssize_t *order, fd_sorts sorts)
    const uint64_t *fd_arrange_u64(const uint64_t *x, const double **weights, int64_t n, bint sorted,
                                   uint64_t *values, double *w, Py_ssize_t *order, fd_sorts sorts)
    double fd_sorted_row_f64(const double *u, const double *a, int64_t n,
                             const double *v, const double *b, int64_t m, fd_task task)
    double fd_sorted_row_u64(const uint64_t *u, const double *a, int64_t n,
                             const uint64_t *v, const double *b, int64_t m, fd_task task)

    ctypedef struct fd_masses:
        int64_t n
    double fd_largest_weight(const double *w, int64_t n)
    fd_masses fd_masses_of(const double *weights, int64_t n)
    int64_t fd_plan_f64(const double *u, fd_masses a, const double *v, fd_masses b, double p,
                        double scale, const int64_t *u_order, const int64_t *v_order, int64_t *rows,
                        int64_t *cols, double *mass, double *f, double *g, double *cost, double *largest)
    int64_t fd_plan_u64(const uint64_t *u, fd_masses a, const uint64_t *v, fd_masses b, double p,
                        double scale, const int64_t *u_order, const int64_t *v_order, int64_t *rows,
                        int64_t *cols, double *mass, double *f, double *g, double *cost, double *largest)
    double fd_wasserstein_times_f64(const double *u, fd_masses a, const double *v, fd_masses b, double p,
                                    double scale)
    double fd_wasserstein_times_u64(const uint64_t *u, fd_masses a, const uint64_t *v, fd_masses b, double p,
                                    double scale)
    ctypedef struct fd_arc:
        const double *high
        const double *low
        const double *weights
        int64_t n
    double fd_circle_wasserstein(fd_arc u, fd_arc v, double period, double period_low, double p)
    ctypedef struct fd_edges:
        const double *high
        const double *low
    double fd_hist_wasserstein(fd_edges x, const double *a, int64_t n,
                               fd_edges y, const double *b, int64_t m, double p)

    ctypedef struct fd_cells_side:
        int chunks
        double *gathered
    ctypedef struct fd_cells:
        fd_cells_side *side
        int32_t runs
        int64_t mixed[2]
        bint gather
    int fd_cells_open(fd_cells *c, const double *u, const double *a, int64_t n, const double *v,
                      const double *b,
                      int64_t m, bint ks, int threads, fd_sort *sort)
    int fd_cells_classify(fd_cells *c)
    int fd_cells_sort(fd_cells *c, int s, fd_sorts sorts)
    void fd_cells_sweep(fd_cells *c, int32_t run)
    double fd_cells_total(const fd_cells *c)
    void fd_cells_free(fd_cells *c)

cdef extern from "transport/table.h" nogil:
    ctypedef struct fd_cell_loops:
        void (*count)(fd_cells *c, int side, int chunk) noexcept nogil
        void (*gather)(fd_cells *c, int side, int chunk) noexcept nogil
    const fd_cell_loops *fd_cell_loops_now

cdef extern from "numpy/arrayobject.h" nogil:
    ctypedef fd_sort *sort_function "PyArray_SortFunc *"
    ctypedef fd_argsort *argsort_function "PyArray_ArgSortFunc *"
    ctypedef struct PyArray_ArrFuncs:
        sort_function *sort
        argsort_function *argsort
    PyArray_ArrFuncs *PyDataType_GetArrFuncs(cnp.dtype)

# NumPy's own sorts, which pick the instruction set of this CPU and need no GIL.
cdef fd_sorts sorts
cdef PyArray_ArrFuncs *_functions = PyDataType_GetArrFuncs(cnp.PyArray_DescrFromType(cnp.NPY_FLOAT64))
sorts.sort_f64, sorts.argsort_f64 = _functions.sort[0], _functions.argsort[0]
_functions = PyDataType_GetArrFuncs(cnp.PyArray_DescrFromType(cnp.NPY_UINT64))
sorts.sort_u64, sorts.argsort_u64 = _functions.sort[0], _functions.argsort[0]

# From this many values on a pair of rows goes through cells: measured by bench/transport.py --threshold.
cdef int64_t CELLS_FROM = 20000
cdef int64_t CELLS_FROM_WEIGHTED = 2000

STATISTICS = {"wasserstein": FD_WASSERSTEIN, "cramer": FD_CRAMER, "energy": FD_ENERGY, "ks": FD_KS}


cdef struct Rows:           # a C-contiguous matrix whose single row may stand for many
    const char *values
    const double *weights   # NULL: equal weights
    int64_t length
    int64_t step            # from one row to the next, in elements; 0 for a single row
    int64_t weight_step


cdef const double *_optional(cnp.ndarray weights):
    if weights is None:
        return NULL
    return <const double *>cnp.PyArray_DATA(weights)


cdef Rows _rows(cnp.ndarray values, cnp.ndarray weights):
    cdef Rows rows
    rows.values = <const char *>cnp.PyArray_DATA(values)
    rows.weights = _optional(weights)
    rows.length = values.shape[1]
    rows.step = values.shape[1] if values.shape[0] > 1 else 0
    rows.weight_step = 0
    if weights is not None and weights.shape[0] > 1:
        rows.weight_step = weights.shape[1]
    return rows


cdef int _cells(const double *u, const double *a, int64_t n, const double *v, const double *b, int64_t m,
                bint ks,
                int threads, double *result) noexcept nogil:
    """W1 or KS of two unsorted rows by cells. 0: done; 1: the values do not suit; -1: no memory."""
    cdef fd_cells c
    cdef int task, tasks, chunks
    cdef int status = fd_cells_open(&c, u, a, n, v, b, m, ks, threads, sorts.sort_f64)
    if status == 0:
        chunks = c.side[0].chunks
        tasks = chunks + c.side[1].chunks
        if threads == 1:
            for task in range(tasks):
                fd_cell_loops_now.count(&c, task >= chunks, task - chunks if task >= chunks else task)
        else:
            for task in prange(tasks, num_threads=threads, schedule="dynamic"):
                fd_cell_loops_now.count(&c, task >= chunks, task - chunks if task >= chunks else task)
        status = fd_cells_classify(&c)
    if status == 0:
        if threads == 1:
            for task in range(tasks if c.gather else 0):
                fd_cell_loops_now.gather(&c, task >= chunks, task - chunks if task >= chunks else task)
            for task in range(2):
                status += fd_cells_sort(&c, task, sorts)
            for task in range(c.runs if status == 0 else 0):
                fd_cells_sweep(&c, task)
        else:
            for task in prange(tasks if c.gather else 0, num_threads=threads, schedule="dynamic"):
                fd_cell_loops_now.gather(&c, task >= chunks, task - chunks if task >= chunks else task)
            if a == NULL:
                for task in prange(2, num_threads=2):
                    status += fd_cells_sort(&c, task, sorts)
            else:       # one after the other, for the sake of memory
                for task in range(2):
                    status += fd_cells_sort(&c, task, sorts)
            for task in prange(c.runs if status == 0 else 0, num_threads=threads, schedule="dynamic"):
                fd_cells_sweep(&c, task)
        result[0] = fd_cells_total(&c) if status == 0 else 0
        if isnan(result[0]):
            status = 1
    fd_cells_free(&c)
    return status


cdef struct Scratch:        # for one thread: both sides of one row
    char *values
    double *weights
    Py_ssize_t *order


cdef bint _by_cells(Rows u, Rows v, bint real, fd_task task) noexcept nogil:
    return (real and task.p == 1 and task.statistic != FD_CRAMER and task.statistic != FD_ENERGY
            and not task.sorted
            and u.length + v.length >= (CELLS_FROM if u.weights == NULL and task.statistic != FD_KS
                                        else CELLS_FROM_WEIGHTED))


cdef double _row(Rows u, Rows v, int64_t row, bint real, fd_task task, Scratch s, int threads,
                 int *status) noexcept nogil:
    cdef const double *a = NULL
    cdef const double *b = NULL
    cdef const void *x = u.values + 8 * row * u.step
    cdef const void *y = v.values + 8 * row * v.step
    cdef double result
    cdef int64_t n = u.length, m = v.length
    if u.weights != NULL:
        a = u.weights + row * u.weight_step
        b = v.weights + row * v.weight_step
    if _by_cells(u, v, real, task):
        status[0] = _cells(<const double *>x, a, n, <const double *>y, b, m, task.statistic == FD_KS, threads,
                           &result)
        if status[0] <= 0:
            return result
        status[0] = 0
    if not task.sorted and s.values == NULL:    # a row that was meant for cells
        s = _scratch(n + m, n if n > m else m, a != NULL)
        if s.values == NULL:
            status[0] = -1
            return 0
        result = _arranged(x, a, n, y, b, m, real, task, s)
        _release(s)
        return result
    return _arranged(x, a, n, y, b, m, real, task, s)


cdef double _arranged(const void *x, const double *a, int64_t n, const void *y, const double *b, int64_t m,
                      bint real, fd_task task, Scratch s) noexcept nogil:
    cdef const void *u
    cdef const void *v
    cdef double *values = <double *>s.values
    cdef uint64_t *integers = <uint64_t *>s.values
    if real:
        u = fd_arrange_f64(<const double *>x, &a, n, task.sorted, values, s.weights, s.order, sorts)
        v = fd_arrange_f64(<const double *>y, &b, m, task.sorted, values + n, s.weights + n, s.order, sorts)
        return fd_sorted_row_f64(<const double *>u, a, n, <const double *>v, b, m, task)
    u = fd_arrange_u64(<const uint64_t *>x, &a, n, task.sorted, integers, s.weights, s.order, sorts)
    v = fd_arrange_u64(<const uint64_t *>y, &b, m, task.sorted, integers + n, s.weights + n, s.order, sorts)
    return fd_sorted_row_u64(<const uint64_t *>u, a, n, <const uint64_t *>v, b, m, task)


cdef Scratch _scratch(int64_t values, int64_t longest, bint weighted) noexcept nogil:
    cdef Scratch s
    s.values = <char *>fd_allocate(8 * values + 8)
    s.weights = <double *>fd_allocate(8 * values + 8) if weighted else NULL
    s.order = <Py_ssize_t *>fd_allocate(8 * longest + 8) if weighted else NULL
    if s.values == NULL or (weighted and (s.weights == NULL or s.order == NULL)):
        _release(s)
        s.values = NULL
    return s


cdef void _release(Scratch s) noexcept nogil:
    free(s.values)
    free(s.weights)
    free(s.order)


cdef int _span(Rows u, Rows v, int64_t start, int64_t end, bint real, fd_task task, int threads,
               double *result) noexcept nogil:
    """Rows start to end, with one scratch for all. -1: no memory."""
    cdef Scratch scratch
    cdef int status = 0
    cdef int64_t row, n = u.length, m = v.length
    scratch.values, scratch.weights, scratch.order = NULL, NULL, NULL
    if not task.sorted and not _by_cells(u, v, real, task):
        scratch = _scratch(n + m, n if n > m else m, u.weights != NULL)
        if scratch.values == NULL:
            return -1
    for row in range(start, end):
        result[row] = _row(u, v, row, real, task, scratch, threads, &status)
        if status < 0:
            break
    _release(scratch)
    return status


cdef int64_t _rows_between_signals(int64_t rows, double work) noexcept:
    """How many of them to do before Ctrl-C is looked at: some 0.1 s for each thread."""
    cdef double most = fd_max_threads() * (1e8 / (work + 1.0) + 1.0)
    return rows if rows < most else <int64_t>most


cdef int _at_most(int workers, int team) noexcept nogil:
    return workers if 0 < workers < team else team


def statistic_of_rows(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights,
                      cnp.ndarray out,
                      int statistic, double p, bint omit, bint is_sorted, int workers=0):
    """One number for each row of two C-contiguous matrices, both float64 or both uint64.

    A single row may stand for many. Weights are float64, in the order of the values; both or neither. At most
    `workers` threads, 0 for the default.
    """
    cdef Rows x = _rows(u, u_weights), y = _rows(v, v_weights)
    cdef double *result = <double *>cnp.PyArray_DATA(out)
    cdef int64_t n_rows = out.shape[0], total = x.length + y.length
    cdef bint real = cnp.PyArray_TYPE(u) == cnp.NPY_FLOAT64
    cdef fd_task task
    cdef double work = <double>total * (20.0 if x.weights != NULL else 4.0)     # ns a row
    cdef int span, status = 0, team
    cdef int64_t first = 0, rows
    task.statistic, task.p, task.omit, task.sorted = <fd_statistic>statistic, p, omit, is_sorted
    while first < n_rows and status >= 0:
        rows = _rows_between_signals(n_rows - first, work)
        with nogil:
            if n_rows == 1:
                team = _at_most(workers, fd_team(work, work / 500e3))
                status = _span(x, y, 0, 1, real, task, team, result)
            else:
                team = _at_most(workers, fd_team(work * rows, rows))
                for span in prange(team, num_threads=team, schedule="static"):
                    status += _span(x, y, first + rows * span // team, first + rows * (span + 1) // team, real,
                                    task, 1, result)
        first += rows
        PyErr_CheckSignals()
    if status < 0:
        raise MemoryError(f"no memory for the {8 * total} bytes of scratch that each thread needs")


cdef fd_edges _edges(cnp.ndarray edges):
    cdef fd_edges x
    x.high = <const double *>cnp.PyArray_DATA(edges)
    x.low = x.high + edges.shape[1] if edges.shape[0] == 2 else NULL
    return x


def hist_rows(cnp.ndarray u_edges, cnp.ndarray u, cnp.ndarray v_edges, cnp.ndarray v, cnp.ndarray out,
              double p):
    """W_p for each row of two C-contiguous float64 matrices of masses in bins; one row may stand for many.

    The edges come as a C-contiguous matrix of one row, or of two whose sums they are.
    """
    cdef fd_edges x = _edges(u_edges), y = _edges(v_edges)
    cdef const double *a = <const double *>cnp.PyArray_DATA(u)
    cdef const double *b = <const double *>cnp.PyArray_DATA(v)
    cdef double *result = <double *>cnp.PyArray_DATA(out)
    cdef int64_t n = u.shape[1], m = v.shape[1], row, n_rows = out.shape[0]
    cdef int64_t step = n if u.shape[0] > 1 else 0, v_step = m if v.shape[0] > 1 else 0
    cdef int64_t first = 0, rows
    cdef double work = 100.0 * (n + m)
    cdef int team
    while first < n_rows:
        rows = _rows_between_signals(n_rows - first, work)
        team = fd_team(work * rows, rows)
        for row in prange(first, first + rows, nogil=True, num_threads=team, schedule="static"):
            result[row] = fd_hist_wasserstein(x, a + row * step, n, y, b + row * v_step, m, p)
        first += rows
        PyErr_CheckSignals()


def order(cnp.ndarray x, cnp.ndarray positions, cnp.ndarray values):
    """Fills the positions (intp) that sort a contiguous float64 or uint64 vector, and the sorted values."""
    cdef void *data = cnp.PyArray_DATA(x)
    cdef Py_ssize_t *out = <Py_ssize_t *>cnp.PyArray_DATA(positions)
    cdef void *arranged = cnp.PyArray_DATA(values)
    cdef int64_t n = x.shape[0]
    cdef bint real = cnp.PyArray_TYPE(x) == cnp.NPY_FLOAT64
    with nogil:
        if real:
            fd_order_f64(<const double *>data, n, out, <double *>arranged, sorts)
        else:
            fd_order_u64(<const uint64_t *>data, n, out, <uint64_t *>arranged, sorts)


def plan(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights, double p, double scale,
         cnp.ndarray u_order, cnp.ndarray v_order, cnp.ndarray rows, cnp.ndarray cols, cnp.ndarray mass,
         cnp.ndarray u_potential, cnp.ndarray v_potential):
    """Fills the pieces of the monotone coupling of two sorted vectors, and its potentials.

    Distances are taken times scale, a power of two. Returns how many pieces there are, their cost and the
    largest distance that was looked at.
    """
    cdef int64_t pieces, n = u.shape[0], m = v.shape[0]
    cdef fd_masses a = fd_masses_of(_optional(u_weights), n), b = fd_masses_of(_optional(v_weights), m)
    cdef const void *x = cnp.PyArray_DATA(u)
    cdef const void *y = cnp.PyArray_DATA(v)
    cdef const int64_t *r = <const int64_t *>cnp.PyArray_DATA(u_order)
    cdef const int64_t *s = <const int64_t *>cnp.PyArray_DATA(v_order)
    cdef int64_t *i = <int64_t *>cnp.PyArray_DATA(rows)
    cdef int64_t *j = <int64_t *>cnp.PyArray_DATA(cols)
    cdef double *w = <double *>cnp.PyArray_DATA(mass)
    cdef double *f = <double *>cnp.PyArray_DATA(u_potential)
    cdef double *g = <double *>cnp.PyArray_DATA(v_potential)
    cdef bint real = cnp.PyArray_TYPE(u) == cnp.NPY_FLOAT64
    cdef double cost = 0, largest = 0
    with nogil:
        if real:
            pieces = fd_plan_f64(<const double *>x, a, <const double *>y, b, p, scale, r, s, i, j, w, f, g,
                                 &cost, &largest)
        else:
            pieces = fd_plan_u64(<const uint64_t *>x, a, <const uint64_t *>y, b, p, scale, r, s, i, j, w, f, g,
                                 &cost, &largest)
    return pieces, cost, largest


def distance(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights, double p,
             double scale):
    """scale times W_p of two sorted vectors of finite values."""
    cdef fd_masses a = fd_masses_of(_optional(u_weights), u.shape[0])
    cdef fd_masses b = fd_masses_of(_optional(v_weights), v.shape[0])
    cdef const void *x = cnp.PyArray_DATA(u)
    cdef const void *y = cnp.PyArray_DATA(v)
    cdef bint real = cnp.PyArray_TYPE(u) == cnp.NPY_FLOAT64
    cdef double result
    with nogil:
        if real:
            result = fd_wasserstein_times_f64(<const double *>x, a, <const double *>y, b, p, scale)
        else:
            result = fd_wasserstein_times_u64(<const uint64_t *>x, a, <const uint64_t *>y, b, p, scale)
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
    with nogil:
        result = fd_circle_wasserstein(x, y, period, period_low, p)
    if result < 0:
        raise MemoryError(f"no memory for the levels of {x.n + y.n} points")
    return result


def largest_weight(cnp.ndarray weights):
    """The largest of a contiguous float64 vector; NaN if one is negative or not finite."""
    return fd_largest_weight(<const double *>cnp.PyArray_DATA(weights), weights.shape[0])


cdef bint _like_shares(const double *x, int64_t n) noexcept nogil:
    """Whether all are >= 0 and they sum to 1. Samples give themselves away within a few values."""
    cdef double total = 0
    cdef int64_t i
    for i in range(n):
        total += x[i]
        if not (x[i] >= 0 and total < 1 + 1e-9):
            return False
    return total > 1 - 1e-9


def pair(u, v, double p, bint is_sorted, bint wary):
    """W_p of two plain float64 vectors, by the shortest way; None if they are anything else.

    `wary`: also None if both could be histograms.
    """
    if not (cnp.PyArray_CheckExact(u) and cnp.PyArray_CheckExact(v)):
        return None
    cdef cnp.ndarray a = u, b = v
    if not (cnp.PyArray_NDIM(a) == 1 and cnp.PyArray_NDIM(b) == 1 and cnp.PyArray_TYPE(a) == cnp.NPY_FLOAT64
            and cnp.PyArray_TYPE(b) == cnp.NPY_FLOAT64 and cnp.PyArray_CHKFLAGS(a, cnp.NPY_ARRAY_CARRAY_RO)
            and cnp.PyArray_CHKFLAGS(b, cnp.NPY_ARRAY_CARRAY_RO) and cnp.PyArray_ISNOTSWAPPED(a)
            and cnp.PyArray_ISNOTSWAPPED(b) and a.shape[0] and b.shape[0]):
        return None
    cdef Rows x, y
    cdef fd_task task
    cdef double result = 0
    cdef int status
    x.values, x.length = <const char *>cnp.PyArray_DATA(a), a.shape[0]
    y.values, y.length = <const char *>cnp.PyArray_DATA(b), b.shape[0]
    if wary and x.length == y.length and _like_shares(<const double *>x.values, x.length):
        return None
    x.weights = y.weights = NULL
    x.step = y.step = x.weight_step = y.weight_step = 0
    task.statistic, task.p, task.omit, task.sorted = FD_WASSERSTEIN, p, False, is_sorted
    cdef double work = 4.0 * <double>(x.length + y.length)
    with nogil:
        status = _span(x, y, 0, 1, True, task, fd_team(work, work / 500e3), &result)
    if status < 0:
        raise MemoryError(f"no memory for {8 * (x.length + y.length)} bytes of scratch")
    return np.float64(result)


def set_cells_from(int64_t values, int64_t weighted):
    """Sets the sizes from which rows go through cells (tests, bench/transport.py); returns those in force."""
    global CELLS_FROM, CELLS_FROM_WEIGHTED
    before = CELLS_FROM, CELLS_FROM_WEIGHTED
    CELLS_FROM, CELLS_FROM_WEIGHTED = values, weighted
    return before
