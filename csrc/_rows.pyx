# Row-wise measures as generalized ufuncs, (n),(n),(k)->(), and the direct door for one pair of vectors.
#
# NumPy brings broadcasting, strides, casts and out; other arrays with __array_ufunc__ (Dask, ...) pass through.
# The third operand holds the options (rows.h, fd_options). Threads are started inside the loop function, only
# when the work is worth it; NumPy has let go of the GIL by then.

import os

cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport NAN
from rows cimport (
    FD_N_OPTIONS,
    FD_N_ROWS,
    fd_choose_isa,
    fd_default_options,
    fd_has_openmp,
    fd_isa_level,
    fd_kernels_now,
    fd_limit_threads,
    fd_max_threads,
    fd_options,
    fd_row,
    fd_row_measure,
    fd_team,
    fd_threads_init,
    fd_view,
)

cdef extern from "numpy/arrayobject.h":
    object PyArray_Scalar(void *data, cnp.dtype dtype, object base)

cnp.import_array()
cnp.import_ufunc()
fd_threads_init()

# the order of fd_row_measure in rows.h
MEASURES = (
    "cross_entropy",
    "kl_divergence",
    "jeffreys_divergence",
    "js_divergence",
    "js_distance",
    "total_variation",
    "hellinger_distance",
    "chi_square",
    "renyi_divergence",
)
assert len(MEASURES) == FD_N_ROWS

cdef double NANOSECONDS_PER_BIN = 2.0


cdef void read_options(const char *at, Py_ssize_t step, fd_options *options) noexcept nogil:
    cdef double *field = <double *>options
    cdef int i
    for i in range(FD_N_OPTIONS):
        field[i] = (<const double *>(at + i * step))[0]


cdef void one_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                  int measure, bint is_float32) noexcept nogil:
    cdef fd_options options
    cdef fd_view p, q
    cdef double value
    p.data, p.stride, p.is_float32 = args[0] + i * steps[0], steps[4], is_float32
    q.data, q.stride, q.is_float32 = args[1] + i * steps[1], steps[5], is_float32
    read_options(args[2] + i * steps[2], steps[6], &options)
    value = fd_row(<fd_row_measure>measure, p, q, dims[1], &options) if dims[1] else NAN
    if is_float32:
        (<float *>(args[3] + i * steps[3]))[0] = <float>value
    else:
        (<double *>(args[3] + i * steps[3]))[0] = value


cdef void rows(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, int measure,
               bint is_float32) noexcept nogil:
    cdef Py_ssize_t i, n_rows = dims[0]
    cdef int team = fd_team(NANOSECONDS_PER_BIN * dims[0] * (dims[1] + 20), n_rows)
    if team == 1:
        for i in range(n_rows):
            one_row(i, args, dims, steps, measure, is_float32)
    else:
        for i in prange(n_rows, schedule="static", num_threads=team):
            one_row(i, args, dims, steps, measure, is_float32)


cdef void rows_float32(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    rows(args, dims, steps, <int><size_t>data, True)


cdef void rows_float64(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    rows(args, dims, steps, <int><size_t>data, False)


# NumPy keeps these by address
cdef cnp.PyUFuncGenericFunction LOOPS[2]
cdef char TYPES[8]
cdef void *DATA[2 * FD_N_ROWS]
LOOPS[0] = <cnp.PyUFuncGenericFunction>rows_float32
LOOPS[1] = <cnp.PyUFuncGenericFunction>rows_float64
TYPES[:] = [cnp.NPY_FLOAT, cnp.NPY_FLOAT, cnp.NPY_DOUBLE, cnp.NPY_FLOAT,
            cnp.NPY_DOUBLE, cnp.NPY_DOUBLE, cnp.NPY_DOUBLE, cnp.NPY_DOUBLE]


cdef make_gufunc(int measure, bytes name):
    DATA[2 * measure] = DATA[2 * measure + 1] = <void *><size_t>measure
    return cnp.PyUFunc_FromFuncAndDataAndSignature(
        LOOPS, &DATA[2 * measure], TYPES, 2, 3, 1, cnp.PyUFunc_None, name,
        b"Rows p and q and the options vector; see fastdiv.information.", 0, b"(n),(n),(k)->()")


NAMES = tuple(name.encode() for name in MEASURES)  # alive as long as the module: NumPy does not copy them
GUFUNCS = {name: make_gufunc(i, NAMES[i]) for i, name in enumerate(MEASURES)}


cdef inline bint is_plain_vector(object x) noexcept:
    return (cnp.PyArray_CheckExact(x) and cnp.PyArray_NDIM(x) == 1 and cnp.PyArray_TYPE(x) == cnp.NPY_DOUBLE
            and cnp.PyArray_ISCARRAY_RO(x))


def one_pair(int measure, object p, object q):
    """The measure of two contiguous float64 vectors with default options, or None: take the long way."""
    cdef fd_view p_view, q_view
    cdef Py_ssize_t n
    cdef double value
    if not is_plain_vector(p) or not is_plain_vector(q):
        return None
    n = cnp.PyArray_DIM(p, 0)
    if n != cnp.PyArray_DIM(q, 0) or n == 0:
        return None
    p_view.data, p_view.stride, p_view.is_float32 = <const char *>cnp.PyArray_DATA(p), sizeof(double), False
    q_view.data, q_view.stride, q_view.is_float32 = <const char *>cnp.PyArray_DATA(q), sizeof(double), False
    if n > 4096:
        with nogil:
            value = fd_row(<fd_row_measure>measure, p_view, q_view, n, &fd_default_options)
    else:
        value = fd_row(<fd_row_measure>measure, p_view, q_view, n, &fd_default_options)
    if value != value:
        return None
    return PyArray_Scalar(&value, FLOAT64, None)


cdef cnp.dtype FLOAT64 = cnp.dtype("f8")


def isa():
    """The instruction-set level in use."""
    return fd_kernels_now.name.decode()


def isa_levels():
    """The levels that this CPU has, slowest first."""
    levels, i = [], 0
    while fd_isa_level(i) != NULL:
        levels.append(fd_isa_level(i).decode())
        i += 1
    return tuple(levels)


def limit_threads(int limit, bint asked):
    fd_limit_threads(limit, asked)


def max_threads():
    return fd_max_threads()


def openmp():
    """The OpenMP version's date (201511 is 4.5), or 0 for a serial build."""
    return fd_has_openmp()


cdef choose_isa():
    name = os.environ.get("FASTDIV_ISA") or None
    cdef int status = fd_choose_isa(NULL) if name is None else fd_choose_isa(name.encode())
    if status:
        trouble = "is not a level" if status == 1 else "is not available on this CPU"
        raise ImportError(f"FASTDIV_ISA={name!r} {trouble}; this CPU has {', '.join(isa_levels())}")


choose_isa()
