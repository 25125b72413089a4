"""Exact one-dimensional transport: rows of samples in, one distance per row out."""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdint cimport int64_t, uint64_t

cnp.import_array()

cdef extern from "transport.h" nogil:
    double fd_w1_row_f64(const double *u, const double *a, int64_t n,
                         const double *v, const double *b, int64_t m, int omit)
    double fd_w1_row_u64(const uint64_t *u, const double *a, int64_t n,
                         const uint64_t *v, const double *b, int64_t m, int omit)

    ctypedef int fd_sort(void *values, Py_ssize_t n, void *array)
    ctypedef struct fd_side:
        int chunks
    ctypedef struct fd_cells:
        fd_side *side
        int buckets
    int fd_cells_open(fd_cells *c, const double *u, int64_t n, const double *v, int64_t m, fd_sort *sort)
    void fd_cells_count(fd_cells *c, int s, int chunk)
    int fd_cells_classify(fd_cells *c)
    void fd_cells_gather(fd_cells *c, int s, int chunk)
    void fd_cells_sweep(fd_cells *c, int b, fd_sort *sort)
    double fd_cells_total(const fd_cells *c)
    void fd_cells_free(fd_cells *c)

cdef extern from "numpy/arrayobject.h" nogil:
    ctypedef fd_sort *sort_function "PyArray_SortFunc *"
    ctypedef struct PyArray_ArrFuncs:
        sort_function *sort
    PyArray_ArrFuncs *PyDataType_GetArrFuncs(cnp.dtype)

cdef fd_sort *sort_doubles = PyDataType_GetArrFuncs(cnp.PyArray_DescrFromType(cnp.NPY_FLOAT64)).sort[0]

cdef struct Rows:           # a C-contiguous matrix whose single row may stand for many
    const void *data
    int64_t length
    int64_t step            # from one row to the next, in elements


cdef Rows _rows(cnp.ndarray x):
    cdef Rows rows
    rows.data = NULL
    rows.length = rows.step = 0
    if x is not None:
        rows.data = cnp.PyArray_DATA(x)
        rows.length = x.shape[1]
        rows.step = x.shape[1] if x.shape[0] > 1 else 0
    return rows


cdef inline const double *_weights(Rows w, int64_t row) noexcept nogil:
    if w.data == NULL:
        return NULL
    return <const double *>w.data + row * w.step


def sorted_rows(cnp.ndarray u, cnp.ndarray v, cnp.ndarray u_weights, cnp.ndarray v_weights, cnp.ndarray out,
                bint omit):
    """W1 of each row of two C-contiguous matrices with sorted rows, both float64 or both uint64.

    One row may stand for many. Weights are float64 and follow the order of the values; both or neither.
    """
    cdef Rows x = _rows(u), y = _rows(v), a = _rows(u_weights), b = _rows(v_weights)
    cdef double *result = <double *>cnp.PyArray_DATA(out)
    cdef int64_t row, n_rows = out.shape[0]
    cdef bint real = cnp.PyArray_TYPE(u) == cnp.NPY_FLOAT64
    with nogil:
        for row in range(n_rows):
            if real:
                result[row] = fd_w1_row_f64(
                    <const double *>x.data + row * x.step, _weights(a, row), x.length,
                    <const double *>y.data + row * y.step, _weights(b, row), y.length, omit)
            else:
                result[row] = fd_w1_row_u64(
                    <const uint64_t *>x.data + row * x.step, _weights(a, row), x.length,
                    <const uint64_t *>y.data + row * y.step, _weights(b, row), y.length, omit)


def unsorted_pair(cnp.ndarray u, cnp.ndarray v, int threads):
    """W1 of two unsorted float64 vectors without sorting them; NaN if that is not possible."""
    cdef fd_cells c
    cdef int status, task, tasks
    cdef double result = float("nan")
    cdef const double *x = <const double *>cnp.PyArray_DATA(u)
    cdef const double *y = <const double *>cnp.PyArray_DATA(v)
    cdef int64_t n = u.shape[0], m = v.shape[0]
    with nogil:
        status = fd_cells_open(&c, x, n, y, m, sort_doubles)
        if status == 0:
            tasks = c.side[0].chunks + c.side[1].chunks
            for task in prange(tasks, num_threads=threads, schedule="dynamic"):
                fd_cells_count(&c, task >= c.side[0].chunks, task - c.side[0].chunks if task >= c.side[0].chunks else task)
            status = fd_cells_classify(&c)
        if status == 0:
            for task in prange(tasks, num_threads=threads, schedule="dynamic"):
                fd_cells_gather(&c, task >= c.side[0].chunks, task - c.side[0].chunks if task >= c.side[0].chunks else task)
            for task in prange(c.buckets, num_threads=threads, schedule="dynamic"):
                fd_cells_sweep(&c, task, sort_doubles)
            result = fd_cells_total(&c)
        fd_cells_free(&c)
    if status < 0:
        raise MemoryError
    return result
