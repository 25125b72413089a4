# The door of gradients: small arrays at once, by the loops that NumPy is given for larger ones.

from functools import wraps

from rows cimport FD_cross_entropy, fd_default_options, fd_measures

from fastdiv._rows import unit

include "door.pxi"


cdef object result_like(object x, int axes):
    return cnp.PyArray_EMPTY(axes, cnp.PyArray_DIMS(x), cnp.PyArray_TYPE(x), 0)


cdef bint is_finite(object values, int kind):
    """Of all values, in C order: where one is not, the long way says why."""
    cdef Py_ssize_t i, n = cnp.PyArray_SIZE(values)
    cdef const void *data = cnp.PyArray_DATA(values)
    cdef double check = 0.0
    for i in range(n):
        check += 0.0 * ((<const float *>data)[i] if kind == FD_FLOAT32 else (<const double *>data)[i])
    return check == 0.0


cdef inline bint is_float(int kind):
    return kind == FD_FLOAT32 or kind == FD_FLOAT64


cdef void lay_out(object p, cnp.npy_intp *dims, cnp.npy_intp *item, cnp.npy_intp *row):
    cdef int axes = cnp.PyArray_NDIM(p)
    dims[1] = cnp.PyArray_DIM(p, axes - 1)
    dims[0] = cnp.PyArray_SIZE(p) // dims[1]
    item[0] = cnp.PyArray_ITEMSIZE(p)
    row[0] = dims[1] * item[0]


cdef tuple some_gradients(int measure, object p, object q, fd_options *options, bint by_columns, bint is_alone,
                          object only):
    """The value of each row (of tables, `by_columns`, column) of two small arrays of floats in C order and of one
    shape, and its derivatives: None by what nobody asks for. None if they are something else, or where a value is not
    finite. `is_alone`: entropy's."""
    cdef bint by_p = only != "q" or is_alone, by_q = only != "p" and not is_alone
    cdef cnp.npy_intp dims[2]
    cdef cnp.npy_intp steps[11]
    cdef char *args[6]
    cdef cnp.npy_intp item, row
    cdef int axes, kind = kind_of(p)
    if not is_float(kind) or not are_alike(p, q):
        return None
    axes = cnp.PyArray_NDIM(p)
    lay_out(p, dims, &item, &row)
    if by_columns:
        dims[0], dims[1] = dims[1], dims[0]
        item, row = row, item
        value = cnp.PyArray_EMPTY(1, dims, cnp.PyArray_TYPE(p), 0)
    else:
        value = result_like(p, axes - 1)
    p_slopes, q_slopes = result_like(p, axes) if by_p else None, result_like(p, axes) if by_q else None
    args[0], args[1], args[2] = <char *>cnp.PyArray_DATA(p), <char *>cnp.PyArray_DATA(q), <char *>options
    args[3] = <char *>cnp.PyArray_DATA(value)
    args[4] = <char *>cnp.PyArray_DATA(p_slopes) if by_p else NULL
    args[5] = <char *>cnp.PyArray_DATA(q_slopes) if by_q else NULL
    steps[0] = steps[1] = row
    steps[2], steps[3], steps[8] = 0, cnp.PyArray_ITEMSIZE(p), sizeof(double)
    steps[4] = row if by_p else DROPPED
    steps[5] = row if by_q else 0 if is_alone else DROPPED
    steps[6] = steps[7] = steps[9] = steps[10] = item
    pairs(args, dims, steps, <void *><size_t>(measure + PER_SCALAR * kind))
    return (value if axes > 1 else value[()], p_slopes, q_slopes) if is_finite(value, kind) else None


def some_logits(p, q, double unit_hi, double unit_lo, double normalize, double pseudocount):
    """The cross entropy of each row of two small arrays, masses against logits; None for the long way."""
    cdef cnp.npy_intp dims[2]
    cdef cnp.npy_intp steps[7]
    cdef char *args[4]
    cdef cnp.npy_intp item, row
    cdef int axes, kind = kind_of(p)
    cdef fd_options options = fd_default_options
    if not is_float(kind) or not are_alike(p, q):
        return None
    options.unit_hi, options.unit_lo, options.normalize, options.pseudocount = unit_hi, unit_lo, normalize, pseudocount
    axes = cnp.PyArray_NDIM(p)
    lay_out(p, dims, &item, &row)
    value = result_like(p, axes - 1)
    args[0], args[1], args[2] = <char *>cnp.PyArray_DATA(p), <char *>cnp.PyArray_DATA(q), <char *>&options
    args[3] = <char *>cnp.PyArray_DATA(value)
    steps[0] = steps[1] = row
    steps[2], steps[3], steps[6] = 0, item, sizeof(double)
    steps[4] = steps[5] = item
    logits(args, dims, steps, <void *><size_t>(LOGITS + PER_SCALAR * kind))
    return (value if axes > 1 else value[()]) if is_finite(value, kind) else None


def some_labels(z, classes):
    """The loss of each row of a small array of logits for its class, an int64 each, and its derivatives; None for the
    long way."""
    cdef cnp.npy_intp dims[2]
    cdef cnp.npy_intp steps[8]
    cdef char *args[5]
    cdef cnp.npy_intp item, row
    cdef Py_ssize_t i
    cdef int axes, kind = kind_of(z)
    cdef fd_options options = fd_default_options
    cdef cnp.int64_t label
    if not is_float(kind) or kind_of(classes) != FD_INT64:
        return None
    axes = cnp.PyArray_NDIM(z)
    if cnp.PyArray_NDIM(classes) != axes - 1 or not cnp.PyArray_CompareLists(
            cnp.PyArray_DIMS(z), cnp.PyArray_DIMS(classes), axes - 1):
        return None
    lay_out(z, dims, &item, &row)
    numbers = cnp.PyArray_EMPTY(axes - 1, cnp.PyArray_DIMS(z), cnp.NPY_DOUBLE, 0)
    for i in range(dims[0]):
        label = (<const cnp.int64_t *>cnp.PyArray_DATA(classes))[i]
        if not 0 <= label < dims[1]:
            return None
        (<double *>cnp.PyArray_DATA(numbers))[i] = label
    value, slopes = result_like(z, axes - 1), result_like(z, axes)
    options.log_input = 1.0
    args[0], args[1], args[2] = <char *>cnp.PyArray_DATA(z), <char *>cnp.PyArray_DATA(numbers), <char *>&options
    args[3], args[4] = <char *>cnp.PyArray_DATA(value), <char *>cnp.PyArray_DATA(slopes)
    steps[0] = steps[4] = row
    steps[1], steps[2], steps[3], steps[6] = sizeof(double), 0, item, sizeof(double)
    steps[5] = steps[7] = item
    labels(args, dims, steps, <void *><size_t>(LOGITS + PER_SCALAR * kind))
    return (value, slopes) if is_finite(value, kind) else None


def door(int measure, function, only, of_two, of_one):
    """`function`, with a short way in for small arrays, whose results are made by `of_two` or `of_one`; the variable
    `only` says which derivatives are asked for."""
    code = function.__code__
    cdef tuple names = code.co_varnames[:code.co_argcount]
    cdef tuple named = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    cdef bint is_alone = len(names) == 1

    def entrance(p=NOT_GIVEN, q=NOT_GIVEN, /, *more, **given):
        cdef fd_options options = fd_default_options
        first, second, rest = p, q, given
        if given and q is NOT_GIVEN:
            first, second, rest = by_place(p, q, given)
        cdef fd_way found = read_call(measure, names, named, first, second, more, rest, &options)
        if found != LONG_WAY and "out" not in given:
            first, second = of_one_type(first, first if is_alone else second, True)
            made = some_gradients(LOGITS if found == BY_LOGITS else measure, first, second, &options,
                                  found == BY_COLUMNS, is_alone, only.get())
            if made is not None:
                return of_one(*made[:2]) if is_alone else of_two(*made)
        return go_long(function, p, q, more, given)

    return wraps(function)(entrance)
