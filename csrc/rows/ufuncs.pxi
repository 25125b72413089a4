# What the modules of ufuncs share: how a loop over rows runs, and how ufuncs are made of it. NumPy keeps loops,
# types, data and names by address.

# kind of number, as C and as NumPy name it; NumPy takes the first to which it can cast
SCALARS = (
    (FD_INT8, cnp.NPY_INT8), (FD_UINT8, cnp.NPY_UINT8), (FD_INT16, cnp.NPY_INT16), (FD_UINT16, cnp.NPY_UINT16),
    (FD_INT32, cnp.NPY_INT32), (FD_UINT32, cnp.NPY_UINT32), (FD_INT64, cnp.NPY_INT64),
    (FD_UINT64, cnp.NPY_UINT64), (FD_FLOAT32, cnp.NPY_FLOAT), (FD_FLOAT64, cnp.NPY_DOUBLE),
)

FLOATS = tuple(pair for pair in SCALARS if pair[0] in (FD_FLOAT32, FD_FLOAT64))

# what NumPy hands to a loop: the measure and the kind of number.
cdef enum:
    PER_SCALAR = 32

KEPT_ALIVE = []


cdef bytes kept(str text):
    cdef bytes data = text.encode()
    KEPT_ALIVE.append(data)
    return data


cdef make(cnp.PyUFuncGenericFunction loop, int n_rows, int n_others, int measure, str name, signature,
          int n_results=1, scalars=SCALARS):
    """A ufunc of `n_rows` arrays of one kind of number and `n_others` of doubles; float32 gives float32."""
    cdef bytes c_name = kept(name), c_signature = kept(signature or ""), types = b""
    cdef Py_ssize_t n = len(scalars)
    cdef cnp.PyUFuncGenericFunction *loops = <cnp.PyUFuncGenericFunction *>malloc(n * sizeof(loop))  # for good
    cdef void **data = <void **>malloc(n * sizeof(void *))
    if loops == NULL or data == NULL:
        raise MemoryError
    for i, (scalar, npy) in enumerate(scalars):
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


# NumPy keeps the GIL where rows are 500 or fewer, however long.
cdef extern from *:
    """
    static inline PyThreadState *fd_let_go(void) {
    #if PY_VERSION_HEX >= 0x030D0000
        const int held = PyThreadState_GetUnchecked() != NULL;
    #elif PY_VERSION_HEX >= 0x030C0000
        const int held = _PyThreadState_UncheckedGet() != NULL;
    #else
        PyThreadState *now = _PyThreadState_UncheckedGet(); /* that of any thread */
        const int held = now && now == PyGILState_GetThisThreadState();
    #endif
        return held ? PyEval_SaveThread() : NULL;
    }

    static inline void fd_take_back(PyThreadState *held) {
        if (held)
            PyEval_RestoreThread(held);
    }

    typedef void fd_row_loop(Py_ssize_t, char **, const npy_intp *, const npy_intp *, int, int);

    /* Not prange, which on Python 3.11 lets go of a GIL that it does not have once there was a subinterpreter. */
    static inline void fd_over_rows(fd_row_loop *row, Py_ssize_t n_rows, int team, char **args,
                                    const npy_intp *dims, const npy_intp *steps, int measure, int scalar) {
    #ifdef _OPENMP
    #    pragma omp parallel for num_threads(team) schedule(static)
    #endif
        for (Py_ssize_t i = 0; i < n_rows; i++)
            row(i, args, dims, steps, measure, scalar);
    }
    """
    ctypedef struct PyThreadState:
        pass
    ctypedef void fd_row_loop(Py_ssize_t, char **, const cnp.npy_intp *, const cnp.npy_intp *, int, int) nogil
    PyThreadState *fd_let_go() noexcept nogil
    void fd_take_back(PyThreadState *held) noexcept nogil
    void fd_over_rows(fd_row_loop *row, Py_ssize_t n_rows, int team, char **args, const cnp.npy_intp *dims,
                      const cnp.npy_intp *steps, int measure, int scalar) noexcept nogil


cdef void all_rows(row_loop row, Py_ssize_t n_rows, double nanoseconds, char **args,
                   const cnp.npy_intp *dims, const cnp.npy_intp *steps, int measure, int scalar) noexcept nogil:
    cdef Py_ssize_t i
    cdef int team = fd_team(nanoseconds, n_rows)
    cdef PyThreadState *held = fd_let_go() if nanoseconds > 5e4 else NULL
    if team == 1:
        for i in range(n_rows):
            row(i, args, dims, steps, measure, scalar)
    else:
        fd_over_rows(<fd_row_loop *>row, n_rows, team, args, dims, steps, measure, scalar)
    fd_take_back(held)
    feclearexcept(FE_ALL_EXCEPT)  # log(0) selected away is no reason for NumPy to warn
