# What the doors of values and of gradients share: which calls go the short way, which options they give. A call that
# is unusual, or wrong, goes the long way, which says why.

cdef inline bint is_real(object x):
    return type(x) is float or type(x) is int or isinstance(x, float)  # float64 is a float


cdef bint read_option(str name, object value, fd_options *options) except -1:
    """Takes an option for one pair; False if it is one for the long way, or one that only that refuses."""
    if name == "axis":
        return type(value) is int and (value == -1 or value == 0)
    if name == "nan_policy":  # a NaN makes the value NaN, and the long way follows
        return type(value) is str and (value == "propagate" or value == "omit" or value == "raise")
    if name == "keepdims":
        return value is False
    if name == "normalize":
        options.normalize = value is True
        return value is True or value is False
    if name == "log_input":
        options.log_input = value is True
        return value is True or value is False
    if name == "base":
        if value is None:
            return True
        if not is_real(value) or not 1 < value <= 1e308:
            return False
        options.unit_hi, options.unit_lo = (1.0, 0.0) if value == 2 else unit(value)
        return True
    if name == "out":
        return value is None
    if name == "pseudocount" or name == "alpha":
        if not is_real(value) or not 0 <= value or (type(value) is int and value > 1 << 53):
            return False
        if name == "alpha":
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


cdef inline int kind_of(object x):
    """Of a small array in C order the kind of number, else FD_N_SCALARS."""
    if not cnp.PyArray_CheckExact(x):
        return FD_N_SCALARS
    cdef Py_ssize_t size = cnp.PyArray_SIZE(x)
    if (cnp.PyArray_NDIM(x) == 0 or size == 0 or size > SMALL or cnp.PyArray_TYPE(x) >= 32
            or not cnp.PyArray_ISCARRAY_RO(x)):
        return FD_N_SCALARS
    return KINDS[cnp.PyArray_TYPE(x)]


cdef inline bint are_alike(object x, object y):
    """Two arrays, of which kind_of tells that the first is small."""
    return (cnp.PyArray_CheckExact(y) and cnp.PyArray_TYPE(x) == cnp.PyArray_TYPE(y) and cnp.PyArray_ISCARRAY_RO(y)
            and cnp.PyArray_SAMESHAPE(x, y))


cdef inline object argument(tuple names, tuple args, dict given, Py_ssize_t i):
    """The i-th array (or order), by place or by name; None if it is not there."""
    return args[i] if i < len(args) else given.get(names[i])


cdef enum fd_way:
    LONG_WAY
    SHORT_WAY
    BY_LOGITS  # of masses against logits, log_input="q"
    BY_COLUMNS  # of tables, axis=0


cdef fd_way read_call(int measure, tuple names, tuple named, tuple args, dict given, fd_options *options) except *:
    """The options of a call of arrays `args` or by `names`; `named` are parameters that only this measure has."""
    cdef Py_ssize_t n_names = len(names)
    cdef fd_way found = SHORT_WAY
    if len(args) > n_names:
        return LONG_WAY
    if n_names == 3 and not read_option("alpha", argument(names, args, given, 2), options):
        return LONG_WAY
    if not given:
        return found
    for name, value in given.items():
        if name in names:
            if names.index(name) < len(args):
                return LONG_WAY
        elif name == "alpha" or (name == "base" and not fd_measures[measure].in_bits):
            return LONG_WAY
        elif name == "log_input" and type(value) is str and value == "q":
            if measure != FD_cross_entropy or n_names == 1:  # entropy is that of p and p
                return LONG_WAY
            found = BY_LOGITS
        elif not (value is None if name in named else read_option(name, value, options)):
            return LONG_WAY
    if options.log_input and options.pseudocount:
        return LONG_WAY
    if given.get("axis", -1) == 0:  # of vectors the last one; of tables their columns
        first = argument(names, args, given, 0)
        if not cnp.PyArray_CheckExact(first) or cnp.PyArray_NDIM(first) > 2:
            return LONG_WAY
        if cnp.PyArray_NDIM(first) == 2:
            return LONG_WAY if found == BY_LOGITS else BY_COLUMNS
    return found
