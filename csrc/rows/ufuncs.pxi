# What the modules of ufuncs share: how a loop over rows runs, and how ufuncs are made of it. NumPy keeps loops,
# types, data and names by address.

# kind of number, as C and as NumPy name it; NumPy takes the first to which it can cast
SCALARS = (
    (FD_INT8, cnp.NPY_INT8), (FD_UINT8, cnp.NPY_UINT8), (FD_INT16, cnp.NPY_INT16), (FD_UINT16, cnp.NPY_UINT16),
    (FD_INT32, cnp.NPY_INT32), (FD_UINT32, cnp.NPY_UINT32), (FD_INT64, cnp.NPY_INT64),
    (FD_UINT64, cnp.NPY_UINT64), (FD_FLOAT32, cnp.NPY_FLOAT), (FD_FLOAT64, cnp.NPY_DOUBLE),
)

# what NumPy hands to a loop: the measure and the kind of number.
cdef enum:
    PER_SCALAR = 32

KEPT_ALIVE = []


cdef bytes kept(str text):
    cdef bytes data = text.encode()
    KEPT_ALIVE.append(data)
    return data


cdef make(cnp.PyUFuncGenericFunction loop, int n_rows, int n_others, int measure, str name, signature,
          int n_results=1):
    """A ufunc of `n_rows` arrays of one kind of number and `n_others` of doubles; float32 gives float32."""
    cdef bytes c_name = kept(name), c_signature = kept(signature or ""), types = b""
    cdef Py_ssize_t n = len(SCALARS)
    cdef cnp.PyUFuncGenericFunction *loops = <cnp.PyUFuncGenericFunction *>malloc(n * sizeof(loop))  # for good
    cdef void **data = <void **>malloc(n * sizeof(void *))
    if loops == NULL or data == NULL:
        raise MemoryError
    for i, (scalar, npy) in enumerate(SCALARS):
        loops[i] = loop
        data[i] = <void *><size_t>(measure + PER_SCALAR * scalar)
        result = cnp.NPY_FLOAT if scalar == FD_FLOAT32 else cnp.NPY_DOUBLE
        types += bytes([npy] * n_rows + [cnp.NPY_DOUBLE] * n_others + [result] * n_results)
    KEPT_ALIVE.append(types)
    return cnp.PyUFunc_FromFuncAndDataAndSignature(
        loops, data, <char *>types, n, n_rows + n_others, n_results, cnp.PyUFunc_None, c_name,
        b"See fastdiv.information.", 0, <char *>c_signature if signature else NULL)


if len(SCALARS) != FD_N_SCALARS or <int>FD_N_MEASURES >= <int>PER_SCALAR:
    raise ImportError("view.h and ufuncs.pxi disagree about kinds of numbers")


# ---- one row, and all of them -----------------------------------------------------------------------------

ctypedef void (*row_loop)(Py_ssize_t, char **, const cnp.npy_intp *, const cnp.npy_intp *, int,
                          int) noexcept nogil


cdef void read_options(const char *at, Py_ssize_t step, fd_options *options) noexcept nogil:
    cdef double *field = <double *>options
    cdef int i
    for i in range(FD_N_OPTIONS):
        field[i] = (<const double *>(at + i * step))[0]


cdef void write(char *at, double value, int scalar) noexcept nogil:
    if scalar == FD_FLOAT32:
        (<float *>at)[0] = <float>value
    else:
        (<double *>at)[0] = value


cdef void all_rows(row_loop row, Py_ssize_t n_rows, double nanoseconds, char **args,
                   const cnp.npy_intp *dims, const cnp.npy_intp *steps, int measure, int scalar) noexcept nogil:
    cdef Py_ssize_t i
    cdef int team = fd_team(nanoseconds, n_rows)
    if team == 1:
        for i in range(n_rows):
            row(i, args, dims, steps, measure, scalar)
    else:
        for i in prange(n_rows, schedule="static", num_threads=team):
            row(i, args, dims, steps, measure, scalar)
    feclearexcept(FE_ALL_EXCEPT)  # log(0) selected away is no reason for NumPy to warn
