# Measures with their gradients as generalized ufuncs: what _rows.pyx is for values alone.
#
# A row is given and taken as it is in memory; C writes derivatives as contiguous doubles, straight into the
# result where that is what it is.

from functools import lru_cache

cimport numpy as cnp
from core cimport attach, fd_needed, fd_team
from gradients cimport (
    fd_gradients,
    fd_has_slope_lanes,
    fd_js_stack_gradient,
    fd_label_cross_entropies,
    fd_logits_cross_entropies,
)
from libc.math cimport NAN
from libc.stdlib cimport free, malloc
from rows cimport (
    FD_FEW,
    FD_FLOAT32,
    FD_FLOAT64,
    FD_INT8,
    FD_INT16,
    FD_INT32,
    FD_INT64,
    FD_N_MEASURES,
    FD_N_OPTIONS,
    FD_N_SCALARS,
    FD_ROWS,
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
    DROPPED = -1  # in place of the step of derivatives that nobody asks for

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
    if at != NULL and scalar != FD_FLOAT32 and step == sizeof(double):
        return <double *>at
    return <double *>fd_needed(malloc(n * sizeof(double)))


cdef void leave(double *values, char *at) noexcept nogil:
    if <char *>values != at:
        free(values)


cdef void pair_rows(Py_ssize_t start, int rows, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                    int measure, int scalar) noexcept nogil:
    """(n),(n),(k)->(),(n),(n): p, q, options; value, by p, by q (args[5] NULL: of p alone), of rows with the
    same options. Derivatives with the step DROPPED are computed and dropped, but where they cost apart (LOGITS)."""
    cdef fd_options options
    cdef fd_view p, q
    cdef Py_ssize_t n = dims[1]
    cdef int i
    cdef bint keeps_p = args[4] != NULL, keeps_q = args[5] != NULL
    cdef bint has_p = keeps_p or measure != LOGITS, has_q = keeps_q or (steps[5] == DROPPED and measure != LOGITS)
    cdef char *by_p = args[4] + start * steps[4] if keeps_p else NULL
    cdef char *by_q = args[5] + start * steps[5] if keeps_q else NULL
    cdef double *p_room = room(by_p, steps[9], rows * n, scalar) if has_p else NULL
    cdef double *q_room = room(by_q, steps[10], rows * n, scalar) if has_q else NULL
    cdef Py_ssize_t p_pitch = steps[4] // <Py_ssize_t>sizeof(double) if <char *>p_room == by_p else n
    cdef Py_ssize_t q_pitch = steps[5] // <Py_ssize_t>sizeof(double) if <char *>q_room == by_q else n
    cdef double values[FD_ROWS]
    p.data, p.stride, p.scalar = args[0] + start * steps[0], steps[6], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + start * steps[1], steps[7], <fd_scalar>scalar
    read_options(args[2] + start * steps[2], steps[8], &options)
    for i in range(rows):
        values[i] = NAN
    if n and (p_room != NULL or not has_p) and (q_room != NULL or not has_q):
        if measure == LOGITS:
            fd_logits_cross_entropies(p, steps[0], q, steps[1], rows, n, &options, values, p_room, p_pitch, q_room,
                                      q_pitch)
        else:
            fd_gradients(<fd_measure>measure, p, steps[0], q, steps[1], rows, n, &options, values, p_room, p_pitch,
                         q_room, q_pitch)
        for i in range(rows):
            if keeps_p:
                write_all(by_p + i * steps[4], steps[9], n, p_room + i * p_pitch, scalar)
            if keeps_q:
                write_all(by_q + i * steps[5], steps[10], n, q_room + i * q_pitch, scalar)
    for i in range(rows):
        write(args[3] + (start + i) * steps[3], values[i], scalar)
    leave(p_room, by_p)
    leave(q_room, by_q)


cdef void pair_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                   int measure, int scalar) noexcept nogil:
    pair_rows(i, 1, args, dims, steps, measure, scalar)


cdef void tile_of_pairs(Py_ssize_t tile, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                        int measure, int scalar) noexcept nogil:
    pair_rows(tile * FD_ROWS, <int>min(FD_ROWS, dims[0] - tile * FD_ROWS), args, dims, steps, measure, scalar)


cdef void stack_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                    int measure, int scalar) noexcept nogil:
    """(m,n),(m),(k)->(),(m,n): stack, weights (contiguous), options; value, by the stack."""
    cdef fd_options options
    cdef fd_view first
    cdef Py_ssize_t j, m = dims[1], n = dims[2]
    cdef char *by = args[4] + i * steps[4]
    cdef double *by_rows = <double *>fd_needed(malloc(m * n * sizeof(double)))
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


cdef void logits_rows(Py_ssize_t start, int rows, char **args, const cnp.npy_intp *dims,
                      const cnp.npy_intp *steps, int scalar) noexcept nogil:
    """(n),(n),(k)->(): masses, logits, options; the value alone, of rows with the same options."""
    cdef fd_options options
    cdef fd_view p, q
    cdef double values[FD_ROWS]
    cdef int i
    p.data, p.stride, p.scalar = args[0] + start * steps[0], steps[4], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + start * steps[1], steps[5], <fd_scalar>scalar
    read_options(args[2] + start * steps[2], steps[6], &options)
    for i in range(rows):
        values[i] = NAN
    if dims[1]:
        fd_logits_cross_entropies(p, steps[0], q, steps[1], rows, dims[1], &options, values, NULL, 0, NULL, 0)
    for i in range(rows):
        write(args[3] + (start + i) * steps[3], values[i], scalar)


cdef void logits_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                     int measure, int scalar) noexcept nogil:
    logits_rows(i, 1, args, dims, steps, scalar)


cdef void tile_of_logits(Py_ssize_t tile, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                         int measure, int scalar) noexcept nogil:
    logits_rows(tile * FD_ROWS, <int>min(FD_ROWS, dims[0] - tile * FD_ROWS), args, dims, steps, scalar)


cdef void label_rows(Py_ssize_t start, int rows, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                     int scalar) noexcept nogil:
    """(n),(),(k)->(),(n): logits, the class (a whole number), options; value, by logits."""
    cdef fd_options options
    cdef fd_view q
    cdef Py_ssize_t n = dims[1]
    cdef Py_ssize_t labels[FD_ROWS]
    cdef double values[FD_ROWS]
    cdef int i
    cdef char *by_q = args[4] + start * steps[4]
    cdef double *q_room = room(by_q, steps[7], rows * n, scalar)
    cdef Py_ssize_t pitch = steps[4] // <Py_ssize_t>sizeof(double) if <char *>q_room == by_q else n
    q.data, q.stride, q.scalar = args[0] + start * steps[0], steps[5], <fd_scalar>scalar
    read_options(args[2] + start * steps[2], steps[6], &options)
    for i in range(rows):
        values[i] = NAN
        labels[i] = <Py_ssize_t>(<const double *>(args[1] + (start + i) * steps[1]))[0]
    if n and q_room != NULL:
        fd_label_cross_entropies(labels, q, steps[0], rows, n, &options, values, q_room, pitch)
        for i in range(rows):
            write_all(by_q + i * steps[4], steps[7], n, q_room + i * pitch, scalar)
    for i in range(rows):
        write(args[3] + (start + i) * steps[3], values[i], scalar)
    leave(q_room, by_q)


cdef void label_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                    int measure, int scalar) noexcept nogil:
    label_rows(i, 1, args, dims, steps, scalar)


cdef void tile_of_labels(Py_ssize_t tile, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                         int measure, int scalar) noexcept nogil:
    label_rows(tile * FD_ROWS, <int>min(FD_ROWS, dims[0] - tile * FD_ROWS), args, dims, steps, scalar)


# ---- all rows -------------------------------------------------------------------------------------------

cdef double nanoseconds(Py_ssize_t rows, double bins) noexcept nogil:
    return rows * (NANOSECONDS_PER_BIN * bins + NANOSECONDS_PER_ROW)


cdef void each_row(row_loop row, double bins, char **args, const cnp.npy_intp *dims,
                   const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data
    all_rows(row, dims[0], nanoseconds(dims[0], bins), args, dims, steps, code % PER_SCALAR, code // PER_SCALAR)


cdef void each_tile(row_loop tile, double bins, char **args, const cnp.npy_intp *dims,
                    const cnp.npy_intp *steps, void *data) noexcept nogil:
    """Of FD_ROWS rows with the same options."""
    cdef int code = <int><size_t>data
    all_rows(tile, (dims[0] + FD_ROWS - 1) // FD_ROWS, nanoseconds(dims[0], bins), args, dims, steps,
             code % PER_SCALAR, code // PER_SCALAR)


cdef void pairs(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data, measure = code % PER_SCALAR
    cdef fd_options options
    if dims[0] > 1 and steps[2] == 0 and dims[1] <= FD_FEW:
        read_options(args[2], steps[8], &options)
        if measure == LOGITS or fd_has_slope_lanes(<fd_measure>measure, dims[1], &options):
            each_tile(tile_of_pairs, dims[1], args, dims, steps, data)
            return
    each_row(pair_row, dims[1], args, dims, steps, data)


cdef void singles(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    """(n),(k)->(),(n): p, options; value, by p: a pair of p and p."""
    cdef char *its_args[6]
    cdef cnp.npy_intp its_steps[11]
    its_args[0], its_args[1], its_args[2], its_args[3], its_args[4] = args[0], args[0], args[1], args[2], args[3]
    its_args[5] = NULL
    its_steps[0], its_steps[1], its_steps[2], its_steps[3], its_steps[4] = (
        steps[0], steps[0], steps[1], steps[2], steps[3])
    its_steps[6], its_steps[7], its_steps[8], its_steps[9] = steps[4], steps[4], steps[5], steps[6]
    its_steps[5] = its_steps[10] = 0
    pairs(its_args, dims, its_steps, data)


cdef void pairs_by_one(bint is_p, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                       void *data) noexcept nogil:
    """(n),(n),(k)->(),(n): p, q, options; value, by p or by q."""
    cdef char *its_args[6]
    cdef cnp.npy_intp its_steps[11]
    cdef int i
    for i in range(4):
        its_args[i], its_steps[i] = args[i], steps[i]
    for i in range(3):
        its_steps[6 + i] = steps[5 + i]
    its_args[4], its_steps[4], its_steps[9] = args[4] if is_p else NULL, steps[4] if is_p else DROPPED, steps[8]
    its_args[5], its_steps[5], its_steps[10] = NULL if is_p else args[4], DROPPED if is_p else steps[4], steps[8]
    pairs(its_args, dims, its_steps, data)


cdef void pairs_by_p(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    pairs_by_one(True, args, dims, steps, data)


cdef void pairs_by_q(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    pairs_by_one(False, args, dims, steps, data)


cdef make_pairs(int measure, str name, str only):
    if only == "p":
        return make(pairs_by_p, 2, 1, measure, name, "(n),(n),(k)->(),(n)", 2)
    if only == "q":
        return make(pairs_by_q, 2, 1, measure, name, "(n),(n),(k)->(),(n)", 2)
    return make(pairs, 2, 1, measure, name, "(n),(n),(k)->(),(n),(n)", 3)


cdef void stacks(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    each_row(stack_row, <double>dims[1] * dims[2], args, dims, steps, data)


cdef void logits(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    if dims[0] > 1 and dims[1] <= FD_FEW and steps[2] == 0:
        each_tile(tile_of_logits, dims[1], args, dims, steps, data)
    else:
        each_row(logits_row, dims[1], args, dims, steps, data)


cdef void labels(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    if dims[0] > 1 and dims[1] <= FD_FEW and steps[2] == 0:
        each_tile(tile_of_labels, dims[1], args, dims, steps, data)
    else:
        each_row(label_row, dims[1], args, dims, steps, data)


@lru_cache(maxsize=None)
def ufunc_of_pairs(name, only=None):
    """(n),(n),(k)->(),(n),(n): p, q, options; value, by p, by q, or by `only` one of them."""
    return make_pairs(MEASURES.index(name), name, only)


@lru_cache(maxsize=None)
def ufunc_of_entropy():
    """(n),(k)->(),(n): p, options; value, by p."""
    return make(singles, 1, 1, MEASURES.index("cross_entropy"), "entropy", "(n),(k)->(),(n)", 2)


@lru_cache(maxsize=None)
def ufunc_of_stacks(name):
    """(m,n),(m),(k)->(),(m,n): what is mixed, weights, options; value, by what is mixed."""
    return make(stacks, 1, 2, MEASURES.index(name), name, "(m,n),(m),(k)->(),(m,n)", 2)


@lru_cache(maxsize=None)
def ufunc_of_logits(with_gradient, only=None):
    """(n),(n),(k)->(),(n),(n): masses, logits, options; value, by masses, by logits, or by `only` one of them. Or the
    value alone."""
    if with_gradient:
        return make_pairs(LOGITS, "cross_entropy", only)
    return make(logits, 2, 1, LOGITS, "cross_entropy", "(n),(n),(k)->()", 1)


@lru_cache(maxsize=None)
def ufunc_of_labels():
    """(n),(),(k)->(),(n): logits, class, options; value, by logits."""
    return make(labels, 1, 2, LOGITS, "softmax_cross_entropy", "(n),(),(k)->(),(n)", 2)


include "gradient_door.pxi"
