# What Cython sees of list.h, view.h and rows.h.

cdef extern from "rows/list.h" nogil:
    ctypedef enum fd_measure:
        FD_cross_entropy
        FD_N_MEASURES
    enum:
        FD_OPTION_WEIGHTS
        FD_OPTION_ALPHA
    ctypedef struct fd_traits:
        const char *name
        int in_bits, symmetric, option, infinite
    const fd_traits fd_measures[]

cdef extern from "rows/view.h" nogil:
    ctypedef struct fd_options:
        double unit_hi, unit_lo, normalize, log_input, pseudocount, w_p, w_q, alpha, omit
    ctypedef enum fd_scalar:
        FD_FLOAT64
        FD_FLOAT32
        FD_INT8
        FD_UINT8
        FD_INT16
        FD_UINT16
        FD_INT32
        FD_UINT32
        FD_INT64
        FD_UINT64
        FD_N_SCALARS
    ctypedef struct fd_view:
        const char *data
        Py_ssize_t stride
        fd_scalar scalar
    enum:
        FD_N_OPTIONS
    const fd_options fd_default_options

cdef extern from "rows/table.h" nogil:
    enum:
        FD_ROWS
        FD_FEW

cdef extern from "rows/rows.h" nogil:
    int fd_has_lanes(fd_measure measure, fd_scalar scalar, Py_ssize_t n, const fd_options *options)
    void fd_rows(fd_measure measure, fd_view p, Py_ssize_t p_step, fd_view q, Py_ssize_t q_step, int rows,
                 Py_ssize_t n, const fd_options *options, double *out)
    fd_view fd_gather_rows(fd_view first, Py_ssize_t step, Py_ssize_t rows, Py_ssize_t n, double *out,
                           Py_ssize_t pitch)
    enum:
        FD_ELEMENTS
    void fd_elements(int whole, fd_view x, fd_view y, Py_ssize_t n, double *out)
    void fd_events(int entropy, fd_view p, Py_ssize_t n, double *out)
    double fd_row(fd_measure measure, fd_view p, fd_view q, Py_ssize_t n, const fd_options *options)
    double fd_js_stack(fd_measure measure, fd_view first, Py_ssize_t step, Py_ssize_t m, const double *weights,
                       Py_ssize_t n, const fd_options *options)

cdef extern from "<fenv.h>" nogil:
    int feclearexcept(int)
    int FE_ALL_EXCEPT

cdef extern from *:
    """
    #include <numpy/arrayscalars.h>

    /* a NumPy scalar in 20 ns; PyArray_Scalar takes 60 */
    static inline PyObject *fd_float64(double value) {
        PyObject *scalar = PyArrayScalar_New(Double);
        if (scalar)
            PyArrayScalar_ASSIGN(scalar, Double, value);
        return scalar;
    }
    """
    object fd_float64(double value)
