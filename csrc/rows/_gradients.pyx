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

# operands: arrays of one kind of number, then options; the value, then derivatives
ctypedef void (*row_loop)(Py_ssize_t, char **, const cnp.npy_intp *, const cnp.npy_intp *, int,
                          int) noexcept nogil


cdef void read_options(const char *at, Py_ssize_t step, fd_options *options) noexcept nogil:
    cdef double *field = <double *>options
    cdef int i
    for i in range(FD_N_OPTIONS):
        field[i] = (<const double *>(at + i * step))[0]


cdef void write(char *at, Py_ssize_t step, Py_ssize_t n, const double *values, int scalar) noexcept nogil:
    cdef Py_ssize_t i
    if scalar == FD_FLOAT32:
        for i in range(n):
            (<float *>(at + i * step))[0] = <float>values[i]
    elif at != <char *>values:
        for i in range(n):
            (<double *>(at + i * step))[0] = values[i]


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
        write(by_p, steps[9], n, p_room, scalar)
        write(by_q, steps[10], n, q_room, scalar)
    write(args[3] + i * steps[3], 0, 1, &value, scalar)
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
        write(by_p, steps[6], n, p_room, scalar)
    write(args[2] + i * steps[2], 0, 1, &value, scalar)
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
            write(by + j * steps[9], steps[10], n, by_rows + j * n, scalar)
    write(args[3] + i * steps[3], 0, 1, &value, scalar)
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
    write(args[3] + i * steps[3], 0, 1, &value, scalar)


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
        write(by_q, steps[7], n, q_room, scalar)
    write(args[3] + i * steps[3], 0, 1, &value, scalar)
    leave(q_room, by_q)


# ---- all rows -------------------------------------------------------------------------------------------

cdef void all_rows(row_loop row, double bins, char **args, const cnp.npy_intp *dims,
                   const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data, measure = code % PER_SCALAR, scalar = code // PER_SCALAR
    cdef Py_ssize_t i, n_rows = dims[0]
    cdef int team = fd_team(n_rows * (NANOSECONDS_PER_BIN * bins + NANOSECONDS_PER_ROW), n_rows)
    if team == 1:
        for i in range(n_rows):
            row(i, args, dims, steps, measure, scalar)
    else:
        for i in prange(n_rows, schedule="static", num_threads=team):
            row(i, args, dims, steps, measure, scalar)
    feclearexcept(FE_ALL_EXCEPT)  # log(0) selected away is no reason for NumPy to warn


cdef void pairs(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    all_rows(pair_row, dims[1], args, dims, steps, data)


cdef void singles(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    all_rows(single_row, dims[1], args, dims, steps, data)


cdef void stacks(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    all_rows(stack_row, <double>dims[1] * dims[2], args, dims, steps, data)


cdef void logits(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    all_rows(logits_row, dims[1], args, dims, steps, data)


cdef void labels(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    all_rows(label_row, dims[1], args, dims, steps, data)


cdef cnp.PyUFuncGenericFunction PAIRS[10]
cdef cnp.PyUFuncGenericFunction SINGLES[10]
cdef cnp.PyUFuncGenericFunction STACKS[10]
PAIRS[:] = [<cnp.PyUFuncGenericFunction>pairs] * 10
SINGLES[:] = [<cnp.PyUFuncGenericFunction>singles] * 10
cdef cnp.PyUFuncGenericFunction OF_LOGITS[10]
cdef cnp.PyUFuncGenericFunction OF_LABELS[10]
OF_LOGITS[:] = [<cnp.PyUFuncGenericFunction>logits] * 10
OF_LABELS[:] = [<cnp.PyUFuncGenericFunction>labels] * 10
STACKS[:] = [<cnp.PyUFuncGenericFunction>stacks] * 10


@lru_cache(maxsize=None)
def ufunc_of_pairs(name):
    """(n),(n),(k)->(),(n),(n): p, q, options; value, by p, by q."""
    return make(PAIRS, 2, 1, MEASURES.index(name), name, "(n),(n),(k)->(),(n),(n)", 3)


@lru_cache(maxsize=None)
def ufunc_of_entropy():
    """(n),(k)->(),(n): p, options; value, by p."""
    return make(SINGLES, 1, 1, MEASURES.index("cross_entropy"), "entropy", "(n),(k)->(),(n)", 2)


@lru_cache(maxsize=None)
def ufunc_of_stacks(name):
    """(m,n),(m),(k)->(),(m,n): what is mixed, weights, options; value, by what is mixed."""
    return make(STACKS, 1, 2, MEASURES.index(name), name, "(m,n),(m),(k)->(),(m,n)", 2)


@lru_cache(maxsize=None)
def ufunc_of_logits(with_gradient):
    """(n),(n),(k)->(),(n),(n): masses, logits, options; value, by masses, by logits. Or the value alone."""
    if with_gradient:
        return make(PAIRS, 2, 1, LOGITS, "cross_entropy", "(n),(n),(k)->(),(n),(n)", 3)
    return make(OF_LOGITS, 2, 1, LOGITS, "cross_entropy", "(n),(n),(k)->()", 1)


@lru_cache(maxsize=None)
def ufunc_of_labels():
    """(n),(),(k)->(),(n): logits, class, options; value, by logits."""
    return make(OF_LABELS, 1, 2, LOGITS, "softmax_cross_entropy", "(n),(),(k)->(),(n)", 2)
