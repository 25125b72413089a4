"""Exact one-dimensional transport: rows of samples in, one distance per row out."""

cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t

cnp.import_array()

cdef extern from "transport.h" nogil:
    double fd_w1_row_f64(const double *u, const double *a, int64_t n,
                         const double *v, const double *b, int64_t m, int omit)
    double fd_w1_row_u64(const uint64_t *u, const double *a, int64_t n,
                         const uint64_t *v, const double *b, int64_t m, int omit)


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
