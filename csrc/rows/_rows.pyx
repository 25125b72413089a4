# Row-wise measures as generalized ufuncs, and the direct door for one pair of vectors or small arrays.
#
# NumPy brings broadcasting, strides, casts and out; others with __array_ufunc__ (Dask, ...) pass through.
# The last operand of each gufunc holds the options (view.h, fd_options). Threads are started inside the loop
# function, only when the work is worth it; NumPy has let go of the GIL by then.

from functools import lru_cache, wraps

cimport numpy as cnp
from core cimport attach, fd_team
from libc.math cimport NAN
from libc.stdlib cimport free, llabs, malloc
from rows cimport (
    FD_ELEMENTS,
    FD_FLOAT32,
    FD_FLOAT64,
    FD_INT8,
    FD_INT16,
    FD_INT32,
    FD_INT64,
    FD_N_MEASURES,
    FD_N_OPTIONS,
    FD_N_SCALARS,
    FD_OPTION_ALPHA,
    FD_OPTION_WEIGHTS,
    FD_ROWS,
    FD_UINT8,
    FD_UINT16,
    FD_UINT32,
    FD_UINT64,
    FE_ALL_EXCEPT,
    FD_cross_entropy,
    fd_default_options,
    fd_elements,
    fd_events,
    fd_float64,
    fd_gather_rows,
    fd_has_lanes,
    fd_js_stack,
    fd_measure,
    fd_measures,
    fd_options,
    fd_row,
    fd_rows,
    fd_scalar,
    fd_traits,
    fd_view,
    feclearexcept,
)

cnp.import_array()
cnp.import_ufunc()
attach()
include "ufuncs.pxi"


cdef dict traits_of(fd_traits row):
    options = ["alpha"] * (row.option == FD_OPTION_ALPHA) + ["base"] * (row.in_bits != 0)
    options += ["weights"] * (row.option == FD_OPTION_WEIGHTS)
    return {"options": tuple(options), "symmetric": row.symmetric != 0, "infinite": row.infinite != 0}


# of each measure the options that not all take, whether D(p, q) = D(q, p), and whether it is infinite where only
# p has mass (list.h)
TRAITS = {fd_measures[i].name.decode(): traits_of(fd_measures[i]) for i in range(FD_N_MEASURES)}
MEASURES = tuple(TRAITS)

cdef double NANOSECONDS_PER_BIN = 2.0
cdef double NANOSECONDS_PER_ROW = 100.0


# ---- one row of each kind of gufunc ---------------------------------------------------------------------

cdef void pair_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                   int measure, int scalar) noexcept nogil:
    """(n),(n),(k)->(): p, q, options."""
    cdef fd_options options
    cdef fd_view p, q
    p.data, p.stride, p.scalar = args[0] + i * steps[0], steps[4], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + i * steps[1], steps[5], <fd_scalar>scalar
    read_options(args[2] + i * steps[2], steps[6], &options)
    write(args[3] + i * steps[3],
          fd_row(<fd_measure>measure, p, q, dims[1], &options) if dims[1] else NAN,
          scalar)


cdef void tile_of_pairs(Py_ssize_t tile, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                        int measure, int scalar) noexcept nogil:
    """pair_row for FD_ROWS rows with the same options."""
    cdef Py_ssize_t start = tile * FD_ROWS
    cdef int i, rows = <int>min(FD_ROWS, dims[0] - start)
    cdef double values[FD_ROWS]
    cdef fd_options options
    cdef fd_view p, q
    p.data, p.stride, p.scalar = args[0] + start * steps[0], steps[4], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + start * steps[1], steps[5], <fd_scalar>scalar
    read_options(args[2], steps[6], &options)
    fd_rows(<fd_measure>measure, p, steps[0], q, steps[1], rows, dims[1], &options, values)
    for i in range(rows):
        write(args[3] + (start + i) * steps[3], values[i], scalar)


cdef enum:
    COLUMNS = 16


cdef void columns_of_pairs(Py_ssize_t tile, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                           int measure, int scalar) noexcept nogil:
    """pair_row for COLUMNS rows whose bins are far apart in memory (axis=0 of a C array)."""
    cdef Py_ssize_t i, start = tile * COLUMNS, rows = min(COLUMNS, dims[0] - start), n = dims[1]
    cdef Py_ssize_t pitch = n + 8  # rows whose length is a power of two would share their cache lines
    cdef double *copy = <double *>malloc(2 * COLUMNS * pitch * sizeof(double))
    cdef bint same = args[0] == args[1] and steps[0] == steps[1] and steps[4] == steps[5]  # entropy
    cdef fd_options options
    cdef fd_view p, q
    if copy == NULL:
        for i in range(rows):
            pair_row(start + i, args, dims, steps, measure, scalar)
        return
    p.data, p.stride, p.scalar = args[0] + start * steps[0], steps[4], <fd_scalar>scalar
    q.data, q.stride, q.scalar = args[1] + start * steps[1], steps[5], <fd_scalar>scalar
    p = fd_gather_rows(p, steps[0], rows, n, copy, pitch)
    q = p if same else fd_gather_rows(q, steps[1], rows, n, copy + COLUMNS * pitch, pitch)
    for i in range(rows):
        read_options(args[2] + (start + i) * steps[2], steps[6], &options)
        write(args[3] + (start + i) * steps[3], fd_row(<fd_measure>measure, p, q, n, &options),
              scalar)
        p.data += pitch * p.stride
        q.data += pitch * q.stride
    free(copy)


cdef inline bint is_column(cnp.npy_intp row_step, cnp.npy_intp bin_step) noexcept nogil:
    return row_step != 0 and llabs(row_step) < llabs(bin_step)  # 0: one row for all


cdef void stack_row(Py_ssize_t i, char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps,
                    int measure, int scalar) noexcept nogil:
    """(m,n),(m),(k)->(): stack, weights (contiguous), options."""
    cdef fd_options options
    cdef fd_view first
    cdef bint empty = dims[1] == 0 or dims[2] == 0
    first.data, first.stride, first.scalar = args[0] + i * steps[0], steps[5], <fd_scalar>scalar
    read_options(args[2] + i * steps[2], steps[7], &options)
    write(args[3] + i * steps[3],
          NAN if empty else fd_js_stack(<fd_measure>measure, first, steps[4], dims[1],
                                        <const double *>(args[1] + i * steps[1]), dims[2], &options),
          scalar)


cdef void all_pairs(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, int measure,
                    int scalar) noexcept nogil:
    cdef double nanoseconds = dims[0] * (NANOSECONDS_PER_BIN * dims[1] + NANOSECONDS_PER_ROW)
    cdef bint many = dims[0] > 1 and dims[1] > 1
    cdef fd_options options
    if many and steps[2] == 0:
        read_options(args[2], steps[6], &options)
    if many and steps[2] == 0 and fd_has_lanes(<fd_measure>measure, <fd_scalar>scalar, dims[1], &options):
        all_rows(tile_of_pairs, (dims[0] + FD_ROWS - 1) // FD_ROWS, nanoseconds, args, dims, steps, measure, scalar)
    elif many and (is_column(steps[0], steps[4]) or is_column(steps[1], steps[5])):
        all_rows(columns_of_pairs, (dims[0] + COLUMNS - 1) // COLUMNS, nanoseconds, args, dims, steps, measure,
                 scalar)
    else:
        all_rows(pair_row, dims[0], nanoseconds, args, dims, steps, measure, scalar)


cdef void all_stacks(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, int measure,
                     int scalar) noexcept nogil:
    all_rows(stack_row, dims[0], dims[0] * (NANOSECONDS_PER_BIN * dims[1] * dims[2] + NANOSECONDS_PER_ROW),
             args, dims, steps, measure, scalar)


cdef void pairs(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data
    all_pairs(args, dims, steps, code % PER_SCALAR, code // PER_SCALAR)


cdef void stacks(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data
    all_stacks(args, dims, steps, code % PER_SCALAR, code // PER_SCALAR)


# ---- elementwise: blocks of 1024 numbers through a buffer -----------------------------------------------

cdef void block_of_events(Py_ssize_t block, char **args, const cnp.npy_intp *dims,
                          const cnp.npy_intp *steps, int entropy, int scalar) noexcept nogil:
    cdef double values[1024]
    cdef Py_ssize_t i, start = block * 1024, n = min(dims[0] - start, 1024)
    cdef char *target = args[1] + start * steps[1]
    cdef fd_view p
    p.data, p.stride, p.scalar = args[0] + start * steps[0], steps[0], <fd_scalar>scalar
    fd_events(entropy, p, n, values)
    for i in range(n):
        write(target + i * steps[1], values[i], scalar)


cdef void events(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data
    all_rows(block_of_events, (dims[0] + 1023) // 1024, NANOSECONDS_PER_BIN * dims[0], args, dims, steps,
             code % PER_SCALAR, code // PER_SCALAR)


cdef void block_of_elements(Py_ssize_t block, char **args, const cnp.npy_intp *dims,
                            const cnp.npy_intp *steps, int whole, int scalar) noexcept nogil:
    cdef double values[FD_ELEMENTS]
    cdef Py_ssize_t i, start = block * FD_ELEMENTS, n = min(dims[0] - start, <Py_ssize_t>FD_ELEMENTS)
    cdef char *target = args[2] + start * steps[2]
    cdef fd_view x, y
    x.data, x.stride, x.scalar = args[0] + start * steps[0], steps[0], <fd_scalar>scalar
    y.data, y.stride, y.scalar = args[1] + start * steps[1], steps[1], <fd_scalar>scalar
    fd_elements(whole, x, y, n, values)
    for i in range(n):
        write(target + i * steps[2], values[i], scalar)


cdef void elements(char **args, const cnp.npy_intp *dims, const cnp.npy_intp *steps, void *data) noexcept nogil:
    cdef int code = <int><size_t>data
    all_rows(block_of_elements, (dims[0] + FD_ELEMENTS - 1) // FD_ELEMENTS, NANOSECONDS_PER_BIN * dims[0], args,
             dims, steps, code % PER_SCALAR, code // PER_SCALAR)


# ---- the ufuncs ------------------------------------------------------------------------------------------

# made when asked for: all of them would be a tenth of the time of a first call


@lru_cache(maxsize=None)
def ufunc_of_pairs(name):
    """(n),(n),(k)->(): p, q, options."""
    return make(pairs, 2, 1, MEASURES.index(name), name, "(n),(n),(k)->()")


@lru_cache(maxsize=None)
def ufunc_of_stacks(name):
    """(m,n),(m),(k)->(): what is mixed, weights, options; of Jensen-Shannon."""
    return make(stacks, 1, 2, MEASURES.index(name), name, "(m,n),(m),(k)->()")


@lru_cache(maxsize=None)
def ufunc_of_events(name):
    """In bits, of each probability."""
    return make(events, 1, 0, name == "binary_entropy", name, None)


@lru_cache(maxsize=None)
def ufunc_of_elements(name):
    """rel_entr or kl_div, nats; of floats alone, so that NumPy picks the dtype of the result."""
    return make(elements, 2, 0, name == "kl_div", name, None, 1, FLOATS)


# ---- options, one pair at once, small arrays ----------------------------------------------------------------------


@lru_cache(maxsize=64)
def unit(base):
    """What one bit is worth in the base's unit (None: nats), ln 2 / ln(base), as a high and a low part."""
    if base is None:
        return fd_default_options.unit_hi, fd_default_options.unit_lo
    if base == 2:
        return 1.0, 0.0
    from decimal import Context, Decimal

    context = Context(prec=50)
    exact = context.divide(context.ln(Decimal(2)), context.ln(Decimal(float(base))))
    high = float(exact)
    return high, float(exact - Decimal(high))


include "door.pxi"


cdef inline bint is_plain_vector(object x) noexcept:
    if not cnp.PyArray_CheckExact(x):
        return False
    array = <cnp.ndarray>x
    return (cnp.PyArray_NDIM(array) == 1 and cnp.PyArray_TYPE(array) == cnp.NPY_DOUBLE
            and cnp.PyArray_ISBEHAVED_RO(array))


cdef enum:
    LONG = 1 << 23


cdef object one_pair(int measure, cnp.ndarray p, cnp.ndarray q, const fd_options *options):
    """The measure of two float64 vectors.

    None if they are not of one length, or if the value is NaN: then the long way says why. None too where they are
    so long that Ctrl-C must be heard meanwhile.
    """
    cdef fd_view p_view, q_view
    cdef Py_ssize_t n
    cdef double value
    n = cnp.PyArray_DIM(p, 0)
    if n != cnp.PyArray_DIM(q, 0) or n == 0 or n > LONG:
        return None
    p_view.data, p_view.stride, p_view.scalar = <const char *>cnp.PyArray_DATA(p), cnp.PyArray_STRIDES(p)[0], FD_FLOAT64
    q_view.data, q_view.stride, q_view.scalar = <const char *>cnp.PyArray_DATA(q), cnp.PyArray_STRIDES(q)[0], FD_FLOAT64
    if n > 4096:  # letting go of the GIL takes 50 ns
        with nogil:
            value = fd_row(<fd_measure>measure, p_view, q_view, n, options)
    else:
        value = fd_row(<fd_measure>measure, p_view, q_view, n, options)
    return None if value != value else fd_float64(value)


cdef enum fd_layout:
    OTHERWISE
    ALIKE
    ONE_P  # for all rows of q
    ONE_Q


cdef fd_layout layout_of(cnp.ndarray p, object other):
    """How two small arrays lie, the first of which kind_of tells so."""
    cdef int axes = cnp.PyArray_NDIM(p), others
    if kind_of(other, False) == FD_N_SCALARS:
        return OTHERWISE
    q = <cnp.ndarray>other
    if cnp.PyArray_TYPE(p) != cnp.PyArray_TYPE(q):
        return OTHERWISE
    if cnp.PyArray_SAMESHAPE(p, q):
        return ALIKE
    others = cnp.PyArray_NDIM(q)
    if cnp.PyArray_DIM(p, axes - 1) != cnp.PyArray_DIM(q, others - 1):
        return OTHERWISE
    return ONE_P if axes == 1 else ONE_Q if others == 1 else OTHERWISE


cdef void read_steps(cnp.ndarray x, bint by_columns, cnp.npy_intp *row, cnp.npy_intp *item):
    """From row to row, and from bin to bin, in bytes."""
    cdef int axes = cnp.PyArray_NDIM(x)
    cdef const cnp.npy_intp *strides = cnp.PyArray_STRIDES(x)
    if axes == 2:
        row[0], item[0] = strides[by_columns], strides[not by_columns]
    elif axes == 1:  # one for all rows
        row[0], item[0] = 0, strides[0]
    else:  # in C order, whatever the steps of axes of length 1 are
        item[0] = cnp.PyArray_ITEMSIZE(x)
        row[0] = item[0] * cnp.PyArray_DIM(x, axes - 1)


cdef object some_rows(int measure, object p, object q, fd_options *options, bint by_columns):
    """The measure of each row of two small arrays of one dtype that has a loop, of one shape or one of them a vector;
    of tables, `by_columns`, each column.

    None if they are something else, or if a value is NaN.
    """
    cdef cnp.npy_intp dims[2]
    cdef cnp.npy_intp steps[7]
    cdef char *args[4]
    cdef int kind = kind_of(p, False), axes
    cdef Py_ssize_t i
    cdef fd_layout layout = OTHERWISE if kind == FD_N_SCALARS else layout_of(<cnp.ndarray>p, q)
    cdef bint is_nan = False
    if layout == OTHERWISE or (by_columns and layout != ALIKE):
        return None
    more = <cnp.ndarray>q if layout == ONE_P else <cnp.ndarray>p
    axes = cnp.PyArray_NDIM(more)
    dims[1] = cnp.PyArray_DIM(more, 0 if by_columns else axes - 1)
    dims[0] = cnp.PyArray_SIZE(more) // dims[1]
    result = cnp.PyArray_EMPTY(axes - 1, cnp.PyArray_DIMS(more) + by_columns,
                               cnp.NPY_FLOAT if kind == FD_FLOAT32 else cnp.NPY_DOUBLE, 0)
    args[0], args[1] = <char *>cnp.PyArray_DATA(<cnp.ndarray>p), <char *>cnp.PyArray_DATA(<cnp.ndarray>q)
    args[2], args[3] = <char *>options, <char *>cnp.PyArray_DATA(<cnp.ndarray>result)
    read_steps(<cnp.ndarray>p, by_columns, &steps[0], &steps[4])
    read_steps(<cnp.ndarray>q, by_columns, &steps[1], &steps[5])
    steps[2], steps[3], steps[6] = 0, cnp.PyArray_ITEMSIZE(result), sizeof(double)
    with nogil:
        all_pairs(args, dims, steps, measure, kind)
        for i in range(dims[0]):
            if kind == FD_FLOAT32:
                is_nan = is_nan or (<float *>args[3])[i] != (<float *>args[3])[i]
            else:
                is_nan = is_nan or (<double *>args[3])[i] != (<double *>args[3])[i]
    if is_nan:
        return None
    return result if axes > 1 else result[()]


cdef object short_way(int measure, tuple names, tuple named, object p, object q, dict given, tuple more):
    """The values of one pair or of a few; None for the long way."""
    cdef fd_options options = fd_default_options
    cdef fd_way found = read_call(measure, names, named, p, q, more, given, &options)
    if found == LONG_WAY:
        return None
    if len(names) == 1:
        q = p
    if not is_plain_vector(p) or not is_plain_vector(q):
        p, q = of_one_type(p, q)
    if found == BY_LOGITS:
        from fastdiv._gradients import some_logits

        return some_logits(p, q, options.unit_hi, options.unit_lo, options.normalize, options.pseudocount)
    if is_plain_vector(p) and is_plain_vector(q):
        return one_pair(measure, <cnp.ndarray>p, <cnp.ndarray>q, &options)
    return some_rows(measure, p, q, &options, found == BY_COLUMNS)


def door(int measure, function):
    """`function`, with a short way in for one pair of plain vectors and for small arrays."""
    code = function.__code__
    cdef tuple names = code.co_varnames[:code.co_argcount]
    cdef tuple named = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]

    cdef bint of_two = len(names) == 2

    def entrance(p=NOT_GIVEN, q=NOT_GIVEN, /, *more, **given):
        if of_two and not given and not more and is_plain_vector(p) and is_plain_vector(q):
            value = one_pair(measure, <cnp.ndarray>p, <cnp.ndarray>q, &fd_default_options)
        elif given and q is NOT_GIVEN:
            first, second, rest = by_place(p, q, given)
            value = short_way(measure, names, named, first, second, rest, more)
        else:
            value = short_way(measure, names, named, p, q, given, more)
        return go_long(function, p, q, more, given) if value is None else value

    return wraps(function)(entrance)
