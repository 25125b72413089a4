# Measures with their gradients as generalized ufuncs: what _rows.pyx is for values alone.
#
# A row is given and taken as it is in memory; C writes derivatives as contiguous doubles, straight into the
# result where that is what it is.

from functools import lru_cache

cimport numpy as cnp
from core cimport attach, fd_team
from cython.parallel cimport prange
from gradients cimport fd_gradient, fd_js_stack_gradient, fd_label_cross_entropy, fd_logits_cross_entropy
from libc.math cimport NAN
from libc.stdlib cimport free, malloc
from rows cimport (
    FD_FLOAT32,
    FD_FLOAT64,
    FD_INT8,
    FD_INT16,
    FD_INT32,
    FD_INT64,
    FD_N_MEASURES,
    FD_N_OPTIONS,
    FD_N_SCALARS,
    FD_UINT8,
    FD_UINT16,
    FD_UINT32,
    FD_UINT64,
    FE_ALL_EXCEPT,
    fd_measure,
    fd_options,
    fd_scalar,
    fd_view,
    feclearexcept,
)

from fastdiv._rows import MEASURES

cnp.import_array()
cnp.import_ufunc()
attach()
include "ufuncs.pxi"

cdef enum:
    LOGITS = FD_N_MEASURES  # cross entropy of masses against logits

cdef double NANOSECONDS_PER_BIN = 5.0
cdef double NANOSECONDS_PER_ROW = 300.0


# ---- one row --------------------------------------------------------------------------------------------

cdef void write_all(char *at, Py_ssize_t step, Py_ssize_t n, const double *values, int scalar) noexcept nogil:
    cdef Py_ssize_t i
    if at != <char *>values:
        for i in range(n):
            write(at + i * step, values[i], scalar)


cdef double *room(char *at, Py_ssize_t step, Py_ssize_t n, int scalar) noexcept nogil:
    """Where n derivatives are written first: into the result, or apart (then NULL where memory is short)."""
    if scalar != FD_FLOAT32 and step == sizeof(double):
        return <double *>at
    return <double *>malloc(n * sizeof(double))


cdef void leave(double *values, char *at) noexcept nogil:
    if <char *>values != at:
        free(values)


cdef void pair_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                   int measure, int scalar) noexcept nogil:
    """(n),(n),(k)->(),(n),(n): p, q, options; value, by p, by q."""
    cdef fd_options options
    cdef fd_view p, q
    cdef Py_ssize_t n = dims[1]
    cdef char *by_p = args[4] + i * steps[4]
    cdef char *by_q = args[5] + i * steps[5]
    cdef double *p_room = room(by_p, steps[9], n, scalar)
    cdef double *q_room = room(by_q, steps[10], n, scalar)
    cdef double value = NAN
    p.data, p.stride, p.scalar = args[0] + i * steps[0], steps[6], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + i * steps[1], steps[7], <fd_scalar>scalar
    read_options(args[2] + i * steps[2], steps[8], &options)
    if n and p_room != NULL and q_room != NULL:
        if measure == LOGITS:
            value = fd_logits_cross_entropy(p, q, n, &options, p_room, q_room)
        else:
            value = fd_gradient(<fd_measure>measure, p, q, n, &options, p_room, q_room)
        write_all(by_p, steps[9], n, p_room, scalar)
        write_all(by_q, steps[10], n, q_room, scalar)
    write(args[3] + i * steps[3], value, scalar)
    leave(p_room, by_p)
    leave(q_room, by_q)


cdef void single_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                     int measure, int scalar) noexcept nogil:
    """(n),(k)->(),(n): p, options; value, by p."""
    cdef fd_options options
    cdef fd_view p
    cdef Py_ssize_t n = dims[1]
    cdef char *by_p = args[3] + i * steps[3]
    cdef double *p_room = room(by_p, steps[6], n, scalar)
    cdef double value = NAN
    p.data, p.stride, p.scalar = args[0] + i * steps[0], steps[4], <fd_scalar>scalar
    read_options(args[1] + i * steps[1], steps[5], &options)
    if n and p_room != NULL:
        value = fd_gradient(<fd_measure>measure, p, p, n, &options, p_room, NULL)
        write_all(by_p, steps[6], n, p_room, scalar)
    write(args[2] + i * steps[2], value, scalar)
    leave(p_room, by_p)


cdef void stack_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                    int measure, int scalar) noexcept nogil:
    """(m,n),(m),(k)->(),(m,n): stack, weights (contiguous), options; value, by the stack."""
    cdef fd_options options
    cdef fd_view first
    cdef Py_ssize_t j, m = dims[1], n = dims[2]
    cdef char *by = args[4] + i * steps[4]
    cdef double *by_rows = <double *>malloc(m * n * sizeof(double))
    cdef double value = NAN
    first.data, first.stride, first.scalar = args[0] + i * steps[0], steps[6], <fd_scalar>scalar
    read_options(args[2] + i * steps[2], steps[8], &options)
    if m and n and by_rows != NULL:
        value = fd_js_stack_gradient(<fd_measure>measure, first, steps[5], m,
                                     <const double *>(args[1] + i * steps[1]), n, &options, by_rows)
        for j in range(m):
            write_all(by + j * steps[9], steps[10], n, by_rows + j * n, scalar)
    write(args[3] + i * steps[3], value, scalar)
    free(by_rows)


cdef void logits_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                     int measure, int scalar) noexcept nogil:
    """(n),(n),(k)->(): masses, logits, options; the value alone."""
    cdef fd_options options
    cdef fd_view p, q
    cdef double value = NAN
    p.data, p.stride, p.scalar = args[0] + i * steps[0], steps[4], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + i * steps[1], steps[5], <fd_scalar>scalar
    read_options(args[2] + i * steps[2], steps[6], &options)
    if dims[1]:
        value = fd_logits_cross_entropy(p, q, dims[1], &options, NULL, NULL)
    write(args[3] + i * steps[3], value, scalar)


cdef void label_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                    int measure, int scalar) noexcept nogil:
    """(n),(),(k)->(),(n): logits, the class (a whole number), options; value, by logits."""
    cdef fd_options options
    cdef fd_view q
    cdef Py_ssize_t n = dims[1]
    cdef Py_ssize_t label = <Py_ssize_t>(<const double *>(args[1] + i * steps[1]))[0]
    cdef char *by_q = args[4] + i * steps[4]
    cdef double *q_room = room(by_q, steps[7], n, scalar)
    cdef double value = NAN
    q.data, q.stride, q.scalar = args[0] + i * steps[0], steps[5], <fd_scalar>scalar
    read_options(args[2] + i * steps[2], steps[6], &options)
    if n and q_room != NULL:
        value = fd_label_cross_entropy(label, q, n, &options, q_room)
        write_all(by_q, steps[7], n, q_room, scalar)
    write(args[3] + i * steps[3], value, scalar)
    leave(q_room, by_q)


# ---- all rows -------------------------------------------------------------------------------------------

cdef void each_row(row_loop row, double bins, char **args, const cnp.npy_intp *dims,
                   const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data
    all_rows(row, dims[0], dims[0] * (NANOSECONDS_PER_BIN * bins + NANOSECONDS_PER_ROW), args, dims, steps,
             code % PER_SCALAR, code // PER_SCALAR)


cdef void pairs(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    each_row(pair_row, dims[1], args, dims, steps, data)


cdef void singles(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    each_row(single_row, dims[1], args, dims, steps, data)


cdef void stacks(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    each_row(stack_row, <double>dims[1] * dims[2], args, dims, steps, data)


cdef void logits(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    each_row(logits_row, dims[1], args, dims, steps, data)


cdef void labels(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    each_row(label_row, dims[1], args, dims, steps, data)


@lru_cache(maxsize=None)
def ufunc_of_pairs(name):
    """(n),(n),(k)->(),(n),(n): p, q, options; value, by p, by q."""
    return make(pairs, 2, 1, MEASURES.index(name), name, "(n),(n),(k)->(),(n),(n)", 3)


@lru_cache(maxsize=None)
def ufunc_of_entropy():
    """(n),(k)->(),(n): p, options; value, by p."""
    return make(singles, 1, 1, MEASURES.index("cross_entropy"), "entropy", "(n),(k)->(),(n)", 2)


@lru_cache(maxsize=None)
def ufunc_of_stacks(name):
    """(m,n),(m),(k)->(),(m,n): what is mixed, weights, options; value, by what is mixed."""
    return make(stacks, 1, 2, MEASURES.index(name), name, "(m,n),(m),(k)->(),(m,n)", 2)


@lru_cache(maxsize=None)
def ufunc_of_logits(with_gradient):
    """(n),(n),(k)->(),(n),(n): masses, logits, options; value, by masses, by logits. Or the value alone."""
    if with_gradient:
        return make(pairs, 2, 1, LOGITS, "cross_entropy", "(n),(n),(k)->(),(n),(n)", 3)
    return make(logits, 2, 1, LOGITS, "cross_entropy", "(n),(n),(k)->()", 1)


@lru_cache(maxsize=None)
def ufunc_of_labels():
    """(n),(),(k)->(),(n): logits, class, options; value, by logits."""
    return make(labels, 1, 2, LOGITS, "softmax_cross_entropy", "(n),(),(k)->(),(n)", 2)
