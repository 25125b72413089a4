# What the doors of values and of gradients share: which calls go the short way, which options they give. A call that
# is unusual, or wrong, goes the long way, which says why.

from numpy import asarray


cdef inline bint is_real(object x):
    return type(x) is float or type(x) is int or isinstance(x, float)  # float64 is a float


cdef bint read_option(object name, object value, fd_options *options) except -1:
    """Takes an option for one pair; False if it is one for the long way, or one that only that refuses. Names that
    are written in code are the very strings that are written here."""
    if name is "axis":
        return type(value) is int and (value == -1 or value == 0)
    if name is "nan_policy":  # a NaN makes the value NaN, and the long way follows
        return type(value) is str and (value == "propagate" or value == "omit" or value == "raise")
    if name is "keepdims":
        return value is False
    if name is "normalize":
        options.normalize = value is True
        return value is True or value is False
    if name is "log_input":
        options.log_input = value is True
        return value is True or value is False
    if name is "base":
        if value is None:
            return True
        if not is_real(value) or not 1 < value <= 1e308:
            return False
        options.unit_hi, options.unit_lo = (1.0, 0.0) if value == 2 else unit(value)
        return True
    if name is "out":
        return value is None
    if name is "pseudocount" or name is "alpha":
        if not is_real(value) or not 0 <= value or (type(value) is int and value > 1 << 53):
            return False
        if name is "alpha":
            options.alpha = value
            return True
        options.pseudocount = value
        return value < 1e308
    return False


# arrays up to this size come in by the door: a long way takes 25 us, of gradients 40
cdef enum:
    SMALL = 1 << 14

# of each NumPy type number the kind of number, or FD_N_SCALARS
cdef int KINDS[32]
for i in range(32):
    KINDS[i] = FD_N_SCALARS
for scalar, npy in SCALARS:
    KINDS[npy] = scalar


cdef inline bint is_walked(cnp.ndarray x):
    """An array whose rows and bins are a step apart each: in C order, or of two axes at most."""
    return cnp.PyArray_ISBEHAVED_RO(x) and (cnp.PyArray_NDIM(x) <= 2 or cnp.PyArray_ISCARRAY_RO(x))


cdef inline int kind_of(object x, bint in_order=True):
    """Of a small array (`in_order`: in C order) the kind of number, else FD_N_SCALARS."""
    if not cnp.PyArray_CheckExact(x):
        return FD_N_SCALARS
    array = <cnp.ndarray>x  # or else each question would ask for its type again
    cdef Py_ssize_t size = cnp.PyArray_SIZE(array)
    if (cnp.PyArray_NDIM(array) == 0 or size == 0 or size > SMALL or cnp.PyArray_TYPE(array) >= 32
            or not (cnp.PyArray_ISCARRAY_RO(array) if in_order else is_walked(array))):
        return FD_N_SCALARS
    return KINDS[cnp.PyArray_TYPE(array)]


cdef object as_array(object x):
    """A short list of numbers, or of lists of them, as an array; anything else as it is."""
    if type(x) is not list or not 0 < len(x) <= SMALL or not (type(x[0]) is list or is_real(x[0])):
        return x
    try:
        return asarray(x)
    except (ValueError, TypeError, OverflowError):
        return x


cdef inline bint is_doubled(object x):
    """A short array of numbers that the long way would make doubles of, too, beside others."""
    return (cnp.PyArray_CheckExact(x) and cnp.PyArray_NDIM(x) > 0 and 0 < cnp.PyArray_SIZE(x) <= SMALL
            and (cnp.PyArray_TYPE(x) in (cnp.NPY_FLOAT64, cnp.NPY_FLOAT32, cnp.NPY_BOOL) or cnp.PyArray_ISINTEGER(x)))


cdef tuple of_one_type(object p, object q, bint floats=False):
    """p and q as doubles, if they are of different types (`floats`: or integers); else as they are."""
    if type(p) is list or type(q) is list:
        p, q = as_array(p), as_array(q)
    if (is_doubled(p) and is_doubled(q)
            and (cnp.PyArray_TYPE(p) != cnp.PyArray_TYPE(q) or (floats and not cnp.PyArray_ISFLOAT(p)))):
        return (cnp.PyArray_FROM_OTF(p, cnp.NPY_FLOAT64, cnp.NPY_ARRAY_CARRAY_RO),
                cnp.PyArray_FROM_OTF(q, cnp.NPY_FLOAT64, cnp.NPY_ARRAY_CARRAY_RO))
    return p, q


cdef inline bint are_alike(object x, object y):
    """Two arrays in C order, of which kind_of tells that the first is small."""
    return (cnp.PyArray_CheckExact(y) and cnp.PyArray_TYPE(x) == cnp.PyArray_TYPE(y) and cnp.PyArray_ISCARRAY_RO(y)
            and cnp.PyArray_SAMESHAPE(x, y))


cdef enum fd_way:
    LONG_WAY
    SHORT_WAY
    BY_LOGITS  # of masses against logits, log_input="q"
    BY_COLUMNS  # of tables, axis=0


NOT_GIVEN = object()


cdef fd_way read_call(int measure, tuple names, tuple named, object p, object q, tuple more, dict given,
                      fd_options *options) except *:
    """The options of a call of p and q, `more` by place and `given` by name; the function has the arrays (and order)
    `names`, and parameters `named` that only it has."""
    cdef Py_ssize_t n_names = len(names)
    cdef fd_way found = SHORT_WAY
    if p is NOT_GIVEN or (q is NOT_GIVEN) != (n_names == 1) or len(more) > (n_names == 3):
        return LONG_WAY
    if n_names == 3 and not read_option("alpha", more[0] if more else given.get("alpha"), options):
        return LONG_WAY
    if not given:
        return found
    for name, value in given.items():
        if name is "alpha":
            if n_names < 3 or more:
                return LONG_WAY
        elif name is "base" and not fd_measures[measure].in_bits:
            return LONG_WAY
        elif name is "log_input" and type(value) is str and value == "q":
            if measure != FD_cross_entropy or n_names == 1:  # entropy is that of p and p
                return LONG_WAY
            found = BY_LOGITS
        elif not (value is None if name in named else read_option(name, value, options)):
            return LONG_WAY
    if options.log_input and options.pseudocount:
        return LONG_WAY
    if given.get("axis", -1) == 0:  # of vectors the last one; of tables their columns
        if not cnp.PyArray_CheckExact(p) or cnp.PyArray_NDIM(p) > 2:
            return LONG_WAY
        if cnp.PyArray_NDIM(p) == 2:
            return LONG_WAY if found == BY_LOGITS else BY_COLUMNS
    return found


cdef object go_long(object function, object p, object q, tuple more, dict given):
    """The call as it came."""
    if q is NOT_GIVEN:
        return function(**given) if p is NOT_GIVEN else function(p, **given)
    return function(p, q, *more, **given)


cdef tuple by_place(object p, object q, dict given):
    """p and q, also those that were given by name, and the other options."""
    given = given.copy()
    if p is NOT_GIVEN:
        p = given.pop("p", p)
    return p, given.pop("q", q), given
