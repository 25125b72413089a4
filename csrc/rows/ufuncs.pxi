# How ufuncs are made: for each kind of number a loop that is told which in its data. NumPy keeps loops, types,
# data and names by address.

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


cdef make(cnp.PyUFuncGenericFunction *loops, int n_rows, int n_others, int measure, str name, signature,
          int n_results=1):
    """A ufunc of `n_rows` arrays of one kind of number and `n_others` of doubles; float32 gives float32."""
    cdef bytes c_name = kept(name), c_signature = kept(signature or ""), types = b""
    cdef void **data = <void **>malloc(len(SCALARS) * sizeof(void *))  # for good
    if data == NULL:
        raise MemoryError
    for i, (scalar, npy) in enumerate(SCALARS):
        data[i] = <void *><size_t>(measure + PER_SCALAR * scalar)
        result = cnp.NPY_FLOAT if scalar == FD_FLOAT32 else cnp.NPY_DOUBLE
        types += bytes([npy] * n_rows + [cnp.NPY_DOUBLE] * n_others + [result] * n_results)
    KEPT_ALIVE.append(types)
    return cnp.PyUFunc_FromFuncAndDataAndSignature(
        loops, data, <char *>types, len(SCALARS), n_rows + n_others, n_results,
        cnp.PyUFunc_None, c_name, b"See fastdiv.information.", 0, <char *>c_signature if signature else NULL)


if len(SCALARS) != FD_N_SCALARS or len(SCALARS) != 10 or <int>FD_N_MEASURES > <int>PER_SCALAR:
    raise ImportError("view.h and ufuncs.pxi disagree about kinds of numbers")
